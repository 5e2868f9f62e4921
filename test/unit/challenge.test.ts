// A certificate by dns-01: whether RunCloud can still set its records, and what is said where it cannot.
import { describe, expect, test } from '@jest/globals';
import { describeOutOfReach, withOutOfReach } from '../../src/https/challenge.ts';
import type { Drift } from '../../src/https/drift.ts';
import { judgeZone } from '../../src/probes/judge-zone.ts';

const NAME = 'shop.example.org';
const zone = (...servers: string[]) =>
  judgeZone(NAME, { kind: 'found', value: { at: 'example.org', servers } });

describe('the zone of a name', () => {
  test.each<[string[], string]>([
    [['ada.ns.cloudflare.com', 'bob.ns.cloudflare.com'], 'within-reach'],
    [['ns1.linode.com', 'ns2.linode.com'], 'within-reach'],
    [['ns1.digitalocean.com'], 'within-reach'],
    [['ns1.elsewhere.example', 'ada.ns.cloudflare.com'], 'within-reach'],
    [['ns1.elsewhere.example', 'ns2.elsewhere.example'], 'out-of-reach'],
    [['ns.cloudflare.com.evil.example'], 'out-of-reach'],
    [['ns1.notlinode.com'], 'out-of-reach'],
    [['ns1.example.org', 'ns2.example.org'], 'unknown'],
  ])('served by %s: %s', (servers, verdict) => {
    expect(zone(...servers)).toMatchObject({ name: NAME, verdict });
  });

  test('that could not be asked, or that nobody serves, says nothing', () => {
    expect(judgeZone(NAME, { kind: 'failed', code: 'ESERVFAIL' })).toMatchObject({
      verdict: 'unknown',
      sentence: expect.stringContaining('ESERVFAIL'),
    });
    expect(judgeZone(NAME, { kind: 'none', nameExists: true })).toMatchObject({ verdict: 'unknown' });
  });

  test('is shown without what a terminal obeys', () => {
    expect(zone('ns1.\u001b[31m.example').sentence).not.toContain('\u001b');
  });
});

describe('what is said', () => {
  const moved = [zone('ada.ns.cloudflare.com'), zone('ns1.elsewhere.example')];
  const problem = describeOutOfReach(moved, NAME, true) ?? '';

  test('where it has moved: that it will not renew, and both ways out where the certificate is its own', () => {
    expect(problem).toMatch(
      /ns1\.elsewhere\.example.*SSL_SWITCH_TO_HTTP01=on.*`redeploy shop\.example\.org`/,
    );
    expect(describeOutOfReach(moved, NAME, false)).not.toContain('SSL_SWITCH_TO_HTTP01');
    expect(describeOutOfReach(moved.slice(0, 1), NAME, true)).toBeUndefined();
  });

  test.each<[string, Drift, Partial<Drift>]>([
    [
      'a live domain stays live, with the warning',
      { sentence: 'HTTPS works', report: { state: 'live', reasonCode: 'https-works' } },
      { report: { state: 'live', reasonCode: 'renewal-blocked' } },
    ],
    [
      'a late certificate is the operator’s, not RunCloud’s',
      {
        sentence: 'ends in 3 days',
        report: { state: 'held', reasonCode: 'certificate-expiring', mustAct: 'runcloud' },
        repair: { kind: 'redeploy', instead: '1-2' },
      },
      {
        report: { state: 'held', reasonCode: 'renewal-blocked', mustAct: 'operator' },
        repair: { kind: 'redeploy', instead: '1-2' },
      },
    ],
    [
      'who is held for the customer has another problem first',
      {
        sentence: 'leads elsewhere',
        report: { state: 'held', reasonCode: 'dns-wrong', mustAct: 'customer' },
      },
      {
        sentence: 'leads elsewhere',
        report: { state: 'held', reasonCode: 'dns-wrong', mustAct: 'customer' },
      },
    ],
  ])('%s', (_, watched, expected) => {
    const drift = withOutOfReach(watched, problem);
    expect(drift).toMatchObject(expected);
    expect(drift.sentence.includes(problem)).toBe(drift.report.reasonCode === 'renewal-blocked');
  });
});
