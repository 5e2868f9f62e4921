// What may be ordered of Let's Encrypt, in a real Redis: every limit holds, nothing is ordered twice, failures back off.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { FailingName } from '../../src/certificates/failing-names.ts';
import {
  type CertificateOrder,
  createLedger,
  type Ledger,
  type LedgerLimits,
  type LimitName,
  type Permit,
} from '../../src/certificates/ledger.ts';
import { createKeys, type Keys } from '../../src/redis/keys.ts';
import { type TestRedis, testRedis } from '../helpers/redis.ts';

const app = { serverId: 1903, appId: 646 };
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
const COOLDOWN_MS = 10 * MINUTE_MS;
const official = { certificatesPerWeek: 50, duplicatesPerWeek: 5, ordersPer3Hours: 300, failuresPerHour: 5 };

let corner: TestRedis;
let redis: Redis;
let keys: Keys;
let ledger: Ledger;

const createLimited = (limits: Partial<LedgerLimits>, cooldownMs = COOLDOWN_MS): Ledger =>
  createLedger({ redis, keys, limits: { ...official, ...limits }, cooldownMs });

beforeEach(async () => {
  corner = await testRedis();
  redis = new Redis(corner.url, { disconnectTimeout: 50 });
  keys = createKeys(corner.prefix, 'runcloud-domains');
  ledger = createLimited({});
});

afterEach(async () => {
  await redis.quit();
  await corner.cleanup();
});

const order = (...names: string[]): CertificateOrder => ({ app, names });
const ownOrder = (name: string): CertificateOrder => ({ app, domain: name, names: [name] });
const a = order('a.example.org');

const blame = (...names: string[]): FailingName[] =>
  names.map((name) => ({ name, why: 'wrong', sentence: `${name} is wrong` }));

async function now(): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}

async function granted(asked: CertificateOrder, changed = false, from = ledger): Promise<number> {
  const permit = await from.reserve(asked, changed);
  if (permit.kind !== 'granted') throw new Error(`it is ${JSON.stringify(permit)}`);
  return permit.orderedAt;
}

async function refused(asked: CertificateOrder, changed = false, from = ledger) {
  const permit = await from.reserve(asked, changed);
  if (permit.kind !== 'refused') throw new Error(`it is ${JSON.stringify(permit)}`);
  return permit;
}

async function left(limit: LimitName, names: readonly string[], from = ledger): Promise<number[]> {
  return (await from.budgets(names)).filter((budget) => budget.limit === limit).map((budget) => budget.left);
}

/** Makes the last order of the web application's certificate look `ms` older, instead of waiting for it. */
async function age(ms: number): Promise<void> {
  const key = keys.own(`ledger:order:${app.serverId}:${app.appId}`);
  for (const field of ['orderedAt', 'retryAt']) {
    const value = Number(await redis.hget(key, field));
    if (value > 0) await redis.hset(key, field, value - ms);
  }
}

const ledgerKeys = (): Promise<string[]> => redis.keys(`${keys.own('ledger:')}*`);
const hours = (from: number, to: number): number => (to - from) / HOUR_MS;
const kinds = (permits: readonly Permit[], kind: Permit['kind']): number =>
  permits.filter((permit) => permit.kind === kind).length;

describe('an order', () => {
  test('that is granted is remembered before it is sent', async () => {
    const orderedAt = await granted(order('b.example.org', 'a.example.org'));
    expect(Math.abs((await now()) - orderedAt)).toBeLessThan(10_000);
    expect(await ledger.last(app)).toEqual({
      names: ['a.example.org', 'b.example.org'],
      orderedAt,
      failures: 0,
      hasFailed: false,
      failingNames: [],
      issued: undefined,
      isLost: true,
      replaces: undefined,
    });
  });

  test('that is only checked takes nothing, and is not remembered', async () => {
    expect(await ledger.peek(a, false)).toMatchObject({ kind: 'granted' });
    expect(await ledger.last(app)).toBeUndefined();
    expect(await left('duplicates-per-week', a.names)).toEqual([5]);
    const orderedAt = await granted(a);
    expect(await ledger.peek(a, false)).toEqual({ kind: 'repeated', orderedAt });
    expect(await ledger.peek(a, true)).toMatchObject({ kind: 'granted' });
  });

  test('of a certificate that nobody ordered is not there', async () => {
    expect(await ledger.last(app)).toBeUndefined();
  });

  test('of a domain with its own certificate is none of the web application', async () => {
    await granted(ownOrder('a.example.org'));
    expect(await ledger.last(app)).toBeUndefined();
    expect(await ledger.last(app, 'a.example.org')).toMatchObject({ names: ['a.example.org'] });
    expect(await ledger.last(app, 'b.example.org')).toBeUndefined();
  });

  test('leaves nothing in Redis that would stay for ever', async () => {
    const orderedAt = await granted(a);
    await ledger.failed(a, orderedAt, blame(...a.names));
    const found = await ledgerKeys();
    expect(found.length).toBeGreaterThanOrEqual(5);
    for (const key of found) expect(await redis.pttl(key)).toBeGreaterThan(0);
  });
});

