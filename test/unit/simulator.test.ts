// The simulator refuses what the real API refuses, and keeps what it was given. Switches and faults have files
// of their own. Talks to it over HTTP with fetch, so that no client's assumption gets in.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Simulator } from '../../packages/simulator/src/index.ts';
import { createSimulator, PLANTED_SECRETS } from '../../packages/simulator/src/index.ts';

const JSON_HEADERS = { Accept: 'application/json', 'Content-Type': 'application/json' };
const BEARER = { Authorization: `Bearer ${PLANTED_SECRETS.token}` };
const BASIC = { Authorization: `Basic ${btoa(`${PLANTED_SECRETS.key}:${PLANTED_SECRETS.secret}`)}` };
const WEBAPP = '/servers/1903/webapps/646';
const LETS_ENCRYPT = {
  provider: 'letsencrypt',
  enableHttp: true,
  enableHsts: false,
  authorizationMethod: 'http-01',
  environment: 'live',
};

let simulator: Simulator;
/** The simulator's clock stands still until a test moves it. */
let now: number;

beforeEach(async () => {
  now = Date.now();
  simulator = await createSimulator({ now: () => now });
});

afterEach(() => simulator.close());

async function raw(path: string, init: RequestInit = {}) {
  const response = await fetch(`${simulator.url}${path}`, { redirect: 'manual', ...init });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}

async function ask(method: string, path: string, body?: unknown, version = 'v3') {
  const headers = { ...JSON_HEADERS, ...(version === 'v3' ? BEARER : BASIC) };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const reply = await raw(`/api/${version}${path}`, { method, headers, ...sent });
  return { ...reply, body: reply.text === '' ? undefined : JSON.parse(reply.text) };
}

describe('who may call', () => {
  test('nobody without credentials, on any route, even one that does not exist', async () => {
    for (const path of ['/api/v2/ping', '/api/v3/ping', '/api/v3/servers/1', '/api/v3/nothing/here']) {
      const reply = await raw(path, { headers: JSON_HEADERS });
      expect(reply.status).toBe(401);
      expect(JSON.parse(reply.text)).toHaveProperty('message');
    }
  });

  test.each([
    ['v3 wants a Bearer token', 'v3', BEARER, 200],
    ['v3 refuses Basic', 'v3', BASIC, 401],
    ['v2 takes Basic', 'v2', BASIC, 200],
    ['v2 takes a workspace token', 'v2', BEARER, 200],
    ['a wrong token is refused', 'v3', { Authorization: 'Bearer wrong' }, 401],
    ['a wrong secret is refused', 'v2', { Authorization: `Basic ${btoa('key:wrong')}` }, 401],
  ])('%s', async (_, version, authorization, status) => {
    const reply = await raw(`/api/${version}/ping`, { headers: { ...JSON_HEADERS, ...authorization } });
    expect(reply.status).toBe(status);
  });

  test('an empty token is told so', async () => {
    const reply = await raw('/api/v3/ping', { headers: { ...JSON_HEADERS, Authorization: 'Bearer' } });
    expect(JSON.parse(reply.text)).toEqual({ message: 'Missing API Token.' });
  });
});

describe('which requests it refuses', () => {
  test.each([
    ['no Accept', 'GET', '/ping', { 'Content-Type': 'application/json', Accept: '*/*' }],
    [
      'a form',
      'POST',
      `${WEBAPP}/domains`,
      { ...JSON_HEADERS, 'Content-Type': 'application/x-www-form-urlencoded' },
    ],
  ])('%s is sent to the log-in page', async (_, method, path, headers) => {
    const body = method === 'POST' ? { body: 'name=shop.example.com' } : {};
    const reply = await raw(`/api/v3${path}`, { method, headers: { ...BEARER, ...headers }, ...body });
    expect([reply.status, reply.headers.get('location')]).toEqual([302, '/login']);
    expect((await raw('/login')).text).toContain('<html>');
  });

  test.each([
    ['PATCH', `${WEBAPP}/ssl/advanced/88/redeploy`],
    ['PUT', `${WEBAPP}/ssl/advanced`],
    ['PUT', `${WEBAPP}/domains/4711`],
    ['POST', '/ping'],
    ['GET', `${WEBAPP}/domainname`],
    ['GET', '/servers/1/webapps/646/domains'],
    ['GET', '/servers/1903/webapps/1/domains'],
    ['GET', `${WEBAPP}/domains/1`],
    ['PUT', `${WEBAPP}/ssl/1`],
  ])('%s %s is 404 with a message', async (method, path) => {
    const reply = await ask(method, path);
    expect([reply.status, typeof reply.body.message]).toEqual([404, 'string']);
  });
});

