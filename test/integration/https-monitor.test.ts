// The watch over what is live: what has changed is said, by a record, its history and one line in the log; what is repaired is live
// again automatically; and nothing is written to RunCloud unless MONITOR_REPAIR says so.
import { describe, expect, test } from '@jest/globals';
import { isWrite } from '../../packages/simulator/src/index.ts';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { endCooldowns } from '../helpers/backoff.ts';
import {
  createHttpsStage,
  ELSEWHERE,
  type HttpsStage,
  type HttpsStageOptions,
} from '../helpers/https-stage.ts';
import { createLine } from '../helpers/line.ts';
import { until } from '../helpers/until.ts';
import { APP } from '../helpers/worker.ts';

const SHOP = 'shop.example.com';
const DAY = 86_400_000;

const add = (stage: HttpsStage, domain: string) =>
  stage.producer.requests.enqueue('add-domain', { domain, www: false });
const writes = ({ simulator }: HttpsStage): number => simulator.state.calls.filter(isWrite).length;
const history = async (stage: HttpsStage) =>
  (await stage.producer.requests.store.history({ ...APP, domain: parseDomainName(SHOP) })).toReversed();

/** A stage on which the shop is live, and the workers leave the monitoring to the test. */
async function live(options: HttpsStageOptions = {}): Promise<HttpsStage> {
  await using stack = new AsyncDisposableStack();
  const stage = stack.use(await createHttpsStage(options));
  stage.point(SHOP);
  await add(stage, SHOP);
  await stage.stands(SHOP, 'live');
  await stage.idle();
  stack.move();
  return stage;
}

const told = (stage: string, more: object = {}) => [
  expect.objectContaining({ event: `domain-${stage}`, domain: SHOP, serverId: 1903, appId: 646, ...more }),
];

describe('every MONITOR_INTERVAL', () => {
  test('a worker looks, says what is wrong, and says when it is right again', async () => {
    await using stage = await live({ env: { MONITOR_INTERVAL: '200ms' } });
    const { outcomeAt } = await stage.record(SHOP);
    stage.edge.serve(SHOP, { notAfter: Date.now() + 20 * DAY });
    const held = await stage.stands(SHOP, 'held');
    const reasonCode = 'certificate-expiring';
    expect(held).toMatchObject({ mustAct: 'runcloud', request: 'settled', reasonCode, outcomeAt });
    expect(held.outcome).toMatch(/ (19|20) days \(issued for 90 days\)/);
    stage.edge.serve(SHOP);
    expect(await stage.stands(SHOP, 'live')).toMatchObject({ mustAct: undefined, outcomeAt });
    expect((await stage.path(SHOP)).slice(-3)).toEqual(['live', 'held', 'live']);
  });
});

