// The reconcile loop on a real Redis and the simulator: what was lost or given up behind our back is asked for again,
// once, and by one of several workers.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import type { RequestQueue } from '../../src/queue/enqueue.ts';
import { checkInvariants, type Requested } from '../helpers/invariants.ts';
import { createTestReconciler, NOTHING, reconcile } from '../helpers/reconciler.ts';
import { until } from '../helpers/until.ts';
import { APP, createStage, PRIMARY, type Stage, type StageOptions } from '../helpers/worker.ts';

const DOMAIN = 'shop.example.org';
const key = { ...APP, domain: parseDomainName(DOMAIN) };

let stage: Stage;
let releases: AsyncDisposableStack;
beforeEach(() => {
  releases = new AsyncDisposableStack();
});
afterEach(() => releases.disposeAsync());

async function set(options: StageOptions = {}): Promise<RequestQueue> {
  stage = releases.use(await createStage(options));
  if (options.workers !== 0) await firstLoopDone();
  return stage.producer.requests;
}

/** The workers' first reconcile loop is at start; what a test prepares must come after it. */
async function firstLoopDone(): Promise<void> {
  const turn = stage.producer.requests.keyOf('reconcile');
  await until(async () => (await stage.redis.exists(turn)) === 1, 'the first reconcile loop has begun');
}

async function ask(): Promise<Requested> {
  const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: DOMAIN });
  return { domain: DOMAIN, presence: 'present', jobId };
}

const check = (asked: readonly Requested[]): Promise<void> =>
  checkInvariants({
    simulator: stage.simulator,
    redis: stage.redis,
    prefix: stage.config.queuePrefix,
    requested: asked,
  });

describe('a request whose job', () => {
  test('was deleted from Redis behind our back is asked for again, under its own id', async () => {
    await set({ workers: 0 });
    const asked = await ask();
    await stage.queue.obliterate({ force: true });
    expect(await reconcile(stage)).toMatchObject({ ...NOTHING, checked: 1, reenqueued: 1 });
    await stage.startWorker();
    expect((await stage.ended(asked.jobId)).returnvalue).toMatch(/attached/);
    await stage.idle();
    await check([asked]);
  });

  test('was never added, since the producer died in between, is carried out by a worker’s first reconcile loop', async () => {
    const { store } = await set({ workers: 0 });
    const desired = { presence: 'present', www: false, redirection: 'none' } as const;
    const { jobId } = await store.request({ ...key, desired });
    await stage.startWorker();
    await until(async () => (await store.get(key))?.request === 'settled', 'it has been carried out');
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
    await check([{ domain: DOMAIN, presence: 'present', jobId }]);
  });

  test('of a bare client was deleted comes back as one of ours', async () => {
    const { store } = await set({ retries: { backoffMs: 600_000, backoffMaxMs: 600_000 } });
    stage.simulator.addFault({ kind: 'status', status: 503, operation: 'list-domains' });
    const id = await stage.add('add-domain', { domain: DOMAIN });
    await until(async () => (await stage.queue.getJobState(id)) === 'delayed', 'it is in backoff');
    await (await stage.job(id)).remove();
    expect(await reconcile(stage)).toMatchObject({ ...NOTHING, reenqueued: 1 });
    await until(async () => (await store.get(key))?.request === 'settled', 'it has been carried out');
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
  });

  test('is waiting, at work or in backoff is left alone, however often it is swept', async () => {
    await set({ retries: { backoffMs: 600_000, backoffMaxMs: 600_000 } });
    stage.simulator.addFault({ kind: 'status', status: 503, operation: 'list-domains' });
    const { jobId } = await ask();
    await until(async () => (await stage.queue.getJobState(jobId)) === 'delayed', 'it is in backoff');
    for (let i = 0; i < 3; i += 1) expect(await reconcile(stage)).toEqual({ ...NOTHING, checked: 1 });
    expect(await stage.queue.getJobCountByTypes('delayed', 'prioritized', 'waiting', 'active')).toBe(1);
  });

  test('was given up by BullMQ itself waits for a person, with a reason and a code', async () => {
    const { store } = await set({ workers: 0 });
    const { jobId } = await ask();
    const queueKey = `${stage.config.queuePrefix}:runcloud-domains`;
    await stage.redis.zrem(`${queueKey}:prioritized`, jobId);
    await stage.redis.zadd(`${queueKey}:failed`, Date.now(), jobId);
    expect(await reconcile(stage)).toMatchObject({ ...NOTHING, quarantined: 1 });
    expect(await store.get(key)).toMatchObject({
      state: 'failed',
      code: 'job-quarantined',
      outcome: expect.stringContaining(jobId),
    });
    expect(await reconcile(stage)).toMatchObject(NOTHING);
  });
});