describe('which bodies it refuses', () => {
  test.each([
    ['no name', {}, 'name'],
    ['an empty name', { name: '' }, 'name'],
    ['a name with a scheme', { name: 'https://shop.example.com' }, 'name'],
    ['a name with a space', { name: 'shop example.com' }, 'name'],
    ['a wildcard', { name: '*.example.com' }, 'name'],
    ['a single label', { name: 'localhost' }, 'name'],
    ['a Unicode name', { name: 'bücher.example.com' }, 'name'],
    ['www as a word', { name: 'shop.example.com', www: 'yes' }, 'www'],
    ['an unknown type', { name: 'shop.example.com', type: 'parked' }, 'type'],
    ['an unknown redirection', { name: 'shop.example.com', redirection: 'both' }, 'redirection'],
  ])('a domain with %s is 422 and not attached', async (_, body, field) => {
    const reply = await ask('POST', `${WEBAPP}/domains`, body);
    expect(reply.status).toBe(422);
    expect(Object.keys(reply.body.errors)).toEqual([field]);
    expect(simulator.state.domains()).toHaveLength(1);
    expect(simulator.state.calls.at(-1)).toMatchObject({ writeApplied: false, status: 422 });
  });

  test('a body that is no JSON is a body without a name', async () => {
    const init = { method: 'POST', headers: { ...JSON_HEADERS, ...BEARER }, body: '{"name": "shop.exa' };
    expect((await raw(`/api/v3${WEBAPP}/domains`, init)).status).toBe(422);
  });

  test.each([
    ['environment production', { ...LETS_ENCRYPT, environment: 'production' }, ['environment']],
    ['no provider', { enableHttp: true, enableHsts: false }, ['provider']],
    ['no flags', { provider: 'letsencrypt', authorizationMethod: 'http-01' }, ['enableHttp', 'enableHsts']],
    ['no authorization method', { ...LETS_ENCRYPT, authorizationMethod: undefined }, ['authorizationMethod']],
    ['dns-01 without an integration', { ...LETS_ENCRYPT, authorizationMethod: 'dns-01' }, ['externalApi']],
    ['custom without a key', { ...LETS_ENCRYPT, provider: 'custom' }, ['privateKey', 'certificate']],
  ])('SSL with %s is 422', async (_, body, fields) => {
    const reply = await ask('POST', `${WEBAPP}/ssl`, body);
    expect([reply.status, Object.keys(reply.body.errors)]).toEqual([422, fields]);
  });

  test('per-domain SSL in basic mode, basic SSL in advanced mode', async () => {
    const id = simulator.state.domains()[0]?.id;
    expect((await ask('POST', `${WEBAPP}/domains/${id}/ssl`, LETS_ENCRYPT)).status).toBe(422);
    await ask('POST', `${WEBAPP}/ssl/advanced`, { advancedSSL: true, autoSSL: false });
    expect((await ask('POST', `${WEBAPP}/ssl`, LETS_ENCRYPT)).status).toBe(422);
  });

  test('a redeploy of a certificate that is not from Lets Encrypt', async () => {
    simulator.reset({ webapps: [{ certificate: 'custom' }] });
    expect((await ask('PUT', `${WEBAPP}/ssl/88`)).status).toBe(422);
    expect(simulator.state.certificateOrders).toBe(0);
  });
});