describe('within the cool-down', () => {
  test('the same names are not ordered again, in whatever order they stand', async () => {
    const orderedAt = await granted(order('a.example.org', 'b.example.org'));
    expect(await ledger.reserve(order('b.example.org', 'a.example.org', 'a.example.org'), false)).toEqual({
      kind: 'repeated',
      orderedAt,
    });
    expect(await left('duplicates-per-week', ['a.example.org', 'b.example.org'])).toEqual([4]);
  });

  test('the same names are ordered again where something has changed since', async () => {
    const first = await granted(a);
    expect(await granted(a, true)).toBeGreaterThan(first);
  });

  test('other names are ordered', async () => {
    await granted(a);
    await granted(order('a.example.org', 'b.example.org'));
  });

  test('another certificate with the same names is ordered', async () => {
    await granted(a);
    await granted({ ...a, app: { ...app, appId: 647 } });
  });
});

test('after the cool-down the same names are ordered again', async () => {
  await granted(a);
  await age(COOLDOWN_MS);
  await granted(a);
});

test('without a cool-down the same names are ordered again at once', async () => {
  const eager = createLimited({}, 0);
  await granted(a, false, eager);
  await granted(a, false, eager);
});

describe('certificates per week', () => {
  test('are counted per registered domain, and the next is allowed when one has come back', async () => {
    const few = createLimited({ certificatesPerWeek: 2 });
    const first = await granted(ownOrder('a.example.co.uk'), false, few);
    await granted(ownOrder('b.example.co.uk'), false, few);
    const permit = await refused(ownOrder('c.example.co.uk'), false, few);
    expect(permit).toMatchObject({ limit: 'certificates-per-week', subject: 'example.co.uk', of: 2 });
    expect(permit.nextAt).toBe(first + WEEK_MS / 2);
    await granted(ownOrder('a.other.co.uk'), false, few);
  });

  test('come back one in 202 minutes', async () => {
    const asked = Array.from({ length: 50 }, (_, i) => ownOrder(`n${i}.example.org`));
    const first = await granted(asked[0] as CertificateOrder);
    for (const each of asked.slice(1)) await granted(each);
    const { nextAt } = await refused(ownOrder('n50.example.org'));
    expect((nextAt - first) / MINUTE_MS).toBeCloseTo(201.6, 1);
  });

  test('are counted for each registered domain on the certificate', async () => {
    await granted(order('a.example.org', 'b.example.org', 'a.example.com'));
    expect(await left('certificates-per-week', ['example.com', 'example.org'])).toEqual([49, 49]);
  });

  test('below a private public suffix are counted per site', async () => {
    await granted(ownOrder('shop.github.io'));
    expect(await left('certificates-per-week', ['shop.github.io', 'other.github.io'])).toEqual([50, 49]);
  });

  test('hold an order as a whole: no other bucket pays for one that is refused', async () => {
    const few = createLimited({ certificatesPerWeek: 1 });
    await granted(ownOrder('a.example.org'), false, few);
    const names = ['b.example.org', 'a.example.com'];
    await refused(order(...names), false, few);
    expect(await left('certificates-per-week', names, few)).toEqual([1, 0]);
    expect(await left('duplicates-per-week', names, few)).toEqual([5]);
    expect(await left('orders-per-3-hours', names, few)).toEqual([299]);
    expect(await few.last(app)).toBeUndefined();
  });
});

