// Faults do what their kind says, calls are recorded, and the same can be steered over HTTP.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Call, FaultRule, Simulator } from '../../packages/simulator/src/index.ts';
import {
  createSimulator,
  DEFAULT_CREDENTIALS,
  findOverlappingWrites,
} from '../../packages/simulator/src/index.ts';
import { until } from '../helpers/until.ts';

const DOMAINS = '/servers/1903/webapps/646/domains';
const SHOP = { name: 'shop.example.com' };
const HOUR_MS = 3_600_000;

let simulator: Simulator;
let ended: Call[];

beforeEach(async () => {
  ended = [];
  simulator = await createSimulator({ onCall: (call) => ended.push(call) });
});

afterEach(() => simulator.close());

async function ask(method: string, path: string, body?: unknown, signal?: AbortSignal) {
  const response = await fetch(`${simulator.url}/api/v3${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${DEFAULT_CREDENTIALS.token}`,
      Accept: 'application/json',
      'Content-Type': 'application/json',
    },
    ...(signal && { signal }),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const attach = (signal?: AbortSignal) => ask('POST', DOMAINS, SHOP, signal);
const isAttached = () => simulator.state.domains().some(({ name }) => name === SHOP.name);
const inFlight = (count: number) =>
  until(() => simulator.state.counters.inFlight === count, `${count} calls are in flight`);

/** The client gives up as soon as the simulator has its request. */
async function attachInVain(): Promise<void> {
  const patience = new AbortController();
  const reply = expect(attach(patience.signal)).rejects.toThrow();
  await inFlight(1);
  patience.abort();
  await reply;
}

describe('kinds that answer', () => {
  test.each([500, 502, 503, 504])('status %i, once, the write not done', async (status) => {
    simulator.addFault({ kind: 'status', status, operation: 'attach-domain' });
    const reply = await attach();
    expect([reply.status, JSON.parse(reply.text)]).toEqual([status, { message: 'Server Error' }]);
    expect(isAttached()).toBe(false);
    expect((await attach()).status).toBe(200);
  });

  test('status with the write done, a body and headers of its own', async () => {
    const headers = { 'Retry-After': '7' };
    simulator.addFault({
      kind: 'status',
      status: 502,
      appliesWrite: true,
      body: { message: 'Bad' },
      headers,
    });
    const reply = await attach();
    expect([reply.text, reply.headers.get('retry-after')]).toEqual(['{"message":"Bad"}', '7']);
    expect(isAttached()).toBe(true);
    expect(simulator.state.calls.at(-1)).toMatchObject({ fault: 'status', status: 502, writeApplied: true });
  });

  test.each([503, 200])('html %i', async (status) => {
    simulator.addFault({ kind: 'html', status });
    const reply = await attach();
    expect([reply.status, reply.headers.get('content-type')]).toEqual([status, 'text/html; charset=UTF-8']);
    expect(isAttached()).toBe(false);
  });
});

test('firewall: a page for browsers with 403, the write not done', async () => {
  simulator.addFault({ kind: 'firewall' });
  const reply = await attach();
  expect([reply.status, reply.headers.get('content-type')]).toEqual([403, 'text/html; charset=UTF-8']);
  expect(reply.text).toContain('Just a moment...');
  expect(isAttached()).toBe(false);
});

describe('kinds that cut, close or wait', () => {
  test('truncated JSON, the write done', async () => {
    simulator.addFault({ kind: 'truncated-json' });
    const reply = await attach();
    expect([reply.status, isAttached()]).toEqual([200, true]);
    expect(() => JSON.parse(reply.text)).toThrow();
  });

  test.each([
    ['drop-before', {}, false],
    ['drop-after', {}, true],
    ['reset', {}, false],
    ['reset', { appliesWrite: true }, true],
  ] as const)('%s %j', async (kind, more, done) => {
    simulator.addFault({ kind, ...more });
    await expect(attach()).rejects.toThrow();
    expect(isAttached()).toBe(done);
    await until(() => ended.length > 0, 'the simulator knows that it has ended');
    expect(simulator.state.calls).toHaveLength(1);
    expect(ended[0]).toMatchObject({ status: null, writeApplied: done, fault: kind, domain: SHOP.name });
  });

  test('slow: done at once, answered late, or when the rule is removed', async () => {
    const { id } = simulator.addFault({ kind: 'slow', delayMs: HOUR_MS });
    let isAnswered = false;
    const reply = attach().finally(() => {
      isAnswered = true;
    });
    await until(isAttached, 'it is attached');
    await ask('GET', '/ping');
    expect(isAnswered).toBe(false);
    simulator.removeFault(id);
    expect((await reply).status).toBe(200);
    simulator.addFault({ kind: 'slow', delayMs: 20 });
    expect((await ask('GET', '/ping')).status).toBe(200);
  });

  test('slow with appliesWrite false: the write lands after the client gave up', async () => {
    simulator.addFault({ kind: 'slow', delayMs: HOUR_MS, appliesWrite: false });
    await attachInVain();
    expect(isAttached()).toBe(false);
    simulator.clearFaults();
    await until(isAttached, 'it is attached');
  });

  test('never-answer, and close does not wait for it', async () => {
    simulator.addFault({ kind: 'never-answer' });
    await attachInVain();
    await inFlight(0);
    simulator.addFault({ kind: 'never-answer' });
    const hanging = expect(attach()).rejects.toThrow();
    await inFlight(1);
    await simulator.close();
    await hanging;
    expect(isAttached()).toBe(false);
  });
});

describe('rules', () => {
  test.each([
    ['operation', { operation: 'list-domains' }],
    ['method', { method: 'GET' }],
    ['path', { path: `/api/v3/servers/*/domains` }],
  ] satisfies [string, Partial<FaultRule>][])('match by %s', async (_, target) => {
    const { id } = simulator.addFault({ kind: 'status', times: 'always', ...target });
    expect((await ask('GET', DOMAINS)).status).toBe(500);
    expect((await ask('DELETE', `${DOMAINS}/1`)).status).toBe(404);
    simulator.removeFault(id);
    expect((await ask('GET', DOMAINS)).status).toBe(200);
  });

  test('match by domain, in the body and behind an id', async () => {
    simulator.addFault({ kind: 'status', times: 2, domain: SHOP.name });
    expect((await ask('POST', DOMAINS, { name: 'other.example.com' })).status).toBe(200);
    expect((await attach()).status).toBe(500);
    const { id } = simulator.attachDomain(SHOP);
    expect((await ask('DELETE', `${DOMAINS}/${id}`)).status).toBe(500);
    expect((await ask('DELETE', `${DOMAINS}/${id}`)).status).toBe(200);
  });
});

describe('how often a rule hits', () => {
  test('times and skip', async () => {
    simulator.addFault({ kind: 'status', skip: 1, times: 2 });
    const statuses = [];
    for (let at = 0; at < 5; at += 1) statuses.push((await ask('GET', '/ping')).status);
    expect(statuses).toEqual([200, 500, 500, 200, 200]);
    expect(simulator.state.faults[0]).toMatchObject({ hits: 2, remaining: 0 });
  });

  test('a probability hits about as often as it says, and the same ones for the same seed', async () => {
    const draw = async () => {
      simulator.reset();
      simulator.addFault({ kind: 'status', probability: 0.3 });
      const statuses = [];
      for (let at = 0; at < 200; at += 1) statuses.push((await ask('GET', '/ping')).status);
      return statuses;
    };
    const first = await draw();
    expect(await draw()).toEqual(first);
    const share = first.filter((status) => status === 500).length / 200;
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.4);
  });

  test('a rule that makes no sense is refused with the name of the field', () => {
    const add = (rule: unknown) => () => simulator.addFault(rule as FaultRule);
    expect(add({ kind: 'melt' })).toThrow(/^kind: /);
    expect(add({ kind: 'slow' })).toThrow(/^delayMs: /);
    expect(add({ kind: 'status', status: 99 })).toThrow(/^status: /);
    expect(add({ kind: 'status', path: '*', pth: '*' })).toThrow(/^pth: /);
    expect(add({ kind: 'status', probability: 2 })).toThrow(/^probability: /);
  });
});

