// Why an order failed stands in RunCloud's log: the domain's people are told what it says of them, and never of anybody else.
import { expect, test } from '@jest/globals';
import { createHttpsStage, ELSEWHERE, type HttpsStage } from '../helpers/https-stage.ts';
import { APP } from '../helpers/worker.ts';

const SHOP = 'shop.example.com';
const OTHER = 'other.example.net';

/** Orders go out whatever DNS says, and are given up soon. */
const env = { DNS_GATE: 'off', CERTIFICATE_DEADLINE: '400ms' } as const;

async function add(stage: HttpsStage, ...domains: string[]): Promise<void> {
  for (const domain of domains) await stage.producer.requests.enqueue('add-domain', { domain, www: false });
}

test('each domain is told what the log says of it; who would read of another is told where it stands', async () => {
  await using stage = await createHttpsStage({ env });
  stage.simulator.log({ content: 'Database user shop_admin has been created', kind: 'Warning' });
  stage.edge.setDns(SHOP, { a: ELSEWHERE });
  stage.point(OTHER);
  await add(stage, SHOP, OTHER);
  const [shop, other] = [await stage.stands(SHOP, 'held'), await stage.stands(OTHER, 'held')];
  expect(shop.evidence?.log).toMatchObject({
    kind: 'lines',
    text: expect.stringContaining('could not validate shop.example.com'),
  });
  expect(other.evidence?.log).toEqual({ kind: 'elsewhere' });
  for (const domain of [SHOP, OTHER]) {
    const steps = await stage.producer.requests.store.history({
      ...APP,
      domain: (await stage.record(domain)).domain,
    });
    const told = JSON.stringify([await stage.record(domain), steps]);
    expect(told).not.toContain(domain === SHOP ? OTHER : SHOP);
    expect(told).not.toContain('shop_admin');
  }
  expect(stage.calls('get-log')).not.toEqual([]);
});

test('a certificate of its own: the reason is the domain’s, and goes when it is live', async () => {
  await using stage = await createHttpsStage({ webapp: { advancedSsl: true }, env });
  stage.edge.setDns(SHOP, { a: ELSEWHERE });
  await add(stage, SHOP);
  const held = await stage.stands(SHOP, 'held');
  expect(held.outcome).toContain('could not validate shop.example.com');
  expect(held.evidence?.log).toMatchObject({ kind: 'lines' });
  stage.point(SHOP);
  await stage.passBackoff();
  const live = await stage.stands(SHOP, 'live');
  expect(live.evidence).not.toHaveProperty('log');
});

test.each(['status', 'html', 'firewall', 'never-answer'] as const)(
  'a log that cannot be read (%s) changes nothing',
  async (kind) => {
    await using stage = await createHttpsStage({ env: { ...env, RUNCLOUD_TIMEOUT: '1s' } });
    stage.simulator.addFault({ kind, operation: 'get-log', times: 'always' });
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    await add(stage, SHOP);
    const held = await stage.stands(SHOP, 'held');
    expect(held).toMatchObject({ reasonCode: 'certificate-failed' });
    expect(held.evidence).not.toHaveProperty('log');
  },
);
