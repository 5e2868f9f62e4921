// The switches of the simulator do what their rows in the table say; those about SSL have a file of their own.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Simulator, Variants } from '../../packages/simulator/src/index.ts';
import {
  createSimulator,
  DEFAULT_CREDENTIALS,
  defaultVariants,
  VARIANT_CASES,
  VARIANT_NAMES,
  VARIANT_TABLE,
} from '../../packages/simulator/src/index.ts';

const WEBAPP = '/servers/1903/webapps/646';
const DOMAINS = `${WEBAPP}/domains`;
const SSL = `${WEBAPP}/ssl`;
const SHOP = { name: 'shop.example.com' };

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
const primary = () => simulator.state.domains()[0]?.id;

describe('the table', () => {
  test('every value of every switch is accepted, and the first is the default', () => {
    for (const { name, value } of VARIANT_CASES) {
      expect(vary({ [name]: value })[name]).toBe(value);
    }
    expect(VARIANT_CASES.length).toBeGreaterThan(2 * VARIANT_NAMES.length - 1);
    for (const name of VARIANT_NAMES) expect(defaultVariants()[name]).toBe(VARIANT_TABLE[name].values[0]);
  });

  test.each(VARIANT_CASES)('$name: $value leaves the everyday calls answerable', async ({ name, value }) => {
    vary({ [name]: value });
    const attached = await ask('POST', DOMAINS, SHOP);
    expect(attached.status).toBeLessThan(300);
    expect((await ask('GET', DOMAINS)).body.data).toHaveLength(2);
    expect((await ask('PUT', `${SSL}/88`)).status).toBeLessThan(300);
    expect(simulator.state.certificateOrders).toBe(1);
  });
});

describe('domains', () => {
  test('createStatus, attachReply', async () => {
    vary({ createStatus: '201', attachReply: 'wrapped' });
    expect(await ask('POST', DOMAINS, SHOP)).toMatchObject({ status: 201, body: { data: SHOP } });
    vary({ attachReply: 'empty' });
    expect((await ask('POST', DOMAINS, { name: 'two.example.com' })).body).toEqual({});
  });

  test.each([
    ['message', 200, { message: 'Domain settings have been successfully updated.' }],
    ['empty', 200, {}],
    ['domain', 200, { ...SHOP, www: 1 }],
    ['204', 204, undefined],
  ] as const)('changeReply: %s', async (changeReply, status, body) => {
    vary({ changeReply });
    const { id } = (await ask('POST', DOMAINS, SHOP)).body;
    expect(await ask('PATCH', `${DOMAINS}/${id}/meta`, { www: true })).toMatchObject({ status, body });
    expect(simulator.state.domains()[1]).toMatchObject({ www: true });
  });

  test('changeOnV2, changeFields', async () => {
    const { id } = (await ask('POST', DOMAINS, SHOP)).body;
    const path = `${DOMAINS}/${id}/meta`;
    expect((await ask('PATCH', path, { www: true }, 'v2')).status).toBe(404);
    vary({ changeOnV2: 'as-v3' });
    expect((await ask('PATCH', path, { www: true }, 'v2')).status).toBe(200);
    vary({ changeFields: 'all' });
    expect((await ask('PATCH', path, { www: false })).status).toBe(422);
    const all = { www: false, redirection: 'none', type: 'alias' };
    expect((await ask('PATCH', path, all)).status).toBe(200);
  });

  test('twinName: a www name and a domain of that name, on one web application', async () => {
    vary({ twinName: 'refused' });
    const { id } = (await ask('POST', DOMAINS, SHOP)).body;
    await ask('PATCH', `${DOMAINS}/${id}/meta`, { www: true });
    const twin = { name: `www.${SHOP.name}` };
    expect((await ask('POST', DOMAINS, twin)).status).toBe(422);
    await ask('PATCH', `${DOMAINS}/${id}/meta`, { www: false });
    expect((await ask('POST', DOMAINS, twin)).status).toBe(200);
    expect((await ask('PATCH', `${DOMAINS}/${id}/meta`, { www: true })).status).toBe(422);
    vary({ twinName: 'accepted' });
    expect((await ask('PATCH', `${DOMAINS}/${id}/meta`, { www: true })).status).toBe(200);
  });

  test.each([
    ['empty', 200, {}],
    ['204', 204, undefined],
  ] as const)('deleteReply: %s', async (deleteReply, status, body) => {
    vary({ deleteReply });
    const { id } = (await ask('POST', DOMAINS, SHOP)).body;
    expect(await ask('DELETE', `${DOMAINS}/${id}`)).toMatchObject({ status, body });
    expect(simulator.state.domains()).toHaveLength(1);
  });

  test.each([
    ['404', 404],
    ['422', 422],
    ['200-empty', 200],
  ] as const)('deleteUnknown: %s', async (deleteUnknown, status) => {
    vary({ deleteUnknown });
    expect((await ask('DELETE', `${DOMAINS}/1`)).status).toBe(status);
    expect(simulator.state.calls.at(-1)?.writeApplied).toBe(false);
  });

  test.each([
    ['422', 422, 1],
    ['403', 403, 1],
    ['allowed', 200, 0],
  ] as const)('deletePrimary: %s', async (deletePrimary, status, left) => {
    vary({ deletePrimary });
    expect((await ask('DELETE', `${DOMAINS}/${primary()}`)).status).toBe(status);
    expect(simulator.state.domains()).toHaveLength(left);
  });
});