describe('a live domain', () => {
  test('that is as it was is left alone, without a line', async () => {
    await using stage = await live();
    const before = await history(stage);
    expect(await stage.watch()).toEqual([]);
    expect(await history(stage)).toEqual(before);
  });

  test.each([
    ['is expired', { expired: true }, 'certificate-wrong'],
    ['is for another name', { wrongName: true }, 'certificate-wrong'],
    ['is trusted by nobody', { untrusted: true }, 'certificate-wrong'],
    ['ends, and was not renewed in time', { notAfter: Date.now() + 5 * DAY }, 'certificate-expiring'],
  ] as const)(
    'whose certificate %s is held for RunCloud, told once, and nothing is written',
    async (_, lie, reasonCode) => {
      await using stage = await live();
      const before = writes(stage);
      stage.edge.serve(SHOP, lie);
      expect(await stage.watch()).toEqual(told('held', { level: 'warn', mustAct: 'runcloud' }));
      const held = await stage.record(SHOP);
      expect(held).toMatchObject({ state: 'held', reasonCode, mustAct: 'runcloud', request: 'settled' });
      expect((await history(stage)).at(-1)).toMatchObject({
        state: 'held',
        mustAct: 'runcloud',
        reasonCode,
        reason: held.outcome,
      });
      expect(await stage.watch()).toEqual([]);
      expect(writes(stage)).toBe(before);

      stage.edge.serve(SHOP);
      expect(await stage.watch()).toEqual(told('live', { level: 'info' }));
      expect(await stage.watch()).toEqual([]);
      expect(await stage.record(SHOP)).toMatchObject({ state: 'live', mustAct: undefined });
    },
  );

  test('whose name leads elsewhere is held for the customer, and live again when it comes back', async () => {
    await using stage = await live();
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    expect(await stage.watch()).toEqual(told('held', { mustAct: 'customer' }));
    const held = await stage.record(SHOP);
    expect(held).toMatchObject({ state: 'held', reasonCode: 'dns-wrong', mustAct: 'customer' });
    expect(held.evidence?.dns).toMatchObject([{ verdict: 'elsewhere', observed: { a: [ELSEWHERE] } }]);
    stage.point(SHOP);
    expect(await stage.watch()).toEqual(told('live'));
  });

  test('that went live with DNS_GATE=off although its name leads elsewhere stays live with the warning', async () => {
    await using stage = await createHttpsStage({
      env: { DNS_GATE: 'off' },
      simulator: { variants: { validation: 'none' } },
    });
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    await add(stage, SHOP);
    const { outcome } = await stage.stands(SHOP, 'live');
    expect(outcome).toMatch(/shop\.example\.com .*198\.51\.100\.9/);
    await stage.idle();
    expect(await stage.watch()).toEqual([]);
    expect(await stage.watch()).toEqual([]);
    expect(await stage.record(SHOP)).toMatchObject({ state: 'live', outcome });
  });

  test('that is wrong in another way than before is told again', async () => {
    await using stage = await live();
    stage.edge.serve(SHOP, { expired: true });
    await stage.watch();
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    expect(await stage.watch()).toEqual(told('held', { mustAct: 'customer' }));
    expect((await history(stage)).slice(-2)).toMatchObject([
      { mustAct: 'runcloud' },
      { mustAct: 'customer' },
    ]);
  });

  test('that vanished from RunCloud is held for the operator, and nothing is written', async () => {
    await using stage = await live();
    const before = writes(stage);
    stage.simulator.detachDomain({ name: SHOP });
    expect(await stage.watch()).toEqual(told('held', { mustAct: 'operator' }));
    expect(await stage.record(SHOP)).toMatchObject({ state: 'held', reasonCode: 'removed-in-runcloud' });
    expect(await stage.watch()).toEqual([]);
    expect(writes(stage)).toBe(before);
    expect(stage.names()).not.toContain(SHOP);

    await add(stage, SHOP);
    await stage.stands(SHOP, 'live');
    expect(stage.names()).toContain(SHOP);
  });

  test('whose www name alone is no longer covered is held, and the twin is named', async () => {
    await using stage = await createHttpsStage();
    stage.point(SHOP, `www.${SHOP}`);
    await stage.producer.requests.enqueue('add-domain', { domain: SHOP, www: true });
    await stage.stands(SHOP, 'live');
    stage.edge.serve(`www.${SHOP}`, { wrongName: true });
    expect(await stage.watch()).toEqual(
      told('held', { msg: expect.stringContaining(`not for www.${SHOP}`) }),
    );
  });
});

