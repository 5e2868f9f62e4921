// The DNS probe against a real DNS server on loopback.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createDnsProbe, type DnsProbe, type DnsProbeOptions } from '../../src/probes/dns.ts';
import * as messages from '../../src/probes/messages.ts';
import { type DnsFault, type DnsServer, type DnsZone, startDnsServer } from '../helpers/dns-server.ts';
import { until } from '../helpers/until.ts';

const name = 'shop.example.org';
const ours = '203.0.113.7';
const here = { [name]: { A: [ours] } };

let stack: AsyncDisposableStack;
let dns: DnsServer;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  dns = stack.use(await startDnsServer());
});
afterEach(() => stack.disposeAsync());

function probeOf(zone: DnsZone, options: DnsProbeOptions = {}): DnsProbe {
  Object.assign(dns.zone, zone);
  return createDnsProbe({ servers: [dns.address], ...options });
}

const check = (zone: DnsZone, options: DnsProbeOptions = {}, expected: readonly string[] = [ours]) =>
  probeOf(zone, options).check(name, expected);

describe('records', () => {
  test('a name that points here is found here, with all observed records', async () => {
    const finding = await check({ [name]: { A: [ours], CAA: ['issue letsencrypt.org'] } });
    expect(finding).toEqual({
      name,
      verdict: 'here',
      sentence: messages.pointsHere(name, [ours]),
      expected: [ours],
      observed: { a: [ours], aaaa: [], cname: [], caa: ['issue letsencrypt.org'] },
    });
  });

  test('a chain of CNAMEs is followed and shown', async () => {
    const finding = await check({
      [name]: { CNAME: 'a.example.net' },
      'a.example.net': { CNAME: 'b.example.net' },
      'b.example.net': { A: [ours] },
    });
    expect(finding).toMatchObject({
      verdict: 'here',
      observed: { cname: ['a.example.net', 'b.example.net'] },
    });
  });

  test('of a name with very many addresses 20 are kept, ours among them, and the others are counted', async () => {
    const A = [...Array.from({ length: 24 }, (_, i) => `198.51.100.${i + 1}`), ours];
    const finding = await check({ [name]: { A } });
    expect(finding.verdict).toBe('elsewhere');
    expect(finding.observed.a).toEqual([ours, ...A.slice(0, 19)]);
    expect(finding.observed.more).toBe(5);
  });

  test('of very many CAA records 20 are kept, cleaned and cut, and all of them are judged', async () => {
    const CAA = [...Array.from({ length: 20 }, (_, i) => `issue ca${i}.example`), 'issue letsencrypt.org'];
    const finding = await check({ [name]: { A: [ours], CAA } });
    expect(finding).toMatchObject({ verdict: 'here', observed: { more: 1 } });
    expect(finding.observed.caa).toHaveLength(20);

    const odd = await check({ [name]: { A: [ours], CAA: [`issue a\u0007b${'x'.repeat(200)}`] } });
    expect(odd.observed.caa).toEqual([`issue a b${'x'.repeat(90)}…`]);
    expect(odd.sentence).not.toContain('\u0007');
  });

  test('a loop of CNAMEs ends', async () => {
    const finding = await check({
      [name]: { CNAME: 'a.example.net' },
      'a.example.net': { CNAME: name },
    });
    expect(finding).toMatchObject({ verdict: 'unknown', observed: { cname: ['a.example.net'] } });
  });

  test('a CNAME to a name that does not exist is missing', async () => {
    const finding = await check({ [name]: { CNAME: 'gone.example.net' } });
    expect(finding).toMatchObject({ verdict: 'missing', observed: { cname: ['gone.example.net'] } });
  });

  test('a name that does not exist and one without addresses are both missing, told apart', async () => {
    expect(await check({})).toMatchObject({
      verdict: 'missing',
      sentence: expect.stringContaining(messages.noAddress(name, false)),
    });
    expect(await check({ [name]: {} })).toMatchObject({
      verdict: 'missing',
      sentence: expect.stringContaining(messages.noAddress(name, true)),
    });
  });

  test('an AAAA that points elsewhere is a leftover', async () => {
    const finding = await check({ [name]: { A: [ours], AAAA: ['2001:db8:0:0::1'] } });
    expect(finding).toMatchObject({ verdict: 'leftover', observed: { aaaa: ['2001:db8::1'] } });
  });

  test('the machine need not be told: without servers a probe can be made', () => {
    expect(() => createDnsProbe()).not.toThrow();
  });

  test('a DNS server that is no address is refused before the first look', () => {
    expect(() => createDnsProbe({ servers: ['dns.example.org'] })).toThrow('dns.example.org');
  });
});

