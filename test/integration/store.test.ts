// The records in a real Redis: which request counts, which job carries it, and what a late, lost or foreign job may do.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { createDomainStore, type DomainRequest, type DomainStore } from '../../src/domains/store.ts';
import { createKeys, generationOf, type Keys, toJobIdStem } from '../../src/redis/keys.ts';
import { type TestRedis, testRedis } from '../helpers/redis.ts';
import { until } from '../helpers/until.ts';

const key = { serverId: 1903, appId: 646, domain: parseDomainName('shop.example.org') };
const present: DomainRequest = { ...key, desired: { presence: 'present', www: false, redirection: 'none' } };
const absent: DomainRequest = { ...key, desired: { presence: 'absent' } };

let corner: TestRedis;
let redis: Redis;
let keys: Keys;
let store: DomainStore;

beforeEach(async () => {
  corner = await testRedis();
  redis = new Redis(corner.url, { disconnectTimeout: 50 });
  keys = createKeys(corner.prefix, 'runcloud-domains');
  store = createDomainStore({ redis, keys });
});

afterEach(async () => {
  await redis.quit();
  await corner.cleanup();
});

/** What BullMQ leaves of a job: its record, its place in the count, and its end. */
async function enqueue(jobId: string): Promise<void> {
  await redis.incr(`${keys.queue}id`);
  await redis.hset(`${keys.queue}${jobId}`, 'name', 'add-domain');
}
const finish = (jobId: string): Promise<number> => redis.zadd(`${keys.queue}completed`, 1, jobId);
const vanish = (jobId: string): Promise<number> => redis.del(`${keys.queue}${jobId}`);

async function request(what: DomainRequest): Promise<string> {
  const { jobId } = await store.request(what);
  await enqueue(jobId);
  return jobId;
}

/** A job of a client that knows nothing of records: its id is BullMQ's counter. */
async function externalJob(): Promise<{ jobId: string; addedAt: number }> {
  const place = await redis.incr(`${keys.queue}id`);
  await redis.hset(`${keys.queue}${place}`, 'name', 'add-domain');
  return { jobId: String(place), addedAt: await store.now() };
}

/** The right to write, as one run holds it. */
const lease = { holder: 'one run', leaseMs: 60_000, kind: 'attach' as const };

const own = (jobId: string): { jobId: string; addedAt: number } => ({ jobId, addedAt: 0 });
const forgetRecords = async (): Promise<void> => {
  await redis.del(keys.record(key), keys.all, keys.generation);
};

test('goes on where Redis has forgotten the scripts, as after a restart', async () => {
  await redis.script('FLUSH');
  const jobId = await request(present);
  await redis.script('FLUSH');
  expect(await store.request(present)).toEqual({ fate: 'coalesced', jobId });
});