describe('reads', () => {
  test('ping, server and web application, flat and with the documented fields', async () => {
    expect((await ask('GET', '/ping')).body).toEqual({ message: 'pong' });
    const server = (await ask('GET', '/servers/1903')).body;
    expect(server).toMatchObject({ id: 1903, ipAddress: '203.0.113.7', connected: true, tags: [] });
    const webapp = (await ask('GET', WEBAPP)).body;
    expect(webapp).toMatchObject({ id: 646, pullKey1: PLANTED_SECRETS.pullKey1 });
    expect(webapp).not.toHaveProperty('domain');
  });

  test('pages of 20, at most 40, and a search on web applications', async () => {
    simulator.reset({ webapps: [{ domainCount: 49 }, { id: 647, name: 'other' }] });
    const first = (await ask('GET', `${WEBAPP}/domains`)).body;
    expect(first.meta.pagination).toMatchObject({ total: 50, count: 20, per_page: 20, total_pages: 3 });
    const last = (await ask('GET', `${WEBAPP}/domains?page=2&perPage=40`)).body;
    expect(last.data).toHaveLength(10);
    expect((await ask('GET', `${WEBAPP}/domains?page=9`)).body.data).toEqual([]);
    const found = (await ask('GET', '/servers/1903/webapps?search=oth')).body.data;
    expect(found.map(({ id }: { id: number }) => id)).toEqual([647]);
  });

  test('the private key is planted in flat SSL objects, which is what v2 sends', async () => {
    expect((await ask('GET', `${WEBAPP}/ssl`, undefined, 'v2')).text).toContain(PLANTED_SECRETS.privateKey);
  });
});

describe('domains', () => {
  const shop = { name: 'Shop.example.com', www: true, redirection: 'non-www', type: 'alias' };

  test('attach, get, change, DNS, delete', async () => {
    const attached = await ask('POST', `${WEBAPP}/domains`, shop);
    expect(attached).toMatchObject({ status: 200, body: { name: 'shop.example.com', www: 1, wildcard: 0 } });
    const path = `${WEBAPP}/domains/${attached.body.id}`;
    expect((await ask('GET', path)).body).toEqual(attached.body);
    expect((await ask('GET', `${path}/dns`)).body).toEqual([
      { type: 'A', hostname: 'shop.example.com', content: '203.0.113.7' },
      { type: 'CNAME', hostname: 'www.shop.example.com', content: 'shop.example.com' },
    ]);
    const changed = await ask('PATCH', `${path}/meta`, { www: false });
    expect(changed.body).toEqual({ message: 'Domain settings have been successfully updated.' });
    const deleted = await ask('DELETE', path);
    expect(deleted).toMatchObject({ status: 200, body: { ...attached.body, www: 0 } });
    expect((await ask('DELETE', path)).status).toBe(404);
  });

  test('a name is there once, whatever its case', async () => {
    await ask('POST', `${WEBAPP}/domains`, shop);
    const again = await ask('POST', `${WEBAPP}/domains`, { name: 'SHOP.EXAMPLE.COM' });
    expect([again.status, again.body]).toEqual([422, { message: 'Domain already exists.' }]);
    expect(simulator.state.domains()).toHaveLength(2);
  });

  test('a limit of domains can be set', async () => {
    simulator.setSettings({ domainLimit: 1 });
    expect((await ask('POST', `${WEBAPP}/domains`, shop)).status).toBe(422);
  });
});

