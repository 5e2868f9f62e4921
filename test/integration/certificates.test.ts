// What is requested of a certificate, in a real Redis: any number of requests become one redeploy, and none is forgotten.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import {
  type Certificates,
  createCertificates,
  type RedeployEnd,
  type RedeployStart,
} from '../../src/certificates/certificates.ts';
import { type DomainName, parseDomainName } from '../../src/domains/domain-name.ts';
import { createKeys, type Keys } from '../../src/redis/keys.ts';
import { type TestRedis, testRedis } from '../helpers/redis.ts';
import { until } from '../helpers/until.ts';

const app = { serverId: 1903, appId: 646 };
const DELAY_MS = 60_000;
const a = parseDomainName('a.example.org');
const b = parseDomainName('b.example.org');
const c = parseDomainName('c.example.org');

let corner: TestRedis;
let redis: Redis;
let keys: Keys;
let certificates: Certificates;

beforeEach(async () => {
  corner = await testRedis();
  redis = new Redis(corner.url, { disconnectTimeout: 50 });
  keys = createKeys(corner.prefix, 'runcloud-domains');
  certificates = createCertificates({ redis, keys });
});

afterEach(async () => {
  await redis.quit();
  await corner.cleanup();
});

const enqueue = (jobId: string): Promise<number> =>
  redis.hset(`${keys.queue}${jobId}`, 'name', 'redeploy-ssl');
const finish = (jobId: string): Promise<number> => redis.zadd(`${keys.queue}completed`, 1, jobId);
const now = async (): Promise<number> => Number((await redis.time())[0]) * 1000;

/** Makes all that was recorded so far look `ms` older, instead of waiting for it. */
async function age(ms: number): Promise<void> {
  for (const member of await redis.zrevrange(keys.pendingNames(app), 0, -1)) {
    await redis.zincrby(keys.pendingNames(app), -ms, member);
  }
  for (const field of ['since', 'startedAt', 'coveredAt']) {
    const value = await redis.hget(keys.certificate(app), field);
    if (value) await redis.hset(keys.certificate(app), field, Number(value) - ms);
  }
}

/** Redis tells milliseconds: two moments are only told apart when one has passed. */
async function tick(): Promise<void> {
  const micros = async (): Promise<number> => Number((await redis.time()).join('').slice(-9, -3));
  const before = await micros();
  await until(async () => (await micros()) !== before, 'a millisecond has passed');
}

async function ask(domain: DomainName = a, atOnce = false): Promise<{ fate: string; jobId: string }> {
  const ticket = await certificates.requestRedeploy(app, { domain, atOnce });
  if (ticket.fate !== 'coalesced') await enqueue(ticket.jobId);
  await tick();
  return ticket;
}

async function begin(jobId: string): Promise<RedeployStart> {
  const start = await certificates.begin(app, { jobId, addedAt: await now() }, { delayMs: DELAY_MS });
  await tick();
  return start;
}

const end = (jobId: string, told: Omit<RedeployEnd, 'forDomains'>) =>
  certificates.end(app, jobId, { forDomains: `for domains: ${told.outcome}`, ...told });
const done = (jobId: string) => end(jobId, { result: 'done', outcome: 'redeployed' });
const covered = (jobId: string, domain: string, startedAt: number) =>
  certificates.endDomain(app, jobId, domain, startedAt, { state: 'done', outcome: 'redeployed' });
const pendingNames = async () => (await certificates.get(app))?.pendingNames;

const expectDelay = (delayMs: number, expected: number): void => {
  expect(delayMs).toBeLessThanOrEqual(expected);
  expect(delayMs).toBeGreaterThan(expected - 20_000);
};

