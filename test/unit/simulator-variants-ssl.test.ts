// The switches about SSL do what their rows in the table say, in basic and in advanced mode.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Simulator, Variants } from '../../packages/simulator/src/index.ts';
import { createSimulator, DEFAULT_CREDENTIALS } from '../../packages/simulator/src/index.ts';

const WEBAPP = '/servers/1903/webapps/646';
const DOMAINS = `${WEBAPP}/domains`;
const SSL = `${WEBAPP}/ssl`;
const SHOP = { name: 'shop.example.com' };
const LETS_ENCRYPT = {
  provider: 'letsencrypt',
  enableHttp: true,
  enableHsts: false,
  authorizationMethod: 'http-01',
};

let simulator: Simulator;

beforeEach(async () => {
  simulator = await createSimulator({ seed: { webapps: [{}, { id: 647, domains: ['taken.example.com'] }] } });
});

afterEach(() => simulator.close());

async function ask(method: string, path: string, body?: unknown, version = 'v3') {
  const response = await fetch(`${simulator.url}/api/${version}${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${DEFAULT_CREDENTIALS.token}`,
      Accept: 'application/json',
      'Content-Type': 'application/json',
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type') === 'application/json' && text !== '';
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  };
}

const vary = (variants: Partial<Variants>) => simulator.setVariants(variants);

describe('basic SSL', () => {
  test.each([
    ['as-documented', 'v2', { id: 88, method: 'letsencrypt' }],
    ['as-documented', 'v3', { data: [{ id: 4711, ssl: { id: 88 } }] }],
    ['flat', 'v3', { id: 88 }],
    ['nested', 'v2', { data: [{ id: 4711, ssl: { id: 88 } }] }],
    ['wrapped', 'v2', { data: { id: 88 } }],
  ] as const)('sslShape: %s on %s', async (sslShape, version, body) => {
    vary({ sslShape });
    expect((await ask('GET', SSL, undefined, version)).body).toMatchObject(body);
  });

  test.each([
    ['as-documented', 'v2', 200, { message: 'SSL not installed!' }],
    ['as-documented', 'v3', 200, { data: [{ id: 4711, name: 'network.example.org', ssl: null }] }],
    ['message-200', 'v3', 200, { message: 'SSL not installed!' }],
    ['message-404', 'v3', 404, { message: 'SSL not installed!' }],
    ['rows-null', 'v2', 200, { data: [{ id: 4711, name: 'network.example.org', ssl: null }] }],
    ['empty-404', 'v3', 404, undefined],
    ['422', 'v3', 422, { message: 'SSL not installed!' }],
  ] as const)('noSsl: %s on %s', async (noSsl, version, status, body) => {
    simulator.reset({ webapps: [{ certificate: 'none' }] });
    vary({ noSsl });
    const reply = await ask('GET', SSL, undefined, version);
    expect([reply.status, reply.body]).toEqual([status, body]);
  });

  test('nestedUncovered, sslRowsPaged, sslDates', async () => {
    simulator.reset({ webapps: [{ domainCount: 30 }] });
    const rows = (await ask('GET', SSL)).body.data;
    expect([rows.length, rows[1].ssl, rows[0].ssl.validUntil]).toEqual([
      31,
      null,
      expect.stringMatching(/^\d{4}-.* /),
    ]);
    vary({ nestedUncovered: 'shared', sslRowsPaged: 'paged', sslDates: 'unix' });
    const shared = (await ask('GET', SSL)).body.data;
    expect([shared.length, shared[1].ssl.id, typeof shared[1].ssl.validUntil]).toEqual([20, 88, 'number']);
    vary({ sslDates: 'iso' });
    expect((await ask('GET', SSL)).body.data[0].ssl.renewalDate).toMatch(/Z$/);
  });
});

describe('writes of basic SSL', () => {
  test('redeploy: sync answers only when the names are covered', async () => {
    vary({ redeploy: 'sync' });
    simulator.setSettings({ issuanceLagMs: 60 });
    simulator.attachDomain(SHOP);
    await ask('PUT', `${SSL}/88`);
    expect(simulator.state.coveredNames()).toContain('shop.example.com');
  });

  test.each([
    ['ssl', 200, { id: 88 }],
    ['empty', 200, {}],
    ['message', 200, { message: expect.any(String) }],
    ['204', 204, undefined],
  ] as const)('redeployReply and sslWriteReply: %s', async (style, status, body) => {
    vary({ redeployReply: style, sslWriteReply: style });
    expect(await ask('PUT', `${SSL}/88`)).toMatchObject({ status, body });
    expect(await ask('PATCH', `${SSL}/88`, { enableHsts: true })).toMatchObject({ status, body });
    expect(await ask('DELETE', `${SSL}/88`)).toMatchObject({ status, body });
    expect(simulator.state.counters.writesApplied).toBe(3);
  });
});

