// One name on a shared certificate that our look passes, or could not ask about, and that Let's Encrypt refuses: it is named, it does
// not cost an order for each new customer, and the others get their certificate.
import { describe, expect, test } from '@jest/globals';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { endBackoffs, promoteRedeploys } from '../helpers/backoff.ts';
import { createHttpsStage, type HttpsStage, type HttpsStageOptions } from '../helpers/https-stage.ts';
import { until } from '../helpers/until.ts';
import { APP, PRIMARY } from '../helpers/worker.ts';

const OLD = 'old.example.com';
const [NEW, BAD] = ['new.example.com', 'bad.example.net'];
const ALOUD = { variants: { issuanceFailure: '422' } } as const;

const add = (stage: HttpsStage, domain: string) =>
  stage.producer.requests.enqueue('add-domain', { domain, www: false });
const failed = (stage: HttpsStage) =>
  stage.simulator.state.orders.filter(({ status }) => status === 'failed');

/** What operators read of the shared certificate, once an order has failed and the next one waits. */
const afterFailure = (stage: HttpsStage): Promise<string> =>
  until(async () => {
    const { outcome, reasonCode } = (await stage.producer.requests.certificates.get(APP)) ?? {};
    const hasFailed = reasonCode === 'runcloud-rejected' || reasonCode === 'last-order-failed';
    return hasFailed ? outcome : undefined;
  }, "the certificate's record says that an order failed");

const signs = async (stage: HttpsStage) =>
  ((await stage.lastOrder())?.failingNames ?? []).map(({ name, why }) => [name, why]);

/** The network's own domain and one customer's are live. */
async function withOld(options: HttpsStageOptions): Promise<HttpsStage> {
  const stage = await createHttpsStage(options);
  stage.point(OLD);
  await add(stage, OLD);
  await stage.stands(OLD, 'live');
  await stage.idle();
  return stage;
}

/** All that the domain's own record, history and API field hold. */
async function textsOf(stage: HttpsStage, domain: string): Promise<string> {
  const details = await stage.producer.operator.domain(parseDomainName(domain), APP);
  return JSON.stringify([details?.record, details?.history]);
}

