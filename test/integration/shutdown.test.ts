// Stopping: what runs is finished or handed back unspent, within the deadline, with Redis there or away.

import { describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createSimulator } from '../../packages/simulator/src/index.ts';
import { startRedisServer } from '../../scripts/redis-server.ts';
import { isAttached } from '../../src/domains/messages.ts';
import { redeployFollows } from '../../src/jobs/messages.ts';
import { runCli, startCli } from '../helpers/cli.ts';
import { buryHolders } from '../helpers/mortal-worker.ts';
import { until } from '../helpers/until.ts';
import { createStage, PRIMARY, type Stage } from '../helpers/worker.ts';

const DOMAIN = 'shop.example.org';
/** Far above every deadline that is set here: it only guards against hanging. */
const NEVER_MS = 20_000;

async function timed(work: Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work;
  return performance.now() - startedAt;
}

/** The connection by which BullMQ's worker waits for jobs is gone. */
const takesNothing = async ({ redis, config }: Stage): Promise<boolean> =>
  !String(await redis.client('LIST')).includes(` name=${config.queuePrefix}:`);

/** Resolves when BullMQ's worker waits for jobs: before, it has nothing to lose with its Redis. */
async function untilItBlocks(url: string): Promise<void> {
  const admin = new Redis(url);
  try {
    const blocks = async () => String(await admin.client('LIST')).includes(' cmd=bzpopmin ');
    await until(blocks, 'the worker waits for jobs');
  } finally {
    admin.disconnect();
  }
}

describe('closing a worker', () => {
  test.concurrent('that has nothing to do returns at once, and may be done twice', async () => {
    await using stage = await createStage({ workers: 0 });
    const worker = await stage.startWorker();
    expect(await timed(Promise.all([worker.close(), worker.close()]))).toBeLessThan(NEVER_MS);
    await worker.close();
  });

  test.concurrent('during a job lets the job finish, and takes no other', async () => {
    await using stage = await createStage({ workers: 0, env: { WORKER_CONCURRENCY: '1' } });
    const worker = await stage.startWorker();
    const answer = stage.keepWaiting('attach-domain');
    const id = await stage.add('add-domain', { domain: DOMAIN });
    const next = await stage.add('add-domain', { domain: 'next.example.org' });
    await until(() => stage.calls('attach-domain').length > 0, 'the POST is under way');
    const closed = worker.close();
    await until(() => takesNothing(stage), 'it waits for no other job');
    answer();
    await closed;
    const job = await stage.job(id);
    expect(await job.getState()).toBe('completed');
    expect(job.attemptsMade).toBe(1);
    expect(await (await stage.job(next)).getState()).toBe('waiting');
    expect(stage.calls('attach-domain')).toHaveLength(1);
  });

  test.concurrent('during a call that does not end hands the job back unspent, and another worker finishes it', async () => {
    await using stage = await createStage({ workers: 0 });
    const worker = await stage.startWorker({ SHUTDOWN_TIMEOUT: '4s' });
    stage.simulator.addFault({ kind: 'never-answer', operation: 'attach-domain' });
    const id = await stage.add('add-domain', { domain: DOMAIN });
    await until(() => stage.calls('attach-domain').length > 0, 'the POST is under way');
    expect(await timed(worker.close())).toBeLessThan(NEVER_MS);
    const handedBack = await stage.job(id);
    expect(await handedBack.getState()).toBe('waiting');
    expect(handedBack.attemptsMade).toBe(0);
    expect(await stage.logs(id)).toMatch(/handed-back: The worker is stopping/);

    await stage.startWorker();
    const job = await stage.ended(id);
    expect(job.returnvalue).toMatch(/attached/);
    expect(job.attemptsMade).toBe(1);
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
    expect(stage.simulator.state.coveredNames()).toContain(DOMAIN);
  });

  test.concurrent('during a write that took effect unseen hands it back, and the next worker looks before it writes', async () => {
    await using stage = await createStage({ workers: 0 });
    const worker = await stage.startWorker({ SHUTDOWN_TIMEOUT: '4s' });
    stage.simulator.addFault({ kind: 'never-answer', appliesWrite: true, operation: 'attach-domain' });
    const id = await stage.add('add-domain', { domain: DOMAIN });
    await until(() => stage.names().includes(DOMAIN), 'the write took effect');
    await worker.close();
    await stage.startWorker();
    expect((await stage.ended(id)).returnvalue).toBe(redeployFollows(isAttached(DOMAIN, [])));
    await stage.idle();
    expect(stage.calls('attach-domain')).toHaveLength(1);
    expect(stage.calls('redeploy-ssl')).toHaveLength(1);
  });

  test.concurrent('with a short deadline still ends within reach of it', async () => {
    await using stage = await createStage({ workers: 0 });
    const worker = await stage.startWorker({ SHUTDOWN_TIMEOUT: '500ms' });
    stage.simulator.addFault({ kind: 'never-answer', operation: 'attach-domain' });
    const id = await stage.add('add-domain', { domain: DOMAIN });
    await until(() => stage.calls('attach-domain').length > 0, 'the POST is under way');
    expect(await timed(worker.close())).toBeLessThan(NEVER_MS);
    expect((await stage.job(id)).attemptsMade).toBe(0);
  });
});