describe('calls', () => {
  test('every request is recorded, with what became of it', async () => {
    await ask('GET', `${DOMAINS}?page=1`);
    await attach();
    await ask('GET', '/nowhere');
    const [list, write, lost] = simulator.state.calls;
    expect(list).toMatchObject({ operation: 'list-domains', path: `/api/v3${DOMAINS}?page=1`, webapp: 646 });
    expect(write).toMatchObject({ method: 'POST', domain: SHOP.name, writeApplied: true, status: 200 });
    expect(lost).toMatchObject({ operation: null, status: 404, writeApplied: false });
    expect(ended).toHaveLength(3);
    expect(simulator.state.counters).toMatchObject({ requests: 3, writes: 1, writesApplied: 1, inFlight: 0 });
  });

  test('two writes for one domain in flight together are found, others are not', async () => {
    const together = async (...calls: (() => Promise<unknown>)[]) => {
      simulator.addFault({ kind: 'slow', delayMs: HOUR_MS, method: 'POST', times: 'always' });
      const replies = calls.map((call) => call());
      await inFlight(calls.length);
      simulator.clearFaults();
      await Promise.all(replies);
    };
    await together(
      () => attach(),
      () => ask('POST', DOMAINS, { name: 'other.example.com' }),
    );
    expect(simulator.state.overlappingWrites()).toEqual([]);
    expect(simulator.state.overlappingWrites({ by: 'webapp' })).toHaveLength(1);
    await together(
      () => attach(),
      () => attach(),
    );
    expect(findOverlappingWrites(simulator.state.calls)).toHaveLength(1);
    expect(simulator.state.counters.maxInFlight).toBe(2);
  });
});

