// The rate limiter driven directly, several of them on one Redis: the rate in every window, and the wait after a 429.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { toRetryAfterMs } from '../../src/runcloud/failures.ts';
import { mostInWindow } from '../helpers/invariants.ts';
import {
  type Bench,
  type Benches,
  type BenchOptions,
  createBenches,
  KEY,
  START,
} from '../helpers/limiter-bench.ts';
import { until } from '../helpers/until.ts';

let benches: Benches;

beforeAll(async () => {
  benches = await createBenches();
});
afterAll(async () => {
  await benches[Symbol.asyncDispose]();
});

const bench = (options?: BenchOptions): Bench => benches.bench(options);

const MINUTE = 60_000;

/** Everybody who may call calls, over `minutes`; the times of the calls. Time passes in steps of what the limiter says. */
async function callGreedily({ ask, now, later }: Bench, minutes: number): Promise<number[]> {
  const times: number[] = [];
  const end = now() + minutes * MINUTE;
  while (now() < end) {
    const [kind, waitMs] = await ask();
    if (kind === 'go') times.push(now());
    else later(waitMs);
  }
  return times;
}

describe('the rate', () => {
  test.each([1, 2, 5, 6, 7, 12, 60, 61, 600])(
    'I5: no 60 s have more than %i calls, and not much less',
    async (rate) => {
      const times = await callGreedily(bench({ ratePerMinute: rate }), 3);
      expect(mostInWindow(times, MINUTE)).toBeLessThanOrEqual(rate);
      // The rate is there to be used: over three minutes at least two thirds of it (below 6 a minute: half).
      expect(times.length).toBeGreaterThanOrEqual(Math.floor(3 * rate * (rate < 6 ? 0.5 : 0.66)));
    },
  );

  test('after an idle hour only a sixth of the rate goes out at once', async () => {
    const the = bench({ ratePerMinute: 60 });
    await callGreedily(the, 2);
    the.later(3_600_000);
    expect(await the.released(40)).toBe(10);
  });

  test('three limiters at once give out no more than one would', async () => {
    const the = bench({ ratePerMinute: 600 });
    let through = 0;
    const calls = Array.from({ length: 110 }, async (_, at) => {
      await the.limiters[at % 3]?.acquire(KEY);
      through += 1;
    });
    // 100 at once, then one each 120 ms, and not a millisecond earlier.
    await until(() => the.questions() >= 110, 'all have asked');
    for (let expected = 100; expected < 110; expected += 1) {
      await until(() => through >= expected, `${expected} calls have gone out`);
      the.later(119);
      expect(await the.ask()).toEqual(['rate', 1]);
      expect(through).toBe(expected);
      the.later(1);
    }
    await Promise.all(calls);
    expect(await the.ask()).toEqual(['rate', 120]);
  });

  test("RunCloud's lower X-RateLimit-Limit counts for everybody; a higher one does not raise our own", async () => {
    const lower = bench({ ratePerMinute: 600 });
    await lower.report('ok', { limit: 60, remaining: 59 });
    expect(mostInWindow(await callGreedily(lower, 2), MINUTE)).toBeLessThanOrEqual(60);
    const higher = bench({ ratePerMinute: 60 });
    await higher.report('ok', { limit: 600, remaining: 599 });
    expect(await higher.released(40)).toBe(10);
  });

  test('when few calls are left in the window of RunCloud, they go out one by one', async () => {
    const the = bench({ ratePerMinute: 60 });
    await the.report('ok', { limit: 60, remaining: 3 });
    expect(await the.released(20)).toBe(0);
    the.later(1_200);
    expect(await the.released(20)).toBe(1);
  });
});

describe('a 429', () => {
  const inFourSeconds = new Date(START + 4_000).toUTCString();
  // A date in HTTP has no milliseconds.
  const untilThen = Date.parse(inFourSeconds) - START;

  test.each([
    ['7', 7_000],
    [inFourSeconds, untilThen],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 1_000],
    ['0', 1_000],
    ['-5', 1_000],
    ['999999999', 900_000],
    ['abc', 30_000],
    ['', 30_000],
  ])('scenario 17: Retry-After %p stops calls for %i ms', async (header, ms) => {
    const the = bench({ defaultThrottleMs: 30_000 });
    await the.report('throttled', {
      retryAfterMs: toRetryAfterMs(header, the.now()),
      why: 'Too Many Attempts.',
    });
    expect(await the.limiters[1]?.unavailable(KEY)).toMatchObject({
      kind: 'throttled',
      waitMs: ms,
      sentence: expect.stringContaining('Too Many Attempts'),
    });
    expect(await the.limiters[2]?.status()).toMatchObject({ kind: 'throttled' });
    expect(await the.released(5)).toBe(0);
  });

  test('a shorter Retry-After that comes second does not resume sooner', async () => {
    const the = bench();
    await the.report('throttled', { retryAfterMs: 60_000 });
    await the.report('throttled', { retryAfterMs: 1_000 });
    expect((await the.limiter.unavailable(KEY))?.waitMs).toBe(60_000);
  });

  test('when calls resume there is no burst', async () => {
    const the = bench({ ratePerMinute: 60 });
    await the.report('throttled', { retryAfterMs: 7_000 });
    the.later(7_000);
    expect(await the.limiter.unavailable(KEY)).toBeUndefined();
    expect(await the.released(30)).toBe(1);
    the.later(1_200);
    expect(await the.released(30)).toBe(1);
  });
});

test('a call that has to wait says why, once, and not where it is only the rate', async () => {
  const the = bench();
  await the.report('throttled', { retryAfterMs: 60_000 });
  const reported: string[] = [];
  const stop = new AbortController();
  const waiting = the.limiter.acquire(KEY, stop.signal, ({ kind }) => reported.push(kind));
  await until(() => the.questions() >= 3, 'it has checked three times');
  stop.abort();
  await expect(waiting).rejects.toThrow();
  expect(reported).toEqual(['throttled']);
});

test('a call that is stopped while it waits stops waiting', async () => {
  const the = bench();
  await the.report('throttled', { retryAfterMs: 60_000 });
  await expect(the.limiter.acquire(KEY, AbortSignal.timeout(20))).rejects.toThrow();
});
