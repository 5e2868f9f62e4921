// From a change of a domain's stage to the receiver, in a real Redis: one message per cause, and none is lost.
import { describe, expect, test } from '@jest/globals';
import { credentialsRefused } from '../../src/callbacks/messages.ts';
import { toRecord } from '../../src/probes/dns-records.ts';
import { createRateLimiter } from '../../src/rate-limit/limiter.ts';
import { type CallbackStage, createCallbackStage, keyOf } from '../helpers/callback-stage.ts';
import { inParallel, until } from '../helpers/until.ts';
import { createReceiver, NEXT_SECRET, SECRET } from '../helpers/webhook-receiver.ts';

const SHOP = 'shop.example.org';
const live = { report: { state: 'live' } } as const;
const held = (mustAct: 'customer' | 'runcloud') =>
  ({ request: 'pending', outcome: 'held up', report: { state: 'held', mustAct } }) as const;
const failed = { request: 'failed', code: 'runcloud-rejected', report: { state: 'failed' } } as const;

const covering = (verdict: 'covers' | 'wrong-name') => ({
  at: Date.now(),
  dns: [],
  tls: [{ name: SHOP, verdict, sentence: verdict }],
});
const heldByMonitor = { state: 'held', mustAct: 'runcloud' } as const;

/** Nothing is on its way any more: what has not come by now does not come. */
const quiet = (stage: CallbackStage, url: string): Promise<unknown> =>
  until(async () => {
    const { deliveries } = await stage.deliveries(url).list({ limit: 500 });
    return (await stage.outbox()) === 0 && deliveries.every(({ state }) => state !== 'pending');
  }, 'all is delivered');

describe('a change of a domain’s stage', () => {
  test('is sent with all facts, signed over the bytes that the receiver gets', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    await stage.startCallbacks({ urls: [receiver.url] });
    const jobId = await stage.request(SHOP, 'present', 'site 12');
    await stage.settle(SHOP, jobId, { outcome: 'it lives — “bestens”', ...live });
    const [message] = await until(
      () => (receiver.received.length > 0 ? receiver.received : undefined),
      'it came',
    );
    const { stateAt } = (await stage.store.get(keyOf(SHOP))) ?? {};
    expect(message?.payload).toEqual({
      type: 'domain.live',
      timestamp: new Date(stateAt ?? 0).toISOString(),
      data: {
        domain: SHOP,
        serverId: 1903,
        appId: 646,
        siteId: 'site 12',
        state: 'live',
        reason: 'it lives — “bestens”',
        reasonCode: null,
        mustAct: null,
        code: null,
        since: new Date(stateAt ?? 0).toISOString(),
        dnsRecords: null,
      },
    });
    expect(message?.headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': expect.stringMatching(/^msg_[\da-f]{11}_[\da-f]{16}$/),
      'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
    });
  });

  test('to each of live, held, failed and removed is one message, and to any other stage none', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    await stage.startCallbacks({ urls: [receiver.url] });
    const waits = { request: 'pending', report: { state: 'waiting-for-dns' } } as const;
    await stage.settle(SHOP, await stage.becomes(SHOP, waits), held('customer'));
    await stage.becomes('live.example.org', live);
    await stage.becomes('failed.example.org', failed);
    await stage.settle('gone.example.org', await stage.request('gone.example.org', 'absent'), {
      report: { state: 'removed' },
    });
    await stage.becomes('attached.example.org', { report: { state: 'attached' } });
    await until(() => receiver.messages().length === 4, 'all four came');
    await quiet(stage, receiver.url);
    const received = receiver.received.map(({ payload: { type, data } }) => [
      type,
      data.domain,
      data.mustAct,
      data.code,
    ]);
    expect(received.sort()).toEqual([
      ['domain.failed', 'failed.example.org', null, 'runcloud-rejected'],
      ['domain.held', SHOP, 'customer', null],
      ['domain.live', 'live.example.org', null, null],
      ['domain.removed', 'gone.example.org', null, null],
    ]);
  });

  test('that many runs and many workers speak of at once is one message', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    for (let i = 0; i < 4; i += 1) await stage.startCallbacks({ urls: [receiver.url], everyMs: 1 });
    const domains = Array.from({ length: 20 }, (_, i) => `d${i}.example.org`);
    const jobs = new Map(
      await inParallel(domains, 5, async (each) => [each, await stage.request(each)] as const),
    );
    const runs = [...domains, ...domains, ...domains, ...domains];
    await inParallel(runs, 20, (each) => stage.settle(each, jobs.get(each) ?? '', live));
    await until(() => receiver.messages().length === 20, 'all came');
    await quiet(stage, receiver.url);
    expect(receiver.received).toHaveLength(20);
  });

  test('goes to each URL, and a receiver that refuses does not hold up the other', async () => {
    await using stage = await createCallbackStage();
    await using one = await createReceiver();
    await using other = await createReceiver();
    one.answer = () => ({ status: 500 });
    await stage.startCallbacks({ urls: [one.url, `${other.url}?key=hidden`], hurry: 1 });
    await stage.becomes(SHOP, live);
    await until(() => one.received.length === 1 && other.received.length === 1, 'both got it');
    expect(one.received[0]?.id).toBe(other.received[0]?.id);
    expect(other.received[0]?.path).toBe('/hooks?key=hidden');
    expect(
      JSON.stringify((await stage.deliveries(`${other.url}?key=hidden`).list()).deliveries),
    ).not.toContain('hidden');
    expect(stage.lines.join()).not.toContain('hidden');
  });

  test('leaves no trace without callbacks', async () => {
    await using stage = await createCallbackStage({ hasCallbacks: false });
    await stage.becomes(SHOP, live);
    expect(await stage.redis.exists(stage.keys.outbox)).toBe(0);
  });
});

