// What a person is told rests on what is so now: RunCloud's address of the server and the kind of SSL are read anew for who asks, once
// a minute for all workers together, and for nobody else.
import { describe, expect, test } from '@jest/globals';
import { createHttpsStage, ELSEWHERE, HERE, type HttpsStage } from '../helpers/https-stage.ts';
import { until } from '../helpers/until.ts';
import { APP } from '../helpers/worker.ts';

const SHOP = 'shop.example.com';
/** So that a look waits for the ask, not for its time. */
const SLOW = { dnsFirstMs: 600_000, dnsLongestMs: 600_000 };

const add = (stage: HttpsStage, domain: string) =>
  stage.producer.requests.enqueue('add-domain', { domain, www: false });
const factCalls = (stage: HttpsStage) => [
  stage.calls('get-server').length,
  stage.calls('get-advanced-ssl').length,
];

/** As if RunCloud had been asked so long ago. */
async function age({ redis, producer }: HttpsStage, ms: number): Promise<void> {
  const { keyOf } = producer.requests;
  for (const fact of [`${APP.serverId}`, `${APP.serverId}:${APP.appId}`])
    await redis.hincrby(keyOf(`facts:${fact}`), 'at', -ms);
  await redis.del(keyOf(`facts:${APP.serverId}:${APP.appId}:turn`));
}

const told = async (stage: HttpsStage, domain: string, address: string): Promise<void> => {
  const pattern = new RegExp(`not to ${address.replaceAll('.', '\\.')}`);
  await until(
    async () => pattern.test((await stage.record(domain)).outcome ?? ''),
    `${domain} is told ${address}`,
  );
};

describe('the server’s address changes in RunCloud', () => {
  test('who asks again is told the new one, whoever waits is not read for, and a second ask costs nothing', async () => {
    await using stage = await createHttpsStage({ backoff: SLOW });
    stage.edge.setDns(SHOP, { a: '198.51.100.77' });
    await add(stage, SHOP);
    await stage.stands(SHOP, 'waiting-for-dns');
    await told(stage, SHOP, HERE);
    const before = factCalls(stage);

    stage.simulator.moveServer({ ipAddress: ELSEWHERE });
    // Too soon: the reading is younger than a minute.
    const { evidence } = await stage.record(SHOP);
    await add(stage, SHOP);
    await until(
      async () => ((await stage.record(SHOP)).evidence?.at ?? 0) > (evidence?.at ?? 0),
      'it was looked at again',
    );
    await told(stage, SHOP, HERE);
    expect(factCalls(stage)).toEqual(before);

    await age(stage, 120_000);
    await add(stage, SHOP);
    await told(stage, SHOP, ELSEWHERE);
    expect(factCalls(stage)).toEqual(before.map((count) => count + 1));
  });

  test('twenty who ask at once of two workers are all told the new one, for two calls', async () => {
    await using stage = await createHttpsStage({ backoff: SLOW, workers: 2 });
    const names = Array.from({ length: 20 }, (_, i) => `d${i}.example.com`);
    for (const name of names) stage.edge.setDns(name, { a: '198.51.100.77' });
    for (const name of names) await add(stage, name);
    for (const name of names) await told(stage, name, HERE);
    const before = factCalls(stage);
    stage.simulator.moveServer({ ipAddress: ELSEWHERE });
    await age(stage, 120_000);
    await Promise.all(names.map((name) => add(stage, name)));
    for (const name of names) await told(stage, name, ELSEWHERE);
    expect(factCalls(stage)).toEqual(before.map((count) => count + 1));
  });
});

test('the kind of SSL that has changed decides for who asks again', async () => {
  await using stage = await createHttpsStage({ backoff: SLOW, env: { DNS_GATE: 'auto' } });
  stage.edge.setDns(SHOP, { a: ELSEWHERE });
  await add(stage, SHOP);
  // Basic SSL: it waits for its DNS before it is attached.
  await stage.stands(SHOP, 'waiting-for-dns');
  expect(stage.names()).not.toContain(SHOP);
  stage.simulator.reset({
    servers: [{ ipAddress: HERE }],
    webapps: [{ advancedSsl: true }],
    dns: { [SHOP]: { a: ELSEWHERE } },
  });
  await age(stage, 120_000);
  await add(stage, SHOP);
  // Advanced: it is attached, and its certificate waits.
  await until(() => stage.names().includes(SHOP), 'it is attached');
});
