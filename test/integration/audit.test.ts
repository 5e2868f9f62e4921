// The audit log in a real Redis: the newest first, page by page, capped, and without secrets.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { type Audit, type AuditRecord, createAudit, isAuditId } from '../../src/audit/audit.ts';
import { createKeys } from '../../src/redis/keys.ts';
import { type TestRedis, testRedis } from '../helpers/redis.ts';

let corner: TestRedis;
let redis: Redis;
let audit: Audit;
let lost: AuditRecord[];

beforeEach(async () => {
  corner = await testRedis();
  redis = new Redis(corner.url, { disconnectTimeout: 50 });
  const scrub = (text: string): string => text.replaceAll('hunter2', '***');
  lost = [];
  const onLost = (entry: AuditRecord): void => void lost.push(entry);
  audit = createAudit({ redis, keys: createKeys(corner.prefix, 'runcloud-domains'), scrub, onLost });
});

afterEach(async () => {
  await redis.quit();
  await corner.cleanup();
});

test('an entry says who did what to which domains, and when', async () => {
  await audit.record({
    who: 'cli:ada',
    what: 'retry',
    domains: ['a.example', 'b.example'],
    detail: '2 jobs',
  });
  const [entry] = await audit.list({ limit: 10 });
  expect(entry).toEqual({
    id: expect.stringMatching(/^\d+-\d+$/),
    at: expect.any(Number),
    who: 'cli:ada',
    for: undefined,
    what: 'retry',
    domains: ['a.example', 'b.example'],
    domainCount: 2,
    detail: '2 jobs',
  });
  const [seconds] = await redis.time();
  expect(Math.abs((entry?.at ?? 0) - Number(seconds) * 1000)).toBeLessThan(60_000);
});

test('what Redis does not take is told, without secrets, and is no error of what was done', async () => {
  await redis.set(createKeys(corner.prefix, 'runcloud-domains').own('audit'), 'not a stream');
  await audit.record({ who: 'cli:ada', what: 'retry', domains: ['a.example'], detail: 'hunter2' });
  expect(lost).toEqual([{ who: 'cli:ada', what: 'retry', domains: ['a.example'], detail: '***' }]);
});

test('an entry is one line, whatever somebody typed', async () => {
  await audit.record({ who: 'api:x', what: 'pause', detail: 'a\n2026-11-24  cli:bob  resume \u001b[31m' });
  expect((await audit.list({ limit: 1 }))[0]?.detail).toBe('a 2026-11-24 cli:bob resume [31m');
});

test('a user who is called like a field is no trouble', async () => {
  await audit.record({ who: 'what', what: 'add' });
  expect(await audit.list({ limit: 1 })).toMatchObject([
    { who: 'what', what: 'add', domains: [], domainCount: 0, detail: undefined },
  ]);
});

test('the newest come first, and page by page none is lost or shown twice', async () => {
  for (let i = 0; i < 5; i += 1) await audit.record({ who: `act-${i}`, what: 'add' });
  const pages = [];
  let before: string | undefined;
  do {
    const page = await audit.list({ limit: 2, before });
    pages.push(page.map(({ who }) => who));
    before = page.at(-1)?.id;
  } while (before !== undefined);
  expect(pages).toEqual([['act-4', 'act-3'], ['act-2', 'act-1'], ['act-0'], []]);
});

test('two thousand domains are counted, and a thousand named', async () => {
  await audit.record({
    who: 'x',
    what: 'retry',
    domains: Array.from({ length: 2000 }, (_, i) => `d${i}.example`),
  });
  const [entry] = await audit.list({ limit: 1 });
  expect([entry?.domains.length, entry?.domainCount]).toEqual([1000, 2000]);
});

test('what names a domain is found among thousands, page by page', async () => {
  const others = Array.from({ length: 1_500 }, (_, i) =>
    audit.record({ who: 'x', what: i === 3 ? 'pause' : 'retry' }),
  );
  await Promise.all(others);
  for (const what of ['add', 'remove'] as const)
    await audit.record({ who: 'x', what, domains: ['a.example', 'b.example'] });
  await Promise.all(
    Array.from({ length: 1_500 }, () => audit.record({ who: 'x', what: 'add', domains: ['c.example'] })),
  );
  const [removed] = await audit.list({ limit: 1, domain: 'b.example' });
  expect(removed).toMatchObject({ what: 'remove' });
  const older = await audit.list({ limit: 5, domain: 'b.example', before: removed?.id });
  expect(older.map(({ what }) => what)).toEqual(['add']);
  const removals = await audit.list({ limit: 5, what: ['remove', 'pause'] });
  expect(removals.map(({ what }) => what)).toEqual(['remove', 'pause']);
});

test('a secret that somebody typed is taken out', async () => {
  await audit.record({ who: 'x', what: 'pause', detail: 'the token hunter2 leaked' });
  expect(await audit.list({ limit: 1 })).toMatchObject([{ detail: 'the token *** leaked' }]);
});

test('what somebody says of himself stands apart from who he is', async () => {
  await audit.record({ who: 'api:shop', for: 'cli:root\n', what: 'remove', domains: ['a.example'] });
  expect(await audit.list({ limit: 1 })).toMatchObject([{ who: 'api:shop', for: 'cli:root' }]);
});

test('about as many entries as it is told are kept', async () => {
  const small = createAudit({
    redis,
    keys: createKeys(corner.prefix, 'runcloud-domains'),
    onLost: () => undefined,
    kept: 10_000,
  });
  await Promise.all(Array.from({ length: 10_300 }, (_, i) => small.record({ who: `act-${i}`, what: 'add' })));
  const kept = await redis.xlen(`${corner.prefix}:runcloud-domains-internal:audit`);
  expect(kept).toBeGreaterThanOrEqual(10_000);
  expect(kept).toBeLessThan(10_200);
  expect(await audit.list({ limit: 1 })).toMatchObject([{ who: 'act-10299' }]);
});

test('only an id of Redis’ streams is one', () => {
  expect(['1-0', '1700000000000-12', '', '+', '(1-0', '1', '1-0 '].map(isAuditId)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});
