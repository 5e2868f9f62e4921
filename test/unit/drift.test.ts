// What a later check at a domain says: each sentence is a way in which something that was done can have changed, or not.
import { describe, expect, test } from '@jest/globals';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { judgeDrift, type RecordBefore } from '../../src/https/drift.ts';
import type { DnsFinding, DnsVerdict, TlsFinding, TlsVerdict } from '../../src/probes/findings.ts';

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-24T10:00:00Z');
const SHOP = parseDomainName('shop.example.org');
const WWW_SHOP = `www.${SHOP}`;

const shown = (verdict: TlsVerdict, name: string = SHOP, leftMs = 60 * DAY): TlsFinding => ({
  name,
  verdict,
  sentence: `the certificate of ${name} is ${verdict}`,
  address: '203.0.113.7:443',
  ...(verdict !== 'unknown' && {
    certificate: {
      subject: name,
      issuer: 'R11',
      names: [name],
      notBefore: NOW + leftMs - 90 * DAY,
      notAfter: NOW + leftMs,
    },
  }),
});

const found = (verdict: DnsVerdict, name: string = SHOP): DnsFinding => ({
  name,
  verdict,
  sentence: `${name} is ${verdict}`,
  expected: ['203.0.113.7'],
  observed: { a: [], aaaa: [], cname: [], caa: [] },
});

const evidenceOf = (dns: DnsFinding[], tls: TlsFinding[]) => ({ at: NOW, dns, tls });

const standing = (facts: Partial<RecordBefore> = {}): RecordBefore => ({
  domain: SHOP,
  state: 'live',
  mustAct: undefined,
  evidence: evidenceOf([found('here'), found('here', WWW_SHOP)], [shown('covers')]),
  ...facts,
});
/** Live with a warning: its DNS led elsewhere from the beginning. */
const warned = standing({ evidence: evidenceOf([found('elsewhere')], [shown('covers')]) });

const judge = (
  dns: DnsFinding[],
  tls: TlsFinding[],
  isAttached: boolean | undefined = true,
  before = standing(),
) => judgeDrift(before, isAttached, evidenceOf(dns, tls));

describe('it is live', () => {
  test.each([
    ['when all is well', 'here', true],
    ['behind a CDN', 'proxied', true],
    ['also where RunCloud’s list could not be read', 'here', undefined],
  ] as const)('%s', (_, verdict, isAttached) => {
    const evidence = evidenceOf([found(verdict)], [shown('covers')]);
    const drift = judgeDrift(standing(), isAttached, evidence);
    expect(drift).toEqual({
      sentence: expect.stringMatching(/shop\.example\.org.*2027-01-23$/),
      report: { state: 'live', reasonCode: 'https-works', evidence },
    });
  });

  test('with the www name', () => {
    const drift = judge(
      [found('here'), found('here', WWW_SHOP)],
      [shown('covers'), shown('covers', WWW_SHOP)],
    );
    expect(drift?.sentence).toContain(`${SHOP} and ${WWW_SHOP}`);
  });
});

test('it is attached, no more, where no handshake is requested', () => {
  expect(judge([found('here')], [])).toMatchObject({
    report: { state: 'attached', reasonCode: 'attached' },
  });
});

describe('it is gone from the web application', () => {
  test.each([
    ['whatever else is right', [found('here')], [shown('covers')]],
    ['whatever else is wrong', [found('elsewhere')], [shown('expired')]],
    ['whatever could not be queried', [found('unknown')], [shown('unknown')]],
  ] as const)('%s: held for the operator, and mended by attaching it', (_, dns, tls) => {
    expect(judge([...dns], [...tls], false)).toMatchObject({
      report: { state: 'held', reasonCode: 'removed-in-runcloud', mustAct: 'operator' },
      repair: { kind: 'attach' },
    });
  });
});

test('while it is gone the record keeps what DNS was before, so that a change in between is noticed when it is back', () => {
  const gone = judge([found('elsewhere')], [shown('covers')], false);
  expect(gone?.report.evidence).toBeUndefined();
  const before = standing({ state: 'held', mustAct: 'operator' });
  expect(judge([found('elsewhere')], [shown('covers')], true, before)).toMatchObject({
    report: { state: 'held', mustAct: 'customer' },
  });
});

