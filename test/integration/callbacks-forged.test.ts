// Who may write into Redis gets nothing signed: only what a worker wrote goes out, as it was written, to where it was meant to go.
import { describe, expect, test } from '@jest/globals';
import type { Queue } from 'bullmq';
import type { Delivery } from '../../src/callbacks/deliveries.ts';
import { parseFailedReason } from '../../src/callbacks/queue.ts';
import { createSeals, toOutboxKeys } from '../../src/domains/outbox.ts';
import { type CallbackStage, createCallbackStage } from '../helpers/callback-stage.ts';
import { until } from '../helpers/until.ts';
import { createReceiver, NEXT_SECRET, type Receiver, SECRET } from '../helpers/webhook-receiver.ts';

const SHOP = 'shop.example.org';
const live = { outcome: 'it lives', report: { state: 'live' } } as const;
const FORGED = 'callback-forged';

interface Scene extends AsyncDisposable {
  readonly stage: CallbackStage;
  readonly receiver: Receiver;
  readonly queue: Queue;
  /** A real delivery, which its receiver has got. */
  readonly delivered: Delivery;
  readonly data: Record<string, unknown>;
  readonly forged: () => number;
}

async function createScene(): Promise<Scene> {
  const releases = new AsyncDisposableStack();
  const receiver = releases.use(await createReceiver());
  const stage = releases.use(await createCallbackStage());
  let forged = 0;
  const onForged = (): void => {
    forged += 1;
  };
  await stage.startCallbacks({ urls: [receiver.url], onForged });
  await stage.becomes(SHOP, live);
  const delivered = await stage.delivery(receiver.url, ({ state }) => state === 'delivered');
  const queue = stage.queueOf(receiver.url);
  const { data } = (await queue.getJob(delivered.id)) ?? {};
  return {
    ...{ stage, receiver, queue, delivered, data, forged: () => forged },
    [Symbol.asyncDispose]: () => releases.disposeAsync(),
  };
}

/** Only the one real message has come, and the delivery has the reason. */
async function expectRefused(
  { stage, receiver, forged }: Scene,
  isIt: (one: Delivery) => boolean,
): Promise<void> {
  const failed = await stage.delivery(receiver.url, (one) => one.state === 'failed' && isIt(one));
  expect(failed).toMatchObject({ reasonCode: FORGED, lastError: expect.any(String) });
  expect(failed.attempts).toBeLessThanOrEqual(1);
  expect(receiver.received).toHaveLength(1);
  expect(receiver.forged).toEqual([]);
  expect(forged()).toBe(1);
  expect(stage.lines.join()).not.toContain('PLANTED');
}

describe('a delivery that was put into the queue', () => {
  const id = 'msg_019ca9f3a00_5f0c0f6f2a3b4c5d';
  const mine = JSON.stringify({ type: 'domain.live', data: { domain: 'PLANTED.example.org' } });
  test.each<[string, (data: Record<string, unknown>) => object]>([
    ['without a seal', ({ seal, ...data }) => ({ ...data, messageId: id, body: mine })],
    ['with the seal of another', (data) => ({ ...data, messageId: id, body: mine })],
    ['with another body under a real id', (data) => ({ ...data, body: mine })],
    ['with a real body under another id', (data) => ({ ...data, messageId: id })],
    ['with a real body for another domain', (data) => ({ ...data, domain: 'other.example.org' })],
    ['with a real body for no domain', ({ domain, ...data }) => data],
    ['with a real body at another time', (data) => ({ ...data, at: 1 })],
    [
      'sealed under a secret of its own',
      (data) => ({ ...data, seal: createSeals([NEXT_SECRET]).seal(['x']) }),
    ],
    ['with a seal that is too long', (data) => ({ ...data, seal: `${data.seal}0` })],
  ])('%s is not sent', async (_, forge) => {
    await using scene = await createScene();
    const jobId = `${scene.delivered.id}_planted`;
    await scene.queue.add('domain.live', forge(scene.data), { jobId });
    await expectRefused(scene, (one) => one.id === jobId);
  });

  test('under another type is not sent', async () => {
    await using scene = await createScene();
    const jobId = `${scene.delivered.id}_planted`;
    await scene.queue.add('domain.removed', scene.data, { jobId });
    await expectRefused(scene, (one) => one.id === jobId);
  });

  test('for another of our URLs is not sent there', async () => {
    await using scene = await createScene();
    await using other = await createReceiver();
    await scene.stage.startCallbacks({ urls: [other.url] });
    const queue = scene.stage.queueOf(other.url);
    const job = await queue.add('domain.live', scene.data, { jobId: 'moved' });
    await until(async () => (await job.getState()) === 'failed', 'it failed');
    const { failedReason = '' } = (await queue.getJob('moved')) ?? {};
    expect(parseFailedReason(failedReason).reasonCode).toBe(FORGED);
    expect(other.received).toEqual([]);
  });
});

test('a delivery that was changed while it waited is not sent', async () => {
  await using stage = await createCallbackStage();
  await using receiver = await createReceiver();
  const isDown = { status: 500 };
  receiver.answer = () => isDown;
  const { close } = await stage.startCallbacks({ urls: [receiver.url] });
  await stage.becomes(SHOP, live);
  await until(() => receiver.received.length > 0, 'it was tried');
  await close(1_000);
  const tried = receiver.received.length;
  const queue = stage.queueOf(receiver.url);
  const { id } = await stage.delivery(receiver.url, ({ state }) => state === 'pending');
  const job = await queue.getJob(id);
  await job?.updateData({ ...job.data, body: job.data.body.replace('it lives', 'PLANTED') });
  await stage.startCallbacks({ urls: [receiver.url] });
  expect(await stage.delivery(receiver.url, ({ state }) => state === 'failed')).toMatchObject({
    ...{ id, reasonCode: FORGED },
  });
  expect(receiver.received).toHaveLength(tried);
});

