// A certificate that RunCloud validates by dns-01 after its DNS has moved: redeploys are accepted, and none succeeds. It is said, and
// switched to http-01 where the setting says so.
import { describe, expect, test } from '@jest/globals';
import { createHttpsStage, type HttpsStage, type HttpsStageOptions } from '../helpers/https-stage.ts';
import { until } from '../helpers/until.ts';
import { APP } from '../helpers/worker.ts';

const SHOP = 'shop.example.com';
const MOVED = { ns: ['ns1.elsewhere.example', 'ns2.elsewhere.example'] };
const env = { CERTIFICATE_DEADLINE: '400ms' } as const;

/** SHOP is attached with a certificate by dns-01, and its zone is served elsewhere since. */
async function createMoved(options: HttpsStageOptions = {}): Promise<HttpsStage> {
  const stage = await createHttpsStage({
    ...options,
    webapp: {
      advancedSsl: true,
      covers: 'all',
      domains: [SHOP],
      authorizationMethod: 'dns-01',
      ...options.webapp,
    },
    env: { ...env, ...options.env },
  });
  stage.edge.setDns('example.com', MOVED);
  stage.point(SHOP);
  return stage;
}

const add = (stage: HttpsStage) =>
  stage.producer.requests.enqueue('add-domain', { domain: SHOP, www: false });
const redeploy = (stage: HttpsStage) => stage.producer.requests.enqueue('redeploy-ssl', { domain: SHOP });
const certificate = ({ producer }: HttpsStage) => producer.requests.certificates.get(APP);
const lastBody = (stage: HttpsStage) => stage.calls('update-domain-ssl').at(-1)?.body;
const methodOf = ({ simulator }: HttpsStage) =>
  simulator.state.certificates().find(({ names }) => names.includes(SHOP))?.authorizationMethod;

describe('the monitor', () => {
  test.each([true, false])(
    'says that it will not renew (advanced SSL: %s), and leaves it live',
    async (advancedSsl) => {
      await using stage = await createMoved({ webapp: { advancedSsl } });
      await add(stage);
      await stage.stands(SHOP, 'live');
      await stage.watch();
      const record = await stage.record(SHOP);
      expect(record).toMatchObject({ state: 'live', reasonCode: 'renewal-blocked' });
      expect(record.outcome).toContain('ns1.elsewhere.example');
      expect(record.outcome?.includes('SSL_SWITCH_TO_HTTP01')).toBe(advancedSsl);
      stage.edge.setDns('example.com', { ns: ['ada.ns.cloudflare.com'] });
      await stage.watch();
      expect(await stage.record(SHOP)).toMatchObject({ state: 'live', reasonCode: 'https-works' });
    },
  );

  test('says nothing where RunCloud’s list of certificates cannot be read', async () => {
    await using stage = await createMoved();
    await add(stage);
    await stage.stands(SHOP, 'live');
    stage.simulator.addFault({ kind: 'firewall', operation: 'get-ssl', times: 'always' });
    await stage.watch();
    expect(await stage.record(SHOP)).toMatchObject({
      state: 'live',
      reasonCode: 'https-works',
    });
  });
});

describe('a redeploy', () => {
  const issued = (stage: HttpsStage) => () =>
    stage.simulator.state.orders.some(({ status }) => status === 'issued');

  test('with SSL_SWITCH_TO_HTTP01=on switches the certificate first, and keeps its other settings', async () => {
    await using stage = await createMoved({ env: { SSL_SWITCH_TO_HTTP01: 'on' } });
    await redeploy(stage);
    await until(issued(stage), 'the certificate is issued');
    expect(methodOf(stage)).toBe('http-01');
    expect(lastBody(stage)).toMatchObject({
      authorizationMethod: 'http-01',
      enableHttp: true,
      enableHsts: false,
    });
    await redeploy(stage);
    await stage.idle();
    expect(stage.calls('update-domain-ssl')).toHaveLength(1);
  });

  test('without the setting switches nothing, and the order fails', async () => {
    await using stage = await createMoved();
    await redeploy(stage);
    await until(() => stage.simulator.state.orders.some(({ status }) => status === 'failed'), 'it failed');
    expect([methodOf(stage), stage.calls('update-domain-ssl')]).toEqual(['dns-01', []]);
  });

  test('of a domain whose DNS is where RunCloud can write switches nothing', async () => {
    await using stage = await createMoved({ env: { SSL_SWITCH_TO_HTTP01: 'on' } });
    stage.edge.setDns('example.com', { ns: ['ada.ns.cloudflare.com'] });
    await redeploy(stage);
    await until(issued(stage), 'the certificate is issued');
    expect([methodOf(stage), stage.calls('update-domain-ssl')]).toEqual(['dns-01', []]);
  });

  test('orders nothing where RunCloud accepts the switch and keeps dns-01, and says what to do', async () => {
    await using stage = await createMoved({ retries: { attempts: 2 }, env: { SSL_SWITCH_TO_HTTP01: 'on' } });
    const accepted = { kind: 'status', status: 200, body: {}, times: 'always' } as const;
    stage.simulator.addFault({ ...accepted, operation: 'update-domain-ssl' });
    await redeploy(stage);
    const isRejected = async () => (await certificate(stage))?.reasonCode === 'runcloud-rejected';
    await until(isRejected, 'the redeploy says that nothing was switched');
    expect(stage.simulator.state.orders).toEqual([]);
  });
});
