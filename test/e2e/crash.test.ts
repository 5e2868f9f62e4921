// Proves that a worker process which is killed or frozen at the worst moment loses nothing, writes nothing twice, and undoes
// nothing newer. The tests run side by side (hence no `describe`, which would part them):
// they spend their time waiting for real locks and leases.

import { expect, test } from '@jest/globals';
import type { Job } from 'bullmq';
import { isAttached } from '../../src/domains/messages.ts';
import { redeployFollows } from '../../src/jobs/messages.ts';
import { createKeys } from '../../src/redis/keys.ts';
import { until } from '../helpers/until.ts';
import { IMPATIENT, PATIENCE_MS, type WorkerProcess } from './processes.ts';
import { APP, createWorld, type World } from './world.ts';

const DOMAIN = 'shop.example.org';
const HANG_MS = 600_000;

/** The one of `workers` that runs this job, by its own word. */
const ownerOf = (workers: readonly WorkerProcess[], jobId: string): WorkerProcess | undefined =>
  workers.find((worker) => worker.isAlive() && worker.lines('started').some((line) => line.jobId === jobId));

/** The job when BullMQ, too, knows that it has ended. */
const ended = (world: World, jobId: string): Promise<Job> =>
  until(
    async () => {
      const job: Job | undefined = await world.queue.getJob(jobId);
      return job?.finishedOn === undefined ? undefined : job;
    },
    `job ${jobId} has ended`,
    PATIENCE_MS,
  );

/** It says so itself, or BullMQ tells it that the job is somebody else's. */
const untilGivenUp = (worker: WorkerProcess, jobId: string): Promise<unknown> =>
  until(
    () =>
      worker.lines('outcome').some((line) => line.jobId === jobId) ||
      worker.lines('worker-error').some(({ msg }) => String(msg).includes(jobId)),
    'the thawed worker has given up its job',
    PATIENCE_MS,
  );

const settled = (world: World, domain = DOMAIN): Promise<unknown> =>
  until(async () => (await world.record(domain))?.request === 'settled', `${domain} is settled`, PATIENCE_MS);

/** Closes the gate as a 429 would, so that a write waits between taking the lease and going out. */
async function closeGate({ redis, config }: World): Promise<() => Promise<unknown>> {
  const limiter = createKeys(config.queuePrefix, 'runcloud-domains').own('rate-limit');
  await redis.hset(limiter, 'throttledUntil', Date.now() + 600_000, 'why', 'a test');
  return () => redis.hset(limiter, 'throttledUntil', 0);
}

const isLeased = async ({ redis, config }: World): Promise<boolean> => {
  const keys = createKeys(config.queuePrefix, 'runcloud-domains');
  return (await redis.exists(keys.lease({ ...APP, domain: DOMAIN as never }))) === 1;
};

test.concurrent.each([
  ['was never answered', { kind: 'never-answer', appliesWrite: true }],
  ['was about to be answered', { kind: 'slow', delayMs: 4000 }],
] as const)(
  'scenario 4: a worker is killed after a POST that %s: another finishes with that one POST, and the redeploy follows',
  async (_, fault) => {
    await using world = await createWorld();
    world.simulator.addFault({ ...fault, operation: 'attach-domain' });
    const first = await world.startWorker();
    const jobId = await world.add(DOMAIN);
    await until(() => world.names().includes(DOMAIN), 'the POST took effect');
    const second = world.startWorker();
    await first.kill();
    await second;
    await settled(world);
    expect((await ended(world, jobId)).returnvalue).toBe(redeployFollows(isAttached(DOMAIN, [])));
    await world.verify();
    expect(world.calls('attach-domain')).toHaveLength(1);
    expect(world.simulator.state.coveredNames()).toContain(DOMAIN);
  },
  HANG_MS,
);

test.concurrent(
  'scenario 5: kill -9 three times on the same job, and it still completes, its attempts unspent',
  async () => {
    await using world = await createWorld();
    world.simulator.addFault({ kind: 'never-answer', operation: 'list-domains', times: 3 });
    const jobId = await world.add(DOMAIN);
    for (let kills = 1; kills <= 3; kills += 1) {
      const worker = await world.startWorker({}, { tuning: IMPATIENT });
      await until(() => world.calls('list-domains').length === kills, 'the job is at work', PATIENCE_MS);
      await worker.kill();
    }
    await world.startWorker({}, { tuning: IMPATIENT });
    await settled(world);
    const job = await ended(world, jobId);
    expect(job.attemptsMade).toBe(1);
    // A machine under load may add one of its own.
    expect(job.stalledCounter).toBeGreaterThanOrEqual(3);
    await world.verify();
    expect(world.calls('attach-domain')).toHaveLength(1);
  },
  HANG_MS,
);

