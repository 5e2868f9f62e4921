// What stands between a domain and HTTPS: certificates that are not right yet, DNS that nobody should trust yet, one bad name on a
// certificate that all share, and Let's Encrypt's limits.
import { expect, test } from '@jest/globals';
import type { DomainRecord } from '../../src/domains/domain.ts';
import type { ReasonCode } from '../../src/domains/reasons.ts';
import { createHttpsStage, ELSEWHERE, HERE, type HttpsStage } from '../helpers/https-stage.ts';
import { createLine } from '../helpers/line.ts';
import { until } from '../helpers/until.ts';
import { APP, PRIMARY } from '../helpers/worker.ts';

const SHOP = 'shop.example.com';
const NEW = 'new.example.com';
const OLD = 'old.example.com';

const add = (stage: HttpsStage, domain: string) =>
  stage.producer.requests.enqueue('add-domain', { domain, www: false });
const orders = (stage: HttpsStage) => stage.simulator.state.orders;
const redeploy = (stage: HttpsStage) => stage.producer.requests.certificates.get(APP);

/** Asked for, with DNS that is right. */
async function goLive(stage: HttpsStage, ...domains: string[]): Promise<void> {
  stage.point(...domains);
  for (const domain of domains) await add(stage, domain);
  for (const domain of domains) await stage.stands(domain, 'live');
  await stage.idle();
}

/** The stage may have been reached before, for another reason. */
const heldFor = (stage: HttpsStage, domain: string, ...why: ReasonCode[]): Promise<DomainRecord> =>
  until(async () => {
    const record = await stage.record(domain);
    return record.state === 'held' && record.reasonCode && why.includes(record.reasonCode)
      ? record
      : undefined;
  }, `${domain} is held for ${why}`).catch(async (error) => {
    const { state: is, outcome } = await stage.record(domain);
    throw new Error(`${error.message}; it is ${is}: ${outcome}`);
  });

test('a certificate that is wrong, expired or trusted by nobody is waited for, then held against the order, and live when it is right', async () => {
  await using stage = await createHttpsStage({
    env: { CERTIFICATE_DEADLINE: '600ms', SSL_REDEPLOY_DELAY: '400ms' },
  });
  const lies = {
    'wrong.example.com': [{ wrongName: true }, 'wrong-name'],
    'late.example.com': [{ expired: true }, 'expired'],
    'stray.example.com': [{ untrusted: true }, 'untrusted'],
  } as const;
  const each = (look: (name: string, verdict: string) => Promise<unknown>) =>
    Promise.all(Object.entries(lies).map(([name, [, verdict]]) => look(name, verdict)));
  for (const [name, [lie]] of Object.entries(lies)) {
    stage.point(name);
    stage.edge.serve(name, lie);
  }
  await each((name) => add(stage, name));
  await each(async (name, verdict) => {
    const waits = await stage.stands(name, 'waiting-for-certificate');
    expect(waits.evidence?.tls).toMatchObject([{ name, verdict }]);
  });
  await each(async (name) => {
    const held = await heldFor(stage, name, 'certificate-failed', 'last-order-failed');
    expect(held).toMatchObject({ mustAct: 'runcloud', request: 'pending' });
  });
  await until(async () => (await stage.lastOrder())?.failures === 1, 'the order counts as failed once');
  for (const name of Object.keys(lies)) stage.edge.serve(name);
  await each((name) => stage.stands(name, 'live'));
  const sets = orders(stage).map(({ names }) => names.toSorted().join());
  expect(new Set(sets).size).toBe(sets.length);
});

test('a server that takes no handshake past the deadline is the operator’s, never a failed order, and no second one', async () => {
  await using stack = new AsyncDisposableStack();
  let line: Awaited<ReturnType<typeof createLine>> | undefined;
  const stage = stack.use(
    await createHttpsStage({
      env: async ({ edge }) => {
        line = stack.use(await createLine({ host: '127.0.0.1', port: edge?.tlsPort ?? 0 }));
        line.cut();
        return { TLS_PROBE_ADDRESS: `127.0.0.1:${line.port}`, CERTIFICATE_DEADLINE: '300ms' };
      },
    }),
  );
  stage.point(SHOP);
  await add(stage, SHOP);
  const held = await stage.stands(SHOP, 'held');
  expect(held).toMatchObject({ mustAct: 'operator', request: 'pending', reasonCode: 'tls-unknown' });
  const { evidence } = held;
  // Some looks later it is no worse.
  await until(async () => (await stage.record(SHOP)).evidence?.at !== evidence?.at, 'it was looked at again');
  expect(await stage.lastOrder()).toMatchObject({ failures: 0 });
  expect(orders(stage)).toHaveLength(1);

  line?.mend();
  await stage.stands(SHOP, 'live');
  expect(orders(stage)).toHaveLength(1);
});