describe('a renewal', () => {
  test('of the same names costs no certificate per week and no order', async () => {
    const few = createLimited({ certificatesPerWeek: 1, ordersPer3Hours: 1 });
    await granted(a, false, few);
    await granted(a, true, few);
    expect(await left('duplicates-per-week', a.names, few)).toEqual([3]);
    await refused(ownOrder('b.example.org'), false, few);
  });

  test('of the same names is one of the five duplicates', async () => {
    const first = await granted(a);
    for (let i = 1; i < 5; i += 1) await granted(a, true);
    const permit = await refused(a, true);
    expect(permit).toMatchObject({ limit: 'duplicates-per-week', subject: 'a.example.org', of: 5 });
    expect(hours(first, permit.nextAt)).toBeCloseTo(33.6, 1);
  });

  test('with one name more is none', async () => {
    const few = createLimited({ certificatesPerWeek: 1 });
    await granted(a, false, few);
    expect(await refused(order('a.example.org', 'b.example.org'), false, few)).toMatchObject({
      limit: 'certificates-per-week',
    });
  });

  test('is no renewal where the first order of these names failed: nothing was issued', async () => {
    await ledger.failed(a, await granted(a), []);
    await age(MINUTE_MS);
    await granted(a);
    expect(await left('certificates-per-week', a.names)).toEqual([48]);
  });

  test('stays one where an order in between failed', async () => {
    await granted(a);
    await ledger.failed(a, await granted(a, true), []);
    await age(MINUTE_MS);
    await granted(a);
    expect(await left('certificates-per-week', a.names)).toEqual([49]);
  });
});

test('orders are counted all together, whatever web application they are for', async () => {
  const few = createLimited({ ordersPer3Hours: 2 });
  const first = await granted(ownOrder('a.example.org'), false, few);
  await granted({ ...ownOrder('a.example.com'), app: { serverId: 1, appId: 2 } }, false, few);
  const permit = await refused(ownOrder('a.example.net'), false, few);
  expect(permit).toMatchObject({ limit: 'orders-per-3-hours', of: 2 });
  expect(hours(first, permit.nextAt)).toBeCloseTo(1.5, 1);
});

test('of several limits that are spent the one that lasts longest is told', async () => {
  const few = createLimited({ ordersPer3Hours: 1, certificatesPerWeek: 1 });
  await granted(ownOrder('a.example.org'), false, few);
  expect(await refused(ownOrder('b.example.org'), false, few)).toMatchObject({
    limit: 'certificates-per-week',
  });
  expect(await refused(ownOrder('b.example.com'), false, few)).toMatchObject({ limit: 'orders-per-3-hours' });
});

test('of several limits the one that lasts longest is told also where another comes first', async () => {
  const few = createLimited({ certificatesPerWeek: 2, duplicatesPerWeek: 1 });
  const asked = ownOrder('a.example.org');
  await few.failed(asked, await granted(asked, false, few), []);
  await granted(ownOrder('b.example.org'), false, few);
  const elsewhere = { ...asked, app: { ...app, appId: 647 } };
  expect(await refused(elsewhere, false, few)).toMatchObject({ limit: 'duplicates-per-week' });
});

