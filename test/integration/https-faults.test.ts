// What goes wrong between attached and live, and must neither lose a domain nor burn orders: lost replies, names that vanish,
// a certificate that is gone for a moment, one bad domain among many.
import { describe, expect, test } from '@jest/globals';
import type { DomainName } from '../../src/domains/domain-name.ts';
import { promoteRedeploys } from '../helpers/backoff.ts';
import { createHttpsStage, ELSEWHERE, type HttpsStage } from '../helpers/https-stage.ts';
import { until } from '../helpers/until.ts';
import { APP, LONG_DELAY, PRIMARY } from '../helpers/worker.ts';

const SHOP = 'shop.example.com';
const NEW = 'new.example.com';
const B = 'b.example.com';

const add = (stage: HttpsStage, domain: string, www = false) =>
  stage.producer.requests.enqueue('add-domain', { domain, www });
const orders = ({ simulator }: HttpsStage) => simulator.state.orders;
const certificate = ({ producer }: HttpsStage) => producer.requests.certificates.get(APP);

async function goLive(stage: HttpsStage, ...domains: string[]): Promise<void> {
  stage.point(...domains);
  for (const domain of domains) await add(stage, domain);
  for (const domain of domains) await stage.stands(domain, 'live');
}

describe('SSL_INVALID_NAMES=detach', () => {
  test.each(['drop-after', 'drop-before'] as const)(
    'the reply to the removal is lost (%s): the domain waits for its DNS, and comes back with it',
    async (kind) => {
      await using stage = await createHttpsStage({ env: { SSL_INVALID_NAMES: 'detach' } });
      await goLive(stage, SHOP);
      stage.simulator.addFault({ kind, operation: 'delete-domain', times: 1 });
      stage.edge.setDns(SHOP, { a: ELSEWHERE });
      await goLive(stage, NEW);
      await stage.stands(SHOP, 'waiting-for-dns');
      expect(stage.names()).not.toContain(SHOP);
      stage.point(SHOP);
      await stage.stands(SHOP, 'live');
      expect(stage.names()).toContain(SHOP);
    },
  );

  test('a domain that still waits for its certificate is detached too, and comes back', async () => {
    await using stage = await createHttpsStage({
      env: { SSL_INVALID_NAMES: 'detach', CERTIFICATE_DEADLINE: '30m' },
      simulator: { issuanceLagMs: 60_000, variants: { certificateOnDetach: 'name-dropped' } },
    });
    stage.point(SHOP, B);
    await add(stage, SHOP);
    await stage.stands(SHOP, 'waiting-for-certificate');
    await until(async () => orders(stage).length > 0, 'ordered');
    stage.simulator.setSettings({ issuanceLagMs: 50 });
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    stage.simulator.addFault({ kind: 'drop-after', operation: 'delete-domain', times: 1 });
    await add(stage, B);
    await stage.stands(B, 'live');
    expect(stage.names()).not.toContain(SHOP);
    stage.point(SHOP);
    await stage.stands(SHOP, 'live');
  });

  test('that somebody else has removed it already (404) is found out by a look', async () => {
    await using stage = await createHttpsStage({ env: { SSL_INVALID_NAMES: 'detach' } });
    await goLive(stage, SHOP);
    const gone = { kind: 'status', status: 404, appliesWrite: true, times: 1 } as const;
    stage.simulator.addFault({ ...gone, operation: 'delete-domain' });
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    await goLive(stage, NEW);
    await stage.stands(SHOP, 'waiting-for-dns');
    stage.point(SHOP);
    await stage.stands(SHOP, 'live');
  });

  test('where RunCloud refuses it, the site goes on, and the reason says so', async () => {
    await using stage = await createHttpsStage({ env: { SSL_INVALID_NAMES: 'detach' } });
    await goLive(stage, SHOP);
    const refusal = { kind: 'status', status: 422, times: 'always' } as const;
    stage.simulator.addFault({ ...refusal, operation: 'delete-domain' });
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    stage.point(NEW);
    await add(stage, NEW);
    const says = async () => (await stage.record(SHOP)).reasonCode === 'detach-refused';
    await until(says, 'the refusal is told');
    expect(await stage.record(SHOP)).toMatchObject({ state: 'waiting-for-dns', request: 'pending' });
    stage.point(SHOP);
    await stage.stands(NEW, 'live');
    await stage.stands(SHOP, 'live');
    expect(stage.names()).toContain(SHOP);
  });

  test('a domain that was in the way, and is right again, is not taken off at the next bad check', async () => {
    await using stage = await createHttpsStage({ env: { SSL_INVALID_NAMES: 'detach' } });
    await goLive(stage, SHOP);
    const { certificates } = stage.producer.requests;
    const at = await stage.producer.requests.store.now();
    await certificates.noteBlockedBy(APP, [SHOP], at - 10_000);
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    await add(stage, SHOP);
    await stage.stands(SHOP, 'live');
    expect(stage.calls('delete-domain')).toEqual([]);
  });

  test('a switch to advanced SSL is noticed before anything is taken off', async () => {
    await using stage = await createHttpsStage({ env: { SSL_INVALID_NAMES: 'detach' } });
    await goLive(stage, SHOP);
    await stage.panel('POST', 'ssl/advanced', { advancedSSL: true, autoSSL: false });
    const now = await stage.producer.requests.store.now();
    for (const at of [now - 1_000, now])
      await stage.producer.requests.certificates.noteBlockedBy(APP, [SHOP], at);
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    await add(stage, SHOP);
    const isJudged = async () => (await stage.record(SHOP)).state !== 'requested';
    await until(isJudged, 'it was looked at');
    expect(stage.calls('delete-domain')).toEqual([]);
  });

  test('a www name that was switched on in the panel, without DNS, is switched off: the domain itself stays where it is', async () => {
    await using stage = await createHttpsStage({ env: { SSL_INVALID_NAMES: 'detach' } });
    await goLive(stage, SHOP);
    const { attachedId } = await stage.record(SHOP);
    await stage.panel('PATCH', `domains/${attachedId}/meta`, { www: true });
    await goLive(stage, NEW);
    await stage.stands(SHOP, 'live');
    expect(stage.calls('delete-domain')).toEqual([]);
    expect(stage.calls('update-domain').filter(({ status }) => status === 200)).toHaveLength(2);
    expect(stage.simulator.state.domains().find(({ name }) => name === SHOP)).toMatchObject({ www: false });
  });

  test('one bad check takes nothing off', async () => {
    await using stage = await createHttpsStage({
      env: { SSL_INVALID_NAMES: 'detach' },
      backoff: { dnsFirstMs: 600_000, dnsLongestMs: 600_000 },
    });
    await goLive(stage, SHOP);
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    stage.point(NEW);
    await add(stage, NEW);
    const held = await stage.stands(NEW, 'held');
    expect(held).toMatchObject({ reasonCode: 'shared-certificate-blocked' });
    expect(held.outcome).not.toContain(SHOP);
    expect(await certificate(stage)).toMatchObject({
      reasonCode: 'shared-certificate-blocked',
      outcome: expect.stringContaining(SHOP),
    });
    stage.point(SHOP);
    // The next look is ten minutes away; now it comes.
    await until(async () => (await promoteRedeploys(stage.queue)) > 0, 'the redeploy waits for it');
    await stage.stands(NEW, 'live');
    expect(stage.calls('delete-domain')).toEqual([]);
    await until(async () => (await certificate(stage))?.state === 'done', 'the redeploy has ended');
    expect(await certificate(stage)).toMatchObject({ blockedBy: {} });
  });

  test('where most names look wrong at once it may be our own DNS: none is taken off, and the operator must act', async () => {
    await using stage = await createHttpsStage({ env: { SSL_INVALID_NAMES: 'detach' } });
    const shops = ['a1', 'a2', 'a3', 'a4'].map((name) => `${name}.example.com`);
    await goLive(stage, ...shops);
    for (const name of shops) stage.edge.setDns(name, { a: ELSEWHERE });
    await goHeld(stage, NEW);
    expect(await stage.record(NEW)).toMatchObject({
      mustAct: 'operator',
      reasonCode: 'shared-certificate-blocked',
      outcome: expect.stringMatching(/4 domains.*DNS_SERVERS/),
    });
    const checks = stage.calls('list-domains').length;
    await until(() => stage.calls('list-domains').length > checks + 2, 'it was looked at again, and again');
    expect(stage.calls('delete-domain')).toEqual([]);
    stage.point(...shops);
    await stage.stands(NEW, 'live');
  });
});

