// Proves that Redis may die, freeze, lose its data, refuse writes or run full: workers come back by themselves, producers hear
// the truth within a second, and nothing is lost or doubled. The tests run side by side, each on a Redis of its own.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { spawnCli } from '../helpers/cli.ts';
import { until } from '../helpers/until.ts';
import { busiestSecond, PATIENCE_MS } from './processes.ts';
import { addAgain, createWorld, PRIMARY, type World } from './world.ts';

const DOMAIN = 'shop.example.org';
const HANG_MS = 600_000;

const domainsOf = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `customer-${i}.example.org`);

/** What of its writes the kernel does not have yet is lost by a SIGKILL: so not before it is quiet. */
const untilOnDisk = (world: World): Promise<unknown> =>
  until(
    async () =>
      /aof_buffer_length:0\s(.|\s)*aof_pending_bio_fsync:0\s/.test(await world.redis.info('persistence')),
    'the append-only file has everything',
  );

test.concurrent(
  'scenario 10: Redis is killed and restarted during 300 jobs: 300 done, none lost, none doubled',
  async () => {
    await using world = await createWorld();
    const domains = domainsOf(300);
    await Promise.all(domains.map((domain) => world.add(domain)));
    await untilOnDisk(world);
    const held = { kind: 'slow', delayMs: HANG_MS, operation: 'attach-domain' } as const;
    world.simulator.addFault({ ...held, skip: 60, times: 'always' });
    const workers = await Promise.all([world.startWorker(), world.startWorker()]);
    await until(() => world.calls('attach-domain').length > 60, 'a part is done', PATIENCE_MS);
    await world.server.kill();
    world.simulator.clearFaults();
    const before = world.calls('attach-domain').length;
    expect(before).toBeLessThan(100);
    await world.server.restart();
    await until(() => world.calls('attach-domain').length > before + 10, 'work goes on', PATIENCE_MS);
    await world.verify();
    expect(world.names()).toHaveLength(301);
    expect(await world.queue.getFailedCount()).toBe(0);
    expect(world.calls('attach-domain').filter((call) => call.writeApplied)).toHaveLength(300);
    expect(workers.every((worker) => worker.isAlive())).toBe(true);
    expect(world.simulator.state.coveredNames()).toEqual(expect.arrayContaining(domains));
  },
  HANG_MS,
);

test.concurrent(
  'scenario 12: Redis is emptied: an alarm, no crash, and new requests work',
  async () => {
    await using world = await createWorld({ tuning: { reconcileIntervalMs: 500 } });
    const worker = await world.startWorker();
    await world.add(DOMAIN);
    await world.verify();
    world.simulator.addFault({ kind: 'slow', delayMs: HANG_MS, operation: 'attach-domain' });
    await world.add('lost.example.org');
    await until(() => world.calls('attach-domain').length === 2, 'a write is under way');
    const rounds = worker.lines('reconcile').length;
    await until(
      () => worker.lines('reconcile').length > rounds + 1,
      'the worker knows what Redis has',
      PATIENCE_MS,
    );
    await world.redis.flushall();
    world.simulator.clearFaults();
    await until(() => worker.lines('redis-emptied').length > 0, 'the alarm is raised', PATIENCE_MS);
    expect(worker.lines('redis-emptied')).toMatchObject([{ level: 'error' }]);
    await world.add('new.example.org');
    await world.add(DOMAIN);
    await world.add('lost.example.org');
    await world.verify();
    expect(world.calls('attach-domain')).toHaveLength(3);
    expect(worker.lines('redis-emptied')).toHaveLength(1);
    expect(worker.isAlive()).toBe(true);
  },
  HANG_MS,
);

test.concurrent(
  'scenario 13: Redis takes no writes for 5 s: no flood of lines, and work goes on by itself',
  async () => {
    await using world = await createWorld();
    const worker = await world.startWorker();
    world.simulator.addFault({ kind: 'slow', delayMs: HANG_MS, operation: 'attach-domain' });
    await world.add(DOMAIN);
    await until(() => world.calls('attach-domain').length > 0, 'a write is under way');
    await world.redis.call('REPLICAOF', '127.0.0.1', '1');
    world.simulator.clearFaults();
    const before = worker.lines().length;
    await expect(
      world.producer.requests.enqueue('add-domain', { domain: 'no.example.org' }),
    ).rejects.toMatchObject({ code: 'redis-unavailable' });
    await sleep(5000);
    expect(worker.lines().length - before).toBeLessThan(40);
    expect(busiestSecond(worker, 'error')).toBeLessThanOrEqual(1);
    await world.redis.call('REPLICAOF', 'NO', 'ONE');
    await addAgain(world, 'next.example.org');
    await world.verify();
    expect(await world.record('no.example.org')).toBeUndefined();
    expect(world.calls('attach-domain', DOMAIN)).toHaveLength(1);
  },
  HANG_MS,
);