test.concurrent(
  'scenario 5: a job that kills its process every time is quarantined, and the rest goes on',
  async () => {
    const invalid = { id: 777, primaryDomain: 'invalid.example.org' };
    await using world = await createWorld({
      simulator: { seed: { webapps: [{}, invalid] } },
    });
    const path = '/api/v3/servers/1903/webapps/777/domains*';
    world.simulator.addFault({ kind: 'never-answer', path, times: 'always' });
    // The rest is at work in the same processes when they die.
    world.simulator.addFault({ kind: 'slow', delayMs: 1500, operation: 'attach-domain', times: 'always' });
    const workers: WorkerProcess[] = [];
    const jobId = await world.add('killer.example.org', 777);
    const isQuarantined = async (): Promise<boolean> =>
      (await world.record('killer.example.org', 777))?.request === 'failed';
    const preflightCalls = (): number =>
      world.simulator.state.calls.filter(({ webapp }) => webapp === 777).length;
    let touched = 0;
    for (; !(await isQuarantined()); touched += 1) {
      if (touched > 20) throw new Error('it was never quarantined');
      await world.add(`rest-${touched}.example.org`);
      const before = preflightCalls();
      workers.push(await world.startWorker({}, { tuning: IMPATIENT }));
      // It kills when it is carried out, not when it is taken.
      const struck = () => (preflightCalls() > before ? ownerOf(workers, jobId) : undefined);
      const killer = await until(
        async () => struck() ?? ((await isQuarantined()) ? 'quarantined' : undefined),
        'the job has found another worker',
        PATIENCE_MS,
      );
      if (killer !== 'quarantined') await killer.kill();
    }
    // Not before the sixth death; a machine under load may add some of its own.
    expect(touched).toBeGreaterThan(3);
    const job: Job | undefined = await world.queue.getJob(jobId);
    expect(job?.stalledCounter).toBeGreaterThan(5);
    expect(await world.record('killer.example.org', 777)).toMatchObject({ code: 'job-quarantined' });
    expect(await job?.getState()).toBe('failed');
    await world.startWorker({}, { tuning: IMPATIENT });
    await world.verify();
  },
  HANG_MS,
);

test.concurrent(
  'a worker that is frozen for longer than its lease right before its write: the newest request stands, and the old write never goes out',
  async () => {
    await using world = await createWorld();
    const { id } = world.simulator.addFault({ kind: 'slow', delayMs: HANG_MS, operation: 'list-domains' });
    const first = await world.startWorker();
    const oldId = await world.add(DOMAIN);
    await until(() => world.calls('list-domains').length > 0, 'the list is being read');
    const openGate = await closeGate(world);
    world.simulator.removeFault(id);
    await until(() => isLeased(world), 'the write has the lease and waits for the gate');
    first.freeze();
    await world.remove(DOMAIN);
    await openGate();
    const second = await world.startWorker();
    await settled(world);
    first.thaw();
    await untilGivenUp(first, oldId);
    await world.verify();
    expect(world.calls('attach-domain')).toEqual([]);
    expect(second.isAlive() && first.isAlive()).toBe(true);
    await world.add(DOMAIN);
    await world.verify();
  },
  HANG_MS,
);

test.concurrent(
  'a worker that is frozen for longer than its lease while its write is under way: the newest request stands',
  async () => {
    await using world = await createWorld();
    world.simulator.addFault({ kind: 'slow', delayMs: HANG_MS, operation: 'attach-domain' });
    const first = await world.startWorker();
    const oldId = await world.add(DOMAIN);
    await until(() => world.names().includes(DOMAIN), 'the POST took effect');
    first.freeze();
    world.simulator.clearFaults();
    const jobId = await world.remove(DOMAIN);
    await world.startWorker();
    await settled(world);
    expect((await ended(world, jobId)).returnvalue).toMatch(/removed/);
    first.thaw();
    await untilGivenUp(first, oldId);
    await world.verify();
    expect(world.calls('attach-domain')).toHaveLength(1);
    expect(world.calls('delete-domain')).toHaveLength(1);
  },
  HANG_MS,
);

test.concurrent(
  "a dead worker's POST that RunCloud carries out only after the newer removal was done: the reconcile loop repairs it",
  async () => {
    await using world = await createWorld({ tuning: { reconcileIntervalMs: 1000 } });
    world.simulator.addFault({ kind: 'never-answer', operation: 'attach-domain' });
    const first = await world.startWorker();
    await world.add(DOMAIN);
    await until(() => world.calls('attach-domain').length > 0, 'the POST is on its way');
    await first.kill();
    const jobId = await world.remove(DOMAIN);
    const second = await world.startWorker();
    expect((await ended(world, jobId)).returnvalue).toMatch(/nothing to remove/);
    await world.verify();
    world.simulator.attachDomain({ name: DOMAIN });
    await until(
      () => !world.names().includes(DOMAIN),
      'the reconcile loop has it removed again',
      PATIENCE_MS,
    );
    await world.verify();
    expect(second.lines('reenqueued')).toHaveLength(1);
    expect(world.calls('delete-domain')).toHaveLength(1);
  },
  HANG_MS,
);

test.concurrent(
  'scenario 23: with two workers of unlike settings, one clock five minutes fast, one slow: adds, removals, retries and redeploys still end right',
  async () => {
    await using world = await createWorld();
    const { key, secret } = world.simulator.credentials;
    const older = {
      RUNCLOUD_API_URL: `${world.simulator.url}/api/v2`,
      RUNCLOUD_API_TOKEN: '',
      RUNCLOUD_API_KEY: key,
      RUNCLOUD_API_SECRET: secret,
      WORKER_CONCURRENCY: '1',
      SSL_REDEPLOY_DELAY: '300ms',
    };
    const domains = Array.from({ length: 12 }, (_, i) => `site-${i}.example.org`);
    world.simulator.addFault({ kind: 'status', status: 503, operation: 'attach-domain', times: 3 });
    world.simulator.addFault({ kind: 'drop-after', operation: 'attach-domain', skip: 3, times: 2 });
    await world.startWorker({}, { skewMs: 300_000 });
    await world.startWorker(older, { skewMs: -300_000 });
    await Promise.all(domains.map((domain) => world.add(domain)));
    await until(() => world.names().length > 4, 'some are attached', PATIENCE_MS);
    await Promise.all(domains.slice(0, 6).map((domain) => world.remove(domain)));
    await Promise.all(domains.slice(0, 3).map((domain) => world.add(domain)));
    await world.verify();
    const desired = domains.filter((_, i) => i < 3 || i >= 6);
    expect(world.simulator.state.coveredNames()).toEqual(expect.arrayContaining(desired));
    expect(await world.queue.getFailedCount()).toBe(0);
  },
  HANG_MS,
);
