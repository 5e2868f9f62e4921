// Jobs whose handlers never come back and heed no signal: their places are free again, the worker stops all the same, and nothing that
// they do later reaches RunCloud. Handlers of our own, in BullMQ's real worker.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { redisOf } from '../../src/app/settings.ts';
import { done } from '../../src/domains/outcome.ts';
import type { DomainWork } from '../../src/jobs/domain-work.ts';
import { underLease } from '../../src/lease/lease.ts';
import { createLogger } from '../../src/logger/logger.ts';
import { createCrashedJobs } from '../../src/queue/crashed-jobs.ts';
import type { JobEnd } from '../../src/queue/pipeline.ts';
import { createWorker, type DomainWorker } from '../../src/queue/worker.ts';
import { createRedis } from '../../src/redis/connection.ts';
import { until } from '../helpers/until.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

const BOUNDS = { stillMs: 300, wholeMs: 3_600_000, tickMs: 20, graceMs: 100 };
const never = new Promise<never>(() => undefined);

let stack: AsyncDisposableStack;
let stage: Stage;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  stage = stack.use(await createStage({ workers: 0 }));
});
afterEach(() => stack.disposeAsync());

interface Started {
  readonly worker: DomainWorker;
  readonly ends: JobEnd[];
}

async function start(
  handle: (work: DomainWork) => ReturnType<typeof attach>,
  { concurrency = 1, bounds = BOUNDS } = {},
): Promise<Started> {
  const { producer, config } = stage;
  const redis = createRedis(redisOf(config), 'worker', () => undefined);
  stack.defer(() => redis.disconnect());
  const ends: JobEnd[] = [];
  const nothing = (): void => undefined;
  const worker = createWorker({
    redis,
    queuePrefix: config.queuePrefix,
    concurrency,
    handlers: { 'add-domain': handle, 'remove-domain': handle, 'redeploy-ssl': async () => done('nothing') },
    requests: producer.requests,
    defaults: producer.defaults,
    redeployDelayMs: 0,
    retryPolicy: { attempts: 5, backoffMs: 50, backoffMaxMs: 50 },
    logger: createLogger({ level: 'silent', format: 'json', secrets: () => [] }),
    scrub: (text) => text,
    unavailable: async () => undefined,
    pauses: producer.pauses,
    crashedJobs: createCrashedJobs(redis, `${config.queuePrefix}:crashed-job`),
    bounds,
    excuses: { turnMs: () => 0, isRedisAway: () => false },
    observer: { started: nothing, finished: nothing, waits: nothing, ended: (end) => ends.push(end) },
    onError: nothing,
  });
  stack.defer(() => worker.close(1_000));
  await worker.ready();
  return { worker, ends };
}

const attach = async ({ record }: DomainWork) =>
  done(`${record.domain} attached`, { state: 'attached', reasonCode: 'attached' });
const add = (domain: string) => stage.producer.requests.enqueue('add-domain', { domain });

test('stuck jobs give their places back, are tried again later, and are told of', async () => {
  let tries = 0;
  const { ends } = await start((work) => {
    if (!work.record.domain.startsWith('stuck')) return attach(work);
    tries += 1;
    return work.attempt === 1 ? never : attach(work);
  });
  await add('stuck.example.org');
  await until(() => tries === 1, 'its handler is stuck in the only place');
  const { jobId } = await add('next.example.org');
  await stage.ended(jobId);
  await until(() => tries === 2, 'the stuck job is tried again');
  await stage.completed(2);
  const stuck = ends.filter(({ verdict }) => verdict.code === 'job-stuck');
  expect(stuck).toMatchObject([{ name: 'add-domain', verdict: { kind: 'retry', code: 'job-stuck' } }]);
});

test('a handler that goes on after it was given up writes nothing, and does not keep the lease', async () => {
  const sent: string[] = [];
  const late: unknown[] = [];
  const { promise: resumed, resolve: resume } = Promise.withResolvers<void>();
  const { store } = stage.producer.requests;
  await start(async (work) => {
    if (work.attempt > 1) return attach(work);
    await resumed;
    const write = { key: work.record, jobId: work.jobId, kind: 'attach' } as const;
    const send = async (): Promise<number> => sent.push(work.record.domain);
    late.push(await underLease(store, write, work.calls, send).catch((error: unknown) => error));
    return never;
  });
  const { jobId } = await add('late.example.org');
  await until(async () => (await stage.job(jobId)).attemptsMade === 1, 'it was given up');
  resume();
  await until(() => late.length === 1, 'the stuck handler has gone on');
  expect(late[0]).toMatchObject({ message: expect.stringContaining('Nothing was written') });
  await stage.completed(1);
  expect(sent).toEqual([]);
  expect(await stage.redis.keys(`${stage.config.queuePrefix}:*lease*`)).toEqual([]);
});

test('a handler that heeds nothing does not hold up the stop of its worker, and its job goes back unspent', async () => {
  let isAtWork = false;
  const { worker } = await start(
    () => {
      isAtWork = true;
      return never;
    },
    { bounds: { ...BOUNDS, stillMs: 3_600_000 } },
  );
  const { jobId } = await add('stuck.example.org');
  await until(() => isAtWork, 'its handler is stuck');
  await worker.close(3_000);
  const job = await stage.job(jobId);
  expect(await job.getState()).not.toBe('active');
  expect(job.attemptsMade).toBe(0);
});