async function goHeld(stage: HttpsStage, domain: string): Promise<void> {
  stage.point(domain);
  await add(stage, domain);
  await stage.stands(domain, 'held');
}

test('a domain that vanishes from RunCloud while it waits for its certificate is attached again, and burns no orders', async () => {
  await using stage = await createHttpsStage({
    env: { CERTIFICATE_DEADLINE: '30m' },
    simulator: { issuanceLagMs: 1_500, variants: { certificateOnDetach: 'name-dropped' } },
  });
  stage.point(SHOP);
  await add(stage, SHOP);
  await stage.stands(SHOP, 'waiting-for-certificate');
  await until(async () => orders(stage).length > 0, 'ordered');
  stage.simulator.detachDomain({ name: SHOP });
  await stage.producer.requests.enqueue('redeploy-ssl', {});
  await goLive(stage, NEW);
  await stage.stands(SHOP, 'live');
  expect(stage.names()).toContain(SHOP);
  expect(orders(stage).length).toBeLessThanOrEqual(4);
});

describe('SSL_REISSUE=reinstall', () => {
  test.each([
    ['is answered 503', { kind: 'status', status: 503 }],
    ['has its reply cut off before it takes effect', { kind: 'drop-before' }],
  ] as const)(
    'with changed names the certificate comes back, though its installation %s',
    async (_, fault) => {
      await using stage = await createHttpsStage({
        retries: { attempts: 5 },
        env: { SSL_REISSUE: 'reinstall', CERTIFICATE_DEADLINE: '500ms' },
        simulator: { variants: { redeployNames: 'unchanged' } },
      });
      stage.point(SHOP, B);
      await add(stage, SHOP);
      await stage.stands(SHOP, 'held');
      stage.simulator.addFault({ ...fault, operation: 'install-ssl', times: 1 });
      await add(stage, B);
      await stage.stands(B, 'held');
      await stage.passBackoff();
      await until(async () => stage.calls('delete-ssl').length > 0, 'the certificate is removed');
      await stage.stands(B, 'live');
      await stage.stands(SHOP, 'live');
      expect((await certificate(stage))?.isReinstalling).toBe(false);
    },
  );
});