describe('failed validations', () => {
  const bad = 'bad.example.org';

  /** Orders another certificate with `bad` on it each time, and has `bad` fail. */
  async function failTimes(times: number, from = 0): Promise<void> {
    for (let i = from; i < from + times; i += 1) {
      const asked = { ...order(bad, `n${i}.example.org`), domain: `n${i}.example.org` };
      await ledger.failed(asked, await granted(asked), blame(bad));
    }
  }

  test('of one name hold every order with it after five in an hour, and no order without it', async () => {
    await failTimes(4);
    await granted(order(bad, 'more.example.org'));
    await failTimes(1, 4);
    const before = await now();
    const permit = await refused(order(bad, 'again.example.org'));
    expect(permit).toMatchObject({ limit: 'failures-per-hour', subject: bad, of: 5 });
    expect(permit.nextAt).toBeGreaterThan(before);
    expect(permit.nextAt).toBeLessThanOrEqual(before + 12 * MINUTE_MS);
    await granted(order('again.example.org'));
  });

  test('are spent by failures only: an order just looks whether any are left', async () => {
    await granted(a);
    expect(await left('failures-per-hour', a.names)).toEqual([5]);
  });

  test('are counted for those names that are at fault', async () => {
    const asked = order(bad, 'good.example.org');
    await ledger.failed(asked, await granted(asked), blame(bad));
    expect(await left('failures-per-hour', [bad, 'good.example.org'])).toEqual([4, 5]);
  });

  test('hold a renewal too', async () => {
    const few = createLimited({ failuresPerHour: 1 });
    await granted(order(bad), false, few);
    const other = order(bad, 'good.example.org');
    await few.failed(other, await granted(other, false, few), blame(bad));
    expect(await refused(order(bad), true, few)).toMatchObject({ limit: 'failures-per-hour', subject: bad });
  });

  test('of an order that several domains report are counted once for each name', async () => {
    const asked = order(bad, 'worse.example.org');
    const orderedAt = await granted(asked);
    await ledger.failed(asked, orderedAt, blame(bad));
    await ledger.failed(asked, orderedAt, blame(bad, 'worse.example.org'));
    expect(await left('failures-per-hour', [bad, 'worse.example.org'])).toEqual([4, 4]);
  });

  test('never owe: whatever failed beyond the limit, the next try is one refill away', async () => {
    const few = createLimited({ failuresPerHour: 1 });
    const asked = ['n1', 'n2', 'n3'].map((name) => ({ ...order(bad, `${name}.example.org`), domain: name }));
    const times = await Promise.all(asked.map((each) => granted(each, false, few)));
    await Promise.all(asked.map((each, i) => few.failed(each, times[i] ?? 0, blame(bad))));
    const { nextAt } = await refused(order(bad), false, few);
    expect(hours(await now(), nextAt)).toBeLessThanOrEqual(1);
  });
});

describe('an order that failed', () => {
  test('is tried again after 1, 10, 100 minutes, then once a day', async () => {
    const waits: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      const orderedAt = await granted(a);
      const retryAt = await ledger.failed(a, orderedAt, []);
      waits.push(Math.round((retryAt - (await now())) / MINUTE_MS));
      const { limit, nextAt } = await refused(a);
      // The fifth certificate of the week for the same names holds for longer.
      expect([limit, nextAt === retryAt]).toEqual(
        i < 4 ? ['failed-issuance', true] : ['duplicates-per-week', false],
      );
      await age(retryAt - orderedAt);
    }
    expect(waits).toEqual([1, 10, 100, 1440, 1440]);
    expect(await ledger.last(app)).toMatchObject({ failures: 5 });
  });

  test('holds the same names also where something has changed', async () => {
    await ledger.failed(a, await granted(a), []);
    expect(await refused(a, true)).toMatchObject({ limit: 'failed-issuance' });
  });

  test('does not hold other names, which begin without failures', async () => {
    const asked = order('a.example.org', 'bad.example.org');
    await ledger.failed(asked, await granted(asked), []);
    await granted(a);
    expect(await ledger.last(app)).toMatchObject({ failures: 0 });
  });

  test('is not held by the cool-down once its retry is due', async () => {
    await ledger.failed(a, await granted(a), []);
    await age(MINUTE_MS);
    await granted(a);
  });

  test('and was tried again is not tried a third time before it is known how that went', async () => {
    await ledger.failed(a, await granted(a), []);
    await age(MINUTE_MS);
    const orderedAt = await granted(a);
    expect(await ledger.last(app)).toMatchObject({ failures: 1 });
    expect(await ledger.reserve(a, false)).toEqual({ kind: 'repeated', orderedAt });
  });

  test('is counted once, whoever reports it', async () => {
    const orderedAt = await granted(a);
    const reports = await Promise.all([1, 2, 3].map(() => ledger.failed(a, orderedAt, [])));
    expect(new Set(reports).size).toBe(1);
    expect(await ledger.last(app)).toMatchObject({ failures: 1 });
    expect(await refused(a)).toMatchObject({ nextAt: reports[0] });
  });

  test('and is not the last one any more says nothing about the last one', async () => {
    const first = await granted(a);
    await granted(a, true);
    const retryAt = await ledger.failed(a, first, []);
    expect(retryAt).toBeLessThanOrEqual(await now());
    expect(await ledger.last(app)).toMatchObject({ failures: 0 });
  });

  test('still counts while a later order of the same names is not a day old', async () => {
    await ledger.failed(a, await granted(a), []);
    await age(MINUTE_MS);
    await granted(a);
    await granted(a, true);
    expect(await ledger.last(app)).toMatchObject({ failures: 1 });
  });

  test('is forgiven by an order of the same names that nobody called failed for a day', async () => {
    await ledger.failed(a, await granted(a), []);
    await age(MINUTE_MS);
    await granted(a);
    await age(DAY_MS);
    await granted(a);
    expect(await ledger.last(app)).toMatchObject({ failures: 0 });
  });
});

