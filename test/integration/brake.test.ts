// The brake driven directly, several of them on one Redis: the rate in every window, and the gate of a 429.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ENTER } from '../../src/brake/scripts.ts';
import { toRetryAfterMs } from '../../src/runcloud/retry-after.ts';
import { type Bench, type Benches, type BenchOptions, createBenches, KEY } from '../helpers/brake-bench.ts';
import { mostInWindow } from '../helpers/invariants.ts';

let benches: Benches;

beforeAll(async () => {
  benches = await createBenches();
});
afterAll(async () => {
  await benches[Symbol.asyncDispose]();
});

const bench = (options?: BenchOptions): Bench => benches.bench(options);

const ask = async (key: string, rate: number): Promise<[string, number]> =>
  (await benches.redis.eval(ENTER, 1, key, rate, KEY, '1')) as [string, number];

/** A minute, less what reading two clocks may differ by. */
const MINUTE = 60_000 - 10;

/** Everybody who may call calls, over `minutes`; the times of the calls. Time passes in steps of what the brake says. */
async function callGreedily({ key, later }: Bench, rate: number, minutes: number): Promise<number[]> {
  const times: number[] = [];
  const startedAt = performance.now();
  let skipped = 0;
  const time = (): number => performance.now() - startedAt + skipped;
  while (time() < minutes * 60_000) {
    const [kind, waitMs] = await ask(key, rate);
    if (kind === 'go') times.push(time());
    else {
      await later(waitMs);
      skipped += waitMs;
    }
  }
  return times;
}

describe('the rate', () => {
  test.each([1, 2, 5, 6, 7, 12, 60, 61, 600])(
    'I5: no 60 s hold more than %i calls, and not much less',
    async (rate) => {
      const times = await callGreedily(bench({ ratePerMinute: rate }), rate, 3);
      expect(mostInWindow(times, MINUTE)).toBeLessThanOrEqual(rate);
      // The rate is there to be used: over three minutes at least two thirds of it (below 6 a minute: half).
      expect(times.length).toBeGreaterThanOrEqual(Math.floor(3 * rate * (rate < 6 ? 0.5 : 0.66)));
    },
  );

  test('after an idle hour only a sixth of the rate goes out at once', async () => {
    const the = bench({ ratePerMinute: 60 });
    await callGreedily(the, 60, 2);
    await the.later(3_600_000);
    expect(await the.released(40)).toBe(10);
  });

  test('three brakes at once give out no more than one would', async () => {
    const the = bench({ ratePerMinute: 600 });
    const startedAt = performance.now();
    const times = await Promise.all(
      Array.from({ length: 110 }, async (_, at) => {
        await the.brakes[at % 3]?.enter(KEY);
        return performance.now();
      }),
    );
    // 100 at once, then one each 120 ms: the last of 110 cannot have come before.
    expect(Math.max(...times) - startedAt).toBeGreaterThanOrEqual(9 * 120);
    expect(times.filter((time) => time < startedAt + 100).length).toBeLessThanOrEqual(101);
  });

  test("RunCloud's lower X-RateLimit-Limit counts for everybody; a higher one does not raise our own", async () => {
    const lower = bench({ ratePerMinute: 600 });
    await lower.report('ok', { limit: 60, remaining: 59 });
    expect(mostInWindow(await callGreedily(lower, 600, 2), MINUTE)).toBeLessThanOrEqual(60);
    const higher = bench({ ratePerMinute: 60 });
    await higher.report('ok', { limit: 600, remaining: 599 });
    expect(await higher.released(40)).toBe(10);
  });

  test('when few calls are left in the window of RunCloud, they go out one by one', async () => {
    const the = bench({ ratePerMinute: 60 });
    await the.report('ok', { limit: 60, remaining: 3 });
    expect(await the.released(20)).toBe(0);
    await the.later(1_200);
    expect(await the.released(20)).toBe(1);
  });
});

describe('the gate', () => {
  const inFourSeconds = (): string => new Date(Date.now() + 4_000).toUTCString();

  test.each([
    ['7', 7_000, 7_000],
    ['a date', 2_000, 4_000],
    ['a date in the past', 1_000, 1_000],
    ['0', 1_000, 1_000],
    ['-5', 1_000, 1_000],
    ['999999999', 900_000, 900_000],
    ['abc', 30_000, 30_000],
    ['', 30_000, 30_000],
  ])('scenario 17: Retry-After %p closes it for %i to %i ms', async (header, least, most) => {
    const the = bench({ defaultCloseMs: 30_000 });
    const sent = { 'a date': inFourSeconds(), 'a date in the past': 'Sun, 06 Nov 1994 08:49:37 GMT' };
    const value = (sent as Record<string, string>)[header] ?? header;
    await the.report('closed', {
      retryAfterMs: toRetryAfterMs(value, Date.now()),
      why: 'Too Many Attempts.',
    });
    const hold = await the.brakes[1]?.hold(KEY);
    expect(hold?.kind).toBe('closed');
    expect(hold?.sentence).toContain('Too Many Attempts.');
    expect(hold?.waitMs).toBeLessThanOrEqual(most);
    expect(hold?.waitMs).toBeGreaterThan(least - 1_000);
    expect(await the.brakes[2]?.status()).toMatchObject({ kind: 'closed' });
    expect(await the.released(5)).toBe(0);
  });

  test('a shorter Retry-After that comes second does not open it sooner', async () => {
    const the = bench();
    await the.report('closed', { retryAfterMs: 60_000 });
    await the.report('closed', { retryAfterMs: 1_000 });
    expect((await the.brake.hold(KEY))?.waitMs).toBeGreaterThan(50_000);
  });

  test('when it opens there is no burst', async () => {
    const the = bench({ ratePerMinute: 60 });
    await the.report('closed', { retryAfterMs: 7_000 });
    await the.later(7_000);
    expect(await the.brake.hold(KEY)).toBeUndefined();
    expect(await the.released(30)).toBe(1);
    await the.later(1_200);
    expect(await the.released(30)).toBe(1);
  });
});

test('a call that has to wait says why, once, and not where it is only the rate', async () => {
  const the = bench();
  await the.report('closed', { retryAfterMs: 60_000 });
  const told: string[] = [];
  const waiting = the.brake.enter(KEY, AbortSignal.timeout(2_500), ({ kind }) => told.push(kind));
  await expect(waiting).rejects.toThrow();
  expect(told).toEqual(['closed']);
});

test('a call that is stopped while it waits stops waiting', async () => {
  const the = bench();
  await the.report('closed', { retryAfterMs: 60_000 });
  await expect(the.brake.enter(KEY, AbortSignal.timeout(20))).rejects.toThrow();
});