describe('a worker process', () => {
  test.concurrent.each(['SIGTERM', 'SIGINT'] as const)(
    'ends on %s with exit code 0, its job done',
    async (signal) => {
      await using stage = await createStage({ workers: 0 });
      const answer = stage.keepWaiting('attach-domain');
      await using worker = startCli(['worker'], { env: { ...stage.env, LOG_LEVEL: 'info' } });
      await until(() => worker.out().includes('"event":"ready"'), 'the worker is ready');
      const id = await stage.add('add-domain', { domain: DOMAIN });
      await until(() => stage.calls('attach-domain').length > 0, 'the POST is under way');
      worker.child.kill(signal);
      await until(() => takesNothing(stage), 'it stops');
      answer();
      const { code, out, err } = await worker.ended;
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out.trim().split('\n').at(-1)).toMatch(/"event":"stopped"/);
      expect(await (await stage.job(id)).getState()).toBe('completed');
    },
  );

  test.concurrent.each([
    ['idle', false],
    ['at work', true],
  ])('that is %s and loses its Redis still ends within its deadline', async (_, atWork) => {
    await using server = await startRedisServer();
    await using simulator = await createSimulator();
    const env = {
      REDIS_URL: server.url,
      RUNCLOUD_API_URL: `${simulator.url}/api/v3`,
      RUNCLOUD_API_TOKEN: simulator.credentials.token,
      RUNCLOUD_SERVER_ID: '1903',
      RUNCLOUD_APP_ID: '646',
      SHUTDOWN_TIMEOUT: '4s',
    };
    await using worker = startCli(['worker'], { env });
    await until(() => worker.out().includes('"event":"ready"'), 'the worker is ready');
    if (atWork) {
      simulator.addFault({ kind: 'never-answer', operation: 'list-domains' });
      expect(await runCli(['add', DOMAIN], { env })).toMatchObject({ code: 0 });
      await until(() => simulator.state.calls.length > 0, 'the job is at work');
    }
    await server.kill();
    worker.child.kill('SIGTERM');
    expect(await timed(worker.ended)).toBeLessThan(NEVER_MS);
    expect(await worker.ended).toMatchObject({ code: 0, signal: null });
  });

  test.concurrent('that is idle and has lost its Redis does not wait for it, however long it might', async () => {
    await using server = await startRedisServer();
    const env = {
      REDIS_URL: server.url,
      RUNCLOUD_API_TOKEN: 'a0token0for0nobody',
      SHUTDOWN_TIMEOUT: '60s',
    };
    await using worker = startCli(['worker'], { env });
    await until(() => worker.out().includes('"event":"ready"'), 'the worker is ready');
    await untilItBlocks(server.url);
    await server.kill();
    await until(() => worker.out().includes('redis-error'), 'it has noticed');
    worker.child.kill('SIGTERM');
    expect(await timed(worker.ended)).toBeLessThan(NEVER_MS);
    const { code, out } = await worker.ended;
    expect(code).toBe(0);
    expect(out).toContain('"event":"forced-close"');
  });

  test.concurrent('that never reached its Redis ends too, and never said that it was ready', async () => {
    await using worker = startCli(['worker'], {
      env: { REDIS_URL: 'redis://127.0.0.1:1', RUNCLOUD_API_TOKEN: 'a0token0for0nobody' },
    });
    await until(() => worker.out().includes('redis-error'), 'it has looked for Redis');
    worker.child.kill('SIGTERM');
    const { code, out } = await worker.ended;
    expect(code).toBe(0);
    expect(out).not.toMatch(/ready for jobs/);
  });

  test.concurrent('that is killed outright loses nothing: another one finishes its job', async () => {
    await using stage = await createStage({ workers: 0 });
    stage.simulator.addFault({ kind: 'never-answer', operation: 'attach-domain' });
    await using worker = startCli(['worker'], { env: { ...stage.env, LOG_LEVEL: 'info' } });
    const id = await stage.add('add-domain', { domain: DOMAIN });
    await until(() => stage.calls('attach-domain').length > 0, 'the POST is under way');
    worker.child.kill('SIGKILL');
    await worker.ended;
    // Its lock has run out, and the stalled check comes round. (In real time: test/e2e/crash.test.ts.)
    await buryHolders(stage.redis, stage.config.queuePrefix);
    await stage.startWorker();
    const job = await stage.ended(id);
    expect(job.returnvalue).toMatch(/attached/);
    expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
  });
});