describe('asks within the delay', () => {
  test('become one job, which covers them all', async () => {
    const first = await ask(a);
    const second = await ask(b);
    expect(first.fate).toBe('new');
    expect(second).toMatchObject({ fate: 'coalesced', jobId: first.jobId });
    await age(DELAY_MS);
    expect(await begin(first.jobId)).toMatchObject({ kind: 'run', domains: [a, b] });
    await done(first.jobId);
    expect(await pendingNames()).toBe(0);
  });

  test('count their delay from the newest of them', async () => {
    const { jobId } = await ask(a);
    await age(50_000);
    await ask(b);
    await age(50_000);
    expect(await begin(jobId)).toMatchObject({ kind: 'early' });
    await age(10_000);
    expect(await begin(jobId)).toMatchObject({ kind: 'run', domains: [a, b] });
  });

  test('let the oldest wait at most three delays, however many follow', async () => {
    const { jobId } = await ask(a);
    for (let passed = 0; passed < 3 * DELAY_MS; passed += 50_000) {
      await age(50_000);
      await ask(b);
    }
    expect(await begin(jobId)).toMatchObject({ kind: 'run', domains: [a, b] });
  });

  test('say how long it still takes', async () => {
    const { jobId } = await ask(a);
    const early = await begin(jobId);
    expectDelay('delayMs' in early ? early.delayMs : 0, DELAY_MS);
    await age(45_000);
    const start = await begin(jobId);
    expect(start.kind).toBe('early');
    if (start.kind === 'early') expectDelay(start.delayMs, 15_000);
  });

  test('get the lost job back under its id where it was never added', async () => {
    const { jobId } = await certificates.requestRedeploy(app, { domain: a });
    expect(await certificates.requestRedeploy(app, { domain: b })).toMatchObject({ fate: 'missing', jobId });
  });

  test('for two web applications are two jobs', async () => {
    const first = await ask(a);
    const second = await certificates.requestRedeploy({ ...app, appId: 647 }, { domain: a });
    expect(second.fate).toBe('new');
    expect(second.jobId).not.toBe(first.jobId);
  });
});

describe('an ask while a redeploy runs', () => {
  test('gets a later job of its own, which waits for the delay', async () => {
    const { jobId } = await ask(a);
    await age(DELAY_MS);
    await begin(jobId);
    const next = await ask(b);
    expect(next.fate).toBe('new');
    expect(await ask(c)).toMatchObject({ fate: 'coalesced', jobId: next.jobId });
    await done(jobId);
    expect(await begin(next.jobId)).toMatchObject({ kind: 'early' });
    expect(await pendingNames()).toBe(2);
    await age(DELAY_MS);
    expect(await begin(next.jobId)).toMatchObject({ kind: 'run', domains: [b, c] });
  });

  test('for the very name that is being covered is not taken for covered', async () => {
    const { jobId } = await ask(a);
    await age(DELAY_MS);
    await begin(jobId);
    await ask(a);
    await done(jobId);
    expect(await pendingNames()).toBe(1);
  });

  test('takes the names along that the running one could not cover', async () => {
    const { jobId } = await ask(a);
    await age(DELAY_MS);
    await begin(jobId);
    const next = await ask(b);
    await end(jobId, { result: 'failed', outcome: 'a has none', code: 'no-certificate' });
    await finish(jobId);
    await age(DELAY_MS);
    expect(await begin(next.jobId)).toMatchObject({ kind: 'run', domains: [a, b] });
  });

  test('by a person runs as soon as the running one is over', async () => {
    const { jobId } = await ask(a, true);
    await begin(jobId);
    const next = await ask(b, true);
    expect(next).toMatchObject({ fate: 'new' });
    expect(await begin(next.jobId)).toEqual({ kind: 'busy' });
    await done(jobId);
    await finish(jobId);
    expect(await begin(next.jobId)).toMatchObject({ kind: 'run', domains: [b] });
  });
});

describe('an explicit redeploy', () => {
  test('runs at once', async () => {
    const { jobId } = await ask(a, true);
    expect(await begin(jobId)).toMatchObject({ kind: 'run' });
  });

  test('takes over from a job that still waits, which then has nothing to do', async () => {
    const waiting = await ask(a);
    const explicit = await ask(b, true);
    expect(explicit).toMatchObject({ fate: 'new' });
    expect(await begin(waiting.jobId)).toEqual({ kind: 'superseded' });
    expect(await begin(explicit.jobId)).toMatchObject({ kind: 'run', domains: [a, b] });
  });

  test('for all names says so', async () => {
    const { jobId } = await certificates.requestRedeploy(app, { domain: 'all', atOnce: true });
    await enqueue(jobId);
    expect(await begin(jobId)).toMatchObject({ kind: 'run', domains: undefined });
  });

  test('is coalesced with another explicit one', async () => {
    const first = await ask(a, true);
    expect(await ask(b, true)).toMatchObject({ fate: 'coalesced', jobId: first.jobId });
  });

  test('runs at once also where the job that waited had vanished', async () => {
    await certificates.requestRedeploy(app, { domain: a });
    const { jobId } = await certificates.requestRedeploy(app, { domain: b, atOnce: true });
    expect(await begin(jobId)).toMatchObject({ kind: 'run' });
  });
});

