// The simulated DNS answers real resolvers as the real one would, and fails when told to.
import { Resolver } from 'node:dns/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createSimulator, type EdgedSimulator } from '../../packages/simulator/src/index.ts';

const SHOP = 'shop.example.com';

let simulator: EdgedSimulator;
let resolver: Resolver;

// One for the file: keys take a moment, and a reset makes all else new.
beforeAll(async () => {
  const seed = { servers: [{ ipAddress: '127.0.0.1' }], dns: { 'seeded.example.com': { a: '127.0.0.1' } } };
  simulator = await createSimulator({ seed, edge: true });
});

beforeEach(() => {
  simulator.reset();
  resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([simulator.edge.dnsAddress]);
});

afterAll(() => simulator.close());

const codeOf = (look: Promise<unknown>): Promise<unknown> =>
  look.then(
    (found) => found,
    ({ code }: NodeJS.ErrnoException) => code,
  );

describe('what it answers', () => {
  test('the addresses of both kinds, in any case of the name', async () => {
    simulator.setDns(SHOP, { a: ['203.0.113.7', '203.0.113.8'], aaaa: '2001:db8::7' });
    expect((await resolver.resolve4('SHOP.example.com')).toSorted()).toEqual(['203.0.113.7', '203.0.113.8']);
    expect(await resolver.resolve6(SHOP)).toEqual(['2001:db8::7']);
  });

  test('a CNAME, and the addresses at the end of the chain', async () => {
    simulator.setDns(SHOP, { cname: 'edge.example.net' });
    simulator.setDns('edge.example.net', { cname: 'box.example.org' });
    simulator.setDns('box.example.org', { a: '203.0.113.7' });
    expect(await resolver.resolveCname(SHOP)).toEqual(['edge.example.net']);
    expect(await resolver.resolve4(SHOP)).toEqual(['203.0.113.7']);
    // Node's word for a chain whose end has no address of that kind: not ENODATA.
    expect(await resolver.resolve6(SHOP)).toEqual([]);
  });

  test('a chain that leads nowhere, and one that goes round', async () => {
    simulator.setDns(SHOP, { cname: 'nobody.example.net' });
    expect(await codeOf(resolver.resolve4(SHOP))).toBe('ENOTFOUND');
    simulator.setDns(SHOP, { cname: SHOP });
    expect(await codeOf(resolver.resolve4(SHOP))).toBe('ESERVFAIL');
  });

  test('CAA records with their flags', async () => {
    simulator.setDns('example.com', {
      caa: [
        { tag: 'issue', value: 'letsencrypt.org' },
        { flags: 128, tag: 'iodef', value: 'mailto:security@example.com' },
      ],
    });
    expect(await resolver.resolveCaa('example.com')).toEqual([
      expect.objectContaining({ critical: 0, issue: 'letsencrypt.org' }),
      expect.objectContaining({ critical: 128, iodef: 'mailto:security@example.com' }),
    ]);
  });

  test('that a name does not exist, or only has nothing of that kind', async () => {
    simulator.setDns(SHOP, { a: '203.0.113.7' });
    expect(await codeOf(resolver.resolve4('unknown.example.com'))).toBe('ENOTFOUND');
    expect(await codeOf(resolver.resolve6(SHOP))).toBe('ENODATA');
    expect(await codeOf(resolver.resolveMx(SHOP))).toBe('ENODATA');
  });

  test('with defaultDns, unknown names point to the server', async () => {
    simulator.setSettings({ defaultDns: 'server' });
    expect(await resolver.resolve4('unknown.example.com')).toEqual(['127.0.0.1']);
    simulator.setDns(SHOP, { a: '203.0.113.9' });
    expect(await resolver.resolve4(SHOP)).toEqual(['203.0.113.9']);
  });

  test('with defaultDns, a name points to the server that it is attached to', async () => {
    simulator.reset({
      servers: [{}, { id: 1904, ipAddress: '203.0.113.44' }],
      webapps: [{}, { id: 647, serverId: 1904, domains: [{ name: SHOP, www: true }] }],
    });
    simulator.setSettings({ defaultDns: 'server' });
    expect(await resolver.resolve4(`www.${SHOP}`)).toEqual(['203.0.113.44']);
    expect(await resolver.resolve4('network.example.org')).toEqual(['203.0.113.7']);
  });
});

