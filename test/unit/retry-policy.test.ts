// When a failed attempt is tried again: doubling, capped, jittered, and for about six hours by default.
import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../src/config/load.ts';
import { nextDelayMs, type RetryPolicy, retryPolicyFor } from '../../src/queue/retry-policy.ts';

const policy: RetryPolicy = { attempts: 8, backoffMs: 100, backoffMaxMs: 1000 };
const HOUR_MS = 3_600_000;

/** From the first try to the last, with the same luck each time; the calls themselves take no time. */
function spanMs(of: RetryPolicy, random: number): number {
  let sum = 0;
  for (let made = 1; ; made += 1) {
    const delayMs = nextDelayMs(of, made, random);
    if (delayMs === undefined) return sum;
    sum += delayMs;
  }
}

describe('the delay before the next try', () => {
  test('doubles with each failed one until it reaches the cap', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7].map((made) => nextDelayMs(policy, made, 0));
    expect(delays).toEqual([100, 200, 400, 800, 1000, 1000, 1000]);
  });

  test('loses at most half of itself to jitter, and never grows by it', () => {
    expect(nextDelayMs(policy, 3, 0)).toBe(400);
    expect(nextDelayMs(policy, 3, 0.5)).toBe(300);
    expect(nextDelayMs(policy, 3, 0.999_999)).toBeGreaterThanOrEqual(200);
  });

  test('is spread by jitter, so that jobs which failed together do not come back together', () => {
    const delays = new Set(Array.from({ length: 10 }, (_, i) => nextDelayMs(policy, 4, i / 10)));
    expect(delays.size).toBe(10);
  });

  test('stays finite after thousands of tries', () => {
    const patient: RetryPolicy = { attempts: 1_000_000, backoffMs: 1, backoffMaxMs: 5000 };
    expect(nextDelayMs(patient, 100_000, 0)).toBe(5000);
  });
});

describe('the budget', () => {
  test('is spent when as many tries have failed as are allowed', () => {
    expect(nextDelayMs(policy, 7, 0)).toBe(1000);
    expect(nextDelayMs(policy, 8, 0)).toBeUndefined();
    expect(nextDelayMs(policy, 9, 0)).toBeUndefined();
  });

  test('of one attempt leaves no second try', () => {
    expect(nextDelayMs({ ...policy, attempts: 1 }, 1, 0)).toBeUndefined();
  });

  test('lasts about six hours with the default configuration', () => {
    const jobs = retryPolicyFor(parseConfig({}).config.jobs.retryForMs);
    const average = spanMs(jobs, 0.5);
    expect(average).toBeGreaterThan(5.5 * HOUR_MS);
    expect(average).toBeLessThan(6.5 * HOUR_MS);
  });

  test.each([
    [0, 1],
    [1, 2],
    [3_600_000, 13],
    [86_400_000, 136],
  ])('for RETRY_FOR=%s ms is %s attempts', (retryForMs, attempts) => {
    expect(retryPolicyFor(retryForMs).attempts).toBe(attempts);
  });

  test('lasts with the default configuration from 4 h 3 min to 8 h 6 min: within a third of RETRY_FOR, as it says', () => {
    const jobs = retryPolicyFor(parseConfig({}).config.jobs.retryForMs);
    const minutes = (ms: number): number => Math.floor(ms / 60_000);
    expect(minutes(spanMs(jobs, 0))).toBe(8 * 60 + 6);
    expect(minutes(spanMs(jobs, 0.999_999_999))).toBe(4 * 60 + 3);
  });
});