describe('an order that failed for a failing name', () => {
  const bad = 'bad.example.org';
  const old = 'old.example.org';
  const failed = async (asked: CertificateOrder, ...failingNames: string[]): Promise<void> => {
    await ledger.failed(asked, await granted(asked, true), blame(...failingNames));
  };

  test('holds every set that the failing name is on, however it has changed', async () => {
    await failed(order(old, bad), bad);
    const permits = await Promise.all(
      Array.from({ length: 10 }, (_, i) => ledger.reserve(order(old, bad, `n${i}.example.org`), true)),
    );
    for (const permit of permits) expect(permit).toMatchObject({ kind: 'refused', limit: 'failed-issuance' });
    await granted(order(old, 'n1.example.org'), true);
  });

  test('is joined by the sets that come after it: they back off further, and do not begin anew', async () => {
    const waits: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      const asked = order(old, bad, `n${i}.example.org`);
      const orderedAt = await granted(asked, true);
      const retryAt = await ledger.failed(asked, orderedAt, blame(bad));
      waits.push(Math.round((retryAt - (await now())) / MINUTE_MS));
      await age(retryAt - orderedAt);
    }
    expect(waits).toEqual([1, 10, 100, 1440]);
  });

  test('lets fewer names, without one of the failing names, pass at once; and then none that are more again', async () => {
    await failed(order(old, bad, 'worse.example.org'), bad, 'worse.example.org');
    expect(await ledger.peek(order(old, bad), true)).toMatchObject({ kind: 'granted' });
    expect(await refused(order(old, bad, 'n1.example.org'), true)).toMatchObject({
      limit: 'failed-issuance',
    });
    await failed(order(old, bad), bad);
    expect(await ledger.last(app)).toMatchObject({ failures: 2, failingNames: blame(bad) });
    expect(await ledger.peek(order(old), true)).toMatchObject({ kind: 'granted' });
  });

  test('leaves a set without any of them alone, which begins without failures', async () => {
    await failed(order(old, bad), bad);
    await granted(order(old, 'n1.example.org'), true);
    expect(await ledger.last(app)).toMatchObject({ failures: 0, failingNames: [] });
  });

  test('says who is suspected, and what was issued last', async () => {
    const good = await granted(order(old));
    await ledger.issued({ app }, good);
    await failed(order(old, bad), bad);
    expect(await ledger.last(app)).toMatchObject({
      hasFailed: true,
      failingNames: blame(bad),
      issued: [old],
    });
  });

  test('backs off no longer once the failing names are cleared', async () => {
    const asked = order(old, bad);
    const orderedAt = await granted(asked);
    await ledger.failed(asked, orderedAt, blame(bad));
    await ledger.cleared(asked, orderedAt);
    expect(await ledger.peek(asked, false)).toMatchObject({ kind: 'granted' });
    expect(await ledger.peek(order(old, bad, 'n1.example.org'), true)).toMatchObject({ kind: 'granted' });
  });

  test('and came nevertheless, late, has not failed', async () => {
    const asked = order(old, bad);
    const orderedAt = await granted(asked);
    await ledger.failed(asked, orderedAt, blame(bad));
    await ledger.issued(asked, orderedAt);
    const issued = [bad, old];
    expect(await ledger.last(app)).toMatchObject({ hasFailed: false, failures: 0, failingNames: [], issued });
    await granted(order(old, bad, 'n1.example.org'), true);
  });
});