describe('duplicates and fields of domains', () => {
  test.each([
    ['422-message', 422, { message: 'Domain already exists.' }],
    ['422-errors', 422, { errors: { name: ['The name has already been taken.'] } }],
    ['409', 409, { message: 'Domain already exists.' }],
    ['400', 400, { message: 'Domain already exists.' }],
    ['200-existing', 200, { id: 4711, name: 'network.example.org' }],
  ] as const)('duplicateReply: %s', async (duplicateReply, status, body) => {
    vary({ duplicateReply });
    expect(await ask('POST', DOMAINS, { name: 'network.example.org' })).toMatchObject({ status, body });
    expect(simulator.state.domains()).toHaveLength(1);
  });

  test.each([
    ['webapp', 200, 200],
    ['server', 422, 200],
    ['account', 422, 422],
  ] as const)('duplicateScope: %s', async (duplicateScope, onServer, elsewhere) => {
    simulator.reset({
      servers: [{}, { id: 1904 }],
      webapps: [
        {},
        { id: 647, domains: ['taken.example.com'] },
        { id: 648, serverId: 1904, domains: ['far.example.com'] },
      ],
    });
    vary({ duplicateScope });
    expect((await ask('POST', DOMAINS, { name: 'taken.example.com' })).status).toBe(onServer);
    expect((await ask('POST', DOMAINS, { name: 'far.example.com' })).status).toBe(elsewhere);
  });

  test('domainFields, domainStatus, nameCase, idnReply', async () => {
    vary({ domainFields: 'without-type', domainStatus: 'active', nameCase: 'as-sent' });
    const body = (await ask('POST', DOMAINS, { name: 'Shop.example.com' })).body;
    expect(body).toMatchObject({ name: 'Shop.example.com', status: 'active', www: 0 });
    expect(body).not.toHaveProperty('type');
    vary({ domainFields: 'minimal', idnReply: 'unicode' });
    const idn = (await ask('POST', DOMAINS, { name: 'xn--bcher-kva.example.com' })).body;
    expect(Object.keys(idn)).toEqual(['id', 'name', 'created_at']);
    expect(idn.name).toBe('bücher.example.com');
  });

  test('certificateOnDetach', async () => {
    simulator.reset({ webapps: [{ domains: ['shop.example.com'], covers: 'all' }] });
    vary({ certificateOnDetach: 'name-dropped' });
    await ask('DELETE', `${DOMAINS}/4712`);
    expect(simulator.state.coveredNames()).toEqual(['network.example.org']);
  });
});