describe('a domain whose DNS is wrong', () => {
  const record = toRecord(SHOP, 'A', '203.0.113.7');
  const changes = { set: [record], remove: [], unsure: [] };
  const finding = {
    name: SHOP,
    verdict: 'missing',
    sentence: 'it is missing',
    expected: [],
    changes,
  } as const;
  const evidence = { at: 1, dns: [finding], tls: [] };
  const waits = (mustAct?: 'customer') =>
    ({ request: 'pending', report: { state: 'waiting-for-dns', evidence, mustAct } }) as const;

  test('is sent at the first check, with the records to set, and not again while it waits', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    await stage.startCallbacks({ urls: [receiver.url] });
    const jobId = await stage.becomes(SHOP, waits('customer'));
    await stage.settle(SHOP, jobId, waits('customer'));
    await stage.settle(SHOP, jobId, waits());
    await stage.settle(SHOP, jobId, waits('customer'));
    await stage.settle(SHOP, jobId, { ...waits(), report: { state: 'held', mustAct: 'customer' } });
    await until(() => receiver.messages().length === 2, 'both came');
    await quiet(stage, receiver.url);
    const received = receiver.received.map(({ payload: { type, data } }) => [
      type,
      data.mustAct,
      data.dnsRecords,
    ]);
    expect(received.sort()).toEqual([
      ['domain.held', 'customer', changes],
      ['domain.waiting', 'customer', changes],
    ]);
  });

  test('is not sent while DNS could not be queried', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    await stage.startCallbacks({ urls: [receiver.url] });
    await stage.settle(SHOP, await stage.becomes(SHOP, waits()), live);
    await until(() => receiver.messages().length === 1, 'it came');
    expect(receiver.received.map(({ payload }) => payload.type)).toEqual(['domain.live']);
  });

  test('is sent again after a new request, and when it waits again after it was attached', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    await stage.startCallbacks({ urls: [receiver.url] });
    await stage.settle(SHOP, await stage.becomes(SHOP, waits('customer')), live);
    const jobId = await stage.becomes(SHOP, waits('customer'));
    const count = (): number => receiver.types().filter((type) => type === 'domain.waiting').length;
    await until(() => count() === 2, 'it came again');
    await stage.settle(SHOP, jobId, { request: 'pending', report: { state: 'attaching' } });
    await stage.settle(SHOP, jobId, waits('customer'));
    await until(() => count() === 3, 'it came once more');
  });

  test('has no records once its removal is requested', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    await stage.startCallbacks({ urls: [receiver.url] });
    await stage.settle(SHOP, await stage.becomes(SHOP, waits()), live);
    await stage.settle(SHOP, await stage.request(SHOP, 'absent'), { report: { state: 'removed' } });
    await until(() => receiver.messages().length === 2, 'both came');
    const received = receiver.received.map(({ payload: { type, data } }) => [type, data.dnsRecords]);
    expect(received.sort()).toEqual([
      ['domain.live', changes],
      ['domain.removed', null],
    ]);
  });
});