describe('an order with names of which nobody could say that they are right', () => {
  const unjudged = 'unasked.example.org';
  const doubtful = (...names: string[]): CertificateOrder => ({
    ...order(unjudged, ...names),
    doubts: [{ name: unjudged, why: 'unjudged', sentence: 'it could not be asked' }],
  });

  test('holds others with the same names until it is known how it went, each time for longer', async () => {
    const waits: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      await granted(doubtful(`n${i}.example.org`), true);
      const { limit, nextAt } = await refused(doubtful('more.example.org'), true);
      expect(limit).toBe('failed-issuance');
      waits.push(Math.round((nextAt - (await now())) / MINUTE_MS));
      await age(nextAt - (await now()));
    }
    expect(waits).toEqual([1, 10, 100]);
  });

  test('holds nobody once a handshake has shown that it went well', async () => {
    const asked = doubtful('n1.example.org');
    await ledger.issued(asked, await granted(asked, true));
    await granted(doubtful('n1.example.org', 'n2.example.org'), true);
  });

  test('is repeated by the same names as any other', async () => {
    const orderedAt = await granted(doubtful());
    expect(await ledger.reserve(doubtful(), false)).toEqual({ kind: 'repeated', orderedAt });
  });
});

test('what nobody called failed for a day counts as issued', async () => {
  await granted(a);
  await age(DAY_MS);
  await granted(order('a.example.org', 'b.example.org'));
  expect(await ledger.last(app)).toMatchObject({ issued: ['a.example.org'] });
});

describe('an order that was not sent', () => {
  test('gives back all that it took', async () => {
    const asked = order('a.example.org', 'a.example.com');
    const full = await ledger.budgets(asked.names);
    const orderedAt = await granted(asked);
    expect(await ledger.budgets(asked.names)).not.toEqual(full);
    await ledger.release(asked, orderedAt);
    expect(await ledger.budgets(asked.names)).toEqual(full);
    expect(await ledgerKeys()).toEqual([]);
  });

  test('leaves the order before it as it stood, failures and all', async () => {
    const retryAt = await ledger.failed(a, await granted(a), []);
    const before = await ledger.last(app);
    const asked = order('a.example.org', 'b.example.org');
    await ledger.release(asked, await granted(asked));
    expect(await ledger.last(app)).toEqual(before);
    expect(await refused(a)).toMatchObject({ limit: 'failed-issuance', nextAt: retryAt });
  });

  test('does not hold the next try by the cool-down', async () => {
    await ledger.release(a, await granted(a));
    await granted(a);
  });

  test('leaves its names as new as they were', async () => {
    await ledger.release(a, await granted(a));
    await granted(a);
    expect(await left('certificates-per-week', a.names)).toEqual([49]);
  });

  test('gives a renewal only what a renewal took', async () => {
    await granted(a);
    await ledger.release(a, await granted(a, true));
    expect(await left('certificates-per-week', a.names)).toEqual([49]);
    expect(await left('duplicates-per-week', a.names)).toEqual([4]);
    await granted(a, true);
    expect(await left('certificates-per-week', a.names)).toEqual([49]);
  });

  test('is undone step by step, where several were not sent', async () => {
    const both = { ...a, names: [...a.names, 'b.example.com'] };
    const first = await granted(a);
    await ledger.release(both, await granted(both));
    await ledger.release(a, first);
    expect(await ledger.last(app)).toBeUndefined();
    expect(await left('duplicates-per-week', a.names)).toEqual([5]);
  });

  test('is undone once, and not after it was called failed or another took its place', async () => {
    const first = await granted(a);
    await ledger.release(a, first);
    await ledger.release(a, first);
    const second = await granted(a);
    await granted(a, true);
    await ledger.release(a, second);
    const third = (await ledger.last(app))?.orderedAt ?? 0;
    await ledger.failed(a, third, []);
    await ledger.release(a, third);
    expect(await left('duplicates-per-week', a.names)).toEqual([3]);
    expect(await ledger.last(app)).toMatchObject({ orderedAt: third, failures: 1 });
  });
});