test('an order that RunCloud refuses backs off for the same names, and for others with the failing name; without it they go at once', async () => {
  await using stage = await createHttpsStage();
  const message = "Let's Encrypt could not validate one of the domains.";
  stage.simulator.addFault({ kind: 'status', status: 422, operation: 'redeploy-ssl', body: { message } });
  stage.point(SHOP);
  await add(stage, SHOP);
  const held = await heldFor(stage, SHOP, 'runcloud-rejected');
  expect(held).toMatchObject({ mustAct: 'runcloud' });
  expect(held.outcome).toMatch(/could not validate one of the domains.* \d{4}-/);
  expect(await stage.lastOrder()).toMatchObject({ failures: 1, names: [PRIMARY, SHOP].toSorted() });
  // Asking again for the same is no change.
  await add(stage, SHOP);
  await stage.producer.requests.enqueue('redeploy-ssl', {});
  await until(async () => (await redeploy(stage))?.reasonCode === 'last-order-failed', 'the redeploy waits');
  expect(stage.calls('redeploy-ssl')).toHaveLength(1);

  stage.point(NEW);
  await add(stage, NEW);
  const waits = await heldFor(stage, NEW, 'last-order-failed');
  expect(waits.outcome).not.toContain(SHOP);
  expect((await redeploy(stage))?.outcome).toContain(SHOP);
  expect(stage.calls('redeploy-ssl')).toHaveLength(1);
  await stage.producer.requests.enqueue('remove-domain', { domain: SHOP });
  await stage.stands(NEW, 'live');
  expect(stage.calls('redeploy-ssl')).toHaveLength(2);
});

test('an issuance that failed is ordered again when its time has come, and backs off further', async () => {
  await using stage = await createHttpsStage({ env: { CERTIFICATE_DEADLINE: '300ms' } });
  stage.point(SHOP);
  stage.edge.serve(SHOP, { wrongName: true });
  await add(stage, SHOP);
  await heldFor(stage, SHOP, 'last-order-failed');
  expect(orders(stage)).toHaveLength(1);
  await stage.passBackoff();
  await until(async () => (await stage.lastOrder())?.failures === 2, 'the second order has failed');
  const { orderedAt = 0 } = (await stage.lastOrder()) ?? {};
  await until(async () => {
    const { nextRunAt = 0 } = (await redeploy(stage)) ?? {};
    return nextRunAt - orderedAt > 600_000;
  }, 'the redeploy waits ten minutes');
  expect(orders(stage)).toHaveLength(2);
});

test('the limit of identical certificates is kept, and a live domain stays live', async () => {
  await using stage = await createHttpsStage({
    env: { SSL_COOLDOWN: '1ms' },
    limits: { duplicatesPerWeek: 1 },
    simulator: { duplicatesPerWeek: 1 },
  });
  await goLive(stage, SHOP);
  await stage.producer.requests.enqueue('redeploy-ssl', {});
  await until(
    async () => (await redeploy(stage))?.mustAct === 'letsencrypt',
    'the redeploy waits for the limit',
  );
  expect(await redeploy(stage)).toMatchObject({ reasonCode: 'letsencrypt-limit' });
  expect(stage.simulator.state.limitBreaches).toBe(0);
  expect(orders(stage)).toHaveLength(1);
  expect(await stage.record(SHOP)).toMatchObject({ state: 'live' });
});

test('the limit of failed validations of one name is kept, also for a set that has changed', async () => {
  await using stage = await createHttpsStage({
    env: { DNS_GATE: 'off', CERTIFICATE_DEADLINE: '300ms' },
    limits: { failuresPerHour: 1 },
    simulator: { failuresPerHour: 1 },
  });
  stage.edge.setDns(SHOP, { a: ELSEWHERE });
  await add(stage, SHOP);
  await stage.stands(SHOP, 'held');
  await until(async () => (await stage.lastOrder())?.failures === 1, 'the order counts as failed');
  stage.point(NEW);
  await add(stage, NEW);
  const held = await heldFor(stage, NEW, 'letsencrypt-limit');
  expect(held).toMatchObject({ mustAct: 'letsencrypt' });
  expect(held.outcome).not.toContain(SHOP);
  await until(async () => (await redeploy(stage))?.outcome?.includes(`for ${SHOP}`), 'the redeploy names it');
  expect(stage.simulator.state.limitBreaches).toBe(0);
  expect(orders(stage)).toHaveLength(1);
});

test('a shared certificate of more than 100 names is not ordered: the operator must act', async () => {
  await using stage = await createHttpsStage({
    webapp: { domainCount: 100 },
    simulator: { defaultDns: 'server' },
  });
  await add(stage, SHOP);
  const held = await stage.stands(SHOP, 'held');
  expect(held).toMatchObject({ mustAct: 'operator', request: 'pending', reasonCode: 'certificate-full' });
  expect(held.outcome).toMatch(/102 names.* 100/);
  expect(orders(stage)).toEqual([]);
});