describe('orders of basic SSL', () => {
  test('redeployNames: unchanged, only delete and post take up new names', async () => {
    vary({ redeployNames: 'unchanged' });
    simulator.attachDomain(SHOP);
    await ask('PUT', `${SSL}/88`);
    expect(simulator.state.coveredNames()).not.toContain('shop.example.com');
    await ask('DELETE', `${SSL}/88`);
    await ask('POST', SSL, LETS_ENCRYPT);
    expect(simulator.state.coveredNames()).toContain('shop.example.com');
  });

  test('sslIdOnRedeploy: new', async () => {
    vary({ sslIdOnRedeploy: 'new' });
    expect((await ask('PUT', `${SSL}/88`)).body.id).toBe(90);
    expect((await ask('PUT', `${SSL}/88`)).status).toBe(404);
  });

  test.each([
    ['accepted', 200, 2],
    ['409', 409, 1],
    ['422', 422, 1],
  ] as const)('concurrentIssuance: %s', async (concurrentIssuance, status, orders) => {
    vary({ concurrentIssuance });
    simulator.setSettings({ issuanceLagMs: 60_000 });
    await ask('PUT', `${SSL}/88`);
    expect((await ask('PUT', `${SSL}/88`)).status).toBe(status);
    expect(simulator.state.certificateOrders).toBe(orders);
  });

  test('firstIssuance, installOverExisting', async () => {
    simulator.reset({ webapps: [{ certificate: 'none' }] });
    simulator.setSettings({ issuanceLagMs: 60_000 });
    await ask('POST', SSL, LETS_ENCRYPT);
    expect((await ask('GET', SSL)).body.data[0].ssl).toMatchObject({ id: 88, validUntil: null });
    vary({ firstIssuance: 'hidden' });
    expect((await ask('GET', SSL)).body.data[0].ssl).toBeNull();
    expect((await ask('POST', SSL, LETS_ENCRYPT)).status).toBe(422);
    vary({ installOverExisting: 'replaces' });
    expect(await ask('POST', SSL, LETS_ENCRYPT)).toMatchObject({ status: 200, body: { id: 89 } });
    expect(simulator.state.certificates()).toHaveLength(1);
  });
});

describe('settings of a certificate', () => {
  const dns01 = { authorizationMethod: 'dns-01', externalApi: 7 };
  const kept = { enableHttp: true, enableHsts: false, sslProtocolId: 3 };

  test('methodOnBasicPatch: whether PATCH ssl/{id} changes the method; the protocol it changes in any case', async () => {
    simulator.reset({ webapps: [{ authorizationMethod: 'dns-01' }] });
    expect(simulator.state.certificates()).toMatchObject([{ authorizationMethod: 'dns-01', apiId: 5 }]);
    vary({ methodOnBasicPatch: 'ignored' });
    await ask('PATCH', `${SSL}/88`, { ...kept, authorizationMethod: 'http-01' });
    expect(simulator.state.certificates()).toMatchObject([
      { authorizationMethod: 'dns-01', sslProtocolId: 3 },
    ]);
    vary({ methodOnBasicPatch: 'persisted' });
    await ask('PATCH', `${SSL}/88`, { ...kept, authorizationMethod: 'http-01' });
    expect(simulator.state.certificates()).toMatchObject([{ authorizationMethod: 'http-01', apiId: 5 }]);
  });

  test('PATCH of one domain’s certificate persists the method, and dns-01 needs an integration', async () => {
    simulator.reset({ webapps: [{ advancedSsl: true }] });
    const path = `${DOMAINS}/4711/ssl/88`;
    expect((await ask('PATCH', path, { authorizationMethod: 'dns-01' })).status).toBe(422);
    expect((await ask('PATCH', path, { authorizationMethod: 'tls-alpn-01' })).status).toBe(422);
    expect((await ask('PATCH', path, { ...kept, ...dns01 })).status).toBe(200);
    expect(simulator.state.certificates()).toMatchObject([{ authorizationMethod: 'dns-01', apiId: 7 }]);
    expect((await ask('GET', `${DOMAINS}/4711/ssl`)).body).toMatchObject({ api_id: 7, ssl_protocol_id: 3 });
  });
});

describe('the log', () => {
  const contents = (body: { data: { content: string }[] }) => body.data.map(({ content }) => content);

  test('tells what became of an order, newest first, 15 to a page; logOrder: oldest-first', async () => {
    simulator.reset({ webapps: [{ authorizationMethod: 'dns-01', domains: ['shop.example.com'] }] });
    vary({ validation: 'http-01' });
    simulator.setDns('example.com', { ns: ['ns1.elsewhere.example'] });
    for (let nth = 1; nth <= 15; nth += 1)
      simulator.log({ content: `line ${nth}`, kind: 'High Priority Info' });
    expect((await ask('PUT', `${SSL}/88`)).status).toBe(200);
    const reason = 'for shop.example.com: domain is not found in the selected DNS provider';
    const first = (await ask('GET', `${WEBAPP}/log`)).body;
    expect(first.data).toHaveLength(15);
    expect(first.data[0]).toEqual({
      kind: 'Warning',
      content: expect.stringContaining(reason),
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
    });
    expect(first.meta.pagination).toMatchObject({ total: 16, per_page: 15, total_pages: 2 });
    expect(contents((await ask('GET', `${WEBAPP}/log?page=2`)).body)).toEqual(['line 1']);
    vary({ logOrder: 'oldest-first' });
    expect(contents((await ask('GET', `${WEBAPP}/log`)).body)[0]).toBe('line 1');
  });

  test('of dns-01: a zone at the integration is validated without its addresses', async () => {
    simulator.reset({ webapps: [{ authorizationMethod: 'dns-01' }] });
    vary({ validation: 'http-01' });
    simulator.setDns('example.org', { ns: ['ada.ns.cloudflare.com', 'bob.ns.cloudflare.com'] });
    await ask('PUT', `${SSL}/88`);
    expect(simulator.state.orders).toMatchObject([{ status: 'issued' }]);
    expect(contents((await ask('GET', `${WEBAPP}/log`)).body)).toEqual([
      'SSL certificate for network.example.org deployed.',
    ]);
  });
});