describe('where Redis cuts the connection before its reply, and the client sends the script again,', () => {
  /** Runs each script twice for one call, and has only the second reply, as ioredis does then. */
  const cutRedis = (): Redis =>
    new Proxy(redis, {
      get: (target, key) =>
        key === 'eval' || key === 'evalsha'
          ? async (...args: Parameters<Redis['eval']>) => {
              await target[key](...args);
              return target[key](...args);
            }
          : Reflect.get(target, key, target),
    });
  const createCut = (limits: Partial<LedgerLimits> = {}): Ledger =>
    createLedger({ redis: cutRedis(), keys, limits: { ...official, ...limits }, cooldownMs: COOLDOWN_MS });

  test.each([false, true])('an order is granted, and paid for once (changed: %s)', async (changed) => {
    const orderedAt = await granted(a, changed, createCut());
    expect(await ledger.last(app)).toMatchObject({ orderedAt });
    expect(await left('duplicates-per-week', a.names)).toEqual([4]);
    expect(await left('certificates-per-week', a.names)).toEqual([49]);
    expect(await left('orders-per-3-hours', a.names)).toEqual([299]);
  });

  test('the last token is granted, not refused by having been taken', async () => {
    await granted(a, false, createCut({ certificatesPerWeek: 1, ordersPer3Hours: 1 }));
  });

  test('the next call is another order: the cool-down and the failures before it count', async () => {
    const orderedAt = await granted(a, false, createCut());
    expect(await createCut().reserve(a, false)).toEqual({ kind: 'repeated', orderedAt });
    await createCut().failed(a, orderedAt, []);
    expect(await refused(a, true, createCut())).toMatchObject({ limit: 'failed-issuance' });
  });

  test('an order that was not sent gives its tokens back once, and the order before it stands', async () => {
    const first = await granted(a);
    const orderedAt = await granted(a, true);
    await createCut().release(a, orderedAt);
    expect(await left('duplicates-per-week', a.names)).toEqual([4]);
    expect(await ledger.last(app)).toMatchObject({ orderedAt: first });
  });

  test('a failed order is counted once, and so is each name, and the wait is told as it was', async () => {
    const nextAt = await createCut().failed(a, await granted(a), blame(...a.names));
    expect(await ledger.last(app)).toMatchObject({ failures: 1 });
    expect(await left('failures-per-hour', a.names)).toEqual([4]);
    expect(await refused(a)).toMatchObject({ limit: 'failed-issuance', nextAt });
  });
});

describe('twenty workers at the same time', () => {
  test('get five orders where five are left', async () => {
    const few = createLimited({ certificatesPerWeek: 5 });
    const asked = Array.from({ length: 20 }, (_, i) => ownOrder(`n${i}.example.org`));
    const permits = await Promise.all(asked.map((each) => few.reserve(each, false)));
    expect([kinds(permits, 'granted'), kinds(permits, 'refused')]).toEqual([5, 15]);
  });

  test('order the same names once', async () => {
    const permits = await Promise.all(Array.from({ length: 20 }, () => ledger.reserve(a, false)));
    expect([kinds(permits, 'granted'), kinds(permits, 'repeated')]).toEqual([1, 19]);
  });

  test('never give two orders of one certificate the same time', async () => {
    const permits = await Promise.all(Array.from({ length: 20 }, () => ledger.reserve(a, true)));
    const times = permits.flatMap((permit) => (permit.kind === 'granted' ? [permit.orderedAt] : []));
    expect(times).toHaveLength(5);
    expect(new Set(times).size).toBe(5);
  });
});

test('the budgets tell what is left of each limit', async () => {
  await granted(a);
  expect(await ledger.budgets(['a.example.org', 'b.example.org'])).toEqual([
    { limit: 'certificates-per-week', subject: 'example.org', left: 49, of: 50 },
    { limit: 'duplicates-per-week', subject: 'a.example.org and b.example.org', left: 5, of: 5 },
    { limit: 'orders-per-3-hours', subject: 'all certificates', left: 299, of: 300 },
    { limit: 'failures-per-hour', subject: 'a.example.org', left: 5, of: 5 },
    { limit: 'failures-per-hour', subject: 'b.example.org', left: 5, of: 5 },
  ]);
});