test('a redeploy whose job was lost is revived, and covers what waited for it', async () => {
  await set({ env: { SSL_REDEPLOY_DELAY: '60s' } });
  const { jobId } = await ask();
  await stage.ended(jobId);
  const delayed = async () => (await stage.queue.getDelayed())[0];
  const redeploy = await until(delayed, 'the worker delays the redeploy');
  await redeploy?.remove();
  expect(await reconcile(stage)).toMatchObject({ ...NOTHING, redeploys: 1 });
  const revived = await until(delayed, 'the worker delays it again');
  expect(revived?.id).toBe(redeploy?.id);
  await revived?.promote();
  await stage.producer.requests.enqueue('redeploy-ssl', {});
  await stage.idle();
  expect(stage.simulator.state.coveredNames()).toContain(DOMAIN);
  expect(await reconcile(stage)).toMatchObject(NOTHING);
});

test('an orphaned deduplication key of a bare client is dropped; a live one’s, and a throttle, are kept', async () => {
  await set({ workers: 0 });
  const add = async (id: string, ttl?: number): Promise<string> => {
    const deduplication = { id, ...(ttl !== undefined && { ttl }) };
    return (await stage.queue.add('add-domain', { domain: DOMAIN }, { deduplication })).id ?? '';
  };
  const lost = [await add('orphan'), await add('throttle', 3_600_000)];
  const alive = await add('alive');
  // BullMQ itself forgives a key whose job's record is gone, not one whose job has fallen out of every list.
  for (const id of lost) await stage.redis.lrem(`${stage.config.queuePrefix}:runcloud-domains:wait`, 0, id);
  expect(await add('orphan')).toBe(lost[0]);
  expect(await reconcile(stage)).toMatchObject({ ...NOTHING, deduplicationKeys: 1 });
  expect(await stage.queue.getDeduplicationJobId('alive')).toBe(alive);
  expect(await stage.queue.getDeduplicationJobId('throttle')).toBe(lost[1]);
  expect(lost).not.toContain(await add('orphan'));
});

test('of several workers one sweeps per interval, and the next one in the next', async () => {
  const requests = await set({ workers: 0 });
  await ask();
  let [turns, rounds] = [0, 0];
  const watched: RequestQueue = {
    ...requests,
    keyOf: (name) => {
      turns += 1;
      return requests.keyOf(name);
    },
    store: {
      ...requests.store,
      scan: () => {
        rounds += 1;
        return requests.store.scan();
      },
    },
  };
  /** Four sweepers go for the same turn, and have ended what they began. */
  const race = async (): Promise<void> => {
    const before = turns;
    const made = Array.from({ length: 4 }, () => createTestReconciler(stage, { requests: watched }));
    for (const { reconciler } of made) reconciler.start();
    await until(() => turns === before + 4, 'each has asked for the turn');
    // Their questions went over this very connection: its next answer comes after all of theirs.
    await stage.redis.ping();
    for (const { close } of made) await close();
  };
  await race();
  expect(rounds).toBe(1);
  await race();
  expect(rounds).toBe(1);
  await stage.redis.del(requests.keyOf('reconcile'));
  await race();
  expect(rounds).toBe(2);
});
