// The DNS gate as a table: what waits for DNS by the settings, and what an open or a closed gate says.
import { describe, expect, test } from '@jest/globals';
import type { Backoff } from '../../src/domains/backoff.ts';
import { gateBefore, judgeGate } from '../../src/https/gate.ts';
import type { DnsFinding, DnsVerdict } from '../../src/probes/findings.ts';
import { isSurelyWrong, isWrong } from '../../src/probes/findings.ts';

const backoff: Backoff = {
  dnsFirstMs: 60,
  dnsLongestMs: 600,
  tlsFirstMs: 7,
  tlsLongestMs: 70,
  issuanceMs: 100,
  heldMs: 5_000,
  checkMs: 100,
  lateTimeouts: 0,
  lateMs: 100,
  lagMs: 0,
  missingMs: 50,
};
const DEADLINE = 10_000;
const REQUESTED = 1_000_000;

const found = (verdict: DnsVerdict, name = 'shop.example.org'): DnsFinding => ({
  name,
  verdict,
  sentence: `${name} is ${verdict}`,
  expected: ['203.0.113.7'],
  observed: { a: [], aaaa: [], cname: [], caa: [] },
});

const judge = (waited: number, ...dns: DnsFinding[]) =>
  judgeGate(dns, { since: REQUESTED, now: REQUESTED + waited, deadlineMs: DEADLINE, backoff });

describe('what waits for DNS', () => {
  const gates = ['off', 'attach', 'certificate', 'auto'] as const;
  const choices = ['wait', 'detach', 'ignore'] as const;
  const expected = {
    basic: {
      off: { wait: 'nothing', detach: 'nothing', ignore: 'nothing' },
      attach: { wait: 'attach', detach: 'attach', ignore: 'attach' },
      certificate: { wait: 'certificate', detach: 'attach', ignore: 'certificate' },
      auto: { wait: 'attach', detach: 'attach', ignore: 'attach' },
    },
    advanced: {
      off: { wait: 'nothing', detach: 'nothing', ignore: 'nothing' },
      attach: { wait: 'attach', detach: 'attach', ignore: 'attach' },
      certificate: { wait: 'certificate', detach: 'certificate', ignore: 'certificate' },
      auto: { wait: 'certificate', detach: 'certificate', ignore: 'certificate' },
    },
  } as const;
  const rows = gates.flatMap((gate) =>
    choices.flatMap((invalidNames) =>
      (['basic', 'advanced'] as const).map(
        (mode) => [gate, invalidNames, mode, expected[mode][gate][invalidNames]] as const,
      ),
    ),
  );

  test.each(rows)(
    'with DNS_GATE=%s, SSL_INVALID_NAMES=%s and %s SSL is: %s',
    (gate, invalidNames, mode, stop) => {
      expect(gateBefore({ gate, invalidNames, deadlineMs: 1 }, { advanced: mode === 'advanced' })).toBe(stop);
    },
  );
});

describe('a name', () => {
  test.each([
    ['here', false, false],
    ['proxied', false, false],
    ['unknown', false, false],
    ['unchecked', false, false],
    ['missing', true, true],
    ['elsewhere', true, true],
    ['leftover', true, true],
    ['forbidden', true, true],
    ['cdn', true, false],
  ] as const)('that is %s: it is said to be bad: %s, beyond doubt: %s', (verdict, bad, surely) => {
    expect([isWrong(found(verdict)), isSurelyWrong(found(verdict))]).toEqual([bad, surely]);
  });
});

describe('the gate', () => {
  test.each(['here', 'proxied'] as const)('is open for a name that is %s, however late', (verdict) => {
    expect(judge(0, found(verdict))).toBeUndefined();
    expect(judge(100 * DEADLINE, found(verdict))).toBeUndefined();
  });

  test.each([
    ['missing', 'the customer must act'],
    ['elsewhere', 'the customer must act'],
    ['leftover', 'the customer must act'],
    ['forbidden', 'the customer must act'],
    ['cdn', 'the customer must act'],
    ['unchecked', 'nobody is said to have to act'],
    ['unknown', 'nobody is said to have to act'],
  ] as const)('is closed for a name that is %s, repeats its sentence, and %s', (verdict, who) => {
    const mustAct = who === 'the customer must act' ? ({ mustAct: 'customer' } as const) : {};
    const reasonCode = verdict === 'unknown' ? 'dns-unknown' : 'dns-wrong';
    expect(judge(0, found(verdict))).toEqual({
      sentence: `shop.example.org is ${verdict}`,
      delayMs: backoff.dnsFirstMs,
      report: { state: 'waiting-for-dns', reasonCode, ...mustAct },
    });
  });

  test('is closed while only the www name is wrong, and speaks of the twin alone', () => {
    const closed = judge(0, found('here'), found('missing', 'www.shop.example.org'));
    expect(closed?.sentence).toBe('www.shop.example.org is missing');
  });

  test('names everything that is wrong', () => {
    const closed = judge(0, found('elsewhere'), found('missing', 'www.shop.example.org'));
    expect(closed?.sentence).toMatch(/shop\.example\.org is elsewhere.*www\.shop\.example\.org is missing/);
  });

  test('looks at growing intervals', () => {
    const delays = [0, 200, 800, 5_000].map((waited) => judge(waited, found('missing'))?.delayMs);
    expect(delays).toEqual([60, 100, 400, 600]);
  });

  test('looks once more right after the deadline, not an interval later', () => {
    expect(judge(DEADLINE - 10, found('missing'))).toMatchObject({
      delayMs: 11,
      report: { state: 'waiting-for-dns' },
    });
  });

  test('counts from the last request, so that asking again restarts the deadline', () => {
    const closed = judgeGate([found('missing')], {
      since: REQUESTED + DEADLINE,
      now: REQUESTED + DEADLINE + 1,
      deadlineMs: DEADLINE,
      backoff,
    });
    expect(closed?.report.state).toBe('waiting-for-dns');
  });

  describe('past the deadline', () => {
    test.each(['missing', 'elsewhere', 'leftover', 'forbidden'] as const)(
      'holds a name that is %s for the customer, and still looks',
      (verdict) => {
        expect(judge(DEADLINE, found(verdict))).toEqual({
          sentence: `shop.example.org is ${verdict}`,
          delayMs: backoff.heldMs,
          report: { state: 'held', reasonCode: 'dns-wrong', mustAct: 'customer' },
        });
      },
    );

    test('holds a name that could not be queried for the operator: the customer did nothing wrong', () => {
      expect(judge(DEADLINE, found('unknown'))?.report).toEqual({
        state: 'held',
        reasonCode: 'dns-unknown',
        mustAct: 'operator',
      });
    });

    test('holds for the customer where one of two names is wrong and the other could not be queried', () => {
      const closed = judge(DEADLINE, found('unknown'), found('elsewhere', 'www.shop.example.org'));
      expect(closed?.report.mustAct).toBe('customer');
    });
  });
});
