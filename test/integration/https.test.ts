// From attached to live, on the simulator's own DNS, Let's Encrypt and TLS: what a customer's domain goes through.
import { describe, expect, test } from '@jest/globals';
import { promoteRedeploys } from '../helpers/backoff.ts';
import { createHttpsStage, ELSEWHERE, type HttpsStage } from '../helpers/https-stage.ts';
import { until } from '../helpers/until.ts';
import { APP, LONG_DELAY } from '../helpers/worker.ts';

const DAY_MS = 86_400_000;
const SHOP = 'shop.example.com';
const shops = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `shop-${i + 1}.example.com`);
const add = (stage: HttpsStage, domain: string) =>
  stage.producer.requests.enqueue('add-domain', { domain, www: false });
const orders = (stage: HttpsStage) => stage.simulator.state.orders;

describe('a domain', () => {
  test('whose DNS is right goes from requested to live, and the proof is on record', async () => {
    await using stage = await createHttpsStage();
    stage.point(SHOP);
    await add(stage, SHOP);
    const live = await stage.stands(SHOP, 'live');
    expect(await stage.path(SHOP)).toEqual([
      'requested',
      'attaching',
      'attached',
      'waiting-for-certificate',
      'live',
    ]);
    expect(live.request).toBe('settled');
    expect(live.evidence?.tls).toMatchObject([
      {
        name: SHOP,
        verdict: 'covers',
        httpStatus: 200,
        certificate: { names: expect.arrayContaining([SHOP]) },
      },
    ]);
    expect(live.evidence?.dns).toMatchObject([{ name: SHOP, verdict: 'here' }]);
    expect(orders(stage)).toMatchObject([{ status: 'issued' }]);
  });

  test('with a www name is live when both names are covered', async () => {
    await using stage = await createHttpsStage();
    stage.point(SHOP, `www.${SHOP}`);
    await stage.producer.requests.enqueue('add-domain', { domain: SHOP, www: true });
    const { evidence } = await stage.stands(SHOP, 'live');
    expect(evidence?.tls.map(({ name, verdict }) => [name, verdict])).toEqual([
      [SHOP, 'covers'],
      [`www.${SHOP}`, 'covers'],
    ]);
  });

  test('whose DNS is three days late costs no attempt, no call and no order, and becomes live without a person', async () => {
    await using stage = await createHttpsStage();
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    const { jobId } = await add(stage, SHOP);
    const waits = await stage.stands(SHOP, 'waiting-for-dns');
    expect(waits.outcome).toMatch(/198\.51\.100\.9.*127\.0\.0\.1/);
    const before = stage.simulator.state.calls.length;
    // As if it had been requested three days ago.
    const key = `${stage.config.queuePrefix}:runcloud-domains-records:domain:1903:646:${SHOP}`;
    await stage.redis.hset(key, 'requestedAt', waits.requestedAt - 3 * DAY_MS);
    const looks = (await stage.job(jobId)).attemptsStarted;
    await until(
      async () => (await stage.job(jobId)).attemptsStarted > looks + 1,
      'it was checked twice more',
    );
    expect(await stage.stands(SHOP, 'waiting-for-dns')).toMatchObject({ request: 'pending' });
    expect(stage.simulator.state.calls).toHaveLength(before);
    expect((await stage.job(jobId)).attemptsMade).toBe(0);
    expect(stage.names()).not.toContain(SHOP);

    stage.point(SHOP);
    await stage.stands(SHOP, 'live');
    expect(orders(stage)).toHaveLength(1);
  });

  test('that never comes is held after the deadline, says who must act, and is still checked', async () => {
    await using stage = await createHttpsStage({ env: { DNS_DEADLINE: '300ms' } });
    await add(stage, SHOP);
    const held = await stage.stands(SHOP, 'held');
    expect(held).toMatchObject({ mustAct: 'customer', request: 'pending', reasonCode: 'dns-wrong' });
    expect(held.evidence?.dns).toMatchObject([{ verdict: 'missing' }]);
    expect(held.nextRunAt).toBeGreaterThan(Date.now() - 5_000);
    stage.point(SHOP);
    await stage.stands(SHOP, 'live');
  });

  test('that is requested again while it waits is checked now', async () => {
    await using stage = await createHttpsStage({ env: { DNS_DEADLINE: '1ms' } });
    await add(stage, SHOP);
    await stage.stands(SHOP, 'held');
    stage.point(SHOP);
    expect(await add(stage, SHOP)).toMatchObject({ coalesced: true });
    await stage.stands(SHOP, 'live');
  });

  test('that is removed while it waits for its certificate is gone, and its history stays', async () => {
    await using stage = await createHttpsStage({ simulator: { issuanceLagMs: 60_000 } });
    stage.point(SHOP);
    await add(stage, SHOP);
    await stage.stands(SHOP, 'waiting-for-certificate');
    await stage.producer.requests.enqueue('remove-domain', { domain: SHOP });
    await stage.stands(SHOP, 'removed');
    expect(stage.names()).not.toContain(SHOP);
    expect(await stage.path(SHOP)).toEqual([
      'requested',
      'attaching',
      'attached',
      'waiting-for-certificate',
      'removing',
      'removed',
    ]);
  });

  test('with DNS_GATE=off is attached and redeployed without waiting, and the findings show the wrong name', async () => {
    await using stage = await createHttpsStage({
      env: { DNS_GATE: 'off', CERTIFICATE_DEADLINE: '300ms' },
    });
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    await add(stage, SHOP);
    const held = await stage.stands(SHOP, 'held');
    expect(held).toMatchObject({ mustAct: 'customer', reasonCode: 'certificate-failed' });
    expect(held.evidence?.dns).toMatchObject([{ verdict: 'elsewhere', observed: { a: [ELSEWHERE] } }]);
    expect(stage.names()).toContain(SHOP);
    expect(orders(stage)[0]).toMatchObject({ status: 'failed', failedNames: [SHOP] });
  });

  test('with TLS_PROBE=off ends as attached', async () => {
    await using stage = await createHttpsStage({ env: { TLS_PROBE: 'off' } });
    stage.point(SHOP);
    await add(stage, SHOP);
    expect(await stage.stands(SHOP, 'attached')).toMatchObject({ request: 'settled' });
    await stage.idle();
    expect(orders(stage)).toHaveLength(1);
  });
});

