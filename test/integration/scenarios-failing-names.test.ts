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

/** What operators read of the shared certificate. */
const told = async (stage: HttpsStage): Promise<string> =>
  (await stage.producer.requests.certificates.get(APP))?.outcome ?? '';
const says = (stage: HttpsStage, what: RegExp): Promise<string> =>
  until(async () => {
    const outcome = await told(stage);
    return what.test(outcome) ? outcome : undefined;
  }, `the certificate's record says ${what}`).catch(async (error) => {
    throw new Error(`${error.message}; it says: ${await told(stage)}`);
  });

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
    expect(await says(stage, /to blame may be/)).toMatch(
      /DNS query for old\.example\.com failed \(ESERVFAIL\).*; new\.example\.com was not on the last certificate/,
    );
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
    await says(stage, /as long as that is on it/);
    expect(failed(stage)).toHaveLength(1);
    for (const domain of [NEW, ...others]) expect(await textsOf(stage, domain)).not.toContain(OLD);

    // Its DNS is mended: nobody waits for the backoff.
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
    expect((await stage.lastOrder())?.failingNames.map(({ name, why }) => [name, why])).toEqual([
      [OLD, 'unjudged'],
      [NEW, 'new'],
    ]);
    await says(stage, /DNS query for old\.example\.com failed.*next attempt allowed/);
    expect(await stage.stands(NEW, 'held')).toMatchObject({ mustAct: 'operator' });
    const texts = await textsOf(stage, NEW);
    expect(texts).toMatch(/on the shared certificate may be to blame/);
    expect(texts).not.toContain(OLD);
  });

  test('that comes and goes is named as such', async () => {
    await using stage = await withOld({ simulator: ALOUD });
    stage.edge.setDns(OLD, { fails: 'servfail' });
    stage.point(NEW);
    await add(stage, NEW);
    await says(stage, /to blame may be/);
    // Right for us, and yet not for Let's Encrypt.
    stage.point(OLD);
    stage.edge.setDns('com', { caa: { tag: 'issue', value: ';' } });
    await until(async () => (await promoteRedeploys(stage.queue)) > 0, 'the redeploy waits');
    await until(() => failed(stage).length === 2, 'it was tried again');
    expect(await says(stage, /comes and goes/)).toMatch(/the DNS of old\.example\.com comes and goes/);
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
      expect(await says(stage, /to blame may be/)).toMatch(
        /may be: RunCloud's log names bad\.example\.net; /,
      );
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
        return /next attempt allowed/.test(await told(stage));
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

  test('with SSL_INVALID_NAMES=wait is named, and holds the others', async () => {
    await using stage = await withOld({ simulator: ALOUD });
    refuse(stage);
    await add(stage, BAD);
    expect(await says(stage, /to blame may be/)).toMatch(
      /blame may be: RunCloud's log names bad\.example\.net;/,
    );
    await add(stage, NEW);
    await says(stage, /bad\.example\.net.*as long as that is on it/);
    expect(await stage.stands(NEW, 'held')).toMatchObject({ mustAct: 'operator' });
    expect(failed(stage)).toHaveLength(1);
    expect(stage.names()).toEqual(expect.arrayContaining([PRIMARY, OLD, BAD, NEW]));
  });

  test('with SSL_INVALID_NAMES=detach makes room after the second failure, and the others get their certificate', async () => {
    await using stage = await withOld({
      env: { SSL_INVALID_NAMES: 'detach' },
      backoff: { heldMs: 86_400_000 },
      simulator: ALOUD,
    });
    refuse(stage);
    await add(stage, NEW);
    await until(() => stage.names().includes(NEW), 'the older one is attached');
    await add(stage, BAD);
    await says(stage, /to blame may be/);
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
    const { outcome, mustAct } = await stage.stands(BAD, 'held');
    expect(outcome).toMatch(/taken off.*stays off until .*SSL_INVALID_NAMES=detach/);
    expect(mustAct).toBe('operator');
    expect(stage.names()).toEqual(expect.arrayContaining([PRIMARY, OLD, NEW]));

    // It comes back later, with a certificate where that is mended.
    stage.edge.setDns('net', {});
    const record = `${stage.config.queuePrefix}:runcloud-domains-records:certificate:${APP.serverId}:${APP.appId}`;
    const sidelined = async () => (await stage.producer.requests.certificates.get(APP))?.sidelined;
    expect(await sidelined()).toMatchObject({ [BAD]: { count: 1 } });
    await stage.redis.hset(record, `sidelined:${BAD}`, JSON.stringify({ until: 1, count: 1 }));
    await add(stage, BAD);
    await stage.stands(BAD, 'live');
    expect(await sidelined()).toEqual({});

    // Who is removed and asked for again does not stay off.
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
    await says(stage, /to blame may be/);
    await stage.passBackoff();
    await until(async () => ((await stage.lastOrder())?.failures ?? 0) >= 2, 'it failed twice');
    await says(stage, /to blame may be/);
    await promoteRedeploys(stage.queue);
    await until(async () => {
      await promoteRedeploys(stage.queue);
      return /next attempt allowed/.test(await told(stage));
    }, 'the redeploy has looked again');
    expect(stage.names()).toEqual(expect.arrayContaining([PRIMARY, OLD, NEW]));
  });
});
