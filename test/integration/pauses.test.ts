// Pauses in a real Redis, and what they do to jobs: nothing runs, nothing is lost, and the record says why.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { priorities } from '../../src/jobs/catalog.ts';
import { createPauses, describeScope, type PauseScope, type Pauses } from '../../src/queue/pauses.ts';
import { createKeys } from '../../src/redis/keys.ts';
import { type TestRedis, testRedis } from '../helpers/redis.ts';
import { until } from '../helpers/until.ts';
import { APP, createStage, PRIMARY, type Stage } from '../helpers/worker.ts';

const all: PauseScope = { kind: 'all' };
const app: PauseScope = { kind: 'app', ...APP };
const site: PauseScope = { kind: 'site', siteId: '7' };
const why = { reason: 'moving house', by: 'cli:ada' };

describe('the pauses in Redis', () => {
  let corner: TestRedis;
  let redis: Redis;
  let pauses: Pauses;

  beforeEach(async () => {
    corner = await testRedis();
    redis = new Redis(corner.url, { disconnectTimeout: 50 });
    pauses = createPauses({ redis, keys: createKeys(corner.prefix, 'runcloud-domains') });
  });
  afterEach(async () => {
    await redis.quit();
    await corner.cleanup();
  });

  const now = async (): Promise<number> => Number((await redis.time())[0]) * 1000;

  test('hold what is in their scope, and nothing else', async () => {
    await pauses.pause({ scope: app, ...why });
    await pauses.pause({ scope: site, ...why });
    const held = async (subject: object) => (await pauses.pausedBy(subject))?.scope.kind;
    expect(await held({ ...APP, siteId: '7' })).toBe('app');
    expect(await held({ serverId: 1, appId: 2, siteId: '7' })).toBe('site');
    expect(await held({ serverId: 1, appId: 2, siteId: '8' })).toBeUndefined();
    expect(await held({ serverId: APP.serverId, appId: 1 })).toBeUndefined();
    expect(await held({})).toBeUndefined();
    await pauses.pause({ scope: all, ...why });
    expect(await held({ ...APP, siteId: '7' })).toBe('all');
    expect(await held({})).toBe('all');
  });

  test('are listed, the widest first, and replaced by a newer one of the same scope', async () => {
    for (const scope of [site, app, all]) await pauses.pause({ scope, ...why });
    await pauses.pause({ scope: site, reason: 'another', by: 'cli:bob' });
    const listed = await pauses.list();
    expect(listed.map(({ scope }) => describeScope(scope))).toEqual([
      'everything',
      'web application 646 of server 1903',
      'site 7',
    ]);
    expect(listed[2]).toMatchObject({
      reason: 'another',
      by: 'cli:bob',
      untilMs: undefined,
      leftMs: undefined,
    });
    expect(Math.abs((listed[2]?.at ?? 0) - (await now()))).toBeLessThan(60_000);
  });

  test('end by themselves, by the clock of Redis', async () => {
    const untilMs = (await now()) + 3_000;
    const made = await pauses.pause({ scope: site, ...why, untilMs });
    expect(made.leftMs).toBeGreaterThan(0);
    expect(made.leftMs).toBeLessThanOrEqual(3_000);
    expect(await pauses.pausedBy({ siteId: '7' })).toMatchObject({ untilMs });
    await until(async () => (await pauses.pausedBy({ siteId: '7' })) === undefined, 'it is over');
    expect(await redis.exists(`${corner.prefix}:runcloud-domains-internal:pauses`)).toBe(0);
  });

  test('end by resume, which says what there was', async () => {
    await pauses.pause({ scope: app, ...why });
    expect(await pauses.resume(site)).toBeUndefined();
    expect(await pauses.resume(app)).toMatchObject({ scope: app, ...why });
    expect(await pauses.resume(app)).toBeUndefined();
    expect(await pauses.list()).toEqual([]);
  });

  test('need a reason, on one line, and an end that is ahead', async () => {
    const refused = { code: 'invalid-payload' };
    await expect(pauses.pause({ scope: all, by: 'x', reason: ' \n' })).rejects.toMatchObject(refused);
    await expect(pauses.pause({ scope: all, ...why, untilMs: 1000 })).rejects.toMatchObject(refused);
    expect(await pauses.list()).toEqual([]);
    const { reason } = await pauses.pause({
      scope: all,
      by: 'x',
      reason: ` a\n\u001b[31mb${'c'.repeat(400)}`,
    });
    expect(reason).toMatch(/^a \[31mbc+$/);
    expect(reason.length).toBe(300);
  });
});

const DOMAIN = 'shop.example.org';
const record = (stage: Stage) =>
  stage.producer.requests.store.get({ ...APP, domain: parseDomainName(DOMAIN) });
const ask = async (stage: Stage, siteId?: string, domain = DOMAIN): Promise<string> =>
  (await stage.producer.requests.enqueue('add-domain', { domain, ...(siteId && { siteId }) })).jobId;
const delayed = (stage: Stage, id: string): Promise<unknown> =>
  until(async () => (await stage.queue.getJobState(id)) === 'delayed', `job ${id} waits`);
/** Its next look is up to a minute away. */
const lookNow = async (stage: Stage, id: string): Promise<void> => (await stage.job(id)).promote();

describe('a job of what is paused', () => {
  test.each([
    ['its site', site],
    ['its web application', app],
  ])('(%s) waits without a call or an attempt, says why, and goes on after resume', async (_, scope) => {
    await using stage = await createStage();
    await stage.producer.pauses.pause({ scope, ...why });
    const id = await ask(stage, '7');
    await delayed(stage, id);
    const job = await stage.job(id);
    expect(job).toMatchObject({ attemptsMade: 0, priority: priorities.check });
    const due = (await stage.producer.requests.dueAt(id)) ?? 0;
    expect(due - Date.now()).toBeGreaterThan(30_000);
    expect(due - Date.now()).toBeLessThanOrEqual(60_000);
    expect(await record(stage)).toMatchObject({
      request: 'pending',
      state: 'requested',
      outcome: 'Paused by cli:ada: moving house',
      nextRunAt: expect.any(Number),
    });
    expect(stage.simulator.state.calls).toEqual([]);
    await stage.producer.pauses.resume(scope);
    await lookNow(stage, id);
    expect(await (await stage.ended(id)).getState()).toBe('completed');
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
  });

  test('leaves the others alone', async () => {
    await using stage = await createStage({ env: { WORKER_CONCURRENCY: '1' } });
    await stage.producer.pauses.pause({ scope: site, ...why });
    const held = await ask(stage, '7');
    await delayed(stage, held);
    const other = await ask(stage, '8', 'other.example.org');
    expect(await (await stage.ended(other)).getState()).toBe('completed');
    expect(stage.names()).toEqual([PRIMARY, 'other.example.org']);
    await stage.producer.pauses.resume(site);
    await lookNow(stage, held);
    await stage.idle();
  });

  test('goes on by itself when the pause ends', async () => {
    await using stage = await createStage();
    // Long enough for the worker to meet it; how long that takes, this machine says.
    let isMet = false;
    for (let ms = 1_000; !isMet; ms *= 2) {
      const untilMs = (await stage.producer.requests.store.now()) + ms;
      await stage.producer.pauses.pause({ scope: app, ...why, untilMs });
      const id = await ask(stage, undefined, `d${ms}.example.org`);
      expect(await (await stage.ended(id)).getState()).toBe('completed');
      isMet = (await stage.logs(id)).includes('Paused by cli:ada: moving house');
    }
    await stage.idle();
  });

  test('ends where a newer request has taken over, paused or not', async () => {
    await using stage = await createStage();
    await stage.producer.pauses.pause({ scope: app, ...why });
    const added = await ask(stage);
    await delayed(stage, added);
    const removal = await stage.producer.requests.enqueue('remove-domain', { domain: DOMAIN });
    await delayed(stage, removal.jobId);
    await lookNow(stage, added);
    expect((await stage.ended(added)).returnvalue).toMatch(/newer request/);
    await stage.producer.pauses.resume(app);
    await lookNow(stage, removal.jobId);
    await stage.idle();
    expect(stage.calls('attach-domain')).toEqual([]);
    expect(await record(stage)).toMatchObject({ state: 'removed' });
  });

  test('may be a redeploy, or a bare client’s', async () => {
    await using stage = await createStage();
    await stage.producer.pauses.pause({ scope: app, ...why });
    const redeploy = await stage.producer.requests.enqueue('redeploy-ssl', {});
    const external = await stage.add('add-domain', { domain: DOMAIN });
    for (const id of [redeploy.jobId, external]) await delayed(stage, id);
    expect(await record(stage)).toMatchObject({
      jobId: external,
      outcome: expect.stringContaining('Paused'),
    });
    expect(await stage.producer.requests.certificates.get(APP)).toMatchObject({
      state: 'pending',
      outcome: 'Paused by cli:ada: moving house',
    });
    expect(stage.simulator.state.calls).toEqual([]);
    await stage.producer.pauses.resume(app);
    for (const id of [redeploy.jobId, external]) await lookNow(stage, id);
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
  });
});

describe('a pause of everything', () => {
  test('leaves the jobs in the queue, in their order, and ends within a moment of resume', async () => {
    await using stage = await createStage({ env: { WORKER_CONCURRENCY: '2' } });
    await stage.producer.pauses.pause({ scope: all, ...why });
    const ids: string[] = [];
    for (let i = 0; i < 6; i += 1) ids.push(await ask(stage, undefined, `d${i}.example.org`));
    await until(async () => (await stage.logs(ids[0] ?? '')).includes('waiting: Paused by'), 'it is held');
    await until(async () => (await stage.queue.getActiveCount()) === 2, 'two are at work');
    expect(await stage.queue.getJobCounts('prioritized', 'delayed')).toEqual({ prioritized: 4, delayed: 0 });
    expect(stage.simulator.state.calls).toEqual([]);
    await stage.producer.pauses.resume(all);
    for (const id of ids) expect(await (await stage.ended(id)).getState()).toBe('completed');
    expect((await stage.job(ids[0] ?? '')).attemptsMade).toBe(1);
    await stage.idle();
  });

  test('does not keep a worker from stopping, which gives its jobs back', async () => {
    await using stage = await createStage({ workers: 0 });
    const worker = await stage.startWorker();
    await stage.producer.pauses.pause({ scope: all, ...why });
    const id = await ask(stage);
    await until(async () => (await stage.logs(id)).includes('waiting: Paused by'), 'it is held');
    await worker.close();
    expect(await stage.queue.getJobState(id)).toMatch(/waiting|prioritized/);
    await stage.producer.pauses.resume(all);
    await stage.startWorker();
    await stage.ended(id);
    await stage.idle();
  });
});