describe('certificates', () => {
  test('basic: attaching changes nothing, a redeploy covers every name, after the lag', async () => {
    simulator.setSettings({ issuanceLagMs: 80 });
    await ask('POST', `${WEBAPP}/domains`, { name: 'shop.example.com', www: true });
    expect(simulator.state.coveredNames()).toEqual(['network.example.org']);
    expect((await ask('PUT', `${WEBAPP}/ssl/88`)).body).toMatchObject({ id: 88 });
    await ask('POST', `${WEBAPP}/domains`, { name: 'late.example.com' });
    expect(simulator.state.coveredNames()).toEqual(['network.example.org']);
    const names = ['network.example.org', 'shop.example.com', 'www.shop.example.com'];
    expect(simulator.state.certificates()[0]?.pendingNames).toEqual(names);
    now += 79;
    expect(simulator.state.coveredNames()).toEqual(['network.example.org']);
    now += 1;
    expect(simulator.state.coveredNames()).toEqual(names);
    expect(simulator.state.certificateOrders).toBe(1);
  });

  test('basic: delete takes the certificate away, post orders a new one', async () => {
    await ask('DELETE', `${WEBAPP}/ssl/88`);
    expect(simulator.state.coveredNames()).toEqual([]);
    expect((await ask('GET', `${WEBAPP}/ssl`, undefined, 'v2')).body).toEqual({
      message: 'SSL not installed!',
    });
    const installed = await ask('POST', `${WEBAPP}/ssl`, LETS_ENCRYPT);
    expect(installed.body).toMatchObject({ id: 89, method: 'letsencrypt', staging: false });
    expect(simulator.state.coveredNames()).toEqual(['network.example.org']);
  });

  test('a certificate that is deleted while under way does not come back', async () => {
    simulator.setSettings({ issuanceLagMs: 20 });
    await ask('PUT', `${WEBAPP}/ssl/88`);
    await ask('DELETE', `${WEBAPP}/ssl/88`);
    now += 40;
    expect(simulator.state.certificates()).toEqual([]);
  });
});

describe('certificates per domain', () => {
  test('advanced: one certificate per domain, its id only from GET', async () => {
    const switched = await ask('POST', `${WEBAPP}/ssl/advanced`, { advancedSSL: true, autoSSL: false });
    expect(switched.body).toEqual({ advancedSSL: true, autoSSL: false });
    const { id } = (await ask('POST', `${WEBAPP}/domains`, { name: 'shop.example.com' })).body;
    const path = `${WEBAPP}/domains/${id}/ssl`;
    expect((await ask('GET', path)).status).toBe(404);
    expect((await ask('POST', path, { advancedSSL: true, autoSSL: false, ...LETS_ENCRYPT })).body).toEqual(
      {},
    );
    const ssl = (await ask('GET', path)).body;
    expect((await ask('PUT', `${path}/${ssl.id}`)).body).toEqual({});
    expect((await ask('PATCH', `${path}/${ssl.id}`, { enableHsts: true })).body).toEqual({});
    const row = (await ask('GET', `${WEBAPP}/ssl`)).body.data.at(-1);
    expect(row).toMatchObject({ id, name: 'shop.example.com', ssl: { id: ssl.id, enableHsts: true } });
    expect(simulator.state.coveredNames()).toEqual(['shop.example.com']);
    expect(simulator.state.certificateOrders).toBe(2);
    await ask('DELETE', `${path}/${ssl.id}`);
    expect(simulator.state.coveredNames()).toEqual([]);
  });

  test('AutoSSL orders by itself when a domain is attached', async () => {
    await ask('POST', `${WEBAPP}/ssl/advanced`, { advancedSSL: true, autoSSL: true });
    await ask('POST', `${WEBAPP}/domains`, { name: 'shop.example.com' });
    expect(simulator.state.coveredNames()).toEqual(['shop.example.com']);
  });
});

describe('rate limit', () => {
  test('counts down, refuses, and starts again with the next window', async () => {
    await simulator.close();
    let now = 1_000_000;
    simulator = await createSimulator({ rateLimit: 2, now: () => now });
    const first = await ask('GET', '/ping');
    expect(first.headers.get('x-ratelimit-limit')).toBe('2');
    expect(first.headers.get('x-ratelimit-remaining')).toBe('1');
    await ask('GET', '/ping');
    expect((await ask('GET', '/ping')).status).toBe(429);
    now += 60_000;
    expect((await ask('GET', '/ping')).status).toBe(200);
  });

  test('a refused write is not done', async () => {
    simulator.setSettings({ rateLimit: 1 });
    await ask('GET', '/ping');
    expect((await ask('POST', `${WEBAPP}/domains`, { name: 'shop.example.com' })).status).toBe(429);
    expect(simulator.state.domains()).toHaveLength(1);
  });
});
