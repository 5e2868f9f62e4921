// When a certificate should have been renewed by now, for every lifetime that there is: a healthy one is never called late, one that
// was forgotten is, in time to do something.
import { describe, expect, test } from '@jest/globals';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { judgeDrift } from '../../src/https/drift.ts';
import { isLate, type Period, shareLeft } from '../../src/https/lifetime.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NAME = parseDomainName('shop.example.org');
const LIFETIMES = [6, 45, 64, 90, 198, 398] as const;

const look = (certificate: Period, at: number) => {
  const sentence = 'it is in place';
  const served = { subject: NAME, issuer: 'R11', names: [NAME], ...certificate };
  const tls = [
    { name: NAME, verdict: 'covers', sentence, address: '203.0.113.7:443', certificate: served },
  ] as const;
  const dns = [
    {
      name: NAME,
      verdict: 'here',
      sentence,
      expected: [],
      observed: { a: [], aaaa: [], cname: [], caa: [] },
    },
  ] as const;
  return judgeDrift({ domain: NAME, state: 'live', mustAct: undefined, evidence: undefined }, true, {
    at,
    dns,
    tls,
  });
};

/** A client that looks now and then, and renews at the first look after its time has come. */
function* renewed(days: number, leftAtRenewal: number, looksEvery: number): Generator<Period> {
  for (let start = 0; ; ) {
    yield { notBefore: start, notAfter: start + days * DAY };
    const due = start + days * DAY * (1 - leftAtRenewal);
    start = Math.ceil(due / looksEvery) * looksEvery;
  }
}

describe.each(LIFETIMES)('a certificate of %d days', (days) => {
  test.each([
    ['at a third, by a client that looks every minute', 1 / 3, 60_000],
    ['at a third, by a client that looks twice a day', 1 / 3, 12 * HOUR],
    ['at a third, by a client that looks once a day', 1 / 3, DAY],
    ['at half, by a client that looks once a day', 1 / 2, DAY],
  ])('that is renewed %s is never late, at no look of the watch', (_, left, looksEvery) => {
    const client = renewed(days, left, looksEvery);
    let [current, next] = [client.next().value, client.next().value];
    const late: number[] = [];
    // Four cycles, checked every hour.
    for (let at = 0; at < 4 * days * DAY; at += HOUR) {
      while (next && at >= next.notBefore) [current, next] = [next, client.next().value];
      if (look(current, at)?.report.state !== 'live') late.push(at);
    }
    expect(late).toEqual([]);
  });

  const period: Period = { notBefore: 0, notAfter: days * DAY };
  const lateFrom = [...Array(days * 24).keys()].find((hour) => isLate(period, hour * HOUR)) ?? 0;

  test('that nobody renews is late once a quarter is left, or a day after the third, and stays so', () => {
    const leftMs = days * DAY - lateFrom * HOUR;
    expect(leftMs / (days * DAY)).toBeGreaterThan(0.15);
    expect(leftMs / (days * DAY)).toBeLessThan(0.25);
    for (let hour = lateFrom; hour <= days * 24; hour += 1) expect(isLate(period, hour * HOUR)).toBe(true);
  });

  test('that nobody renews is held for RunCloud, with what is left of how long it was issued for', () => {
    const drift = look(period, lateFrom * HOUR);
    expect(drift).toMatchObject({
      sentence: expect.stringContaining(`(issued for ${days} days)`),
      report: { state: 'held', reasonCode: 'certificate-expiring', mustAct: 'runcloud' },
      repair: { kind: 'redeploy' },
      isExpiring: true,
    });
  });
});

test('a lifetime of seconds, as in a trial, is judged by its share alone', () => {
  const period: Period = { notBefore: 0, notAfter: 60_000 };
  expect([39_000, 49_000, 51_000].map((at) => isLate(period, at))).toEqual([false, false, true]);
});

test('what lives for ten years is not called late two years before its end', () => {
  const period: Period = { notBefore: 0, notAfter: 3_650 * DAY };
  expect([3_000, 3_540, 3_560].map((day) => isLate(period, day * DAY))).toEqual([false, false, true]);
});

test('nothing is said of a certificate whose dates cannot be read', () => {
  expect(isLate({ notBefore: Number.NaN, notAfter: Number.NaN }, 0)).toBe(false);
});

test.each([
  [0, 1],
  [45, 0.5],
  [90, 0],
  [99, -0.1],
])('on day %d of 90, %d of its life is left', (day, share) => {
  expect(shareLeft({ notBefore: 0, notAfter: 90 * DAY }, day * DAY)).toBeCloseTo(share);
});