const advanced = { webapps: [{ advancedSsl: true }] };

describe('advanced SSL', () => {
  test.each(['404', '403'] as const)('advancedStatus: %s', async (advancedStatus) => {
    vary({ advancedStatus });
    expect((await ask('GET', `${SSL}/advanced`)).status).toBe(Number(advancedStatus));
    const switched = await ask('POST', `${SSL}/advanced`, { advancedSSL: true, autoSSL: false });
    expect(switched.status).toBe(Number(advancedStatus));
  });

  test.each(['422', '403', '404'] as const)('domainSslInBasicMode: %s', async (domainSslInBasicMode) => {
    vary({ domainSslInBasicMode });
    expect((await ask('GET', `${DOMAINS}/4711/ssl`)).status).toBe(Number(domainSslInBasicMode));
  });

  test.each(['422', '404'] as const)('basicSslInAdvancedMode: %s', async (basicSslInAdvancedMode) => {
    simulator.reset(advanced);
    vary({ basicSslInAdvancedMode });
    expect((await ask('POST', SSL, LETS_ENCRYPT)).status).toBe(Number(basicSslInAdvancedMode));
  });

  test('basicSslInAdvancedMode: 200-transient, every write is accepted and changes nothing', async () => {
    simulator.reset(advanced);
    vary({ basicSslInAdvancedMode: '200-transient' });
    const before = simulator.state.certificates();
    expect(await ask('POST', SSL, LETS_ENCRYPT)).toMatchObject({ status: 200, body: { id: 89 } });
    for (const method of ['PUT', 'PATCH', 'DELETE'])
      expect((await ask(method, `${SSL}/88`)).status).toBe(200);
    expect(simulator.state.certificates()).toEqual(before);
    expect(simulator.state.certificateOrders).toBe(0);
  });
});

describe('bodies of advanced SSL', () => {
  test.each([
    ['flat', { id: 88 }],
    ['wrapped', { data: { id: 88 } }],
    ['nested', { id: 4711, name: 'network.example.org', ssl: { id: 88 } }],
  ] as const)('domainSslShape: %s', async (domainSslShape, body) => {
    simulator.reset(advanced);
    vary({ domainSslShape });
    expect((await ask('GET', `${DOMAINS}/4711/ssl`)).body).toMatchObject(body);
  });

  test.each([
    ['404', 404, { message: 'SSL not found.' }],
    ['422', 422, { message: 'SSL not found.' }],
    ['message-200', 200, { message: 'SSL not installed!' }],
    ['null-200', 200, { ssl: null }],
  ] as const)('noDomainSsl: %s', async (noDomainSsl, status, body) => {
    simulator.reset({ webapps: [{ advancedSsl: true, certificate: 'none' }] });
    vary({ noDomainSsl });
    expect(await ask('GET', `${DOMAINS}/4711/ssl`)).toMatchObject({ status, body });
  });

  test.each([
    ['empty', 200, {}],
    ['ssl', 200, { id: 88 }],
    ['message', 200, { message: expect.any(String) }],
    ['204', 204, undefined],
  ] as const)('domainSslReply: %s', async (domainSslReply, status, body) => {
    simulator.reset(advanced);
    vary({ domainSslReply });
    expect(await ask('PUT', `${DOMAINS}/4711/ssl/88`)).toMatchObject({ status, body });
  });

  test.each([
    ['removed', 0],
    ['kept', 1],
  ] as const)('certificateOnSwitch: %s', async (certificateOnSwitch, left) => {
    vary({ certificateOnSwitch });
    await ask('POST', `${SSL}/advanced`, { advancedSSL: true, autoSSL: false });
    expect(simulator.state.certificates()).toHaveLength(left);
  });

  test('autoSslOnAttach: never', async () => {
    simulator.reset({ webapps: [{ advancedSsl: true, autoSsl: true }] });
    vary({ autoSslOnAttach: 'never' });
    await ask('POST', DOMAINS, SHOP);
    expect(simulator.state.certificateOrders).toBe(0);
  });
});