describe('its DNS no longer leads here', () => {
  test.each(['missing', 'elsewhere', 'leftover', 'forbidden'] as const)(
    '(%s): held for the customer, and nothing of ours would mend it',
    (verdict) => {
      const drift = judge([found(verdict)], [shown('covers')]);
      expect(drift).toMatchObject({
        sentence: expect.stringContaining(`${SHOP} is ${verdict}`),
        report: { state: 'held', reasonCode: 'dns-wrong', mustAct: 'customer' },
      });
      expect(drift?.repair).toBeUndefined();
    },
  );

  test('which comes before its certificate: no order would help', () => {
    const drift = judge([found('elsewhere')], [shown('expired')]);
    expect(drift?.report.mustAct).toBe('customer');
    expect(drift?.repair).toBeUndefined();
  });

  test('in its www name alone, which is named alone', () => {
    const drift = judge(
      [found('here'), found('missing', WWW_SHOP)],
      [shown('covers'), shown('covers', WWW_SHOP)],
    );
    expect(drift?.sentence).toBe(`${WWW_SHOP} is missing`);
  });
});

describe('its DNS led elsewhere before it was live:', () => {
  const elsewhere = [found('elsewhere')];

  test('it stays live with the warning, as its own job said', () => {
    expect(judge(elsewhere, [shown('covers')], true, warned)).toMatchObject({
      sentence: expect.stringContaining(`${SHOP} is elsewhere`),
      report: { state: 'live', reasonCode: 'https-works' },
    });
  });

  test('it stays attached with the warning, where no handshake is requested', () => {
    const before = standing({ state: 'attached', evidence: evidenceOf(elsewhere, []) });
    expect(judge(elsewhere, [], true, before)).toMatchObject({
      sentence: expect.stringContaining(`${SHOP} is elsewhere`),
      report: { state: 'attached' },
    });
  });

  test('a certificate that is wrong besides is RunCloud’s, the DNS is said, and no order would help', () => {
    const drift = judge(elsewhere, [shown('expired')], true, warned);
    expect(drift).toMatchObject({
      sentence: expect.stringContaining(`${SHOP} is elsewhere`),
      report: { state: 'held', reasonCode: 'certificate-wrong', mustAct: 'runcloud' },
    });
    expect(drift?.repair).toBeUndefined();
  });

  test('it was right in between: held for the customer', () => {
    const right = judge([found('here')], [shown('covers')], true, warned);
    expect(judge(elsewhere, [shown('covers')], true, recorded(warned, right))?.report.mustAct).toBe(
      'customer',
    );
  });

  test('another of its names points away now: held for the customer', () => {
    const dns = [...elsewhere, found('missing', WWW_SHOP)];
    expect(judge(dns, [shown('covers')], true, warned)?.report.mustAct).toBe('customer');
  });

  test('a record without evidence has not said so: held for the customer', () => {
    const before = standing({ evidence: undefined });
    expect(judge(elsewhere, [shown('covers')], true, before)?.report.mustAct).toBe('customer');
  });
});

/** The record that the monitor leaves. */
const recorded = (before: RecordBefore, drift: ReturnType<typeof judgeDrift>): RecordBefore => ({
  ...before,
  ...(drift && { mustAct: undefined, ...(drift.report as Partial<RecordBefore>) }),
});

describe('what does not change', () => {
  const befores: readonly RecordBefore[] = [
    standing(),
    warned,
    standing({ evidence: undefined }),
    standing({ state: 'attached', evidence: evidenceOf([found('elsewhere')], []) }),
    ...(['customer', 'operator', 'runcloud'] as const).flatMap((mustAct) => [
      standing({ state: 'held', mustAct }),
      { ...warned, state: 'held' as const, mustAct },
    ]),
  ];
  const verdicts: readonly DnsVerdict[] = ['here', 'elsewhere', 'missing', 'unknown'];
  const handshakes: readonly TlsFinding[][] = [
    [],
    [shown('covers')],
    [shown('covers', SHOP, DAY)],
    [shown('expired')],
    [shown('unknown')],
  ];
  const worlds = verdicts.flatMap((verdict) =>
    handshakes.flatMap((tls) => [true, false, undefined].map((isAttached) => ({ verdict, tls, isAttached }))),
  );

  test('is said once: every further look says the same, also after looks that could not ask', () => {
    const flaps = befores.flatMap((before) =>
      worlds.filter(({ verdict, tls, isAttached }) => {
        const look = (record: RecordBefore) =>
          recorded(record, judge([found(verdict)], [...tls], isAttached, record));
        const blind = (record: RecordBefore) =>
          recorded(record, judge([found('unknown')], [shown('unknown')], undefined, record));
        const first = look(before);
        const later = [look(first), look(look(first)), look(blind(first))];
        return later.some(({ state: stage, mustAct }) => stage !== first.state || mustAct !== first.mustAct);
      }),
    );
    expect(flaps).toEqual([]);
  });
});