describe('one shared certificate', () => {
  test('50 domains in a burst cost one redeploy, after the last attachment, and all are live', async () => {
    await using stage = await createHttpsStage({ env: LONG_DELAY });
    const names = shops(50);
    stage.point(...names);
    for (const name of names) await add(stage, name);
    for (const name of names) await stage.stands(name, 'waiting-for-certificate');
    await stage.passDelay();
    for (const name of names) await stage.stands(name, 'live');
    const redeploys = stage.calls('redeploy-ssl');
    expect(redeploys).toHaveLength(1);
    const attached = stage.calls('attach-domain').map(({ endedAt }) => endedAt ?? 0);
    expect(redeploys.at(-1)?.startedAt).toBeGreaterThan(Math.max(...attached));
    expect(stage.simulator.state.limitBreaches).toBe(0);
  });

  test('one dead name among 20 is held and named, and 19 are live', async () => {
    await using stage = await createHttpsStage({ env: { DNS_DEADLINE: '1s' } });
    const [dead = '', ...names] = shops(20);
    stage.point(...names);
    for (const name of [dead, ...names]) await add(stage, name);
    for (const name of names) await stage.stands(name, 'live');
    const held = await stage.stands(dead, 'held');
    expect(held).toMatchObject({ request: 'pending', mustAct: 'customer', reasonCode: 'dns-wrong' });
    expect(held.evidence?.dns).toMatchObject([{ name: dead, verdict: 'missing' }]);
    expect(orders(stage).filter(({ status }) => status === 'failed')).toEqual([]);
  });

  test('a name that dies after it was attached blocks the next order, and is named', async () => {
    await using stage = await createHttpsStage();
    stage.point(SHOP);
    await add(stage, SHOP);
    await stage.stands(SHOP, 'live');
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    stage.point('new.example.com');
    await add(stage, 'new.example.com');
    const held = await stage.stands('new.example.com', 'held');
    expect(held).toMatchObject({ mustAct: 'operator', reasonCode: 'shared-certificate-blocked' });
    expect(held.outcome).not.toContain(SHOP);
    const told = await stage.producer.requests.certificates.get(APP);
    expect(told).toMatchObject({
      reasonCode: 'shared-certificate-blocked',
      outcome: expect.stringContaining(SHOP),
    });
    expect(orders(stage)).toHaveLength(1);

    stage.point(SHOP);
    await stage.stands('new.example.com', 'live');
    expect(orders(stage).filter(({ status }) => status === 'failed')).toEqual([]);
  });

  test('with SSL_INVALID_NAMES=detach the dead alias that we attached is detached, and comes back with its DNS', async () => {
    await using stage = await createHttpsStage({ env: { SSL_INVALID_NAMES: 'detach' } });
    stage.point(SHOP);
    await add(stage, SHOP);
    await stage.stands(SHOP, 'live');
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    stage.point('new.example.com');
    await add(stage, 'new.example.com');
    await stage.stands('new.example.com', 'live');
    await stage.stands(SHOP, 'waiting-for-dns');
    expect(stage.names()).not.toContain(SHOP);

    stage.point(SHOP);
    await stage.stands(SHOP, 'live');
    expect(orders(stage).filter(({ status }) => status === 'failed')).toEqual([]);
  });

  test('a redeploy that picks nothing up is said so, and SSL_REISSUE=reinstall installs again', async () => {
    await using stage = await createHttpsStage({
      env: { SSL_REISSUE: 'reinstall', CERTIFICATE_DEADLINE: '300ms' },
      simulator: { variants: { redeployNames: 'unchanged', installOverExisting: '422' } },
    });
    stage.point(SHOP);
    await add(stage, SHOP);
    const held = await stage.stands(SHOP, 'held');
    expect(held).toMatchObject({ mustAct: 'runcloud', reasonCode: 'certificate-failed' });
    // The first failure backs off a minute; let it have passed.
    await stage.passBackoff();
    await stage.stands(SHOP, 'live');
    expect(stage.calls('delete-ssl')).toHaveLength(1);
    expect(stage.calls('install-ssl')).toHaveLength(1);
  });

  test('an attachment costs one call: how certificates are kept is read once, and again by the redeploy', async () => {
    await using stage = await createHttpsStage({ env: LONG_DELAY });
    const names = shops(5);
    stage.point(...names);
    for (const name of names) await add(stage, name);
    for (const name of names) await stage.stands(name, 'waiting-for-certificate');
    expect(stage.calls('attach-domain')).toHaveLength(5);
    expect(stage.calls('get-advanced-ssl')).toHaveLength(1);
    expect(stage.calls('list-domains').length).toBeLessThanOrEqual(2);
  });

  test('an order whose reply was lost is not repeated', async () => {
    await using stage = await createHttpsStage();
    stage.simulator.addFault({ kind: 'drop-after', operation: 'redeploy-ssl', times: 1 });
    stage.point(SHOP);
    await add(stage, SHOP);
    await stage.stands(SHOP, 'live');
    // The redeploy's own job looks whether its order took effect; not in ten minutes, where it waits, but now.
    const ended = async () => (await promoteRedeploys(stage.queue)) + (await stage.queue.count()) === 0;
    await until(ended, 'the redeploy has looked');
    await stage.idle();
    expect(orders(stage)).toHaveLength(1);
  });

  test('a second redeploy by hand inside the cool-down orders nothing', async () => {
    await using stage = await createHttpsStage();
    stage.point(SHOP);
    await add(stage, SHOP);
    await stage.stands(SHOP, 'live');
    const { jobId } = await stage.producer.requests.enqueue('redeploy-ssl', {});
    await stage.ended(jobId);
    expect(await stage.producer.requests.certificates.get(APP)).toMatchObject({
      state: 'done',
      reasonCode: 'already-ordered',
    });
    expect(orders(stage)).toHaveLength(1);
  });

  test('the limit of certificates a week is kept, and the time is told', async () => {
    await using stage = await createHttpsStage({
      env: { LE_CERTIFICATES_PER_WEEK: '2' },
      simulator: { certificatesPerWeek: 2 },
    });
    const [first = '', second = '', third = ''] = shops(3);
    for (const name of [first, second]) {
      stage.point(name);
      await add(stage, name);
      await stage.stands(name, 'live');
    }
    stage.point(third);
    await add(stage, third);
    const held = await stage.stands(third, 'held');
    expect(held).toMatchObject({ mustAct: 'letsencrypt', reasonCode: 'letsencrypt-limit' });
    expect(held.outcome).toMatch(/ \d{4}-\d\d-\d\d \d\d:\d\d/);
    expect(held.outcome).not.toContain('example.com');
    const told = await stage.producer.requests.certificates.get(APP);
    expect(told).toMatchObject({
      reasonCode: 'letsencrypt-limit',
      outcome: expect.stringContaining('for example.com '),
    });
    expect(stage.simulator.state.limitBreaches).toBe(0);
    expect(orders(stage)).toHaveLength(2);
  });

  test('a web application without a certificate gets one where SSL_INSTALL says so', async () => {
    await using stage = await createHttpsStage({
      webapp: { certificate: 'none' },
      env: { SSL_INSTALL: 'letsencrypt' },
    });
    stage.point(SHOP);
    await add(stage, SHOP);
    await stage.stands(SHOP, 'live');
    expect(stage.calls('install-ssl')).toHaveLength(1);
  });

  test('a web application without a certificate holds its domains where it does not', async () => {
    await using stage = await createHttpsStage({ webapp: { certificate: 'none' } });
    stage.point(SHOP);
    await add(stage, SHOP);
    const held = await stage.stands(SHOP, 'held');
    expect(held).toMatchObject({ mustAct: 'operator' });
    expect(held.outcome).toMatch(/SSL_INSTALL=letsencrypt/);
  });
});