describe('a live neighbour whose DNS breaks', () => {
  test('is named when the next order fails, and ten new customers after that send no order in vain', async () => {
    await using stage = await withOld({ simulator: ALOUD });
    stage.edge.setDns(OLD, { fails: 'servfail' });
    stage.point(NEW);
    await add(stage, NEW);
    expect(await afterFailure(stage)).toMatch(/old\.example\.com .*ESERVFAIL.*new\.example\.com/);
    expect(await signs(stage)).toEqual([
      [OLD, 'unjudged'],
      [NEW, 'new'],
    ]);
    expect(await stage.stands(NEW, 'held')).toMatchObject({ mustAct: 'operator' });
    expect(failed(stage)).toHaveLength(1);
    const budgets = await stage.producer.operator.domain(parseDomainName(OLD), APP);
    expect(budgets?.budgets).toContainEqual({ limit: 'failures-per-hour', subject: OLD, left: 4, of: 5 });

    const others = Array.from({ length: 10 }, (_, i) => `n${i}.example.com`);
    stage.point(...others);
    for (const other of others) {
      await add(stage, other);
      await stage.stands(other, 'held');
    }
    expect(await afterFailure(stage)).toContain(OLD);
    expect(failed(stage)).toHaveLength(1);
    for (const domain of [NEW, ...others]) expect(await textsOf(stage, domain)).not.toContain(OLD);

    // Its DNS is repaired: nobody waits for the backoff.
    stage.point(OLD);
    await until(async () => (await promoteRedeploys(stage.queue)) > 0, 'the redeploy waits');
    for (const domain of [NEW, ...others]) await stage.stands(domain, 'live');
    expect(failed(stage)).toHaveLength(1);
  });

  test('is named for the operator also where RunCloud says nothing, and the new customer is told of no other', async () => {
    await using stage = await withOld({ env: { CERTIFICATE_DEADLINE: '500ms' } });
    stage.edge.setDns(OLD, { fails: 'servfail' });
    stage.point(NEW);
    await add(stage, NEW);
    await until(async () => (await stage.lastOrder())?.hasFailed, 'the order counts as failed');
    expect(await signs(stage)).toEqual([
      [OLD, 'unjudged'],
      [NEW, 'new'],
    ]);
    expect(await afterFailure(stage)).toMatch(/old\.example\.com .*ESERVFAIL/);
    expect(await stage.stands(NEW, 'held')).toMatchObject({ mustAct: 'operator' });
    const texts = await textsOf(stage, NEW);
    expect(texts).toContain('runcloud-domains status');
    expect(texts).not.toContain(OLD);
  });

  test('that comes and goes is named as such', async () => {
    await using stage = await withOld({ simulator: ALOUD });
    stage.edge.setDns(OLD, { fails: 'servfail' });
    stage.point(NEW);
    await add(stage, NEW);
    await afterFailure(stage);
    // Right for us, and yet not for Let's Encrypt.
    stage.point(OLD);
    stage.edge.setDns('com', { caa: { tag: 'issue', value: ';' } });
    await until(async () => (await promoteRedeploys(stage.queue)) > 0, 'the redeploy waits');
    await until(() => failed(stage).length === 2, 'it was tried again');
    const flaps = async () => (await signs(stage)).some(([name, why]) => name === OLD && why === 'flaps');
    await until(flaps, 'it is said to flap');
    const names = async () => (await afterFailure(stage)).includes(`the DNS of ${OLD} `);
    await until(names, 'the record names it');
  });
});

describe('a live neighbour that looks right, and whose name stands in RunCloud’s log', () => {
  test.each(['wait', 'detach'] as const)(
    'with SSL_INVALID_NAMES=%s is named first, before those that are only new; nobody is taken off',
    async (invalidNames) => {
      await using stage = await createHttpsStage({
        env: { SSL_INVALID_NAMES: invalidNames, CERTIFICATE_DEADLINE: '500ms' },
      });
      stage.point(OLD, BAD, NEW, 'new2.example.com');
      for (const live of [OLD, BAD]) {
        await add(stage, live);
        await stage.stands(live, 'live');
      }
      await stage.idle();
      stage.edge.setDns('net', { caa: { tag: 'issue', value: ';' } });
      await add(stage, NEW);
      await add(stage, 'new2.example.com');
      expect(await afterFailure(stage)).toContain(BAD);
      expect((await stage.lastOrder())?.failingNames[0]).toMatchObject({
        name: BAD,
        why: 'logged',
        isLogged: true,
      });
      expect(await stage.stands(NEW, 'held')).toMatchObject({ mustAct: 'operator' });
      expect(await textsOf(stage, NEW)).not.toContain(BAD);

      await stage.passBackoff();
      await until(async () => ((await stage.lastOrder())?.failures ?? 0) >= 2, 'it failed twice');
      await until(async () => {
        await promoteRedeploys(stage.queue);
        return (await stage.producer.requests.certificates.get(APP))?.reasonCode === 'last-order-failed';
      }, 'the redeploy has looked again');
      expect(stage.names()).toEqual(expect.arrayContaining([PRIMARY, OLD, BAD, NEW, 'new2.example.com']));
    },
  );
});