describe('its certificate', () => {
  test.each(['wrong-name', 'expired', 'not-yet-valid', 'untrusted'] as const)(
    'is %s: held for RunCloud, and repaired by a redeploy',
    (verdict) => {
      expect(judge([found('here')], [shown(verdict)])).toMatchObject({
        sentence: expect.stringContaining(`of ${SHOP} is ${verdict}`),
        report: { state: 'held', reasonCode: 'certificate-wrong', mustAct: 'runcloud' },
        repair: { kind: 'redeploy' },
      });
    },
  );

  test('is wrong for the www name alone, which is named alone', () => {
    const drift = judge([found('here')], [shown('covers'), shown('wrong-name', WWW_SHOP)]);
    expect(drift?.sentence).toMatch(/certificate of www\.shop\.example\.org is wrong-name$/);
    expect(drift?.sentence).not.toContain(`of ${SHOP}`);
  });

  test('is wrong for one name, and the other could not be checked: what was seen counts', () => {
    const drift = judge([found('here')], [shown('unknown'), shown('expired', WWW_SHOP)]);
    expect(drift?.report).toMatchObject({ state: 'held', mustAct: 'runcloud' });
  });

  test('is wrong where DNS could not be queried: what was seen counts', () => {
    expect(judge([found('unknown')], [shown('expired')])?.report.state).toBe('held');
  });

  test.each([
    ['of 90 days has a quarter left: all is well', 22.5 * DAY, 'live'],
    ['of 90 days has less than a quarter left: it should have been renewed', 22.5 * DAY - 1, 'held'],
    ['ends within the hour', 1_000, 'held'],
  ] as const)('%s', (_, leftMs, stage) => {
    expect(judge([found('here')], [shown('covers', SHOP, leftMs)])?.report.state).toBe(stage);
  });

  test('ends soon: held for RunCloud, which is said with the days that are left, and repaired by a redeploy', () => {
    expect(judge([found('here')], [shown('covers', SHOP, 9.5 * DAY)])).toMatchObject({
      sentence: expect.stringMatching(/in 9 days \(issued for 90 days\)/),
      report: { state: 'held', reasonCode: 'certificate-expiring', mustAct: 'runcloud' },
      repair: { kind: 'redeploy' },
    });
  });

  test.each([
    [DAY, 'in 1 day'],
    [2 * DAY - 1, 'in 1 day'],
    [2 * DAY, 'in 2 days'],
    [DAY - 1, 'in 23 hours'],
    [3_600_000, 'in 1 hour'],
    [3_599_999, 'in less than an hour'],
  ])('ends in %d ms, which is said as a person would', (leftMs, words) => {
    expect(judge([found('here')], [shown('covers', SHOP, leftMs)])?.sentence).toContain(
      `${words} (issued for 90 days)`,
    );
  });

  test('is repaired once: the repair says in whose place the new one comes', () => {
    const repairOf = (...tls: TlsFinding[]) => judge([found('here')], tls)?.repair;
    const [late, later] = [shown('covers', SHOP, 2 * DAY), shown('covers', WWW_SHOP, DAY)];
    expect(repairOf(late)).toEqual(repairOf(late));
    expect(repairOf(late)).not.toEqual(repairOf(shown('covers', SHOP, 3 * DAY)));
    expect(repairOf(late, later)).toEqual(repairOf(later, late));
    expect(repairOf(late, later)).not.toEqual(repairOf(late));
  });

  test('of the www name ends soon: the sooner end counts', () => {
    const tls = [shown('covers'), shown('covers', WWW_SHOP, 2 * DAY)];
    expect(judge([found('here')], tls)?.sentence).toMatch(/in 2 days/);
  });

  test('ends soon, as seen at one name while the other could not be checked', () => {
    const tls = [shown('unknown'), shown('covers', WWW_SHOP, 2 * DAY)];
    expect(judge([found('here')], tls)?.report.state).toBe('held');
  });
});

describe('nothing is said', () => {
  test.each([
    ['where no handshake came about', [found('here')], [shown('unknown')]],
    [
      'where one of two handshakes did not come about',
      [found('here')],
      [shown('covers'), shown('unknown', WWW_SHOP)],
    ],
    ['where DNS could not be queried', [found('unknown')], [shown('covers')]],
    ['where nothing could be asked', [found('unknown')], [shown('unknown')]],
  ] as const)('%s', (_, dns, tls) => {
    expect(judge([...dns], [...tls])).toBeUndefined();
  });

  test('where RunCloud’s list cannot be read, of what was gone from it', () => {
    const before = standing({ state: 'held', mustAct: 'operator' });
    expect(judgeDrift(before, undefined, evidenceOf([found('here')], [shown('covers')]))).toBeUndefined();
  });
});