describe('one message per cause', () => {
  const receivedAfter = async (
    steps: (stage: CallbackStage, jobId: string) => Promise<void>,
  ): Promise<string[]> => {
    await using stage = await createCallbackStage();
    await steps(stage, await stage.request(SHOP));
    const entries = await stage.redis.xrange(stage.keys.outbox, '-', '+');
    return entries.map(([, fields]) => fields[1] ?? '');
  };

  test('held again after another check is sent once; held for somebody else is another cause', async () => {
    const received = await receivedAfter(async (stage, jobId) => {
      for (const who of ['customer', 'customer', 'runcloud'] as const) {
        await stage.settle(SHOP, jobId, held(who));
        await stage.settle(SHOP, jobId, { request: 'pending', report: { state: 'waiting-for-certificate' } });
      }
    });
    expect(received).toEqual(['domain.held', 'domain.held']);
  });

  test('what the reconcile loop repeats and what ends as before is not sent again', async () => {
    const received = await receivedAfter(async (stage, jobId) => {
      await stage.settle(SHOP, jobId, failed);
      for (let i = 0; i < 3; i += 1) {
        const record = await stage.store.get(keyOf(SHOP));
        if (!record) throw new Error('it vanished');
        const again = await stage.store.request(record, { generation: record.generation, by: 'reconcile' });
        await stage.settle(SHOP, again.jobId, failed);
      }
    });
    expect(received).toEqual(['domain.failed']);
  });

  test('a repeated request sends again', async () => {
    const received = await receivedAfter(async (stage, jobId) => {
      await stage.settle(SHOP, jobId, live);
      await stage.becomes(SHOP, live);
      await stage.becomes(SHOP, failed);
      await stage.becomes(SHOP, failed);
    });
    expect(received).toEqual(['domain.live', 'domain.live', 'domain.failed', 'domain.failed']);
  });

  test('a domain that was held, then attached, then held again is sent again', async () => {
    const received = await receivedAfter(async (stage, jobId) => {
      await stage.settle(SHOP, jobId, held('customer'));
      await stage.store.beginWrite(keyOf(SHOP), jobId, { holder: 'run', leaseMs: 1_000, kind: 'attach' });
      await stage.settle(SHOP, jobId, held('customer'));
    });
    expect(received).toEqual(['domain.held', 'domain.held']);
  });

  test('a certificate that ends is certificate.expiring, once, and held only when it no longer covers', async () => {
    const received = await receivedAfter(async (stage, jobId) => {
      const monitor = (verdict: 'covers' | 'wrong-name', stands: object, isExpiring?: true) =>
        stage.store.noteMonitored(keyOf(SHOP), jobId, {
          sentence: 'checked',
          report: { ...stands, evidence: covering(verdict) },
          ...(isExpiring && { isExpiring }),
        });
      await stage.settle(SHOP, jobId, live);
      await monitor('covers', heldByMonitor, true);
      await monitor('covers', heldByMonitor, true);
      await monitor('wrong-name', heldByMonitor);
      await monitor('wrong-name', heldByMonitor);
      await monitor('covers', { state: 'live' });
      await monitor('covers', { state: 'live' });
    });
    expect(received).toEqual(['domain.live', 'certificate.expiring', 'domain.held', 'domain.live']);
  });
});