describe('a request', () => {
  test('is recorded as pending, with who asked, for which site, and under a job of its own', async () => {
    const ticket = await store.request({ ...present, siteId: '12', by: 'api:shop', for: 'web-1' });
    const generation = generationOf(ticket.jobId, toJobIdStem(key));
    expect(ticket).toEqual({ fate: 'new', jobId: `shop.example.org_1903_646~${generation}` });
    expect(await store.get(key)).toMatchObject({
      desired: present.desired,
      request: 'pending',
      generation,
      jobId: ticket.jobId,
      siteId: '12',
      by: 'api:shop',
      for: 'web-1',
      wroteAt: 0,
      needsRedeployAfter: undefined,
      renewals: 0,
    });
  });

  test('that repeats one on its way is coalesced with it', async () => {
    const jobId = await request(present);
    expect(await store.request(present)).toEqual({ fate: 'coalesced', jobId });
    expect(await store.get(key)).toMatchObject({ generation: generationOf(jobId, toJobIdStem(key)) });
  });

  test('that wants other settings is a new one, with a higher generation', async () => {
    const first = generationOf(await request(present), toJobIdStem(key)) ?? 0;
    const ticket = await store.request({
      ...key,
      desired: { presence: 'present', www: true, redirection: 'www' },
    });
    expect(ticket).toMatchObject({ fate: 'new' });
    const record = await store.get(key);
    expect(record).toMatchObject({ jobId: ticket.jobId, desired: { www: true, redirection: 'www' } });
    expect(record?.generation).toBeGreaterThan(first);
  });

  test('whose job was never added, or vanished, gets a job under the same id', async () => {
    const { jobId } = await store.request(present);
    expect(await store.request(present)).toEqual({ fate: 'missing', jobId });
    await enqueue(jobId);
    await vanish(jobId);
    expect(await store.request(present)).toEqual({ fate: 'missing', jobId });
  });

  test('whose job ended behind our back gets a new generation', async () => {
    const jobId = await request(present);
    await finish(jobId);
    const ticket = await store.request(present);
    expect(ticket.fate).toBe('new');
    expect(ticket.jobId).not.toBe(jobId);
    expect(await store.get(key)).toMatchObject({ jobId: ticket.jobId, request: 'pending' });
  });

  test('that repeats a settled one gets a new generation: somebody wants us to look again', async () => {
    const jobId = await request(present);
    await store.settle(key, jobId, { request: 'settled', outcome: 'attached' });
    expect(await store.request(present)).toMatchObject({ fate: 'new' });
  });

  test('forgets the last outcome, and remembers what we did to RunCloud', async () => {
    const jobId = await request(present);
    await store.claim(own(jobId), present);
    await store.beginWrite(key, jobId, lease);
    const wroteAt = await store.endWrite(key, lease, { fate: 'done', attachedId: 4712 });
    await store.settle(key, jobId, {
      request: 'failed',
      outcome: 'no',
      code: 'runcloud-rejected',
      nextRunAt: 5,
    });
    await store.request(absent);
    const record = await store.get(key);
    expect(record).toMatchObject({
      request: 'pending',
      wroteAt,
      needsRedeployAfter: 'attach',
      attachedId: 4712,
    });
    expect(record).toMatchObject({ outcome: undefined, code: undefined, nextRunAt: undefined });
  });

  test('is listed, the most recently asked first', async () => {
    for (const name of ['a.example.org', 'b.example.org', 'c.example.org']) {
      await store.request({ ...present, domain: parseDomainName(name) });
    }
    const members = await redis.zrevrange(keys.all, 0, -1);
    for (const [at, member] of members.sort().entries()) await redis.zadd(keys.all, at, member);
    expect((await store.list(2)).map(({ domain }) => domain)).toEqual(['c.example.org', 'b.example.org']);
  });

  test('for one domain leaves every other domain and web application alone', async () => {
    const elsewhere = { ...present, appId: 647 };
    await request(present);
    const jobId = await request(elsewhere);
    await store.request(absent);
    expect(await store.get(elsewhere)).toMatchObject({ desired: present.desired, jobId, request: 'pending' });
  });
});

describe('an opposite request', () => {
  test('supersedes the one before: its job may neither start, nor write, nor record', async () => {
    const first = await request(present);
    const second = await request(absent);
    expect(await store.claim(own(first), present)).toMatchObject({
      fate: 'superseded',
      record: { jobId: second, desired: absent.desired },
    });
    expect(await store.beginWrite(key, first, lease)).toBe('superseded');
    expect(await store.settle(key, first, { request: 'settled', outcome: 'attached' })).toBe('superseded');
    expect(await store.get(key)).toMatchObject({
      request: 'pending',
      outcome: undefined,
      needsRedeployAfter: undefined,
    });
    expect(await store.claim(own(second), absent)).toMatchObject({ fate: 'current' });
  });

  test('that comes between claim and write stops the write', async () => {
    const first = await request(present);
    expect((await store.claim(own(first), present)).fate).toBe('current');
    await request(absent);
    expect(await store.beginWrite(key, first, lease)).toBe('superseded');
  });
});

describe('a job of ours', () => {
  test('claims, writes and settles in the record of its own generation', async () => {
    const jobId = await request(present);
    expect((await store.claim(own(jobId), present)).fate).toBe('current');
    const before = await store.now();
    expect(await store.beginWrite(key, jobId, lease)).toBe('acquired');
    const begun = await store.get(key);
    expect(begun?.needsRedeployAfter).toBe('attach');
    expect(begun?.wroteAt).toBeGreaterThanOrEqual(before + lease.leaseMs);
    const wroteAt = await store.endWrite(key, lease, { fate: 'done', attachedId: 4712 });
    expect(await store.settle(key, jobId, { request: 'settled', outcome: 'attached' })).toBe('recorded');
    expect(await store.get(key)).toMatchObject({
      request: 'settled',
      outcome: 'attached',
      attachedId: 4712,
      wroteAt,
    });
  });

  test('may claim again after a retry without a new generation', async () => {
    const jobId = await request(present);
    await store.claim(own(jobId), present);
    await store.settle(key, jobId, {
      request: 'pending',
      outcome: '503',
      code: 'runcloud-unknown-result',
      nextRunAt: 9,
    });
    expect(await store.claim(own(jobId), present)).toMatchObject({
      fate: 'current',
      record: {
        generation: generationOf(jobId, toJobIdStem(key)),
        code: 'runcloud-unknown-result',
        nextRunAt: 9,
      },
    });
  });

  test('is adopted when the records were lost', async () => {
    const jobId = await request(present);
    await forgetRecords();
    expect(await store.claim(own(jobId), present)).toMatchObject({
      fate: 'current',
      record: { jobId, request: 'pending', desired: present.desired },
    });
    expect(await store.beginWrite(key, jobId, lease)).toBe('acquired');
  });

  test('that was adopted after the records were lost yields to a request made since', async () => {
    await request(present);
    await request(absent);
    const old = await request(present);
    await forgetRecords();
    expect((await store.claim(own(old), present)).fate).toBe('current');
    const newest = await request(absent);
    expect(await store.claim(own(old), present)).toMatchObject({ fate: 'superseded' });
    expect(await store.claim(own(newest), absent)).toMatchObject({ fate: 'current' });
  });

  test('of an older generation is not adopted after a newer one was, when the records were lost', async () => {
    const older = await request(present);
    const newer = await request(absent);
    await forgetRecords();
    expect((await store.claim(own(newer), absent)).fate).toBe('current');
    expect((await store.claim(own(older), present)).fate).toBe('superseded');
  });

  test('never gets the id of a job that the queue still holds, even when the records were lost', async () => {
    const before = await request(present);
    await finish(before);
    const at = await store.now();
    await until(async () => (await store.now()) > at + 5, 'some time has passed');
    await forgetRecords();
    expect((await store.request(absent)).jobId).not.toBe(before);
  });
});

