// The right to write for one domain, and the renewal of a request, in a real Redis: one holder at a time, none for ever.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { toOutboxKeys } from '../../src/domains/outbox.ts';
import { createDomainStore, type DomainRequest, type DomainStore } from '../../src/domains/store.ts';
import { createKeys, generationOf, type Keys, toJobIdStem } from '../../src/redis/keys.ts';
import { type TestRedis, testRedis } from '../helpers/redis.ts';
import { until } from '../helpers/until.ts';

const key = { serverId: 1903, appId: 646, domain: parseDomainName('shop.example.org') };
const present: DomainRequest = { ...key, desired: { presence: 'present', www: false, redirection: 'none' } };
const absent: DomainRequest = { ...key, desired: { presence: 'absent' } };
const lease = { holder: 'a run', leaseMs: 60_000, kind: 'attach' as const };
const other = { ...lease, holder: 'another run' };

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

/** Records a request, and what BullMQ leaves of the job that carries it. */
async function request(what: DomainRequest): Promise<string> {
  const { jobId } = await store.request(what);
  await redis.incr(`${keys.queue}id`);
  await redis.hset(`${keys.queue}${jobId}`, 'name', 'add-domain');
  return jobId;
}

const own = (jobId: string): { jobId: string; addedAt: number } => ({ jobId, addedAt: 0 });

describe('a key of the wrong type', () => {
  const types: Record<string, () => string> = {
    outbox: () => keys.outbox,
    history: () => keys.history(key),
  };
  test.each(['outbox', 'history'])(
    'fails a settlement before anything is written, and is named: %s',
    async (name) => {
      const telling = createDomainStore({ redis, keys, outboxKeys: toOutboxKeys(['a secret']) });
      const jobId = await request(present);
      const wrong = types[name]?.() ?? '';
      await redis.del(wrong);
      await redis.set(wrong, 'x');
      const before = await redis.hgetall(keys.record(key));
      const live = {
        request: 'settled',
        outcome: 'HTTPS works',
        report: { state: 'live', reasonCode: 'https-works' },
      } as const;
      await expect(telling.settle(key, jobId, live)).rejects.toThrow(`${wrong} is a string in Redis`);
      expect(await redis.hgetall(keys.record(key))).toEqual(before);
      await redis.del(wrong);
      expect(await telling.settle(key, jobId, live)).toBe('recorded');
      expect(await redis.xlen(keys.outbox)).toBe(1);
    },
  );

  test('in the place of a lease is not taken for a run that writes', async () => {
    const jobId = await request(present);
    await redis.sadd(keys.lease(key), 'x');
    const named = `${keys.lease(key)} is a set in Redis`;
    await expect(store.claim(own(jobId), present)).rejects.toThrow(named);
    await expect(store.beginWrite(key, jobId, lease)).rejects.toThrow(named);
  });
});

describe('the lease', () => {
  test('lets one run write at a time, and the next when the first gives it back', async () => {
    const jobId = await request(present);
    expect(await store.beginWrite(key, jobId, lease)).toBe('acquired');
    expect(await store.beginWrite(key, jobId, other)).toBe('busy');
    expect((await store.claim(own(jobId), present)).fate).toBe('busy');
    await store.endWrite(key, lease, { fate: 'unknown' });
    expect((await store.claim(own(jobId), present)).fate).toBe('current');
    expect(await store.beginWrite(key, jobId, other)).toBe('acquired');
  });

  test('outlives the request that it was taken for: the next one waits for its end, not for its lease', async () => {
    const first = await request(present);
    await store.beginWrite(key, first, lease);
    const second = await request(absent);
    expect((await store.claim(own(second), absent)).fate).toBe('busy');
    expect(await store.beginWrite(key, second, other)).toBe('busy');
    await store.endWrite(key, lease, { fate: 'done', attachedId: 4712 });
    expect(await store.claim(own(second), absent)).toMatchObject({
      fate: 'current',
      record: { attachedId: 4712 },
    });
  });

  test('of one domain is none of another', async () => {
    const elsewhere = { ...present, domain: parseDomainName('other.example.org') };
    await store.beginWrite(key, await request(present), lease);
    expect(await store.beginWrite(elsewhere, await request(elsewhere), other)).toBe('acquired');
  });

  test('that was not renewed in time is lost: its former holder can neither renew it nor give it back', async () => {
    const jobId = await request(present);
    await store.beginWrite(key, jobId, { ...lease, leaseMs: 1 });
    await until(
      async () => (await store.beginWrite(key, jobId, other)) === 'acquired',
      'the lease has run out',
    );
    const held = await store.get(key);
    expect(await store.renewWrite(key, lease)).toBe(false);
    await store.endWrite(key, lease, { fate: 'done', attachedId: 4712 });
    expect((await store.claim(own(jobId), present)).fate).toBe('busy');
    expect(await store.get(key)).toEqual(held);
    expect(held?.attachedId).toBeUndefined();
  });

  test('is held for longer by each renewal, and nothing is concluded from what was seen before its end', async () => {
    const jobId = await request(present);
    await store.beginWrite(key, jobId, { ...lease, leaseMs: 1000 });
    const before = await store.now();
    expect(await store.renewWrite(key, lease)).toBe(true);
    expect(await redis.pttl(keys.lease(key))).toBeGreaterThan(1000);
    expect((await store.get(key))?.wroteAt).toBeGreaterThanOrEqual(before + lease.leaseMs);
    const endedAt = await store.endWrite(key, lease, { fate: 'unknown' });
    expect(endedAt).toBeLessThan(before + lease.leaseMs);
    expect((await store.get(key))?.wroteAt).toBe(endedAt);
  });
});