describe('what could not be queried changes nothing:', () => {
  test('the server that does not answer', async () => {
    await using stack = new AsyncDisposableStack();
    let line: Awaited<ReturnType<typeof createLine>> | undefined;
    const stage = stack.use(
      await live({
        env: async ({ edge }) => {
          line = stack.use(await createLine({ host: '127.0.0.1', port: edge?.tlsPort ?? 0 }));
          return { TLS_PROBE_ADDRESS: `127.0.0.1:${line.port}` };
        },
      }),
    );
    const before = await stage.record(SHOP);
    line?.cut();
    expect(await stage.watch()).toEqual([]);
    expect(await stage.record(SHOP)).toEqual(before);
    // The same for what is held: silence does not make it live.
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    await stage.watch();
    stage.point(SHOP);
    expect(await stage.watch()).toEqual([]);
    expect(await stage.record(SHOP)).toMatchObject({ state: 'held', mustAct: 'customer' });
  });

  test('DNS that fails', async () => {
    await using stage = await live();
    const before = await stage.record(SHOP);
    stage.edge.setDns(SHOP, { fails: 'servfail' });
    expect(await stage.watch()).toEqual([]);
    expect(await stage.record(SHOP)).toEqual(before);
  });

  test('RunCloud that is down: a line says so, and the next watch goes on', async () => {
    await using stage = await live();
    await stage.watch();
    const before = await history(stage);
    stage.simulator.addFault({ kind: 'status', status: 503, times: 'always' });
    expect(await stage.watch()).toMatchObject([{ event: 'monitor-blind', level: 'warn', appId: APP.appId }]);
    expect(await history(stage)).toEqual(before);
    stage.simulator.clearFaults();
    stage.simulator.detachDomain({ name: SHOP });
    expect(await stage.watch()).toEqual(told('held', { mustAct: 'operator' }));
  });

  test('a list that cannot be read: it is requested once and told once, and DNS and handshakes count nevertheless', async () => {
    await using stage = await live();
    const more = Array.from({ length: 11 }, (_, i) => `n${i}.example.com`);
    stage.point(...more);
    for (const name of more) await add(stage, name);
    for (const name of more) await stage.stands(name, 'live');
    await stage.idle();
    await stage.watch();
    stage.simulator.addFault({ kind: 'status', status: 403, operation: 'list-domains', times: 'always' });
    stage.edge.serve(SHOP, { expired: true });
    const before = stage.calls('list-domains').length;
    const lines = await stage.watch();
    expect(lines.filter(({ event }) => event === 'monitor-blind')).toHaveLength(1);
    expect(lines.filter(({ event }) => event !== 'monitor-blind')).toEqual(
      told('held', { mustAct: 'runcloud' }),
    );
    expect(stage.calls('list-domains').length - before).toBe(1);
    expect(await stage.record(more[0] ?? '')).toMatchObject({ state: 'live' });
  });

  test('a list that cannot be read does not bring back what was gone from it', async () => {
    await using stage = await live();
    stage.simulator.detachDomain({ name: SHOP });
    await stage.watch();
    stage.simulator.addFault({ kind: 'status', status: 403, operation: 'list-domains', times: 'always' });
    expect(await stage.watch()).toMatchObject([{ event: 'monitor-blind' }]);
    expect(await stage.record(SHOP)).toMatchObject({ state: 'held', mustAct: 'operator' });
  });

  test('RunCloud that the rate limiter knows to be down is not called, and the handshake counts nevertheless', async () => {
    await using stage = await live();
    await stage.watch();
    stage.simulator.detachDomain({ name: SHOP });
    stage.simulator.attachDomain({ name: SHOP });
    const calls = stage.simulator.state.calls.length;
    stage.edge.serve(SHOP, { expired: true });
    expect(await stage.watch({ isUnavailable: true })).toEqual(told('held', { mustAct: 'runcloud' }));
    expect(stage.simulator.state.calls).toHaveLength(calls);
  });

  test('a RunCloud that is down does not end the worker, whose own watch goes on afterwards', async () => {
    await using stage = await live({ env: { MONITOR_INTERVAL: '100ms' } });
    const lists = () => stage.calls('list-domains').length;
    const fault = stage.simulator.addFault({ kind: 'status', status: 503, times: 'always' });
    const before = lists();
    await until(() => lists() > before + 1, 'the watch has met the outage twice');
    expect(await stage.record(SHOP)).toMatchObject({ state: 'live' });
    stage.simulator.removeFault(fault.id);
    stage.edge.serve(SHOP, { expired: true });
    await stage.stands(SHOP, 'held');
  });
});

describe('not watched is', () => {
  test('a domain that was removed', async () => {
    await using stage = await live();
    await stage.producer.requests.enqueue('remove-domain', { domain: SHOP });
    await stage.stands(SHOP, 'removed');
    await stage.idle();
    const before = await stage.record(SHOP);
    stage.edge.serve(SHOP, { expired: true });
    expect(await stage.watch({ repair: true })).toEqual([]);
    expect(await stage.record(SHOP)).toEqual(before);
  });

  test('a domain that failed', async () => {
    await using stage = await createHttpsStage();
    stage.simulator.addFault({ kind: 'status', status: 422, operation: 'attach-domain', times: 'always' });
    stage.point(SHOP);
    await add(stage, SHOP);
    const before = await stage.stands(SHOP, 'failed');
    expect(await stage.watch({ repair: true })).toEqual([]);
    expect(await stage.record(SHOP)).toEqual(before);
  });

  test('a domain that still waits: its own job looks', async () => {
    await using stage = await createHttpsStage();
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    await add(stage, SHOP);
    await stage.stands(SHOP, 'waiting-for-dns');
    expect(await stage.watch({ repair: true })).toEqual([]);
    expect(await stage.path(SHOP)).toEqual(['requested', 'waiting-for-dns']);
  });
});

