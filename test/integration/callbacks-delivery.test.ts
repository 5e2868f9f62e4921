// Receivers as they are: down, slow, gone, elsewhere, too busy. And what an operator sees and does about it.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Audit, AuditRecord } from '../../src/audit/audit.ts';
import { answered } from '../../src/callbacks/messages.ts';
import { parseFailedReason } from '../../src/callbacks/queue.ts';
import { replayDeliveries, showDeliveries } from '../../src/cli/commands/callbacks.ts';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { noDeliveries } from '../../src/cli/messages.ts';
import { createCallbackStage } from '../helpers/callback-stage.ts';
import { until } from '../helpers/until.ts';
import { createReceiver } from '../helpers/webhook-receiver.ts';

const SHOP = 'shop.example.org';
const live = { outcome: 'it lives', report: { state: 'live' } } as const;

describe('a receiver', () => {
  test('that is down gets the message when it is back, under the same id', async () => {
    await using stage = await createCallbackStage();
    const { port, url, ...gone } = await createReceiver();
    await gone[Symbol.asyncDispose]();
    await stage.startCallbacks({ urls: [url] });
    await stage.becomes(SHOP, live);
    const { id, ...tried } = await stage.delivery(url, ({ attempts }) => attempts > 1);
    expect(tried).toMatchObject({
      reasonCode: 'receiver-unreachable',
      lastError: expect.stringContaining('ECONNREFUSED'),
    });
    await using back = await createReceiver({ port });
    await until(() => back.received.length === 1, 'it came');
    expect(await stage.delivery(url, ({ state }) => state === 'delivered')).toMatchObject({
      id,
      lastError: undefined,
      reasonCode: undefined,
    });
    expect(id).toContain(back.received[0]?.id);
  });

  test('that fails at first gets the same message again, byte for byte, newly signed', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    receiver.answer = () => ({ status: receiver.received.length < 3 ? 500 : 200 });
    await stage.startCallbacks({ urls: [receiver.url] });
    await stage.becomes(SHOP, live);
    await until(() => receiver.received.length === 3, 'three attempts');
    expect(new Set(receiver.received.map(({ id, raw }) => `${id} ${raw}`)).size).toBe(1);
    expect(receiver.forged).toEqual([]);
  });

  test('that answers 410 gets no further attempt, and the delivery has the reason', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    receiver.answer = () => ({ status: 410 });
    await stage.startCallbacks({ urls: [receiver.url] });
    await stage.becomes(SHOP, live);
    expect(await stage.delivery(receiver.url, ({ state }) => state === 'failed')).toMatchObject({
      attempts: 1,
      reasonCode: 'receiver-gone',
    });
    expect(stage.lines.join()).toContain('"reasonCode":"receiver-gone"');
    expect(receiver.received).toHaveLength(1);
  });

  test('that sends Retry-After (429, 503) gets no attempt before', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    const answers = [
      { status: 503, headers: { 'retry-after': '3600' } },
      { status: 429, headers: { 'retry-after': '999999999' } },
    ];
    receiver.answer = () => answers[receiver.received.length - 1] ?? 'hang';
    await stage.startCallbacks({ urls: [receiver.url], hurry: 1 });
    await stage.becomes(SHOP, live);
    await until(() => receiver.received.length === 1, 'the first attempt');
    const first = await stage.delivery(receiver.url, ({ lastError }) => lastError === answered(503));
    const hourMs = 3_600_000;
    expect(Math.round((await stage.dueIn(first.id)) / hourMs)).toBe(1);
    await stage.becomes('other.example.org', live);
    const second = await stage.delivery(receiver.url, ({ lastError }) => lastError === answered(429));
    expect(Math.round((await stage.dueIn(second.id)) / hourMs)).toBe(12);
  });

  test('that redirects is not followed, and the delivery has the reason', async () => {
    await using stage = await createCallbackStage();
    await using elsewhere = await createReceiver();
    await using receiver = await createReceiver();
    receiver.answer = () => ({ status: 307, headers: { location: elsewhere.url } });
    await stage.startCallbacks({ urls: [receiver.url] });
    await stage.becomes(SHOP, live);
    const { reasonCode } = await stage.delivery(receiver.url, ({ attempts }) => attempts > 1);
    expect(reasonCode).toBe('receiver-redirects');
    expect(elsewhere.received).toEqual([]);
  });

  test('that never answers is given up for this time', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    receiver.answer = () => (receiver.received.length === 1 ? 'hang' : { status: 200 });
    await stage.startCallbacks({ urls: [receiver.url], timeoutMs: 1_000 });
    await stage.becomes(SHOP, live);
    await stage.delivery(receiver.url, ({ state }) => state === 'delivered');
    expect(receiver.received).toHaveLength(2);
    expect(stage.lines.join()).toContain('"reasonCode":"receiver-timeout"');
  });

  test.each([
    ['without end', { headers: { 'transfer-encoding': 'chunked' }, after: 'hang' }],
    ['with less than it announced', { headers: { 'content-length': '999999999' } }],
    ['and breaks off', { headers: { 'content-length': '100' }, after: 'reset' }],
  ] as const)('that answers %s has answered: its status counts', async (_, how) => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    receiver.answer = ({ payload }) => ({ status: payload.data.domain === SHOP ? 200 : 410, ...how });
    await stage.startCallbacks({ urls: [receiver.url] });
    await stage.becomes(SHOP, live);
    await stage.becomes('gone.example.org', live);
    await stage.delivery(receiver.url, ({ state }) => state === 'delivered');
    await stage.delivery(receiver.url, ({ state }) => state === 'failed');
    expect(receiver.received).toHaveLength(2);
  });
});