describe('how our own write left the www name', () => {
  const setWww = async () => (await store.get(key))?.setWww;
  const change = { ...lease, kind: 'change', www: true } as const;
  const seen = (attachedWww: boolean | undefined) => ({
    observedAt: 1,
    attachedAt: 1,
    attachedWww,
    id: 4712,
  });

  test('is known of an attachment from its beginning: a crash does not lose it', async () => {
    const jobId = await request(present);
    await store.beginWrite(key, jobId, { ...lease, www: false });
    expect(await setWww()).toBe(false);
    await store.endWrite(key, lease, { fate: 'unknown' });
    await request(absent);
    expect(await setWww()).toBe(false);
  });

  test('is known of a change when it was carried out, and asks for a certificate', async () => {
    const jobId = await request(present);
    await store.beginWrite(key, jobId, { ...lease, www: false });
    await store.endWrite(key, lease, { fate: 'done', attachedId: 4712 });
    await store.beginWrite(key, jobId, change);
    expect(await store.get(key)).toMatchObject({
      setWww: false,
      needsRedeployAfter: 'change',
      attachedWww: undefined,
    });
    await store.endWrite(key, change, { fate: 'done' });
    expect(await store.get(key)).toMatchObject({ setWww: true, attachedId: 4712 });
  });

  test('of a change whose reply was lost is what the next look sees', async () => {
    const jobId = await request(present);
    await store.beginWrite(key, jobId, { ...lease, www: false });
    await store.endWrite(key, lease, { fate: 'done', attachedId: 4712 });
    await store.noteObserved(key, jobId, seen(true));
    expect(await setWww()).toBe(false); // somebody else's doing
    await store.beginWrite(key, jobId, change);
    await store.endWrite(key, change, { fate: 'unknown' });
    expect(await setWww()).toBe(false);
    await store.noteObserved(key, jobId, seen(undefined));
    expect(await setWww()).toBe(false);
    await store.noteObserved(key, jobId, seen(true));
    expect(await setWww()).toBe(true);
  });

  test('and the id of what we attached are known by the next look, where no reply told; not where RunCloud refused', async () => {
    const jobId = await request(present);
    const lates = { ...lease, www: false, lateMs: 1000 };
    const see = () => store.noteObserved(key, jobId, seen(false));
    await store.beginWrite(key, jobId, lates);
    await store.endWrite(key, lates, { fate: 'refused' });
    expect(await see()).toEqual({ attachedId: undefined, setWww: false });
    await store.beginWrite(key, jobId, lates);
    await store.renewWrite(key, lates, jobId);
    expect(await see()).toEqual({ attachedId: 4712, setWww: false });
    await redis.hdel(keys.record(key), 'attachedId');
    await store.endWrite(key, lates, { fate: 'unknown' });
    expect(await see()).toEqual({ attachedId: 4712, setWww: false });
  });

  test('is forgotten when we take the domain off', async () => {
    const jobId = await request(present);
    await store.beginWrite(key, jobId, { ...lease, www: true });
    await store.endWrite(key, lease, { fate: 'unknown' });
    const removal = await request(absent);
    await store.beginWrite(key, removal, { ...lease, kind: 'detach' });
    expect(await setWww()).toBeUndefined();
  });
});

const renewalOf = (jobId: string) => ({
  generation: generationOf(jobId, toJobIdStem(key)) ?? 0,
  by: 'cli:ada',
});

describe('renewing a generation', () => {
  test('starts a new one for the same request', async () => {
    const jobId = await request(present);
    await store.settle(key, jobId, { request: 'failed', outcome: 'no' });
    const renewed = await store.request(present, renewalOf(jobId));
    expect(renewed.fate).toBe('new');
    expect(renewed.jobId).not.toBe(jobId);
    expect(await store.get(key)).toMatchObject({
      jobId: renewed.jobId,
      request: 'pending',
      outcome: undefined,
    });
  });

  test('does nothing where somebody has asked for something else meanwhile', async () => {
    const old = await request(present);
    const jobId = await request(absent);
    const before = await store.get(key);
    expect(await store.request(present, renewalOf(old))).toEqual({ fate: 'superseded', jobId });
    expect(await store.get(key)).toEqual(before);
  });
});
