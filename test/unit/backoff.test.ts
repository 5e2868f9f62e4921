// How long until the next look: the shape of the waiting, and that the real numbers are in order.
import { describe, expect, test } from '@jest/globals';
import { BACKOFF, nextDelay } from '../../src/domains/backoff.ts';

describe('the next look', () => {
  test.each([
    ['is one first interval away at the beginning', 0, 60],
    ['stays one first interval away while little was waited', 119, 60],
    ['is half of what was waited away later', 300, 150],
    ['is never more than the longest interval away', 1_000_000, 600],
    ['is one first interval away where a clock went back', -5_000, 60],
  ] as const)('%s', (_, waitedMs, delayMs) => {
    expect(nextDelay(waitedMs, 60, 600)).toBe(delayMs);
  });

  test('is never nearer than the one before', () => {
    const delays = [0, 1, 50, 100, 200, 400, 800, 1_600, 10_000].map((waited) => nextDelay(waited, 60, 600));
    expect(delays).toEqual(delays.toSorted((a, b) => a - b));
  });

  test('comes about once an hour on the first day of a customer who is late', () => {
    let [waited, checks] = [0, 0];
    for (; waited < 86_400_000; checks += 1)
      waited += nextDelay(waited, BACKOFF.dnsFirstMs, BACKOFF.dnsLongestMs);
    expect(checks).toBeLessThan(40);
    expect(checks).toBeGreaterThan(23);
  });
});

test('the intervals grow from the first to the longest to what is held', () => {
  expect(BACKOFF.dnsFirstMs).toBeLessThan(BACKOFF.dnsLongestMs);
  expect(BACKOFF.tlsFirstMs).toBeLessThan(BACKOFF.tlsLongestMs);
  expect(BACKOFF.dnsLongestMs).toBeLessThan(BACKOFF.heldMs);
});