test.concurrent(
  'scenario 14: Redis is full: the command says what was stored, sending again doubles nothing, workers recover',
  async () => {
    await using world = await createWorld();
    const domains = domainsOf(400);
    const file = domains.join('\n');
    // Sent again (by spawnCli) where a busy machine did not answer in time: what was taken counts as accepted then, too.
    const send = () => spawnCli(['add', '--file', '-', '--www', 'false'], { env: world.env, input: file });
    const memory = Number(/used_memory:(\d+)/.exec(await world.redis.info('memory'))?.[1]);
    let accepted: string[] = [];
    // Room for a part: what Redis itself needs meanwhile depends on how much it has not read yet.
    for (let room = 500_000; accepted.length === 0; room += 200_000) {
      await world.redis.config('SET', 'maxmemory', memory + room);
      const { code, out, err } = await send();
      expect(code).toBe(3);
      expect(err).toMatch(/out of memory.* Accepted: (\d+) of 400\./);
      accepted = out.split('\n').filter((line) => /: (already )?queued /.test(line));
      expect(accepted.length).toBe(Number(/Accepted: (\d+) of 400/.exec(err)?.[1]));
    }
    expect(accepted.length).toBeLessThan(400);
    for (const line of accepted) {
      const jobId = /job ([^\s)]+)/.exec(line)?.[1] ?? '';
      expect(await world.queue.getJob(jobId)).toBeDefined();
    }
    const worker = await world.startWorker();
    await until(
      () => worker.lines('worker-error').some(({ msg }) => /OOM/.test(String(msg))),
      'the worker has met the full Redis',
      PATIENCE_MS,
    );
    expect(busiestSecond(worker, 'error')).toBe(1);
    await world.redis.config('SET', 'maxmemory', 0);
    expect(await send()).toMatchObject({ code: 0, err: '' });
    for (const domain of domains) world.desired(domain, 'present');
    await world.verify();
    expect(world.calls('attach-domain').filter((call) => call.writeApplied)).toHaveLength(400);
    expect(await world.queue.getFailedCount()).toBe(0);
    expect(worker.isAlive()).toBe(true);
  },
  HANG_MS,
);

test.concurrent.each(['killed', 'frozen'] as const)(
  'scenario 15: a request while Redis is %s ends in a typed error at once, and no ghost of it comes later',
  async (how) => {
    await using world = await createWorld({ tuning: { reconcileIntervalMs: 500 } });
    const worker = await world.startWorker();
    if (how === 'killed') await world.server.kill();
    else world.server.pause();
    const ghost = world.producer.requests.enqueue('add-domain', { domain: 'ghost.example.org' });
    const outcome = ghost.then(
      () => 'accepted',
      (error: { code?: string }) => error.code,
    );
    const hanging = new AbortController();
    const never = sleep(PATIENCE_MS, 'no answer', { signal: hanging.signal });
    expect(await Promise.race([outcome, never.catch(() => '')])).toBe('redis-unavailable');
    hanging.abort();
    const cli = await spawnCli(['add', 'phantom.example.org'], { env: world.env, isRedisAway: true });
    expect(cli).toMatchObject({ code: 3, out: '' });
    if (how === 'killed') await world.server.restart();
    else world.server.resume();
    await addAgain(world, DOMAIN);
    await world.verify();
    const rounds = worker.lines('reconcile').length;
    await until(() => worker.lines('reconcile').length >= rounds + 2, 'the reconcile loop has run');
    await world.verify();
    expect(world.names()).toEqual([PRIMARY, DOMAIN]);
    expect(await world.record('ghost.example.org')).toBeUndefined();
    expect(await world.record('phantom.example.org')).toBeUndefined();
  },
  HANG_MS,
);

test.concurrent(
  'scenario 16: SIGTERM to one of two workers in the middle of 30 jobs: it exits, all are done, no attempt is lost',
  async () => {
    await using world = await createWorld();
    world.simulator.addFault({ kind: 'slow', delayMs: 100, operation: 'attach-domain', times: 'always' });
    const [first] = await Promise.all([world.startWorker(), world.startWorker()]);
    const ids = await Promise.all(domainsOf(30).map((domain) => world.add(domain)));
    await until(() => world.names().length > 5, 'some are attached');
    expect(await first.terminate()).toMatchObject({ code: 0, signal: null, err: '' });
    await world.verify();
    for (const id of ids) expect(await world.queue.getJob(id)).toMatchObject({ attemptsMade: 1 });
    expect(world.calls('attach-domain')).toHaveLength(30);
  },
  HANG_MS,
);

test.concurrent.each(['there', 'killed', 'frozen'] as const)(
  'scenario 16: SIGTERM during a call that never answers, Redis %s: it exits by itself, another worker finishes, no attempt is lost',
  async (how) => {
    await using world = await createWorld();
    world.simulator.addFault({ kind: 'never-answer', appliesWrite: true, operation: 'attach-domain' });
    const first = await world.startWorker({ SHUTDOWN_TIMEOUT: '4s' });
    const jobId = await world.add(DOMAIN);
    await until(() => world.names().includes(DOMAIN), 'the POST took effect');
    await untilOnDisk(world);
    if (how === 'killed') await world.server.kill();
    if (how === 'frozen') world.server.pause();
    expect(await first.terminate()).toMatchObject({ code: 0, signal: null });
    if (how === 'killed') await world.server.restart();
    if (how === 'frozen') world.server.resume();
    await world.startWorker();
    await until(
      async () => (await world.record(DOMAIN))?.request === 'settled',
      'it is settled',
      PATIENCE_MS,
    );
    await world.verify();
    expect(await world.queue.getJob(jobId)).toMatchObject({ attemptsMade: 1 });
    expect(world.calls('attach-domain')).toHaveLength(1);
    expect(world.simulator.state.coveredNames()).toContain(DOMAIN);
  },
  HANG_MS,
);