describe('a job of a foreign client', () => {
  test('counts as a request of its own', async () => {
    const job = await externalJob();
    expect(await store.claim(job, { ...present, by: 'producer', for: 'php' })).toMatchObject({
      fate: 'current',
      record: { jobId: job.jobId, requestedAt: job.addedAt, by: 'producer', for: 'php' },
    });
  });

  test('that stands behind our request in the queue supersedes it', async () => {
    const ours = await request(present);
    const external = await externalJob();
    expect((await store.claim(external, absent)).fate).toBe('current');
    expect((await store.claim(own(ours), present)).fate).toBe('superseded');
  });

  test('that stands before our request in the queue is superseded by it', async () => {
    const external = await externalJob();
    const ours = await request(present);
    expect((await store.claim(external, absent)).fate).toBe('superseded');
    expect((await store.claim(own(ours), present)).fate).toBe('current');
  });

  test('is superseded by a foreign one behind it, in whichever order they run', async () => {
    const [first, second] = [await externalJob(), await externalJob()];
    expect((await store.claim(second, absent)).fate).toBe('current');
    expect((await store.claim(first, present)).fate).toBe('superseded');
    expect(await store.get(key)).toMatchObject({ desired: absent.desired });
  });

  test('that was superseded does not come back to life when it is retried', async () => {
    const [first, second] = [await externalJob(), await externalJob()];
    expect((await store.claim(first, present)).fate).toBe('current');
    expect((await store.claim(second, absent)).fate).toBe('current');
    await store.settle(key, second.jobId, { request: 'settled', outcome: 'removed' });
    expect((await store.claim(first, present)).fate).toBe('superseded');
    expect(await store.beginWrite(key, first.jobId, lease)).toBe('superseded');
    expect(await store.get(key)).toMatchObject({ request: 'settled', desired: absent.desired });
  });

  test('is not confused by a place with more digits', async () => {
    await redis.set(`${keys.queue}id`, 8);
    const [ninth, tenth] = [await externalJob(), await externalJob()];
    expect([ninth.jobId, tenth.jobId]).toEqual(['9', '10']);
    expect((await store.claim(tenth, absent)).fate).toBe('current');
    expect((await store.claim(ninth, present)).fate).toBe('superseded');
  });

  test('with an id of its own counts by its timestamp', async () => {
    await request(present);
    const record = await store.get(key);
    const at = record?.requestedAt ?? 0;
    expect((await store.claim({ jobId: 'mine-a', addedAt: at - 1 }, absent)).fate).toBe('superseded');
    expect((await store.claim({ jobId: 'mine-b', addedAt: at + 1 }, absent)).fate).toBe('current');
    expect((await store.claim({ jobId: 'mine-a', addedAt: at - 1 }, present)).fate).toBe('superseded');
  });

  test('whose clock runs ahead does not block the requests that follow', async () => {
    const ahead = { jobId: 'from-the-future', addedAt: (await store.now()) + 3_600_000 };
    expect((await store.claim(ahead, absent)).fate).toBe('current');
    expect((await store.get(key))?.requestedAt).toBeLessThanOrEqual(await store.now());
    const ours = await request(present);
    expect((await store.claim(own(ours), present)).fate).toBe('current');
  });
});

test('time is told by Redis, in milliseconds', async () => {
  const [seconds] = await redis.time();
  expect(Math.abs((await store.now()) - Number(seconds) * 1000)).toBeLessThan(30_000);
});