test('a shared certificate of exactly 100 names is ordered, and told that it is nearly full', async () => {
  await using stage = await createHttpsStage({
    webapp: { domainCount: 98 },
    simulator: { defaultDns: 'server' },
  });
  await add(stage, SHOP);
  await stage.stands(SHOP, 'live');
  expect(orders(stage)).toMatchObject([{ status: 'issued' }]);
  expect((await redeploy(stage))?.outcome).toMatch(/100 of at most 100 names/);
});

test('SSL_INVALID_NAMES=ignore orders with a dead name nevertheless', async () => {
  await using stage = await createHttpsStage({
    webapp: { domains: [OLD] },
    env: { SSL_INVALID_NAMES: 'ignore' },
    simulator: { variants: { badName: 'left-out' } },
  });
  stage.edge.setDns(OLD, { a: ELSEWHERE });
  await goLive(stage, SHOP);
  expect(orders(stage)).toMatchObject([{ status: 'issued', failedNames: [OLD] }]);
  expect(stage.names()).toContain(OLD);
});

test.each(['full', 'minimal'] as const)(
  'a primary domain whose DNS is wrong blocks the certificate, and is never detached (fields of a domain: %s)',
  async (domainFields) => {
    await using stage = await createHttpsStage({
      env: { SSL_INVALID_NAMES: 'detach' },
      simulator: { variants: { domainFields } },
    });
    stage.edge.setDns(PRIMARY, { a: ELSEWHERE });
    stage.point(SHOP);
    await add(stage, SHOP);
    const held = await stage.stands(SHOP, 'held');
    // Its own customer has nothing to mend.
    expect(held).toMatchObject({ mustAct: 'operator', reasonCode: 'shared-certificate-blocked' });
    expect(held.outcome).not.toContain(PRIMARY);
    expect(await redeploy(stage)).toMatchObject({
      reasonCode: 'shared-certificate-blocked',
      outcome: expect.stringMatching(/network\.example\.org .*198\.51\.100\.9/),
    });
    stage.point(PRIMARY);
    await stage.stands(SHOP, 'live');
    expect(stage.calls('delete-domain')).toEqual([]);
    expect(orders(stage)).toHaveLength(1);
  },
);

test('a name that somebody attached by hand is never detached, not even where it was requested here as well', async () => {
  await using stage = await createHttpsStage({ env: { SSL_INVALID_NAMES: 'detach' } });
  stage.simulator.attachDomain({ name: OLD });
  stage.point(OLD, SHOP);
  await add(stage, OLD);
  await stage.stands(OLD, 'live');
  stage.edge.setDns(OLD, { a: ELSEWHERE });
  await add(stage, SHOP);
  const held = await stage.stands(SHOP, 'held');
  expect(held.outcome).not.toContain(OLD);
  expect(await redeploy(stage)).toMatchObject({
    reasonCode: 'shared-certificate-blocked',
    outcome: expect.stringContaining(OLD),
  });
  expect(stage.calls('delete-domain')).toEqual([]);
  expect(stage.names()).toContain(OLD);
});

test('of two dead names the one that we attached is detached only where that helps: once the other holds no more', async () => {
  await using stage = await createHttpsStage({
    webapp: { domains: [OLD], covers: 'all' },
    env: { SSL_INVALID_NAMES: 'detach' },
  });
  stage.point(OLD);
  await goLive(stage, SHOP);
  stage.edge.setDns(OLD, { a: ELSEWHERE });
  stage.edge.setDns(SHOP, { a: ELSEWHERE });
  stage.point(NEW);
  await add(stage, NEW);
  const held = await stage.stands(NEW, 'held');
  expect(held.outcome).not.toContain(OLD);
  expect((await redeploy(stage))?.outcome).toMatch(/old\.example\.com/);
  expect(stage.calls('delete-domain')).toEqual([]);
  stage.point(OLD);
  await stage.stands(NEW, 'live');
  await stage.stands(SHOP, 'waiting-for-dns');
  expect(stage.names()).toEqual(expect.arrayContaining([OLD, NEW]));
  expect(stage.names()).not.toContain(SHOP);
});

const switchToAdvanced = (stage: HttpsStage) =>
  stage.panel('POST', 'ssl/advanced', { advancedSSL: true, autoSSL: false });

test('a web application that is switched to advanced SSL gets certificates of that kind from the next order on', async () => {
  await using stage = await createHttpsStage();
  await goLive(stage, SHOP);
  await switchToAdvanced(stage);
  await goLive(stage, NEW);
  expect(stage.calls('redeploy-ssl')).toHaveLength(1);
  expect(stage.calls('install-domain-ssl')).toMatchObject([{ domain: NEW }]);
  expect(await stage.lastOrder(NEW)).toMatchObject({ names: [NEW] });
});