describe('with MONITOR_REPAIR=on', () => {
  test('what vanished from RunCloud is attached again, and live', async () => {
    await using stage = await live();
    stage.simulator.detachDomain({ name: SHOP });
    expect(await stage.watch({ repair: true })).toEqual(told('held', { mustAct: 'operator' }));
    await stage.stands(SHOP, 'live');
    expect(stage.names()).toContain(SHOP);
    expect(stage.calls('attach-domain')).toHaveLength(2);
  });

  test('the workers attach it again by themselves', async () => {
    await using stage = await live({ env: { MONITOR_INTERVAL: '200ms', MONITOR_REPAIR: 'on' } });
    stage.simulator.detachDomain({ name: SHOP });
    await until(() => stage.names().includes(SHOP), 'it is attached again');
    await stage.stands(SHOP, 'live');
    expect(stage.calls('attach-domain')).toHaveLength(2);
  });

  test('an expired certificate is redeployed once, and the domain is live when the new one shows', async () => {
    await using stage = await live({ env: { SSL_COOLDOWN: '1ms' } });
    stage.edge.serve(SHOP, { expired: true });
    expect(await stage.watch({ repair: true })).toEqual(told('held', { mustAct: 'runcloud' }));
    await until(() => stage.calls('redeploy-ssl').length === 2, 'it is redeployed');
    stage.edge.serve(SHOP);
    expect(await stage.watch({ repair: true })).toEqual(told('live'));
  });

  test.each([
    ['late', { notAfter: Date.now() + 5 * DAY }, 'runcloud'],
    ['another site’s', { wrongName: true }, 'runcloud'],
    ['expired', { expired: true }, 'runcloud'],
  ] as const)(
    'a certificate that is %s, and stays so, is ordered once, however often it is checked',
    async (_, lie, mustAct) => {
      await using stage = await live({ env: { SSL_COOLDOWN: '1ms' } });
      stage.edge.serve(SHOP, lie);
      for (let look = 0; look < 6; look += 1) {
        await stage.watch({ repair: true });
        await stage.idle();
      }
      expect(stage.calls('redeploy-ssl')).toHaveLength(2);
      expect(await stage.record(SHOP)).toMatchObject({ state: 'held', mustAct });
      // The next certificate is another one.
      stage.edge.serve(SHOP, { notAfter: Date.now() + 4 * DAY });
      await stage.watch({ repair: true });
      await until(() => stage.calls('redeploy-ssl').length === 3, 'that one is redeployed, too');
    },
  );

  test('an ask from which no order came is repeated: after the cool-down one order leaves, and no second one', async () => {
    await using stage = await live();
    stage.edge.serve(SHOP, { notAfter: Date.now() + DAY });
    const orders = async (): Promise<number> => {
      await stage.watch({ repair: true });
      await stage.idle();
      return stage.calls('redeploy-ssl').length;
    };
    expect([await orders(), await orders()]).toEqual([1, 1]);
    await endCooldowns(stage.redis, stage.config.queuePrefix);
    expect(await orders()).toBe(2);
    expect([await orders(), await orders()]).toEqual([2, 2]);
  });

  test('a redeploy that failed before an order left is requested again', async () => {
    await using stage = await live({ env: { SSL_COOLDOWN: '1ms' } });
    stage.edge.serve(SHOP, { notAfter: Date.now() + DAY });
    const fault = stage.simulator.addFault({
      kind: 'status',
      status: 404,
      operation: 'redeploy-ssl',
      times: 'always',
    });
    await stage.watch({ repair: true });
    await until(
      async () => (await stage.producer.requests.certificates.get(APP))?.state === 'failed',
      'the redeploy has failed',
    );
    stage.simulator.removeFault(fault.id);
    await stage.watch({ repair: true });
    await until(() => stage.simulator.state.orders.length === 2, 'it is ordered');
  });

  test('inside the cool-down nothing is ordered', async () => {
    await using stage = await live();
    stage.edge.serve(SHOP, { expired: true });
    await stage.watch({ repair: true });
    await stage.idle();
    expect(stage.calls('redeploy-ssl')).toHaveLength(1);
  });

  test('what was told before it was switched on, or by a worker that died before it could ask, is requested at the next watch', async () => {
    await using stage = await live();
    stage.simulator.detachDomain({ name: SHOP });
    await stage.watch();
    expect(await stage.record(SHOP)).toMatchObject({ state: 'held', request: 'settled' });
    await stage.watch({ repair: true });
    expect(await stage.record(SHOP)).toMatchObject({ request: 'pending' });
  });

  test('a name that leads elsewhere is the customer’s: nothing is written', async () => {
    await using stage = await live();
    const before = writes(stage);
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    await stage.watch({ repair: true });
    await stage.idle();
    expect(writes(stage)).toBe(before);
  });
});