describe('a query that fails', () => {
  const faults: readonly (readonly [DnsFault, string])[] = [
    ['SERVFAIL', 'ESERVFAIL'],
    ['REFUSED', 'EREFUSED'],
    ['silent', 'ETIMEOUT'],
  ];
  const records = ['A', 'AAAA', 'CAA'] as const;
  const cases = faults.flatMap(([fault, code]) => records.map((record) => [fault, record, code] as const));

  test.each(cases)('%s for %s says nothing about the record', async (fault, record, code) => {
    const timeoutMs = fault === 'silent' ? 50 : 5_000;
    const finding = await check({ [name]: { A: [ours], [record]: fault } }, { timeoutMs });
    expect(finding).toMatchObject({ verdict: 'unknown', sentence: expect.stringContaining(code) });
  });

  test('a CNAME that cannot be asked for is no obstacle: it is evidence only', async () => {
    expect(await check({ [name]: { A: [ours], CNAME: 'SERVFAIL' } })).toMatchObject({ verdict: 'here' });
  });

  test('a DNS server that is not there says nothing about the record', async () => {
    const gone = await startDnsServer();
    await gone[Symbol.asyncDispose]();
    const finding = await check(here, { servers: [gone.address], timeoutMs: 50 });
    expect(finding.verdict).toBe('unknown');
  });

  test('an aborted check throws what it was aborted with', async () => {
    const probe = probeOf({ [name]: { A: 'silent' } });
    const abort = new AbortController();
    const reason = new Error('shutting down');
    const checking = expect(probe.check(name, [ours], abort.signal)).rejects.toBe(reason);
    await until(() => dns.questions.includes(`A ${name}`), 'the question has arrived');
    abort.abort(reason);
    await checking;
  });

  test('a look that is aborted before it begins asks nothing', async () => {
    const reason = new Error('shutting down');
    await expect(probeOf(here).check(name, [ours], AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(dns.questions).toEqual([]);
  });
});

describe('CAA', () => {
  const deep = 'a.shop.example.co.uk';
  const checkDeep = (zone: DnsZone) => probeOf({ [deep]: { A: [ours] }, ...zone }).check(deep, [ours]);

  test('is looked for up to the registrable domain, and not above', async () => {
    await checkDeep({});
    expect(dns.questions.filter((question) => question.startsWith('CAA'))).toEqual([
      'CAA a.shop.example.co.uk',
      'CAA shop.example.co.uk',
      'CAA example.co.uk',
    ]);
  });

  test('of a name above forbids', async () => {
    expect(await checkDeep({ 'example.co.uk': { CAA: ['issue digicert.com'] } })).toMatchObject({
      verdict: 'forbidden',
      sentence: expect.stringContaining('issue digicert.com at example.co.uk'),
      observed: { caa: ['issue digicert.com'] },
    });
  });

  test('nearer to the name counts, and hides what stands above', async () => {
    const finding = await checkDeep({
      'shop.example.co.uk': { CAA: ['issue letsencrypt.org'] },
      'example.co.uk': { CAA: ['issue digicert.com'] },
    });
    expect(finding).toMatchObject({ verdict: 'here', observed: { caa: ['issue letsencrypt.org'] } });
  });

  test('with a critical tag that nobody knows forbids', async () => {
    expect(await checkDeep({ 'example.co.uk': { CAA: ['128 tbs x'] } })).toMatchObject({
      verdict: 'forbidden',
    });
  });

  test('that cannot be asked for above the name says nothing', async () => {
    expect(await checkDeep({ 'example.co.uk': { CAA: 'SERVFAIL' } })).toMatchObject({ verdict: 'unknown' });
  });
});

describe('the zone of a name', () => {
  const servers = ['ada.ns.cloudflare.com', 'bob.ns.cloudflare.com'];
  const zoneOf = (zone: DnsZone, of = name) => probeOf(zone, { timeoutMs: 200 }).zone(of);

  test('is the nearest above that has name servers', async () => {
    expect(await zoneOf({ 'example.org': { NS: servers }, [name]: { A: [ours] } })).toEqual({
      name,
      verdict: 'within-reach',
      sentence: messages.zoneWithinReach('example.org', servers),
    });
    const delegated = { 'example.org': { NS: servers }, [name]: { NS: ['ns1.elsewhere.example'] } };
    expect(await zoneOf(delegated)).toMatchObject({ verdict: 'out-of-reach' });
  });

  test('is not that of an alias’s target', async () => {
    const zone = { 'example.org': { NS: servers }, [name]: { CNAME: 'shops.example' } };
    expect(await zoneOf({ ...zone, 'shops.example': { NS: ['ns1.elsewhere.example'] } })).toMatchObject({
      verdict: 'within-reach',
    });
  });

  test('is unknown where it cannot be asked, and is never asked of a public suffix', async () => {
    expect(await zoneOf({ 'example.org': { NS: 'SERVFAIL' } })).toMatchObject({ verdict: 'unknown' });
    expect(await zoneOf({ 'co.uk': { NS: ['ns1.nic.example'] } }, 'shop.example.co.uk')).toMatchObject({
      verdict: 'unknown',
    });
    expect(dns.questions).not.toContain('NS co.uk');
  });
});