describe('beginning', () => {
  test('is refused as busy while another redeploy of the web application runs, and not after it', async () => {
    const first = await ask(a, true);
    await begin(first.jobId);
    const second = { jobId: '77', addedAt: (await now()) + 5000 };
    await enqueue(second.jobId);
    expect(await certificates.begin(app, second, { delayMs: DELAY_MS })).toEqual({ kind: 'busy' });
    await done(first.jobId);
    await finish(first.jobId);
    expect(await certificates.begin(app, second, { delayMs: DELAY_MS })).toMatchObject({ kind: 'run' });
  });

  test('is not blocked by a running one whose job is over', async () => {
    const first = await ask(a, true);
    await begin(first.jobId);
    await finish(first.jobId);
    const second = await ask(b, true);
    expect(await begin(second.jobId)).toMatchObject({ kind: 'run', domains: [a, b] });
  });

  test('again after a crash of the worker runs again', async () => {
    const { jobId } = await ask(a, true);
    await begin(jobId);
    expect(await begin(jobId)).toMatchObject({ kind: 'run', domains: [a] });
  });

  test('a foreign job runs at once, for the name that it carries', async () => {
    const job = { jobId: '5', addedAt: await now() };
    expect(await certificates.begin(app, job, { domain: c, delayMs: DELAY_MS })).toMatchObject({
      kind: 'run',
      domains: [c],
    });
  });

  test('a foreign job for all names that was added before a good redeploy of all began is superseded', async () => {
    const job = { jobId: '5', addedAt: (await now()) - 10_000 };
    const { jobId } = await certificates.requestRedeploy(app, { domain: 'all', atOnce: true });
    await enqueue(jobId);
    await begin(jobId);
    await done(jobId);
    expect(await certificates.begin(app, job, { delayMs: DELAY_MS })).toEqual({ kind: 'superseded' });
  });

  test('a foreign job for one name runs, whatever was covered since: nobody may have asked for that name', async () => {
    const job = { jobId: '5', addedAt: (await now()) - 10_000 };
    const { jobId } = await certificates.requestRedeploy(app, { domain: 'all', atOnce: true });
    await enqueue(jobId);
    await begin(jobId);
    await done(jobId);
    expect(await certificates.begin(app, job, { domain: c, delayMs: DELAY_MS })).toMatchObject({
      kind: 'run',
      domains: [c],
    });
  });

  test('a foreign job whose record BullMQ has dropped does not come back under its number', async () => {
    await certificates.begin(app, { jobId: '5', addedAt: await now() }, { domain: c, delayMs: DELAY_MS });
    await end('5', { result: 'failed', outcome: 'none there', code: 'no-certificate' });
    const next = await ask(a);
    expect(next.fate).toBe('new');
    expect(next.jobId).toMatch(/~\d+$/);
  });

  test('a job of ours is adopted when the record was lost', async () => {
    const { jobId } = await ask(a);
    await redis.del(keys.certificate(app), keys.pendingNames(app));
    expect(await begin(jobId)).toMatchObject({ kind: 'run' });
  });
});