describe('lists and bodies', () => {
  test.each([
    ['pagination', { pagination: { total: 1, current_page: 1, total_pages: 1, links: {} } }],
    ['lastPage', { lastPage: 1 }],
    ['laravel', { current_page: 1, last_page: 1 }],
  ] as const)('metaShape: %s', async (metaShape, meta) => {
    vary({ metaShape });
    expect((await ask('GET', DOMAINS)).body.meta).toMatchObject(meta);
  });

  test('metaShape: none', async () => {
    vary({ metaShape: 'none' });
    expect(Object.keys((await ask('GET', DOMAINS)).body)).toEqual(['data']);
  });

  test('metaLinks, listOrder', async () => {
    simulator.reset({ webapps: [{ domainCount: 30 }] });
    vary({ listOrder: 'newest-first' });
    const { data, meta } = (await ask('GET', DOMAINS)).body;
    const url = `${simulator.url}/api/v3${DOMAINS}`;
    expect(meta.pagination.links).toEqual({ next: `${url}?page=2` });
    expect((await ask('GET', `${DOMAINS}?page=2`)).body.meta.pagination.links).toEqual({
      previous: `${url}?page=1`,
    });
    expect(data[0].name).toBe('customer-646-30.example.com');
    vary({ metaLinks: 'empty' });
    expect((await ask('GET', DOMAINS)).body.meta.pagination.links).toEqual({});
    vary({ metaLinks: 'array' });
    expect((await ask('GET', DOMAINS)).body.meta.pagination.links).toEqual([]);
  });

  test('defaultPerPage, perPageRequested', async () => {
    simulator.reset({ webapps: [{ domainCount: 60 }] });
    vary({ defaultPerPage: '15' });
    expect((await ask('GET', DOMAINS)).body.data).toHaveLength(15);
    expect((await ask('GET', `${DOMAINS}?perPage=30`)).body.data).toHaveLength(30);
    vary({ perPageRequested: 'ignored' });
    expect((await ask('GET', `${DOMAINS}?perPage=30&page=2`)).body).toMatchObject({
      data: { length: 15 },
      meta: { pagination: { per_page: 15, total_pages: 5 } },
    });
  });

  test('perPageOver40, domainSearch', async () => {
    simulator.reset({ webapps: [{ domainCount: 60 }] });
    expect((await ask('GET', `${DOMAINS}?perPage=100`)).body.data).toHaveLength(40);
    expect((await ask('GET', `${DOMAINS}?search=646-60`)).body.data).toHaveLength(20);
    vary({ perPageOver40: '422', domainSearch: 'filters' });
    expect((await ask('GET', `${DOMAINS}?perPage=41`)).status).toBe(422);
    expect((await ask('GET', `${DOMAINS}?search=646-60`)).body.data).toHaveLength(1);
  });

  test('singleObjects, booleans, numbers', async () => {
    vary({ singleObjects: 'wrapped', numbers: 'strings' });
    expect((await ask('GET', '/servers/1903')).body.data).toMatchObject({ id: '1903', online: true });
    expect((await ask('GET', `${DOMAINS}/${primary()}`)).body.data).toMatchObject({ id: '4711', www: '0' });
    vary({ singleObjects: 'flat', numbers: 'numbers', booleans: 'booleans' });
    expect((await ask('GET', `${DOMAINS}/4711`)).body).toMatchObject({ www: false, wildcard: false });
    vary({ booleans: 'numbers' });
    expect((await ask('GET', '/servers/1903')).body).toMatchObject({ online: 1 });
  });

  test('errorBody', async () => {
    vary({ errorBody: 'empty' });
    expect(await ask('GET', '/servers/1')).toMatchObject({ status: 404, text: '' });
    vary({ errorBody: 'html' });
    // RunCloud's own refusals are JSON; a page stands for what may answer in its place.
    expect(await ask('GET', '/servers/1')).toMatchObject({
      status: 404,
      text: expect.not.stringContaining('<html>'),
    });
  });
});

describe('limits and headers', () => {
  test.each([
    ['none', null],
    ['seconds', expect.stringMatching(/^\d+$/)],
    ['date', expect.stringMatching(/GMT$/)],
    ['text', 'in a little while'],
  ] as const)('retryAfter: %s', async (retryAfter, header) => {
    vary({ retryAfter });
    simulator.setSettings({ rateLimit: 1 });
    await ask('GET', '/ping');
    const reply = await ask('GET', '/ping');
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([429, header]);
  });

  test('rateLimitBody, rateLimitHeaders', async () => {
    vary({ rateLimitBody: 'html', rateLimitHeaders: 'absent' });
    simulator.setSettings({ rateLimit: 1 });
    await ask('GET', '/ping');
    const reply = await ask('GET', '/ping');
    expect([reply.text.includes('<html>'), reply.headers.get('x-ratelimit-limit')]).toEqual([true, null]);
    vary({ rateLimitBody: 'empty' });
    expect((await ask('GET', '/ping')).text).toBe('');
  });

  test.each(['429', '403', '402'] as const)('quotaReply: %s', async (quotaReply) => {
    vary({ quotaReply });
    simulator.setSettings({ quota: 1 });
    await ask('GET', '/ping');
    expect((await ask('GET', '/ping')).status).toBe(Number(quotaReply));
  });

  test('contentTypeOn: every-request', async () => {
    const headers = { Authorization: `Bearer ${DEFAULT_CREDENTIALS.token}`, Accept: 'application/json' };
    const ping = () => fetch(`${simulator.url}/api/v3/ping`, { headers, redirect: 'manual' });
    expect((await ping()).status).toBe(200);
    vary({ contentTypeOn: 'every-request' });
    expect((await ping()).status).toBe(302);
  });

  test('requestBodies: form-too', async () => {
    const attach = (name: string) =>
      fetch(`${simulator.url}/api/v3${DOMAINS}`, {
        method: 'POST',
        redirect: 'manual',
        headers: { Authorization: `Bearer ${DEFAULT_CREDENTIALS.token}`, Accept: 'application/json' },
        body: new URLSearchParams({ name, www: '1', redirection: 'non-www' }),
      });
    expect((await attach('json.example.com')).status).toBe(302);
    vary({ requestBodies: 'form-too' });
    expect((await attach('form.example.com')).status).toBe(200);
    expect(simulator.state.domains().at(-1)).toMatchObject({ name: 'form.example.com', www: true });
  });
});