describe('a certificate for each domain (advanced SSL)', () => {
  const advanced = { webapp: { advancedSsl: true, covers: 'all' } } as const;

  test('the missing one is installed, and the domain is live', async () => {
    await using stage = await createHttpsStage(advanced);
    stage.point(SHOP);
    await add(stage, SHOP);
    await stage.stands(SHOP, 'live');
    expect(stage.calls('install-domain-ssl')).toHaveLength(1);
  });

  test('a domain whose DNS is late is attached at once, and ordered when DNS is right', async () => {
    await using stage = await createHttpsStage(advanced);
    await add(stage, SHOP);
    await stage.stands(SHOP, 'waiting-for-dns');
    expect(stage.names()).toContain(SHOP);
    expect(orders(stage)).toEqual([]);
    stage.point(SHOP);
    await stage.stands(SHOP, 'live');
    expect(orders(stage)).toHaveLength(1);
  });

  test('with AutoSSL what RunCloud covers automatically is not ordered again', async () => {
    await using stage = await createHttpsStage({
      webapp: { advancedSsl: true, autoSsl: true, covers: 'all' },
    });
    stage.point(SHOP);
    await add(stage, SHOP);
    await stage.stands(SHOP, 'live');
    await stage.idle();
    expect(orders(stage)).toHaveLength(1);
    expect(stage.calls('install-domain-ssl')).toEqual([]);
    expect(stage.calls('redeploy-domain-ssl')).toEqual([]);
  });

  test('with an AutoSSL that does nothing it is ordered after the delay', async () => {
    await using stage = await createHttpsStage({
      webapp: { advancedSsl: true, autoSsl: true, covers: 'all' },
      simulator: { variants: { autoSslOnAttach: 'never' } },
    });
    stage.point(SHOP);
    await add(stage, SHOP);
    await stage.stands(SHOP, 'live');
    expect(stage.calls('install-domain-ssl')).toHaveLength(1);
  });
});
