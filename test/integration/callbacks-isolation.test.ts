// One receiver's trouble stays its own: it has its own queue, its own places at each worker, and its own circuit.
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { FAILURES } from '../../src/callbacks/circuit.ts';
import { KEEP_TRYING_MS } from '../../src/callbacks/judge.ts';
import { createLookup } from '../../src/callbacks/lookup.ts';
import { send } from '../../src/callbacks/send.ts';
import { createCallbackStage } from '../helpers/callback-stage.ts';
import { startDnsServer } from '../helpers/dns-server.ts';
import { until } from '../helpers/until.ts';
import { createReceiver, SECRET } from '../helpers/webhook-receiver.ts';

const live = { outcome: 'it lives', report: { state: 'live' } } as const;
/** Longer than a test lasts: the first attempts at a sick receiver are never over. */
const PATIENT_MS = 600_000;
const named = (count: number, stem = 'd'): string[] =>
  Array.from({ length: count }, (_, i) => `${stem}${i}.example.org`);

test('a receiver that hangs keeps no other waiting: the good one gets all messages while the first attempts still hang', async () => {
  await using stage = await createCallbackStage();
  await using good = await createReceiver();
  await using first = await createReceiver();
  await using second = await createReceiver();
  for (const sick of [first, second]) sick.answer = () => 'hang';
  await stage.startCallbacks({ urls: [first.url, good.url, second.url], timeoutMs: PATIENT_MS });
  for (const name of named(40)) await stage.becomes(name, live);
  await until(() => good.messages().length === 40, 'the good one got all');
  for (const sick of [first, second]) expect(sick.received.length).toBeLessThanOrEqual(5);
  expect(stage.lines.join()).not.toContain('receiver-timeout');
});

test('receivers whose name servers are silent keep no other waiting', async () => {
  const silent = named(8, 'silent');
  await using dns = await startDnsServer({
    'good.example.org': { A: ['127.0.0.1'] },
    ...Object.fromEntries(silent.map((name) => [name, { A: 'silent', AAAA: 'silent' } as const])),
  });
  await using stage = await createCallbackStage();
  await using good = await createReceiver();
  const lookup = createLookup({ servers: [dns.address], timeoutMs: PATIENT_MS });
  const goodUrl = `http://good.example.org:${good.port}/hooks`;
  const urls = [...silent.map((name) => `http://${name}/`), goodUrl];
  await stage.startCallbacks({ urls, lookup, timeoutMs: PATIENT_MS });
  for (const name of named(10)) await stage.becomes(name, live);
  await until(() => good.messages().length === 10, 'the good one got all');
  // The first attempts elsewhere are not even over.
  expect(stage.lines.filter((line) => line.includes('"callback-retry"'))).toEqual([]);
  expect(dns.questions.filter((question) => question.includes('silent')).length).toBeGreaterThanOrEqual(8);
});

describe('the circuit of a receiver that takes nothing', () => {
  test('leaves all others in their queue, unspent and in order, and they go out when it is back', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    receiver.answer = () => ({ status: 500 });
    await stage.startCallbacks({ urls: [receiver.url], hurry: 2 });
    const names = named(40);
    for (const name of names) await stage.becomes(name, live);
    await until(() => stage.lines.join().includes('"callback-circuit-open"'), 'the circuit is open');
    const listed = async () => (await stage.deliveries(receiver.url).list()).deliveries;
    await until(async () => (await listed()).length === 40, 'all are in their queue');
    // Tried are those that were on their way when it opened, and a few that tested it since.
    expect((await listed()).filter(({ attempts }) => attempts === 0).length).toBeGreaterThanOrEqual(20);
    receiver.answer = () => ({ status: 200 });
    const before = receiver.messages().length;
    await until(async () => (await stage.queues.counts()).completed === 40, 'all are delivered');
    expect(stage.lines.join()).toContain('"callback-circuit-closed"');
    // The first new one out is the oldest of those that waited.
    const probe = receiver.messages()[before]?.payload.data.domain ?? '';
    expect(names.indexOf(probe)).toBeLessThanOrEqual(before + FAILURES);
  });

  test('tests it by one message at a time, however many workers there are', async () => {
    await using stage = await createCallbackStage();
    await using stack = new AsyncDisposableStack();
    let open = 0;
    let isOpenCircuit = false;
    let most = 0;
    let probes = 0;
    const server = createHttpServer((request) => {
      open += 1;
      if (isOpenCircuit) {
        most = Math.max(most, open);
        probes += 1;
      }
      request.socket.on('close', () => {
        open -= 1;
      });
    });
    stack.defer(() => void server.close());
    stack.defer(() => server.closeAllConnections());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    for (let i = 0; i < 3; i += 1) await stage.startCallbacks({ urls: [url], timeoutMs: 200, hurry: 100 });
    for (const name of named(60)) await stage.becomes(name, live);
    await until(() => stage.lines.join().includes('"callback-circuit-open"'), 'the circuit is open');
    await until(() => open === 0, 'what was on its way is over');
    isOpenCircuit = true;
    await until(() => probes >= 3, 'it was tested');
    expect(most).toBe(1);
  });

  test('is not opened by few messages that a receiver never takes: the others go through', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    receiver.answer = ({ payload }) => ({ status: payload.data.domain?.startsWith('bad') ? 500 : 200 });
    await stage.startCallbacks({ urls: [receiver.url] });
    for (const name of named(FAILURES - 1, 'bad')) await stage.becomes(name, live);
    await until(() => receiver.received.length > 3 * FAILURES, 'they were tried again and again');
    expect(stage.lines.join()).not.toContain('callback-circuit-open');
    await stage.becomes('good.example.org', live);
    await stage.delivery(receiver.url, ({ state }) => state === 'delivered');
  });

  test('gives up a message after three days without an attempt, and says why', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    receiver.answer = () => ({ status: 500 });
    await stage.startCallbacks({ urls: [receiver.url], hurry: 50 });
    for (const name of named(FAILURES)) await stage.becomes(name, live);
    await until(() => stage.lines.join().includes('"callback-circuit-open"'), 'the circuit is open');
    const timestamp = Date.now() - KEEP_TRYING_MS;
    for (const name of named(20, 'old')) await stage.plant(receiver.url, name, { timestamp });
    await until(async () => (await stage.queues.counts()).failed === 20, 'all are given up');
    const { deliveries } = await stage.deliveries(receiver.url).list({ failedOnly: true });
    expect(deliveries.filter(({ attempts }) => attempts > 1)).toEqual([]);
    expect(deliveries.map(({ reasonCode }) => reasonCode)).toContain('receiver-circuit-open');
  });
});

