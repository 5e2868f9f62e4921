// What becomes of a www name as a table: it comes along, waits, or is left out; and what is said of it.
import { describe, expect, test } from '@jest/globals';
import { BACKOFF, type Backoff } from '../../src/domains/backoff.ts';
import { type DomainRecord, hasWww, type Www } from '../../src/domains/domain.ts';
import { namesOfRecord } from '../../src/domains/names.ts';
import { isWithheld, settingsOf } from '../../src/domains/www.ts';
import { judgeNames, shouldDropWww, withheldWww } from '../../src/https/www.ts';
import type { DnsFinding, DnsVerdict } from '../../src/probes/findings.ts';
import { recordOf } from '../helpers/record.ts';

const backoff: Backoff = { ...BACKOFF, dnsFirstMs: 60, dnsLongestMs: 600 };
const DEADLINE = 10_000;
const REQUESTED = Date.UTC(2026, 10, 24, 10, 0);
const APEX = 'shop.example.org';
const WWW = `www.${APEX}`;

const found = (name: string, verdict: DnsVerdict): DnsFinding => ({
  name,
  verdict,
  sentence: `${name} is ${verdict}`,
  expected: ['203.0.113.7'],
  observed: { a: [], aaaa: [], cname: [], caa: [] },
});
const desired = (www: Www) => ({ presence: 'present', www, redirection: 'non-www' }) as const;
const judge = (www: Www, apex: DnsVerdict, twin: DnsVerdict, waited = 0, canLeaveOut = true) =>
  judgeNames(
    [found(APEX, apex), found(WWW, twin)],
    recordOf({ desired: desired(www) }),
    { since: REQUESTED, now: REQUESTED + waited, deadlineMs: DEADLINE, backoff },
    canLeaveOut,
  );

describe('a domain that is right', () => {
  const rows: readonly (readonly [string, Www, DnsVerdict, number, 'with' | 'without' | 'wait'])[] = [
    ['its www is right: it comes along', 'auto', 'here', 0, 'with'],
    ['its www is behind a CDN that hands on: it comes along', true, 'proxied', 0, 'with'],
    ['our own rule, no DNS: at once without', 'auto', 'missing', 0, 'without'],
    ['our own rule, elsewhere: at once without', 'auto', 'elsewhere', 0, 'without'],
    ['our own rule, CAA forbids it: at once without', 'auto', 'forbidden', 0, 'without'],
    ['our own rule, DNS could not be queried: it is asked once more', 'auto', 'unknown', 59, 'wait'],
    ['our own rule, it could not be queried again: without', 'auto', 'unknown', 60, 'without'],
    ['the caller wants it, no DNS: it waits', true, 'missing', DEADLINE - 1, 'wait'],
    ['the caller wants it, past the deadline: without', true, 'missing', DEADLINE, 'without'],
    [
      'the caller wants it, it could not be queried past the deadline: without',
      true,
      'unknown',
      DEADLINE,
      'without',
    ],
  ];
  test.each(rows)('%s', (_, www, verdict, waited, decision) => {
    const judged = judge(www, 'here', verdict, waited);
    expect(judged.www).toBe(decision);
    expect(judged.closed === undefined).toBe(decision !== 'wait');
  });

  test('and waits for the www name that was requested says the way out, and when it goes on automatically', () => {
    const { closed } = judge(true, 'here', 'missing');
    expect(closed?.report).toMatchObject({ state: 'waiting-for-dns', reasonCode: 'dns-wrong' });
    expect(closed?.sentence).toMatch(
      /^www\.shop\.example\.org is missing.*`add shop\.example\.org --www=false`.*2026-11-24 10:01 UTC.*\(DNS_DEADLINE\)/,
    );
  });

  test('and has a www name that cannot be taken off waits for it, and says what lets it go live', () => {
    for (const www of ['auto', true] as const) {
      const { www: decision, closed } = judge(www, 'here', 'missing', 2 * DEADLINE, false);
      expect(decision).toBe('wait');
      expect(closed?.sentence).toMatch(
        /`remove shop\.example\.org`, then `add shop\.example\.org --www=false`/,
      );
    }
  });
});

describe('a domain that is wrong itself', () => {
  test('waits for its own DNS, and is told of both records at once', () => {
    for (const www of ['auto', true] as const) {
      const { closed } = judge(www, 'missing', 'missing');
      expect(closed?.sentence).toMatch(/shop\.example\.org is missing.*www\.shop\.example\.org is missing/);
      expect(closed?.report.state).toBe('waiting-for-dns');
    }
  });

  test('is held by its own DNS past the deadline', () => {
    expect(judge('auto', 'elsewhere', 'missing', DEADLINE).closed?.report).toEqual({
      state: 'held',
      reasonCode: 'dns-wrong',
      mustAct: 'customer',
    });
  });

  test('while its www is right, waits without the way out: that would not help', () => {
    expect(judge(true, 'missing', 'here').closed?.sentence).toBe('shop.example.org is missing');
  });
});

