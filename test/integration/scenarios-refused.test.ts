// What RunCloud refuses (scenario 18): refused credentials hold everything until they are corrected, without a restart and
// without a person's retry; an unknown web application fails its own jobs only; duplicates and lost domains are looked up.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { createWorkerApp } from '../../src/app/worker.ts';
import { type Config, loadConfig } from '../../src/config/load.ts';
import { appGone } from '../../src/jobs/messages.ts';
import { createRateLimiter } from '../../src/rate-limit/limiter.ts';
import { createRunCloud } from '../../src/runcloud/client.ts';
import { checkInvariants, type Requested } from '../helpers/invariants.ts';
import { until } from '../helpers/until.ts';
import { createStage, PRIMARY, PROMPT, type Stage } from '../helpers/worker.ts';

const DOMAIN = 'shop.example.org';
const OTHER = 'other.example.org';
const NEW_TOKEN = 'a0new0token0for0the0workspace';

const check = ({ simulator, redis, config }: Stage, asked: readonly Requested[], others: string[] = []) =>
  checkInvariants({ simulator, redis, prefix: config.queuePrefix, requested: asked, others });

interface DotEnvWorker extends AsyncDisposable {
  write(token: string): void;
  /** How often the configuration has been read. */
  loads(): number;
}

/** A worker whose token stands in a `.env` that somebody may edit while it runs. */
async function startWithDotEnv(stage: Stage): Promise<DotEnvWorker> {
  const directory = mkdtempSync(join(tmpdir(), 'runcloud-domains-env-'));
  const { RUNCLOUD_API_TOKEN = '', ...env } = stage.env;
  const write = (token: string): void =>
    writeFileSync(join(directory, '.env'), `RUNCLOUD_API_TOKEN=${token}\n`);
  let loads = 0;
  const load = (): Config => {
    loads += 1;
    return loadConfig({ ...env, WORKER_CONCURRENCY: '3' }, directory).config;
  };
  write(RUNCLOUD_API_TOKEN);
  const app = createWorkerApp(load(), load, { backoff: PROMPT });
  await app.start();
  return {
    write,
    loads: () => loads,
    async [Symbol.asyncDispose]() {
      await app.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Somebody replaces the workspace's token in RunCloud. */
const replaceToken = ({ simulator }: Stage): void => {
  simulator.credentials.token = NEW_TOKEN;
};

const refusals = ({ simulator }: Stage): number =>
  simulator.state.calls.filter(({ status }) => status === 401 || status === 403).length;

async function untilRefused({ producer }: Stage): Promise<string> {
  const held = await until(async () => {
    const unavailable = await producer.operator.unavailable();
    return unavailable?.kind === 'credentials' ? unavailable : undefined;
  }, 'the refusal holds all jobs');
  return held.sentence;
}

async function tellActive({ queue, logs }: Stage, error: Error): Promise<never> {
  const active = await queue.getActive();
  const stories = await Promise.all(active.map(async ({ id = '' }) => `${id}: ${await logs(id)}`));
  throw new Error([error.message, JSON.stringify(await queue.getJobCounts()), ...stories].join('\n'));
}

describe('scenario 18: credentials that are refused', () => {
  test('in the middle of a run: all jobs wait unspent, and go on when `.env` has been corrected', async () => {
    await using stage = await createStage({ workers: 0 });
    const answer = stage.keepWaiting('attach-domain', { skip: 5, times: 'always' });
    const asked: Requested[] = [];
    for (let i = 0; i < 15; i += 1) {
      const domain = `d${i}.example.org`;
      const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain });
      asked.push({ domain, presence: 'present', jobId });
    }
    await using worker = await startWithDotEnv(stage);
    await until(() => stage.simulator.state.counters.inFlight === 3, 'five are done, three are at work');
    replaceToken(stage);
    answer();
    expect(await untilRefused(stage)).toMatch(/HTTP 401/);
    await until(async () => {
      const active = await stage.queue.getActive();
      const logs = await Promise.all(active.map(({ id }) => stage.logs(id ?? '')));
      return logs.length === 3 && logs.every((log) => /waiting: .*HTTP 401/.test(log));
    }, 'the worker holds what it has taken, and each job’s log says why').catch((error) =>
      tellActive(stage, error),
    );
    expect(await stage.queue.getFailedCount()).toBe(0);
    expect(stage.names()).toHaveLength(1 + 5 + 3);

    // A file that is being edited is no reason to stop.
    worker.write('');
    const loads = worker.loads();
    await until(() => worker.loads() > loads + 3, 'it has been read while it lacked the token');
    expect(await stage.queue.getFailedCount()).toBe(0);
    worker.write(NEW_TOKEN);
    await stage.idle();

    // Each of the three at work asked once at most; nobody asked again until the key was another one.
    expect(refusals(stage)).toBeLessThanOrEqual(3);
    expect(await stage.queue.getFailedCount()).toBe(0);
    for (const { jobId } of asked) expect((await stage.job(jobId)).attemptsMade).toBe(1);
    expect(stage.names()).toHaveLength(16);
    expect(await stage.producer.operator.unavailable()).toBeUndefined();
    await check(stage, asked);
  });

  test('by a 403 on ping the whole account is refused: all jobs are held before any is spent', async () => {
    await using stage = await createStage({ workers: 0 });
    const { ratePerMinute, credentials, timeoutMs, url } = stage.config.runcloud;
    if (!credentials) throw new Error('the stage has no credentials');
    const key = stage.producer.requests.keyOf('rate-limit');
    const limiter = createRateLimiter({ redis: stage.redis, key, ratePerMinute, defaultThrottleMs: 1_000 });
    const client = createRunCloud({ url, version: 'v3', timeoutMs, credentials, limiter });
    stage.simulator.addFault({ kind: 'status', status: 403, operation: 'ping' });
    await expect(client.ping()).rejects.toMatchObject({ code: 'runcloud-account-refused' });
    client.close();
    expect(await stage.producer.operator.unavailable()).toMatchObject({
      kind: 'account',
      sentence: expect.stringContaining('HTTP 403'),
    });

    const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: DOMAIN });
    await using worker = await startWithDotEnv(stage);
    await until(async () => /waiting: /.test(await stage.logs(jobId)), 'the job is held');
    expect(stage.simulator.state.counters.requests).toBe(1);
    replaceToken(stage);
    worker.write(NEW_TOKEN);
    expect((await stage.ended(jobId)).attemptsMade).toBe(1);
    await stage.idle();
    await check(stage, [{ domain: DOMAIN, presence: 'present', jobId }]);
  });

  test('by a 403 on one route hold nobody else: that job is tried again, and fails with the reason in the end', async () => {
    await using stage = await createStage();
    stage.simulator.addFault({ kind: 'status', status: 403, domain: DOMAIN, times: 'always' });
    const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: DOMAIN });
    const job = await stage.ended(jobId);
    expect(job).toMatchObject({
      attemptsMade: stage.retryPolicy.attempts,
      failedReason: expect.stringMatching(/^runcloud-forbidden: /),
    });
    expect(await stage.producer.operator.unavailable()).toBeUndefined();
    const other = await stage.producer.requests.enqueue('add-domain', { domain: OTHER });
    expect((await stage.ended(other.jobId)).returnvalue).toMatch(/attached/);
    await stage.idle();
  });
});