describe('ending', () => {
  test('with a failure keeps the asks for the next job, and says why', async () => {
    const { jobId } = await ask(a, true);
    await begin(jobId);
    await end(jobId, { result: 'failed', outcome: 'none there', code: 'no-certificate' });
    await finish(jobId);
    expect(await certificates.get(app)).toMatchObject({
      pendingNames: 1,
      outcome: 'none there',
      code: 'no-certificate',
      coveredAt: undefined,
    });
    const next = await ask(b, true);
    expect(next.fate).toBe('new');
    expect(await begin(next.jobId)).toMatchObject({ kind: 'run', domains: [a, b] });
  });

  test('with a failure that is tried again keeps the job and its asks', async () => {
    const { jobId } = await ask(a, true);
    await begin(jobId);
    await end(jobId, { result: 'pending', outcome: '503' });
    expect(await certificates.get(app)).toMatchObject({ jobId, pendingNames: 1, outcome: '503' });
    expect(await begin(jobId)).toMatchObject({ kind: 'run', domains: [a] });
  });

  test('well records when the redeploy began, and leaves no job behind', async () => {
    const { jobId } = await certificates.requestRedeploy(app, { domain: 'all', atOnce: true });
    await enqueue(jobId);
    const start = await begin(jobId);
    await done(jobId);
    expect(await certificates.get(app)).toMatchObject({
      jobId: undefined,
      state: 'done',
      outcome: 'redeployed',
      coveredAt: start.kind === 'run' ? start.startedAt : Number.NaN,
    });
  });

  test('name by name leaves the rest for a retry', async () => {
    const { jobId } = await ask(a, true);
    await ask(b, true);
    const start = await begin(jobId);
    if (start.kind !== 'run') throw new Error(`it is ${start.kind}`);
    await covered(jobId, a, start.startedAt);
    await end(jobId, { result: 'pending', outcome: '503' });
    expect(await begin(jobId)).toMatchObject({ kind: 'run', domains: [b] });
  });

  test('name by name does not drop an ask that came after the redeploy began', async () => {
    const { jobId } = await ask(a, true);
    const start = await begin(jobId);
    if (start.kind !== 'run') throw new Error(`it is ${start.kind}`);
    await ask(a);
    await covered(jobId, a, start.startedAt);
    expect(await pendingNames()).toBe(1);
  });
});

describe('what the redeploy says to one domain', () => {
  const standing = (domain: DomainName) => certificates.redeployOf({ ...app, domain });
  const held = {
    result: 'pending',
    outcome: 'a.example.org has no tokens',
    mustAct: 'letsencrypt',
    nextRunAt: 7,
  } as const;

  test('is what its end said to all that it was for, in words for domains', async () => {
    const { jobId } = await ask(a, true);
    await begin(jobId);
    await end(jobId, held);
    expect(await certificates.get(app)).toMatchObject({ outcome: held.outcome, mustAct: 'letsencrypt' });
    expect(await standing(a)).toMatchObject({
      isPending: true,
      state: 'pending',
      outcome: `for domains: ${held.outcome}`,
      mustAct: 'letsencrypt',
      nextRunAt: 7,
    });
    expect(await standing(b)).toMatchObject({ isPending: false, state: undefined, outcome: undefined });
  });

  test('is nothing for one that asked after it began, or that joins a job which waits', async () => {
    const { jobId } = await ask(a, true);
    await begin(jobId);
    await ask(b);
    await end(jobId, held);
    expect(await standing(b)).toMatchObject({ isPending: true, outcome: undefined, mustAct: undefined });
    await certificates.requestRedeploy(app, { domain: c });
    expect(await standing(c)).toMatchObject({ isPending: true, outcome: undefined, mustAct: undefined });
    expect(await standing(a)).toMatchObject({ mustAct: 'letsencrypt' });
  });

  test('the end of an older job writes nothing over a newer ask', async () => {
    const { jobId } = await ask(a, true);
    await begin(jobId);
    const newer = await ask(b);
    expect(newer.fate).toBe('new');
    const before = await certificates.get(app);
    await end(jobId, { ...held, result: 'failed', code: 'no-certificate' });
    expect(await certificates.get(app)).toEqual(before);
    expect(before).toMatchObject({
      jobId: newer.jobId,
      state: 'pending',
      outcome: undefined,
      mustAct: undefined,
    });
    expect(await standing(a)).toMatchObject({ state: 'failed', code: 'no-certificate' });
    expect(await standing(b)).toMatchObject({ state: undefined, outcome: undefined });
  });

  test('its own end stands, whatever the end of the whole says', async () => {
    const { jobId } = await ask(a, true);
    await ask(b, true);
    const start = await begin(jobId);
    if (start.kind !== 'run') throw new Error(`it is ${start.kind}`);
    const refused = { state: 'failed', outcome: 'RunCloud forbids it', code: 'runcloud-forbidden' } as const;
    await certificates.endDomain(app, jobId, a, start.startedAt, refused);
    await covered(jobId, b, start.startedAt);
    await end(jobId, held);
    expect(await standing(a)).toMatchObject({ isPending: true, ...refused, mustAct: undefined });
    expect(await standing(b)).toMatchObject({ isPending: false, state: 'done', outcome: 'redeployed' });
  });

  test('what was to be tried again has failed when the job has, in its own words; who waits for a limit waits on', async () => {
    const { jobId } = await ask(a, true);
    await ask(b, true);
    const start = await begin(jobId);
    if (start.kind !== 'run') throw new Error(`it is ${start.kind}`);
    const tried = { state: 'pending', outcome: 'HTTP 500', code: 'runcloud-unknown-result' } as const;
    const waits = { state: 'pending', outcome: 'spent', mustAct: 'letsencrypt' } as const;
    await certificates.endDomain(app, jobId, a, start.startedAt, tried);
    await certificates.endDomain(app, jobId, b, start.startedAt, waits);
    await end(jobId, { result: 'failed', outcome: 'no', code: 'runcloud-unknown-result' });
    expect(await standing(a)).toMatchObject({ ...tried, state: 'failed' });
    expect(await standing(b)).toMatchObject(waits);
  });

  test('is not said by a job that redeploys no more', async () => {
    const { jobId } = await ask(a, true);
    const start = await begin(jobId);
    if (start.kind !== 'run') throw new Error(`it is ${start.kind}`);
    await end(jobId, held);
    await covered(jobId, a, start.startedAt);
    expect(await standing(a)).toMatchObject({ isPending: true, state: 'pending' });
  });

  test('while it waits its turn, what was said before stands', async () => {
    const { jobId } = await ask(a, true);
    await begin(jobId);
    await end(jobId, held);
    await end(jobId, { result: 'pending', outcome: 'RunCloud is down' });
    expect(await certificates.get(app)).toMatchObject({ outcome: 'RunCloud is down', mustAct: undefined });
    expect(await standing(a)).toMatchObject({ outcome: `for domains: ${held.outcome}` });
  });

  test('asked of all, it is said to all; who asks for itself later was told nothing', async () => {
    const { jobId } = await certificates.requestRedeploy(app, { domain: 'all', atOnce: true });
    await enqueue(jobId);
    await begin(jobId);
    await end(jobId, held);
    expect(await standing(b)).toMatchObject({ isPending: true, mustAct: 'letsencrypt' });
    await tick();
    await certificates.requestRedeploy(app, { domain: b });
    expect(await standing(b)).toMatchObject({ isPending: true, mustAct: undefined });
    await certificates.requestRedeploy(app, { domain: 'all', atOnce: true });
    expect(await standing(a)).toMatchObject({ isPending: true, mustAct: undefined });
  });
});