test('a redeploy begins with any number of names that wait for it', async () => {
  await using stage = await createHttpsStage({ workers: 0 });
  const { certificates, keys } = stage.producer.requests;
  const { jobId } = await certificates.requestRedeploy(APP, {
    domain: 'x.example.com' as DomainName,
    atOnce: true,
  });
  const key = keys.pendingNames(APP);
  for (let i = 0; i < 9; i += 1) {
    const pending = Array.from({ length: 1_000 }, (_, n) => [n + 1, `shop-${i}-${n}.example.com`]).flat();
    await stage.redis.zadd(key, ...pending);
  }
  const start = await certificates.begin(APP, { jobId, addedAt: Date.now() }, { delayMs: 0 });
  expect(start).toMatchObject({ kind: 'run' });
  expect('domains' in start && start.domains).toHaveLength(9_001);
});

describe('a www name', () => {
  test('that RunCloud does not have is not waited for: the domain is live without it, and the record says so', async () => {
    await using stage = await createHttpsStage({ webapp: { domains: [{ name: SHOP, www: false }] } });
    stage.point(SHOP, `www.${SHOP}`);
    await add(stage, SHOP, true);
    const live = await stage.stands(SHOP, 'live');
    expect(live).toMatchObject({ reasonCode: 'https-works', attachedWww: false });
    expect(live.evidence?.tls).toMatchObject([{ name: SHOP, verdict: 'covers' }]);
    expect(orders(stage)).toHaveLength(1);
  });

  test('that RunCloud does not tell of is proven nevertheless', async () => {
    await using stage = await createHttpsStage({ simulator: { variants: { domainFields: 'minimal' } } });
    stage.point(SHOP, `www.${SHOP}`);
    await add(stage, SHOP, true);
    const live = await stage.stands(SHOP, 'live');
    expect(live.evidence?.tls).toMatchObject([
      { name: SHOP, verdict: 'covers' },
      { name: `www.${SHOP}`, verdict: 'covers' },
    ]);
    expect(orders(stage)).toHaveLength(1);
  });
});

