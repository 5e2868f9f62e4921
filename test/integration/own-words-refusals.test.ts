// A refusal of RunCloud's names another customer: what we make of it, waiting or done, does not.
import { expect, test } from '@jest/globals';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { QUEUE_NAME } from '../../src/jobs/catalog.ts';
import { createKeys } from '../../src/redis/keys.ts';
import { createHttpsStage, type HttpsStage } from '../helpers/https-stage.ts';
import { toldOfDomain } from '../helpers/told.ts';
import { until } from '../helpers/until.ts';
import { createReceiver, type Receiver, SECRET } from '../helpers/webhook-receiver.ts';
import { APP } from '../helpers/worker.ts';

const SHOP = 'shop-a.com';
const OTHER = 'bigshop-other.com';

const callbacks = ({ url }: Receiver) => ({
  retries: { attempts: 1000 },
  env: { CALLBACK_URLS: url, CALLBACK_SECRETS: SECRET },
});

const refuses = ({ simulator }: HttpsStage, operation: 'attach-domain' | 'update-domain') =>
  simulator.addFault({
    kind: 'status',
    status: 422,
    operation,
    times: 'always',
    body: { message: `The name is used by ${OTHER}.` },
  });

async function toldOfShop(stage: HttpsStage, receiver: Receiver) {
  const details = await stage.producer.operator.domain(parseDomainName(SHOP), {});
  if (!details) throw new Error('it is not there');
  return toldOfDomain(stage, details, receiver);
}

test('a name that RunCloud will not attach after a reply that was lost: nobody is told whose it is', async () => {
  await using receiver = await createReceiver();
  await using stage = await createHttpsStage(callbacks(receiver));
  stage.point(SHOP);
  stage.simulator.addFault({ kind: 'status', status: 504, operation: 'attach-domain', times: 1 });
  refuses(stage, 'attach-domain');
  await stage.producer.requests.enqueue('add-domain', { domain: SHOP, www: false });
  const saysSo = async () => (await stage.record(SHOP)).reasonCode === 'list-contradicts';
  await until(saysSo, 'the list contradicts the refusal');
  // As if that had gone on for long.
  const key = createKeys(stage.config.queuePrefix, QUEUE_NAME).record({
    ...APP,
    domain: parseDomainName(SHOP),
  });
  await stage.redis.hset(key, 'touchedAt', Date.now() - 11 * 60_000);
  await stage.stands(SHOP, 'held');
  await until(() => receiver.received.some(({ payload }) => payload.type === 'domain.held'), 'it was told');

  const told = await toldOfShop(stage, receiver);
  expect(told.filter(([, text]) => text.includes(OTHER))).toEqual([]);
  expect((await stage.record(SHOP)).outcome).toMatch(/used by another domain\..* shop-a\.com /);
});

test('a www name that RunCloud will not let join: nobody is told whose it is', async () => {
  await using receiver = await createReceiver();
  await using stage = await createHttpsStage(callbacks(receiver));
  stage.point(SHOP);
  const { requests } = stage.producer;
  await requests.enqueue('add-domain', { domain: SHOP });
  await stage.stands(SHOP, 'live');
  refuses(stage, 'update-domain');
  stage.point(`www.${SHOP}`);
  await requests.enqueue('add-domain', { domain: SHOP });
  const isRejected = async () => (await stage.record(SHOP)).outcome?.includes('used by another domain');
  await until(isRejected, 'it does not join');

  const told = await toldOfShop(stage, receiver);
  expect(told.filter(([, text]) => text.includes(OTHER))).toEqual([]);
  expect((await stage.record(SHOP)).outcome).toMatch(/www\.shop-a\.com .*used by another domain/);
});