describe('a run that has lost the lock of its job', () => {
  test('ends nothing: another run speaks for it', async () => {
    const { jobId } = await ask(a, true);
    await begin(jobId);
    await redis.set(`${keys.queue}${jobId}:lock`, 'the other run');
    await end(jobId, { result: 'done', outcome: 'redeployed', token: 'this run' });
    expect(await certificates.get(app)).toMatchObject({ pendingNames: 1, outcome: undefined });
    await end(jobId, { result: 'done', outcome: 'redeployed', token: 'the other run' });
    expect(await pendingNames()).toBe(0);
  });
});

test('what was asked of all names is asked of each, and done with one by one', async () => {
  const { jobId } = await certificates.requestRedeploy(app, { domain: 'all', atOnce: true });
  await enqueue(jobId);
  const start = await begin(jobId);
  if (start.kind !== 'run') throw new Error(`it is ${start.kind}`);
  await certificates.expandAll(app, [a, b]);
  await covered(jobId, a, start.startedAt);
  await end(jobId, { result: 'pending', outcome: '503' });
  expect(await begin(jobId)).toMatchObject({ kind: 'run', domains: [b] });
});

test('what waits is carried by a new job without being asked for anew', async () => {
  const { jobId } = await ask(a);
  await age(2 * DELAY_MS);
  await redis.del(`${keys.queue}${jobId}`);
  expect(await certificates.requestRedeploy(app, { domain: 'waiting' })).toMatchObject({
    fate: 'missing',
    jobId,
  });
});

test('nothing is known of a web application that nobody asked for', async () => {
  expect(await certificates.get(app)).toBeUndefined();
});