describe('what is wrong with all workers', () => {
  const tripped = async (
    stage: CallbackStage,
    result: 'credentials' | 'outage' | 'ok',
    times = 1,
  ): Promise<void> => {
    const limiter = createRateLimiter({
      redis: stage.redis,
      key: stage.keys.own('rate-limit'),
      ratePerMinute: 6_000,
      defaultThrottleMs: 1_000,
    });
    for (let i = 0; i < times; i += 1)
      await limiter.report({
        result,
        fingerprint: 'f',
        why: result === 'credentials' ? 'RunCloud said no' : undefined,
      });
  };

  test('is sent once per episode, by any number of workers, and again in the next episode', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    for (let i = 0; i < 4; i += 1)
      await stage.startCallbacks({ urls: [receiver.url], everyMs: 2, quietMs: 10 });
    await tripped(stage, 'credentials', 3);
    await until(() => receiver.types().length === 1, 'the refusal arrived');
    await tripped(stage, 'ok');
    const over = () => stage.redis.exists(stage.keys.own('callback-episodes')).then((is) => is === 0);
    await until(over, 'the episode is over');
    await tripped(stage, 'outage', 9);
    await until(() => receiver.types().length === 2, 'the outage arrived');
    await tripped(stage, 'ok');
    await until(over, 'the episode is over');
    await tripped(stage, 'credentials');
    await until(() => receiver.types().length === 3, 'the next refusal arrived');
    await quiet(stage, receiver.url);
    expect(receiver.types()).toEqual(['worker.auth_refused', 'worker.auth_refused', 'worker.degraded']);
    expect(receiver.received.map(({ payload }) => payload.data)).toContainEqual({
      domain: null,
      serverId: null,
      appId: null,
      siteId: null,
      dnsRecords: null,
      state: 'refused',
      reason: `RunCloud said no${credentialsRefused}`,
      reasonCode: 'runcloud-unauthorized',
      mustAct: 'operator',
      code: 'runcloud-unauthorized',
      since: expect.any(String),
    });
  });

  test('and flaps is one episode until all has been well for a while', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    await stage.startCallbacks({ urls: [receiver.url], everyMs: 5 });
    const has = (field: string) => stage.redis.hexists(stage.keys.own('callback-episodes'), field);
    const well = () => has('worker.degraded:well');
    for (let i = 0; i < 3; i += 1) {
      await tripped(stage, 'outage', 5);
      await until(async () => (await has('worker.degraded')) && !(await well()), 'the episode has begun');
      await tripped(stage, 'ok');
      await until(well, 'RunCloud answers again');
    }
    await quiet(stage, receiver.url);
    expect(receiver.types()).toEqual(['worker.degraded']);
  });
});

describe('what must not get out, or get lost', () => {
  test('a huge reason is cut, whole characters only, and the payload stays below 20 kB', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    await stage.startCallbacks({ urls: [receiver.url] });
    for (const [i, text] of ['\u0001', 'ü', '😀', 'x😀'].entries())
      await stage.becomes(`d${i}.example.org`, { outcome: text.repeat(50_000), ...live });
    await until(() => receiver.messages().length === 4, 'all came');
    for (const { raw, payload } of receiver.received) {
      expect(Buffer.byteLength(raw)).toBeLessThan(20_000);
      expect(payload.data.reason).toMatch(/…$/);
      expect(payload.data.reason.isWellFormed()).toBe(true);
    }
    expect(receiver.forged).toEqual([]);
  });

  test('a secret in a reason is taken out', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    await stage.startCallbacks({
      urls: [receiver.url],
      scrub: (text) => text.replaceAll('hush-hush', '***'),
    });
    await stage.becomes(SHOP, { outcome: 'RunCloud said: token hush-hush', ...failed });
    const [message] = await until(
      () => (receiver.received.length > 0 ? receiver.received : undefined),
      'it came',
    );
    expect(message?.payload.data.reason).toBe('RunCloud said: token ***');
    expect(message?.raw).not.toContain('whsec_');
  });

  test('what was written while no worker ran is sent when one starts', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    await stage.becomes(SHOP, live);
    expect(await stage.outbox()).toBe(1);
    await stage.startCallbacks({ urls: [receiver.url] });
    await until(() => receiver.messages().length === 1, 'it came');
  });

  test('an entry that was dispatched by a worker that died before it dropped it is the same message', async () => {
    await using stage = await createCallbackStage();
    await using receiver = await createReceiver();
    await stage.becomes(SHOP, live);
    const [entry] = await stage.redis.xrange(stage.keys.outbox, '-', '+');
    await stage.startCallbacks({ urls: [receiver.url] });
    await until(() => receiver.received.length === 1, 'it came');
    await quiet(stage, receiver.url);
    await stage.redis.xadd(stage.keys.outbox, '*', ...(entry?.[1] ?? []));
    await quiet(stage, receiver.url);
    expect(receiver.received).toHaveLength(1);
  });

  test('both secrets sign, so that a receiver may know the old one or the new one', async () => {
    await using stage = await createCallbackStage();
    await using old = await createReceiver({ secret: SECRET });
    await using renewed = await createReceiver({ secret: NEXT_SECRET });
    await stage.startCallbacks({ urls: [old.url, renewed.url], secrets: [NEXT_SECRET, SECRET] });
    await stage.becomes(SHOP, live);
    await until(() => old.received.length === 1 && renewed.received.length === 1, 'both verified it');
    expect(String(old.received[0]?.headers['webhook-signature']).split(' ')).toHaveLength(2);
    expect([...old.forged, ...renewed.forged]).toEqual([]);
  });
});