describe('an entry that was put into the outbox', () => {
  const entry = {
    type: 'domain.live',
    at: Date.now(),
    domain: 'PLANTED.example.org',
    state: 'live',
    reason: 'so',
  };
  test.each([
    ['without a MAC', {}],
    ['with an empty one', { mac: '' }],
    ['with one of its own making', { mac: '0'.repeat(40) }],
  ])('%s becomes a delivery that has failed', async (_, mac) => {
    await using scene = await createScene();
    await scene.stage.redis.xadd(
      scene.stage.keys.outbox,
      '*',
      ...Object.entries({ ...entry, ...mac }).flat(),
    );
    await until(async () => (await scene.stage.queues.counts()).failed === 1, 'it failed');
    const failed = await scene.stage.delivery(scene.receiver.url, ({ state }) => state === 'failed');
    expect(failed.reasonCode).toBe(FORGED);
    expect(scene.receiver.received).toHaveLength(1);
    expect(scene.forged()).toBe(1);
  });

  test.each<[string, (fields: string[]) => string[]]>([
    ['another domain', (fields) => fields.map((text) => (text === SHOP ? 'other.example.org' : text))],
    [
      'a length moved from one field into the next',
      (fields) => fields.map((text) => (text === 'live' ? 'liv' : text)),
    ],
    ['a field more', (fields) => ['code', 'x', ...fields]],
    ['a field after the MAC', (fields) => [...fields, 'reason', 'PLANTED']],
  ])('as a copy of a real one with %s is refused', async (_, change) => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    await stage.becomes(SHOP, live);
    const [[, fields] = ['', []]] = await stage.redis.xrange(stage.keys.outbox, '-', '+');
    expect(createSeals([SECRET]).isGenuine(fields)).toBe(true);
    expect(createSeals([NEXT_SECRET]).isGenuine(fields)).toBe(false);
    await stage.redis.del(stage.keys.outbox);
    await stage.redis.xadd(stage.keys.outbox, '*', ...change(fields));
    await stage.startCallbacks({ urls: [receiver.url] });
    await until(async () => (await stage.queues.counts()).failed === 1, 'it failed');
    expect(receiver.received).toEqual([]);
  });
});

test('Redis has neither a secret nor a key made of it, after messages were written, sent, and given up', async () => {
  await using stage = await createCallbackStage();
  await using receiver = await createReceiver();
  receiver.answer = () => ({ status: receiver.received.length === 1 ? 204 : 410 });
  await stage.startCallbacks({ urls: [receiver.url] });
  for (const name of [SHOP, 'other.example.org']) await stage.becomes(name, live);
  await until(async () => (await stage.queues.counts()).failed === 1, 'one is given up');
  const texts: unknown[] = [];
  for (const key of await stage.redis.keys(`${stage.prefix}:*`)) texts.push(key, await contentOf(stage, key));
  const whole = JSON.stringify(texts);
  expect(whole).toContain('other.example.org');
  const secret = SECRET.replace('whsec_', '');
  const derived = toOutboxKeys([SECRET]).split(/[ .]/);
  for (const hidden of [secret, Buffer.from(secret, 'base64').toString(), ...derived])
    expect(whole).not.toContain(hidden);
});

async function contentOf({ redis }: CallbackStage, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'zset':
      return redis.zrangebyscore(key, '-inf', '+inf');
    case 'set':
      return redis.smembers(key);
    case 'stream':
      return redis.xrange(key, '-', '+');
    default:
      return redis.get(key);
  }
}

describe('what stays as it was', () => {
  test('a real entry that is read twice, and a real delivery that is put back, is the same message again', async () => {
    await using scene = await createScene();
    await scene.queue.add('domain.live', scene.data, { jobId: `${scene.delivered.id}_again` });
    await until(() => scene.receiver.received.length === 2, 'it came again');
    expect(scene.receiver.messages()).toHaveLength(1);
  });

  test('a text of any letters is genuine: lengths are counted in bytes', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    await stage.startCallbacks({ urls: [receiver.url] });
    await stage.becomes(SHOP, { ...live, outcome: 'schön ✓ 𝔘 \u0000 1:x\r\n' });
    await stage.delivery(receiver.url, ({ state }) => state === 'delivered');
  });

  test('while a secret is changed, workers with either one send what the other wrote', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver({ secret: NEXT_SECRET });
    // Written under the old one alone: by the stage. A worker with both sends it, as does, later, one with the new one alone.
    receiver.answer = () => ({ status: 500 });
    const both = await stage.startCallbacks({ urls: [receiver.url], secrets: [NEXT_SECRET, SECRET] });
    await stage.becomes(SHOP, live);
    await until(() => receiver.received.length > 0, 'the one with both has sent it');
    await both.close(1_000);
    receiver.answer = () => ({ status: 200 });
    await stage.startCallbacks({ urls: [receiver.url], secrets: [NEXT_SECRET] });
    await stage.delivery(receiver.url, ({ state }) => state === 'delivered');
  });
});