describe('a new name that looks right, and that Let’s Encrypt refuses', () => {
  /** The look climbs up to the registered domain only; a registry's own CAA record is not seen. */
  const refuse = (stage: HttpsStage): void => {
    stage.edge.setDns('net', { caa: { tag: 'issue', value: ';' } });
    stage.point(NEW, BAD);
  };

  test('with SSL_INVALID_NAMES=wait is named, and blocks the others', async () => {
    await using stage = await withOld({ simulator: ALOUD });
    refuse(stage);
    await add(stage, BAD);
    expect(await afterFailure(stage)).toContain(BAD);
    expect((await signs(stage))[0]).toEqual([BAD, 'logged']);
    await add(stage, NEW);
    expect(await stage.stands(NEW, 'held')).toMatchObject({ mustAct: 'operator' });
    expect(await afterFailure(stage)).toContain(BAD);
    expect(failed(stage)).toHaveLength(1);
    expect(stage.names()).toEqual(expect.arrayContaining([PRIMARY, OLD, BAD, NEW]));
  });

  test('with SSL_INVALID_NAMES=detach is detached after the second failure, and the others get their certificate', async () => {
    await using stage = await withOld({
      env: { SSL_INVALID_NAMES: 'detach' },
      backoff: { heldMs: 86_400_000 },
      simulator: ALOUD,
    });
    refuse(stage);
    await add(stage, NEW);
    await until(() => stage.names().includes(NEW), 'the older one is attached');
    await add(stage, BAD);
    await afterFailure(stage);
    expect(failed(stage)).toHaveLength(1);
    await stage.passBackoff();
    await until(() => failed(stage).length === 2, 'it was tried again');
    await until(async () => {
      await endBackoffs(stage.redis, stage.config.queuePrefix);
      await promoteRedeploys(stage.queue);
      return !stage.names().includes(BAD);
    }, 'the newest name has made room');
    await stage.stands(NEW, 'live');
    expect(failed(stage)).toHaveLength(2);
    const held = await stage.stands(BAD, 'held');
    expect(held).toMatchObject({ mustAct: 'operator', reasonCode: 'detached-for-others' });
    expect(held.outcome).toContain('SSL_INVALID_NAMES=detach');
    expect(stage.names()).toEqual(expect.arrayContaining([PRIMARY, OLD, NEW]));

    // It comes back later, with a certificate where that is repaired.
    stage.edge.setDns('net', {});
    const record = `${stage.config.queuePrefix}:runcloud-domains-records:certificate:${APP.serverId}:${APP.appId}`;
    const sidelined = async () => (await stage.producer.requests.certificates.get(APP))?.sidelined;
    expect(await sidelined()).toMatchObject({ [BAD]: { count: 1 } });
    await stage.redis.hset(record, `sidelined:${BAD}`, JSON.stringify({ until: 1, count: 1 }));
    await add(stage, BAD);
    await stage.stands(BAD, 'live');
    expect(await sidelined()).toEqual({});

    // Who is removed and requested again does not stay off.
    await stage.redis.hset(
      record,
      `sidelined:${BAD}`,
      JSON.stringify({ until: Date.now() + 86_400_000, count: 2 }),
    );
    await stage.producer.requests.enqueue('remove-domain', { domain: BAD });
    await stage.stands(BAD, 'removed');
    expect(await sidelined()).toEqual({});
  });

  test('with SSL_INVALID_NAMES=detach takes nobody off while a live neighbour is suspected as well', async () => {
    await using stage = await withOld({ env: { SSL_INVALID_NAMES: 'detach' }, simulator: ALOUD });
    stage.edge.setDns(OLD, { fails: 'servfail' });
    stage.point(NEW);
    await add(stage, NEW);
    await afterFailure(stage);
    await stage.passBackoff();
    await until(async () => ((await stage.lastOrder())?.failures ?? 0) >= 2, 'it failed twice');
    await afterFailure(stage);
    await promoteRedeploys(stage.queue);
    await until(async () => {
      await promoteRedeploys(stage.queue);
      return (await stage.producer.requests.certificates.get(APP))?.reasonCode === 'last-order-failed';
    }, 'the redeploy has looked again');
    expect(stage.names()).toEqual(expect.arrayContaining([PRIMARY, OLD, NEW]));
  });
});