test('a domain that requests no www is judged alone', () => {
  const timing = { since: REQUESTED, now: REQUESTED, deadlineMs: DEADLINE, backoff };
  const judged = judgeNames([found(APEX, 'here')], recordOf({ desired: desired(false) }), timing);
  expect(judged).toEqual({ www: 'without', closed: undefined });
});

describe('how RunCloud has it', () => {
  const rows: readonly (readonly [string, Partial<DomainRecord>, boolean, boolean])[] = [
    ['not known yet: as it is wanted', { desired: desired('auto') }, true, false],
    [
      'we left it out, and RunCloud says so',
      { desired: desired('auto'), setWww: false, attachedWww: false },
      false,
      true,
    ],
    ['we left it out, and RunCloud does not tell', { desired: desired(true), setWww: false }, false, true],
    [
      'somebody switched it on since',
      { desired: desired(true), setWww: false, attachedWww: true },
      true,
      false,
    ],
    ['somebody switched it off', { desired: desired(true), setWww: true, attachedWww: false }, false, false],
    ['attached by somebody else without', { desired: desired(true), attachedWww: false }, false, false],
    ['not wanted', { desired: desired(false), setWww: false, attachedWww: false }, false, false],
  ];
  test.each(rows)('%s', (_, facts, has, withheld) => {
    const record = recordOf(facts);
    expect([hasWww(record), isWithheld(record)]).toEqual([has, withheld]);
    expect(namesOfRecord(record)).toEqual(has ? [APEX, WWW] : [APEX]);
  });
});

describe('settings', () => {
  test('without the www name that was wanted, nothing redirects to it or from it', () => {
    expect(settingsOf(desired('auto'), false)).toEqual({ www: false, redirection: 'none' });
    expect(settingsOf(desired(true), true)).toEqual({ www: true, redirection: 'non-www' });
    expect(settingsOf(desired(false), false)).toEqual({ www: false, redirection: 'non-www' });
  });
});

describe('what is said of a domain without its www name', () => {
  test('names what is wrong, and what makes it join', () => {
    const sentence = withheldWww(APEX, found(WWW, 'missing'), { changesWww: true });
    expect(sentence).toMatch(
      /www\.shop\.example\.org is missing.*MONITOR_INTERVAL.*`add shop\.example\.org`/,
    );
  });

  test('says where the API has no way', () => {
    const sentence = withheldWww(APEX, found(WWW, 'here'), { changesWww: false });
    expect(sentence).toMatch(/^www\.shop\.example\.org .*API v2.*`remove shop\.example\.org`/);
  });
});

describe('a www name that is dead', () => {
  const evidence = { at: REQUESTED, dns: [found(APEX, 'here'), found(WWW, 'missing')], tls: [] };
  const facts = { desired: desired('auto'), setWww: true, attachedWww: true, evidence } as const;
  const now = { at: REQUESTED + 60, dns: [found(APEX, 'here'), found(WWW, 'elsewhere')] };
  const drops = (differs: Partial<DomainRecord>, dns = now.dns, leastMs = 60): boolean =>
    shouldDropWww(recordOf({ ...facts, ...differs }), { ...now, dns }, leastMs);

  test('was wrong at the last check too', () => {
    expect(drops({})).toBe(true);
  });

  test.each<[string, boolean]>([
    ['is wrong for the first time', drops({ evidence: { ...evidence, dns: [found(WWW, 'here')] } })],
    ['was never checked', drops({ evidence: undefined })],
    ['was checked a moment ago only', drops({}, now.dns, 61)],
    ['was requested by the caller', drops({ desired: desired(true) })],
    ['was switched on by somebody else', drops({ setWww: false })],
    ['is not there', drops({ attachedWww: false })],
    ['is right again', drops({}, [found(APEX, 'here'), found(WWW, 'here')])],
    ['could not be queried', drops({}, [found(APEX, 'here'), found(WWW, 'unknown')])],
    ['may be reached through a CDN', drops({}, [found(APEX, 'here'), found(WWW, 'cdn')])],
    ['has a domain that is wrong too', drops({}, [found(APEX, 'missing'), found(WWW, 'missing')])],
  ])('is none that %s', (_, dead) => {
    expect(dead).toBe(false);
  });
});