async function steer(method: string, path: string, body?: unknown) {
  const init = { method, ...(body !== undefined && { body: JSON.stringify(body) }) };
  const response = await fetch(`${simulator.url}/_simulator${path}`, init);
  return { status: response.status, body: JSON.parse(await response.text()) };
}

describe('steering over HTTP', () => {
  test('state, calls, variants, settings, faults, domains, reset', async () => {
    expect((await steer('GET', '')).body.operations).toContain('attach-domain');
    expect((await steer('POST', '/variants', { createStatus: '201' })).body.createStatus).toBe('201');
    expect((await steer('POST', '/settings', { issuanceLagMs: 5 })).body.issuanceLagMs).toBe(5);
    expect((await attach()).status).toBe(201);
    expect((await steer('POST', '/faults', [{ kind: 'status' }, { kind: 'reset' }])).body).toHaveLength(2);
    expect((await ask('GET', '/ping')).status).toBe(500);
    expect((await steer('DELETE', '/faults')).body).toEqual([]);
    expect((await steer('POST', '/domains', { name: 'by-hand.example.com' })).body).toMatchObject({
      id: 4713,
    });
    const [webapp] = (await steer('GET', '/state')).body.webapps;
    expect(webapp.domains).toHaveLength(3);
    expect((await steer('DELETE', '/domains', { name: 'by-hand.example.com' })).status).toBe(200);
    expect((await steer('GET', '/calls?after=1')).body).toMatchObject([{ sequence: 2, operation: 'ping' }]);
    const seed = {
      webapps: [{ id: 700, domainCount: 3, domains: ['one.example.com', { name: 'two.example.com' }] }],
    };
    const fresh = (await steer('POST', '/reset', { seed })).body;
    expect(fresh).toMatchObject({ variants: { createStatus: '200' }, counters: { requests: 0 } });
    expect(fresh.webapps[0].domains).toHaveLength(6);
    expect((await steer('POST', '/reset')).body.webapps[0].id).toBe(646);
  });

  test.each([
    ['/variants', { createStatus: '202' }, 'createStatus'],
    ['/variants', { creatStatus: '201' }, 'creatStatus'],
    ['/settings', { issuanceLagMs: -1 }, 'issuanceLagMs'],
    ['/faults', { kind: 'status', times: 0 }, 'times'],
    ['/faults', 'status', 'body'],
    ['/domains', { webapp: 646 }, 'name'],
    ['/domains', { name: 'a.example.com', webapp: 1 }, 'webapp'],
    ['/reset', { seed: { webapps: [{}, { domains: [{ nam: 'x' }] }] } }, 'webapps.1.domains.0.nam'],
    ['/reset', { sed: {} }, 'sed'],
  ])('POST %s %j is 400 and names the field', async (path, body, field) => {
    expect(await steer('POST', path, body)).toMatchObject({ status: 400, body: { field } });
  });

  test('an unknown lever is 404', async () => {
    expect((await steer('POST', '/explode', {})).status).toBe(404);
  });
});

test('settings and variants given at the start are checked', async () => {
  await expect(createSimulator({ issuanceLagMs: -1 })).rejects.toThrow(/^issuanceLagMs: /);
  await expect(createSimulator({ variants: { redeploy: 'maybe' as 'sync' } })).rejects.toThrow(/^redeploy: /);
});