test('a receiver that answers with another protocol (101) keeps no other waiting', async () => {
  await using stage = await createCallbackStage();
  await using receiver = await createReceiver();
  await using stack = new AsyncDisposableStack();
  const odd = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
    );
  });
  stack.defer(() => void odd.close());
  await once(odd.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(odd.address() as AddressInfo).port}/`;
  await stage.startCallbacks({ urls: [url, receiver.url], timeoutMs: 1_000 });
  const names = Array.from({ length: 8 }, (_, i) => `d${i}.example.org`);
  for (const name of names) await stage.becomes(name, live);
  await until(() => receiver.messages().length === names.length, 'the other one got all');
  expect(await stage.delivery(url, (one) => one.url === url && one.attempts > 0)).toMatchObject({
    state: 'pending',
    reasonCode: 'receiver-error',
    lastError: answered(101),
  });
});

describe('a worker that stops', () => {
  test('does not wait for a receiver, and the message is sent again by the next one', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    receiver.answer = () => (receiver.received.length === 1 ? 'hang' : { status: 200 });
    const callbacks = await stage.startCallbacks({ urls: [receiver.url] });
    await stage.becomes(SHOP, live);
    await until(() => receiver.received.length === 1, 'it is being sent');
    await callbacks.close(400);
    expect((await stage.deliveries(receiver.url).list()).deliveries).toMatchObject([
      { state: 'pending', reasonCode: 'worker-stopping' },
    ]);
    await stage.startCallbacks({ urls: [receiver.url] });
    await stage.delivery(receiver.url, ({ state }) => state === 'delivered');
    expect(receiver.messages()).toHaveLength(1);
  });
});

describe('a delivery to a URL that no worker knows any more', () => {
  test('waits for one that does, and is in the list meanwhile', async () => {
    await using stage = await createCallbackStage();
    await using known = await createReceiver();
    await using added = await createReceiver();
    added.answer = () => ({ status: 500 });
    const newer = await stage.startCallbacks({ urls: [added.url] });
    await stage.becomes(SHOP, live);
    await until(() => added.received.length > 0, 'it was tried');
    await newer.close(400);
    const tried = added.received.length;
    const older = await stage.startCallbacks({ urls: [known.url] });
    await stage.becomes('other.example.org', live);
    await until(() => known.received.length === 1, 'the other one goes on');
    const { id, attempts } = await stage.delivery(known.url, ({ domain }) => domain === SHOP);
    expect(await stage.delivery(known.url, (one) => one.id === id)).toMatchObject({
      ...{ state: 'pending', url: undefined, attempts },
    });
    expect(await stage.deliveries(known.url).replay(id)).toMatchObject({ kind: 'refused', why: 'pending' });
    await older.close(400);
    expect(added.received).toHaveLength(tried);
    added.answer = () => ({ status: 200 });
    await stage.startCallbacks({ urls: [added.url] });
    await stage.delivery(added.url, ({ state, url }) => state === 'delivered' && url === added.url);
    expect(known.received).toHaveLength(1);
  });

  test('cannot be replayed', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    await stage.startCallbacks({ urls: [receiver.url] });
    await stage.becomes(SHOP, live);
    const { id } = await stage.delivery(receiver.url, ({ state }) => state === 'delivered');
    const elsewhere = stage.deliveries('https://other.example.org/');
    expect(await elsewhere.replay(id)).toMatchObject({ kind: 'refused', why: 'unconfigured' });
    expect((await elsewhere.list()).deliveries).toMatchObject([{ id, url: undefined }]);
  });
});

describe('a job that somebody else put into the queue', () => {
  test.each([
    ['nothing', null],
    ['an address of its own', { url: 'http://127.0.0.1:1/', messageId: 'msg_1', body: '{}', at: 1 }],
    ['an id that forges headers', { messageId: 'msg_1\r\nx: y', target: 'a', body: '{}', at: 1 }],
    ['a time that no date can show', { messageId: 'msg_1', target: 'a', body: '{}', at: 1e300 }],
  ])('with %s is no delivery: it fails, and is neither listed nor replayed', async (_, data) => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    await stage.startCallbacks({ urls: [receiver.url] });
    const queue = stage.queueOf(receiver.url);
    // One is listed by its id alone.
    const listed = `msg_019ca9f3a00_5f0c0f6f2a3b4c5d_${queue.name.slice(-10)}`;
    await queue.add('domain.\u202elive', data, { jobId: listed });
    const job = await queue.add('domain.live', data, { jobId: 'foreign', attempts: 5 });
    await until(async () => (await job.getState()) === 'failed', 'it failed');
    const { failedReason = '' } = (await queue.getJob('foreign')) ?? {};
    expect(parseFailedReason(failedReason).reasonCode).toBe('callback-unreadable');
    const deliveries = stage.deliveries(receiver.url);
    expect(await deliveries.replay('foreign')).toMatchObject({ kind: 'refused', why: 'unknown' });
    expect((await deliveries.list()).deliveries).toEqual([]);
    expect(receiver.received).toEqual([]);
  });
});

describe('the list and the replay', () => {
  let entries: AuditRecord[];
  const audit: Audit = {
    record: async (entry) => void entries.push(entry),
    list: async () => [],
  };
  beforeEach(() => {
    entries = [];
  });
  const createTerminal = () => {
    const out: string[] = [];
    const err: string[] = [];
    return {
      out,
      err,
      terminal: {
        out: (line: string) => void out.push(line),
        err: (line: string) => void err.push(line),
        now: Date.now,
      },
    };
  };

  test('the list has the newest first, page by page, or the failed ones only', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    receiver.answer = ({ payload }) => ({ status: payload.data.domain?.startsWith('bad') ? 410 : 200 });
    await stage.startCallbacks({ urls: [receiver.url] });
    const names = ['a', 'bad1', 'c', 'bad2', 'e'].map((name) => `${name}.example.org`);
    for (const name of names) {
      await stage.becomes(name, live);
      await until(() => receiver.received.at(-1)?.payload.data.domain === name, `${name} came`);
    }
    const deliveries = stage.deliveries(receiver.url);
    await until(
      async () => (await deliveries.list()).deliveries.every(({ state }) => state !== 'pending'),
      'all ended',
    );
    const found: (string | undefined)[] = [];
    let cursor: string | undefined;
    do {
      const page = await deliveries.list({ limit: 2, cursor });
      found.push(...page.deliveries.map(({ domain }) => domain));
      cursor = page.next;
    } while (cursor);
    expect(found).toEqual([...names].reverse());
    const { deliveries: failed } = await deliveries.list({ failedOnly: true });
    expect(failed.map(({ domain }) => domain)).toEqual(['bad2.example.org', 'bad1.example.org']);
    expect(failed[0]).toMatchObject({ type: 'domain.live', url: receiver.url, state: 'failed', attempts: 1 });
    expect(await deliveries.counts()).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 2, completed: 3 });
  });

  test('a replay is a new delivery of the same message', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    await stage.startCallbacks({ urls: [receiver.url] });
    await stage.becomes(SHOP, live);
    const delivered = await stage.delivery(receiver.url, ({ state }) => state === 'delivered');
    const { out, terminal } = createTerminal();
    const app = { deliveries: stage.deliveries(receiver.url), audit };
    expect(await replayDeliveries([delivered.id], {}, app, terminal)).toBe(exitCodes.ok);
    expect(out).toEqual([expect.stringContaining(`${delivered.id}_`)]);
    await until(() => receiver.received.length === 2, 'it came again');
    expect(receiver.messages()).toHaveLength(1);
    expect(entries).toMatchObject([{ what: 'replay', domains: [SHOP] }]);
    expect((await app.deliveries.list()).deliveries).toHaveLength(2);
  });

  test('all failed ones can be replayed at once, and then count as failed no longer', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    receiver.answer = () => ({ status: 410 });
    await stage.startCallbacks({ urls: [receiver.url] });
    await stage.becomes(SHOP, live);
    await stage.becomes('other.example.org', live);
    const app = { deliveries: stage.deliveries(receiver.url), audit };
    await until(async () => (await app.deliveries.counts()).failed === 2, 'both failed');
    receiver.answer = () => ({ status: 200 });
    const { out, terminal } = createTerminal();
    const all = () => replayDeliveries([], { failed: true }, app, terminal);
    expect(await Promise.all([all(), all()])).toContain(exitCodes.ok);
    await until(() => receiver.received.length === 4, 'both came again');
    expect(receiver.messages()).toHaveLength(2);
    expect(out.length).toBeGreaterThanOrEqual(2);
    expect(entries[0]).toMatchObject({ what: 'replay', detail: '2 failed' });
    await until(
      async () => (await app.deliveries.list({ failedOnly: true })).deliveries.length === 0,
      'none failed',
    );
    expect(receiver.received).toHaveLength(4);
  });

  test('what is on its way, or unknown, is refused', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    receiver.answer = () => ({ status: 500 });
    await stage.startCallbacks({ urls: [receiver.url], hurry: 1 });
    await stage.becomes(SHOP, live);
    const { id } = await stage.delivery(receiver.url, ({ attempts }) => attempts === 1);
    const { err, terminal } = createTerminal();
    const app = { deliveries: stage.deliveries(receiver.url), audit };
    expect(await replayDeliveries([id, 'msg_1_2_3'], {}, app, terminal)).toBe(exitCodes.failed);
    expect(err).toEqual([expect.stringContaining(id), expect.stringContaining('msg_1_2_3')]);
    for (const [refused, why] of [
      [id, 'pending'],
      ['msg_1_2_3', 'unknown'],
    ] as const)
      expect(await app.deliveries.replay(refused)).toMatchObject({ kind: 'refused', why });
    expect(await replayDeliveries([], {}, app, terminal)).toBe(exitCodes.usage);
  });

  test('the command shows a table or JSON', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    await stage.startCallbacks({ urls: [receiver.url] });
    const app = { deliveries: stage.deliveries(receiver.url), audit };
    const empty = createTerminal();
    expect(await showDeliveries(app, {}, empty.terminal)).toBe(exitCodes.ok);
    expect(empty.out).toEqual([noDeliveries(false)]);
    await stage.becomes(SHOP, live);
    const { id, at } = await stage.delivery(receiver.url, ({ state }) => state === 'delivered');
    const { out, err, terminal } = createTerminal();
    await showDeliveries(app, {}, terminal);
    expect(out[0]).toMatch(/^DELIVERY +TYPE +DOMAIN/);
    expect(out[1]).toMatch(new RegExp(`^${id} +domain.live +${SHOP} .* delivered +1 +${receiver.url}$`));
    out.length = 0;
    await showDeliveries(app, { json: true }, terminal);
    expect(JSON.parse(out.join('\n'))).toMatchObject({
      deliveries: [
        {
          id,
          domain: SHOP,
          state: 'delivered',
          lastError: null,
          reasonCode: null,
          at: new Date(at).toISOString(),
        },
      ],
      nextCursor: null,
    });
    expect(await showDeliveries(app, { limit: 'many' }, terminal)).toBe(exitCodes.usage);
    expect(err).toHaveLength(1);
  });
});