test('scenario 18: a web application that is not there fails its own adds, after all tries; all others go on', async () => {
  await using stage = await createStage();
  const { enqueue } = stage.producer.requests;
  const lost = await Promise.all(
    ['add-domain', 'remove-domain'].map((name, i) =>
      enqueue(name as 'add-domain', { domain: `lost${i}.example.org`, appId: 999 }),
    ),
  );
  const good = await enqueue('add-domain', { domain: DOMAIN });
  const [added, removed] = await Promise.all(lost.map(({ jobId }) => stage.ended(jobId)));
  expect(added?.failedReason).toMatch(/^runcloud-not-found: .*HTTP 404/);
  expect(added?.attemptsMade).toBe(stage.retryPolicy.attempts);
  // What does not exist has no domain: that is as wanted.
  expect(removed?.returnvalue).toBe(appGone('lost1.example.org', 999, 1903));
  expect((await stage.ended(good.jobId)).returnvalue).toMatch(/attached/);
  await stage.idle();
  const failed = (await stage.producer.requests.store.list(10)).filter(
    ({ request: state }) => state === 'failed',
  );
  expect(failed.map(({ code, appId }) => [code, appId])).toEqual([['runcloud-not-found', 999]]);
  expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
});

describe('scenario 18: what changed in RunCloud’s own panel behind an older reading:', () => {
  /** One job for another domain, so that the worker has a reading. */
  async function read(stage: Stage): Promise<Requested> {
    const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: OTHER });
    await stage.ended(jobId);
    return { domain: OTHER, presence: 'present', jobId };
  }

  test('404 on the DELETE, since somebody was faster: done', async () => {
    await using stage = await createStage({ simulator: { seed: { webapps: [{ domains: [DOMAIN] }] } } });
    await read(stage);
    stage.simulator.detachDomain({ name: DOMAIN });
    const { jobId } = await stage.producer.requests.enqueue('remove-domain', { domain: DOMAIN });
    const job = await stage.ended(jobId);
    expect(stage.calls('delete-domain').map(({ status }) => status)).toEqual([404]);
    expect(job).toMatchObject({ attemptsMade: 1, returnvalue: expect.stringMatching(/removed/) });
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY, OTHER]);
  });

  test('404 on the DELETE though the domain is still there: the list is read again, and it is removed', async () => {
    await using stage = await createStage({ simulator: { seed: { webapps: [{ domains: [DOMAIN] }] } } });
    stage.simulator.addFault({ kind: 'status', status: 404, operation: 'delete-domain' });
    const { jobId } = await stage.producer.requests.enqueue('remove-domain', { domain: DOMAIN });
    expect(await stage.ended(jobId)).toMatchObject({
      attemptsMade: 2,
      returnvalue: expect.stringMatching(/removed/),
    });
    expect(stage.names()).toEqual([PRIMARY]);
    await stage.idle();
  });

  const replies = ['422-message', '422-errors', '409', '400'] as const;

  test.each(replies)('a duplicate on the POST (%s), and the domain is here: done', async (duplicateReply) => {
    await using stage = await createStage({ simulator: { variants: { duplicateReply } } });
    const first = await read(stage);
    stage.simulator.attachDomain({ name: DOMAIN });
    const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: DOMAIN });
    const job = await stage.ended(jobId);
    const posts = stage.calls('attach-domain').filter(({ domain }) => domain === DOMAIN);
    expect(posts.map(({ writeApplied }) => writeApplied)).toEqual([false]);
    expect(job).toMatchObject({ attemptsMade: 1, returnvalue: expect.stringMatching(/attached/) });
    await stage.idle();
    await check(stage, [first, { domain: DOMAIN, presence: 'present', jobId }]);
  });

  test.each(replies)(
    'a duplicate on the POST (%s), and the domain is elsewhere: fails naming it',
    async (duplicateReply) => {
      const seed = { webapps: [{}, { id: 647, domains: [DOMAIN] }] };
      const variants = { duplicateReply, duplicateScope: 'account' } as const;
      await using stage = await createStage({ simulator: { seed, variants } });
      const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: DOMAIN });
      const job = await stage.ended(jobId);
      expect(job.failedReason).toMatch(
        /^runcloud-rejected: .*shop\.example\.org is not on this web application/,
      );
      expect(job.attemptsMade).toBe(1);
      await stage.idle();
      expect(stage.calls('redeploy-ssl')).toHaveLength(0);
      expect(stage.names()).toEqual([PRIMARY]);
    },
  );
});