describe('advanced SSL', () => {
  test('a domain that RunCloud refuses for good does not stop those behind it', async () => {
    await using stage = await createHttpsStage({ webapp: { advancedSsl: true } });
    const fault = { kind: 'status', status: 403, operation: 'install-domain-ssl', times: 'always' } as const;
    stage.simulator.addFault({ ...fault, domain: SHOP });
    stage.point(SHOP, NEW);
    await add(stage, SHOP);
    expect(await stage.stands(SHOP, 'held')).toMatchObject({ mustAct: 'operator' });
    // Who comes later does not wait for it either, and no attempt is spent on it.
    await add(stage, NEW);
    await stage.stands(NEW, 'live');
    const record = await stage.producer.requests.certificates.get(APP);
    expect(record).toMatchObject({ state: 'pending', code: undefined });
    stage.simulator.clearFaults();
    await stage.stands(SHOP, 'live');
  });

  test('an order whose reply was lost is not sent again because another domain asks', async () => {
    await using stage = await createHttpsStage({
      webapp: { advancedSsl: true },
      env: { CERTIFICATE_DEADLINE: '30m' },
      simulator: { issuanceLagMs: 1_500 },
    });
    stage.simulator.addFault({ kind: 'drop-after', operation: 'install-domain-ssl', domain: SHOP, times: 1 });
    stage.point(SHOP, B);
    await add(stage, SHOP);
    await until(async () => orders(stage).length > 0, 'ordered');
    await add(stage, B);
    await stage.stands(B, 'live');
    await stage.stands(SHOP, 'live');
    expect(orders(stage).map(({ names }) => names)).toEqual([[SHOP], [B]]);
  });

  test('while a limit is spent, those that wait cost RunCloud nothing and say so in a few words', async () => {
    await using stage = await createHttpsStage({
      webapp: { advancedSsl: true },
      env: { LE_ORDERS_PER_3H: '2', ...LONG_DELAY },
    });
    const shops = Array.from({ length: 20 }, (_, i) => `shop-${i}.example.com`);
    stage.point(...shops);
    for (const shop of shops) await add(stage, shop);
    for (const shop of shops) await stage.stands(shop, 'waiting-for-certificate');
    await stage.passDelay();
    const limit = async () => (await certificate(stage))?.mustAct === 'letsencrypt';
    await until(limit, 'the limit is spent');
    expect(stage.calls('get-domain-ssl')).toHaveLength(2);
    const record = await certificate(stage);
    expect(record).toMatchObject({ reasonCode: 'letsencrypt-limit' });
    expect(record?.outcome).toMatch(/(shop-\d+\.example\.com: .*){3} 15 more /);
  });

  test('with DNS_GATE=attach, a domain whose DNS goes wrong after its attachment waits for the customer', async () => {
    await using stage = await createHttpsStage({
      webapp: { advancedSsl: true, domains: [SHOP], covers: 'primary' },
      env: { DNS_GATE: 'attach' },
    });
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    await add(stage, SHOP);
    const waits = await stage.stands(SHOP, 'waiting-for-dns');
    expect(waits.outcome).toContain(ELSEWHERE);
    expect(orders(stage)).toEqual([]);
    stage.point(SHOP);
    await stage.stands(SHOP, 'live');
    expect(stage.names()).toContain(PRIMARY);
  });
});