test('after such a switch several workers order once for each domain, however long issuance takes', async () => {
  await using stage = await createHttpsStage({ workers: 3, env: { CERTIFICATE_DEADLINE: '20s' } });
  await goLive(stage, ...Array.from({ length: 9 }, (_, i) => `shop-${i}.example.com`));
  await switchToAdvanced(stage);
  stage.simulator.setSettings({ issuanceLagMs: 2_000 });
  const before = orders(stage).length;
  const names = Array.from({ length: 6 }, (_, i) => `new-${i}.example.com`);
  await goLive(stage, ...names);
  const ordered = orders(stage)
    .slice(before)
    .flatMap((order) => order.names);
  expect(ordered.toSorted()).toEqual(names);
});

test('a CDN that does not hand the page of DNS_GATE_PROBE on waits, and the sentence says so', async () => {
  const probe = 'http://{domain}:1/runcloud-domains.txt#7f3a91c2d4e5b608';
  await using stage = await createHttpsStage({ env: { DNS_GATE_PROBE: probe } });
  stage.edge.setDns(SHOP, { a: '127.0.0.2' });
  await add(stage, SHOP);
  const waits = await stage.stands(SHOP, 'waiting-for-dns');
  expect(waits).toMatchObject({ reasonCode: 'dns-wrong' });
  expect(waits.evidence?.dns).toMatchObject([{ verdict: 'elsewhere', observed: { a: ['127.0.0.2'] } }]);
});

test('where CAA forbids, an AAAA record was left over, or DNS fails or is silent, a domain waits with the sentence, and goes on when it is right', async () => {
  await using stage = await createHttpsStage();
  const unjudged = (name: string) => new RegExp(`DNS query for ${name} failed`);
  const rows = [
    [
      'caa.example.com',
      { a: HERE, caa: { tag: 'issue', value: 'digicert.com' } },
      'forbidden',
      /CAA.*letsencrypt\.org/,
    ],
    [
      'aaaa.example.com',
      { a: HERE, aaaa: '2001:db8::9' },
      'leftover',
      /AAAA record 2001:db8::9.*IPv6: remove its AAAA record/,
    ],
    ['fails.example.com', { fails: 'servfail' }, 'unknown', unjudged('fails.example.com')],
    ['silent.example.com', { fails: 'silent' }, 'unknown', unjudged('silent.example.com')],
  ] as const;
  for (const [name, dns] of rows) stage.edge.setDns(name, dns);
  for (const [name] of rows) await add(stage, name);
  for (const [name, , verdict, why] of rows) {
    const waits = await stage.stands(name, 'waiting-for-dns');
    expect(waits.outcome).toMatch(why);
    expect(waits.evidence?.dns).toMatchObject([{ name, verdict }]);
    expect(waits.mustAct).toBe(verdict === 'unknown' ? undefined : 'customer');
  }
  expect(stage.names()).toEqual([PRIMARY]);
  expect(orders(stage)).toEqual([]);
  for (const [name] of rows) stage.point(name);
  for (const [name] of rows) await stage.stands(name, 'live');
  expect(orders(stage).filter(({ status }) => status === 'failed')).toEqual([]);
});

test('a DNS server that still fails at the deadline is the operator’s, and no customer is blamed', async () => {
  await using stage = await createHttpsStage({ env: { DNS_DEADLINE: '1ms' } });
  stage.edge.setDns(SHOP, { fails: 'servfail' });
  await add(stage, SHOP);
  expect(await stage.stands(SHOP, 'held')).toMatchObject({ mustAct: 'operator', request: 'pending' });
});

test('a name on the shared certificate that could not be queried does not hold the others', async () => {
  await using stage = await createHttpsStage({
    webapp: { domains: [OLD] },
    simulator: { variants: { badName: 'left-out' } },
  });
  stage.edge.setDns(OLD, { fails: 'servfail' });
  await goLive(stage, SHOP);
  expect(orders(stage)).toHaveLength(1);
});

test('the death of a worker no longer counts against a domain that was checked well since: it may wait for weeks', async () => {
  await using stage = await createHttpsStage();
  stage.edge.setDns(SHOP, { a: ELSEWHERE });
  const { jobId } = await add(stage, SHOP);
  await stage.stands(SHOP, 'waiting-for-dns');
  await stage.redis.hset(`${stage.config.queuePrefix}:runcloud-domains:${jobId}`, 'stc', 1);
  for (const look of ['once', 'twice']) {
    const before = (await stage.record(SHOP)).outcomeAt;
    await until(async () => (await stage.record(SHOP)).outcomeAt !== before, `it was looked at ${look}`);
  }
  expect((await stage.job(jobId)).stalledCounter).toBe(0);
});