describe('how it fails', () => {
  test('SERVFAIL, for the name itself and for one that leads to it', async () => {
    simulator.setDns('box.example.org', { a: '203.0.113.7', fails: 'servfail' });
    simulator.setDns(SHOP, { cname: 'box.example.org' });
    expect(await codeOf(resolver.resolve4('box.example.org'))).toBe('ESERVFAIL');
    expect(await codeOf(resolver.resolve4(SHOP))).toBe('ESERVFAIL');
  });

  test('no answer at all, and then an answer again', async () => {
    simulator.setDns(SHOP, { fails: 'silent' });
    expect(await codeOf(resolver.resolve4(SHOP))).toBe('ETIMEOUT');
    simulator.setDns(SHOP, { a: '203.0.113.7' });
    expect(await resolver.resolve4(SHOP)).toEqual(['203.0.113.7']);
  });
});

describe('how it is steered', () => {
  test('a removed name is unknown, and a reset brings back the seed', async () => {
    simulator.edge.setDns(SHOP, { a: '203.0.113.7' });
    simulator.edge.removeDns(SHOP);
    expect(await codeOf(resolver.resolve4(SHOP))).toBe('ENOTFOUND');
    simulator.setDns(SHOP, { a: '203.0.113.7' });
    simulator.setDns('seeded.example.com', { a: '203.0.113.9' });
    simulator.reset();
    expect(await codeOf(resolver.resolve4(SHOP))).toBe('ENOTFOUND');
    expect(await resolver.resolve4('seeded.example.com')).toEqual(['127.0.0.1']);
  });

  test.each([
    ['a', { a: '2001:db8::7' }],
    ['aaaa', { aaaa: ['203.0.113.7'] }],
    ['a', { a: '203.0.113.7', cname: 'box.example.org' }],
    ['cname.name', { cname: 'no name' }],
    ['caa.tag', { caa: { tag: 'no tag', value: 'letsencrypt.org' } }],
    ['caa.value', { caa: [{ tag: 'issue' }] }],
    ['fails', { fails: 'refused' }],
    ['mx', { mx: 'mail.example.com' }],
  ])('a record with a bad %s is refused by name: %j', (field, record) => {
    expect(() => simulator.setDns(SHOP, record as never)).toThrow(
      expect.objectContaining({ name: 'ControlError', field }),
    );
    expect(() => simulator.reset({ dns: { [SHOP]: record as never } })).toThrow(`dns.${SHOP}.${field}`);
  });

  test('over HTTP: the addresses, a record, its removal, and a seed', async () => {
    const pull = async (method: string, path: string, body?: unknown) => {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await fetch(`${simulator.url}/_simulator${path}`, { method, ...sent });
      return { status: response.status, body: await response.json() };
    };
    const { dnsAddress, tlsAddress, caPem } = simulator.edge;
    expect((await pull('GET', '/edge')).body).toMatchObject({ dnsAddress, tlsAddress, caPem });
    expect((await pull('POST', '/dns', { name: SHOP, a: '203.0.113.7' })).body).toHaveProperty(
      [SHOP, 'a'],
      ['203.0.113.7'],
    );
    expect(await resolver.resolve4(SHOP)).toEqual(['203.0.113.7']);
    expect((await pull('DELETE', '/dns', { name: SHOP })).body).not.toHaveProperty([SHOP]);
    expect(await pull('POST', '/dns', { a: '203.0.113.7' })).toMatchObject({
      status: 400,
      body: { field: 'name' },
    });
    await pull('POST', '/reset', { seed: { dns: { [SHOP]: { cname: 'seeded.example.com' } } } });
    expect((await pull('GET', '/dns')).body).toEqual({ [SHOP]: { cname: 'seeded.example.com' } });
    const bad = await pull('POST', '/reset', { seed: { dns: { [SHOP]: { a: 'here' } } } });
    expect(bad).toMatchObject({ status: 400, body: { field: `dns.${SHOP}.a` } });
  });
});
