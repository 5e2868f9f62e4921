// The whole: workers, the simulator of RunCloud, and a receiver.
import { describe, expect, test } from '@jest/globals';
import { createHttpsStage, type HttpsStage } from '../helpers/https-stage.ts';
import { until } from '../helpers/until.ts';
import { createReceiver, type Receiver, SECRET } from '../helpers/webhook-receiver.ts';
import { createStage } from '../helpers/worker.ts';

const SHOP = 'shop.example.com';

const envOf = ({ url }: Receiver) => ({ CALLBACK_URLS: url, CALLBACK_SECRETS: SECRET });

const add = ({ producer }: HttpsStage, domain: string) =>
  producer.requests.enqueue('add-domain', { domain, www: false, siteId: 7 });

/** All of the outbox is delivered. */
const delivered = ({ producer, redis }: HttpsStage): Promise<unknown> =>
  until(async () => {
    const { waiting, active, delayed } = await producer.deliveries.counts();
    const left = await redis.xlen(producer.requests.keyOf('outbox'));
    return left + waiting + active + delayed === 0;
  }, 'all is delivered');

describe('the outside', () => {
  test('gets one message when a domain is live, held, or removed, with any number of workers', async () => {
    await using receiver = await createReceiver();
    await using stage = await createHttpsStage({
      workers: 2,
      // It is held at the first check, without a message that it waits.
      env: { ...envOf(receiver), DNS_DEADLINE: '1ms' },
    });
    stage.point(SHOP);
    await add(stage, SHOP);
    await add(stage, 'late.example.com');
    await stage.stands(SHOP, 'live');
    await stage.stands('late.example.com', 'held');
    await stage.producer.requests.enqueue('remove-domain', { domain: SHOP });
    await stage.stands(SHOP, 'removed');
    await until(() => receiver.messages().length === 3, 'all three came');
    await delivered(stage);
    expect(receiver.types()).toEqual(['domain.held', 'domain.live', 'domain.removed']);
    expect(receiver.received).toHaveLength(3);
    const { payload } = receiver.received.find((one) => one.payload.type === 'domain.held') ?? {};
    expect(payload?.data).toMatchObject({ domain: 'late.example.com', siteId: '7', mustAct: 'customer' });
    expect(receiver.received.map(({ raw }) => raw).join()).not.toContain(stage.simulator.credentials.token);
  });

  test('gets one message when the credentials are refused, while many jobs wait', async () => {
    await using receiver = await createReceiver();
    await using stage = await createStage({ workers: 0, env: envOf(receiver) });
    for (let i = 0; i < 10; i += 1)
      await stage.producer.requests.enqueue('add-domain', { domain: `d${i}.example.org` });
    stage.simulator.credentials.token = 'another0token0for0the0workspace0';
    await stage.startWorker();
    await stage.startWorker();
    await until(() => receiver.messages().length === 1, 'the refusal arrived');
    expect(receiver.types()).toEqual(['worker.auth_refused']);
    const { data } = receiver.received[0]?.payload ?? {};
    expect(data).toMatchObject({ domain: null, mustAct: 'operator', code: 'runcloud-unauthorized' });
    expect(JSON.stringify(data)).not.toContain(
      stage.config.runcloud.credentials?.kind === 'token'
        ? stage.config.runcloud.credentials.token
        : 'whsec_',
    );
  });

  test('gets one message when RunCloud is down', async () => {
    await using receiver = await createReceiver();
    await using stage = await createStage({ workers: 0, env: envOf(receiver) });
    stage.simulator.addFault({ kind: 'status', status: 503, times: 'always' });
    for (let i = 0; i < 10; i += 1)
      await stage.producer.requests.enqueue('add-domain', { domain: `d${i}.example.org` });
    await stage.startWorker();
    await until(() => receiver.messages().length === 1, 'the outage arrived');
    expect(receiver.types()).toEqual(['worker.degraded']);
  });

  test('without CALLBACK_URLS nothing is written for it', async () => {
    await using stage = await createHttpsStage();
    stage.point(SHOP);
    await add(stage, SHOP);
    await stage.stands(SHOP, 'live');
    const keys = await stage.redis.keys(`${stage.config.queuePrefix}:*`);
    expect(keys.filter((key) => /outbox|callback/.test(key))).toEqual([]);
  });
});