describe('a URL that was removed from CALLBACK_URLS', () => {
  test('keeps its deliveries in the list; after three days without a worker they are given up, and at last it is forgotten', async () => {
    await using stage = await createCallbackStage();
    await using kept = await createReceiver();
    await using removed = await createReceiver();
    removed.answer = () => ({ status: 500 });
    const both = await stage.startCallbacks({ urls: [kept.url, removed.url] });
    await stage.becomes('shop.example.org', live);
    await until(() => removed.received.length > 0, 'it was tried');
    await both.close(1_000);
    const deliveries = stage.deliveries(kept.url);
    const stateOf = async () => (await deliveries.list()).deliveries.find(({ url }) => !url)?.state;
    const later = await stage.startCallbacks({ urls: [kept.url] });
    expect(await stateOf()).toBe('pending');
    await later.close(1_000);
    await stage.startCallbacks({ urls: [kept.url], unusedMs: 1, removedEveryMs: 50 });
    await until(async () => (await stateOf()) === 'failed', 'it is given up');
    expect((await deliveries.list({ failedOnly: true })).deliveries).toMatchObject([
      { reasonCode: 'callback-url-removed' },
    ]);
    expect(await stage.queues.known()).toHaveLength(2);
    await stage.queueOf(removed.url).clean(0, 100, 'failed');
    await until(async () => (await stage.queues.known()).length === 1, 'it is forgotten');
    const keys = await stage.redis.keys(`${stage.queueOf(removed.url).toKey('')}*`);
    // These two end by themselves.
    expect(keys.filter((key) => !/:(events|limiter)$/.test(key))).toEqual([]);
  });
});

describe('the deadline of an attempt', () => {
  const late = 'receiver-timeout';
  const replies: [string, string, (socket: Socket) => void][] = [
    ['says nothing', late, () => undefined],
    ['drips its status line', late, (socket) => drip(socket, 'HTTP/1.1 200 OK\r\nX: ')],
    [
      'sends early hints without end',
      'receiver-unreachable',
      (socket) => drip(socket, '', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(9)),
    ],
    ['sends headers without end', late, (socket) => drip(socket, 'HTTP/1.1 200 OK\r\n', 'x: y\r\n')],
  ];
  function drip(socket: Socket, start: string, part = 'x'): void {
    socket.write(start);
    const timer = setInterval(() => socket.write(part), 20);
    socket.on('close', () => clearInterval(timer));
  }

  test.each(replies)('ends one whose receiver %s', async (_, reasonCode, reply) => {
    await using stack = new AsyncDisposableStack();
    const closed: Promise<unknown>[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      closed.push(new Promise((resolve) => socket.once('close', resolve)));
      socket.once('data', () => reply(socket));
    });
    stack.defer(() => void server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    for (const url of [`http://127.0.0.1:${port}/`, `https://127.0.0.1:${port}/`]) {
      const attempt = await send({
        ...{ url, messageId: 'msg_1', body: '{}', secrets: [SECRET], timeoutMs: 300 },
        signal: new AbortController().signal,
      });
      if (url.startsWith('http:')) expect(attempt).toEqual({ reasonCode, error: expect.any(String) });
      else expect(attempt).toHaveProperty('error');
    }
    // No connection outlives its attempt.
    await Promise.all(closed);
  });

  test('ends one whose name never resolves, or whose resolver never calls back', async () => {
    for (const lookup of [
      () => undefined,
      (_: string, __: object, done: () => void) => void setTimeout(done, 5_000).unref(),
    ]) {
      const attempt = await send({
        ...{ url: 'http://silent.example.org/', messageId: 'msg_1', body: '{}', secrets: [SECRET] },
        ...{ timeoutMs: 300, lookup: lookup as never, signal: new AbortController().signal },
      });
      expect(attempt).toMatchObject({ reasonCode: late });
    }
  });
});
