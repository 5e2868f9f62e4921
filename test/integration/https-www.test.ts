// The www name of a domain, judged apart: an apex goes live without it, and it joins later; one that dies is taken off instead of the
// domain. On the simulator's own DNS, Let's Encrypt and TLS.
import { describe, expect, test } from '@jest/globals';
import type { DomainName } from '../../src/domains/domain-name.ts';
import { startServer } from '../helpers/http-server.ts';
import {
  createHttpsStage,
  ELSEWHERE,
  type HttpsStage,
  type HttpsStageOptions,
} from '../helpers/https-stage.ts';
import { until } from '../helpers/until.ts';
import { APP } from '../helpers/worker.ts';

const APEX = 'shop-a.com';
const WWW = `www.${APEX}`;
const NEW = 'new.example.com';
const advanced = { webapp: { advancedSsl: true, covers: 'all' } } as const;

const add = (stage: HttpsStage, domain: string, www?: boolean) =>
  stage.producer.requests.enqueue('add-domain', { domain, ...(www !== undefined && { www }) });
const attached = ({ simulator }: HttpsStage, domain = APEX) =>
  simulator.state.domains().find(({ name }) => name === domain);
const orders = ({ simulator }: HttpsStage) => simulator.state.orders;
const changes = (stage: HttpsStage) =>
  stage.calls('update-domain').filter(({ writeApplied }) => writeApplied);
const covered = async (stage: HttpsStage) =>
  (await stage.record(APEX)).evidence?.tls.map(({ name, verdict }) => `${name} ${verdict}`);

async function liveWithoutWww(options: HttpsStageOptions = {}): Promise<HttpsStage> {
  const stage = await createHttpsStage(options);
  stage.point(APEX);
  await add(stage, APEX);
  await stage.stands(APEX, 'live');
  return stage;
}

describe('an apex whose www has no DNS', () => {
  test.each([
    ['a shared certificate', {}],
    ['a certificate of its own', advanced],
    ['a shared certificate, gated before the order', { env: { DNS_GATE: 'certificate' } }],
    ['a shared certificate, over API v2', { version: 'v2' }],
    ['a certificate of its own, over API v2', { ...advanced, version: 'v2' }],
    [
      'API v2 that tells no more than id and name',
      { version: 'v2', simulator: { variants: { domainFields: 'minimal' } } },
    ],
  ] as const)('is live without it at once (%s), and says what makes it join', async (_, options) => {
    await using stage = await liveWithoutWww(options);
    expect(attached(stage)).toMatchObject({ www: false, redirection: 'none' });
    expect(orders(stage)).toHaveLength(1);
    expect(await covered(stage)).toEqual([`${APEX} covers`]);
    const record = await stage.record(APEX);
    expect(record).toMatchObject({
      desired: { www: 'auto' },
      setWww: false,
      request: 'settled',
      reasonCode: 'https-works',
    });
    expect(record.outcome).toContain('add shop-a.com`');
    // The records that bring it are on record too.
    expect(record.evidence?.dns.map(({ name, verdict }) => [name, verdict])).toEqual([
      [APEX, 'here'],
      [WWW, 'missing'],
    ]);
  });

  test('waits where the caller requested www, says the way out, and that leads to live', async () => {
    await using stage = await createHttpsStage();
    stage.point(APEX);
    await add(stage, APEX, true);
    const waits = await stage.stands(APEX, 'waiting-for-dns');
    expect(waits.outcome).toMatch(
      /www\.shop-a\.com does not exist.*`add shop-a\.com --www=false`.*DNS_DEADLINE/,
    );
    expect(attached(stage)).toBeUndefined();
    await add(stage, APEX, false);
    await stage.stands(APEX, 'live');
    expect(attached(stage)).toMatchObject({ www: false });
  });

  test.each([
    ['gated before it is attached', {}],
    ['gated before its certificate is ordered', { DNS_GATE: 'certificate' }],
  ])('goes live without the www that was asked for after DNS_DEADLINE (%s)', async (_, env) => {
    await using stage = await createHttpsStage({ env: { DNS_DEADLINE: '400ms', ...env } });
    stage.point(APEX);
    await add(stage, APEX, true);
    await stage.stands(APEX, 'live');
    expect(attached(stage)).toMatchObject({ www: false, redirection: 'none' });
    expect((await stage.record(APEX)).desired).toMatchObject({ www: true });
    expect(stage.calls('delete-domain')).toEqual([]);
  });

  test('over API v2 with www attached already, waits and says what lets it go live', async () => {
    await using stage = await createHttpsStage({ version: 'v2', env: { DNS_GATE: 'certificate' } });
    stage.point(APEX);
    await add(stage, APEX, true);
    const waits = await stage.stands(APEX, 'waiting-for-dns');
    expect(attached(stage)).toMatchObject({ www: true });
    expect(waits.outcome).toMatch(/API v2.*`remove shop-a\.com`, then `add shop-a\.com --www=false`/);
    expect(stage.calls('update-domain')).toEqual([]);
  });
});

describe('a www name that was left out', () => {
  test.each([
    ['a shared certificate', {}],
    ['a certificate of its own', advanced],
  ])('joins when the watch finds its DNS right, and its certificate follows (%s)', async (_, options) => {
    await using stage = await liveWithoutWww(options);
    await stage.watch();
    expect(await stage.record(APEX)).toMatchObject({
      state: 'live',
      outcome: expect.stringContaining(WWW),
    });
    expect(changes(stage)).toEqual([]);
    stage.point(WWW);
    const lines = await stage.watch();
    expect(lines.map(({ event }) => event)).toContain('www-changes');
    await until(async () => (await covered(stage))?.length === 2, 'www is proven');
    await stage.stands(APEX, 'live');
    expect(await covered(stage)).toEqual([`${APEX} covers`, `${WWW} covers`]);
    expect(attached(stage)).toMatchObject({ www: true, redirection: 'non-www', type: 'alias' });
    expect(changes(stage)).toHaveLength(1);
    expect(stage.calls('delete-domain')).toEqual([]);
    expect((await stage.record(APEX)).outcome).not.toContain('not served');
    await stage.idle();
    await stage.watch();
    expect(changes(stage)).toHaveLength(1);
  });

  test('joins when somebody requests again', async () => {
    await using stage = await liveWithoutWww();
    stage.point(WWW);
    await add(stage, APEX);
    await until(async () => (await covered(stage))?.length === 2, 'www is proven');
    await stage.stands(APEX, 'live');
    expect(orders(stage)).toHaveLength(2);
  });

  test.each([
    ['lost', { kind: 'drop-after' }],
    ['lost before it was carried out', { kind: 'drop-before' }],
    ['a 502 of a change that was made', { kind: 'status', status: 502, appliesWrite: true }],
  ] as const)('joins once where the reply to the change is %s', async (_, fault) => {
    await using stage = await liveWithoutWww();
    stage.simulator.addFault({ ...fault, operation: 'update-domain', times: 1 });
    stage.point(WWW);
    await add(stage, APEX);
    await until(async () => (await covered(stage))?.length === 2, 'www is proven');
    await stage.stands(APEX, 'live');
    expect(changes(stage)).toHaveLength(1);
    expect(await stage.record(APEX)).toMatchObject({ setWww: true });
  });

  test.each(['empty', 'domain', '204'] as const)(
    'joins whatever the reply to the change: %s',
    async (changeReply) => {
      await using stage = await liveWithoutWww({ simulator: { variants: { changeReply } } });
      stage.point(WWW);
      await add(stage, APEX);
      await until(async () => (await covered(stage))?.length === 2, 'www is proven');
      expect(changes(stage)).toHaveLength(1);
    },
  );

  test('joins once where the list lags behind the change: that is not taken for somebody else’s doing', async () => {
    await using stage = await liveWithoutWww({ backoff: { lagMs: 3_000, checkMs: 100 } });
    stage.simulator.setSettings({ listLagMs: 1_500 });
    stage.point(WWW);
    await add(stage, APEX);
    await until(async () => (await covered(stage))?.length === 2, 'www is proven');
    await stage.stands(APEX, 'live');
    expect(changes(stage)).toHaveLength(1);
    expect(await stage.record(APEX)).toMatchObject({ setWww: true, attachedWww: true });
  });

  test('is not left on by a change that takes effect late, when it is wanted no more by then', async () => {
    await using stage = await liveWithoutWww({
      retries: { attempts: 1000 },
      env: { RUNCLOUD_TIMEOUT: '1500ms' },
      backoff: { lateMs: 3_600_000 },
    });
    const land = stage.keepWaiting('update-domain', { appliesWrite: false });
    stage.point(WWW);
    await add(stage, APEX);
    await until(() => stage.calls('update-domain').length === 1, 'the PATCH is on its way');
    await add(stage, APEX, false);
    const says = async () => (await stage.record(APEX)).reasonCode === 'write-unanswered';
    await until(says, 'the end of the PATCH is awaited');
    expect((await stage.record(APEX)).request).toBe('pending');
    land();
    await until(() => attached(stage)?.www === true, 'the PATCH has taken effect');
    // The time is over during which it might.
    const { requests } = stage.producer;
    const key = requests.keys.record({ ...APP, domain: APEX as DomainName });
    await stage.redis.hset(key, 'changeLateUntil', await requests.store.now());
    await until(async () => {
      await stage.queue.promoteJobs();
      return (await stage.record(APEX)).state === 'live' && attached(stage)?.www === false;
    }, 'it is live without www');
  });

  test('that RunCloud refuses leaves the domain live, and the reason says so', async () => {
    await using stage = await liveWithoutWww();
    stage.simulator.addFault({ kind: 'status', status: 422, operation: 'update-domain', times: 'always' });
    stage.point(WWW);
    await add(stage, APEX);
    const isRejected = async () => (await stage.record(APEX)).outcome?.includes('HTTP 422');
    await until(isRejected, 'the record has the refusal');
    expect(await stage.record(APEX)).toMatchObject({ state: 'live', request: 'settled' });
    expect(stage.calls('update-domain')).toHaveLength(1);
  });

  test('does not join behind the back of whom switched it off in the panel', async () => {
    await using stage = await createHttpsStage();
    stage.point(APEX, WWW);
    await add(stage, APEX);
    await stage.stands(APEX, 'live');
    await stage.panel('PATCH', `domains/${attached(stage)?.id}/meta`, { www: false });
    await stage.watch();
    await add(stage, APEX);
    await until(async () => (await stage.record(APEX)).attachedWww === false, 'it was seen');
    await stage.stands(APEX, 'live');
    expect(changes(stage)).toHaveLength(1);
    expect(attached(stage)).toMatchObject({ www: false });
  });

  test('does not join over API v2: the domain stays as it is, and the sentence says so', async () => {
    await using stage = await liveWithoutWww({ version: 'v2' });
    stage.point(WWW);
    await stage.watch();
    await stage.idle();
    expect(stage.calls('update-domain')).toEqual([]);
    expect(await stage.record(APEX)).toMatchObject({
      state: 'live',
      outcome: expect.stringMatching(/API v2.*`remove shop-a\.com`, then `add shop-a\.com`/),
    });
  });
});

describe('a www name that RunCloud has as a domain of its own', () => {
  const withPanelsWww = () =>
    createHttpsStage({ webapp: { domains: [{ name: WWW, www: false }], covers: 'all' } });

  test('is left to it: the domain goes live without, and the monitor does not try to take it', async () => {
    await using stage = await withPanelsWww();
    stage.point(APEX, WWW);
    await add(stage, APEX);
    await stage.stands(APEX, 'live');
    await stage.idle();
    await stage.watch();
    await stage.idle();
    expect(attached(stage)).toMatchObject({ www: false });
    expect(stage.calls('update-domain')).toEqual([]);
    expect((await stage.record(APEX)).outcome).toMatch(/www\.shop-a\.com is a domain of its own/);
    // It joins once that is gone.
    stage.simulator.detachDomain({ name: WWW });
    await stage.watch();
    await until(async () => (await covered(stage))?.length === 2, 'www is proven');
  });

  test('refuses the domain that was requested with it, by name, and it is attached without when asked so', async () => {
    await using stage = await withPanelsWww();
    stage.point(APEX, WWW);
    await add(stage, APEX, true);
    const failed = await stage.stands(APEX, 'failed');
    expect(failed).toMatchObject({
      code: 'host-name-taken',
      outcome: expect.stringMatching(/domain of its own.*--www=false/),
    });
    expect(stage.calls('attach-domain')).toEqual([]);
    await add(stage, APEX, false);
    await stage.stands(APEX, 'live');
  });

  test('is detached when its removal and the domain are requested together', async () => {
    await using stage = await createHttpsStage({ simulator: { variants: { twinName: 'refused' } } });
    stage.point(APEX, WWW);
    await add(stage, WWW);
    await stage.stands(WWW, 'live');
    stage.simulator.addFault({ kind: 'slow', delayMs: 500, operation: 'delete-domain', times: 1 });
    await stage.producer.requests.enqueue('remove-domain', { domain: WWW });
    await add(stage, APEX, true);
    await stage.stands(APEX, 'live');
    expect(attached(stage)).toMatchObject({ www: true });
    expect(stage.names()).not.toContain(WWW);
    expect(stage.calls('attach-domain').filter(({ status }) => status === 422)).toEqual([]);
  });
});

describe('a www name that RunCloud has on a domain of nobody here', () => {
  const withPanelsApex = () =>
    createHttpsStage({ webapp: { domains: [{ name: APEX, www: true }], covers: 'all' } });

  test('is not said to be absent by its removal: the answer names the domain and what to do', async () => {
    await using stage = await withPanelsApex();
    await stage.producer.requests.enqueue('remove-domain', { domain: WWW });
    const failed = await stage.stands(WWW, 'failed');
    expect(failed.code).toBe('host-name-taken');
    expect(failed.outcome).toMatch(
      /RunCloud has it as the www name of shop-a\.com.*switch www off for shop-a\.com in RunCloud/,
    );
  });

  test('is not attached a second time, and comes up when it is free', async () => {
    await using stage = await withPanelsApex();
    stage.point(APEX, WWW);
    await add(stage, WWW);
    const failed = await stage.stands(WWW, 'failed');
    expect(failed.code).toBe('host-name-taken');
    expect(stage.calls('attach-domain')).toEqual([]);
    await stage.panel('PATCH', `domains/${attached(stage)?.id}/meta`, { www: false });
    await add(stage, WWW);
    await stage.stands(WWW, 'live');
  });
});

test('a site whose www name becomes a domain of its own: both asked together, nobody is refused', async () => {
  await using stage = await createHttpsStage({ simulator: { variants: { twinName: 'refused' } } });
  stage.point(APEX, WWW);
  await add(stage, APEX);
  await stage.stands(APEX, 'live');
  stage.simulator.addFault({ kind: 'slow', delayMs: 500, operation: 'update-domain', times: 1 });
  await add(stage, APEX, false);
  await add(stage, WWW);
  await stage.stands(WWW, 'live');
  await stage.stands(APEX, 'live');
  expect(attached(stage)).toMatchObject({ www: false });
  expect(stage.calls('attach-domain').filter(({ status }) => status === 422)).toEqual([]);
});

describe('a domain whose attachment was answered without its id', () => {
  test.each([
    ['the reply was lost', { kind: 'drop-after', operation: 'attach-domain', times: 1 }, undefined],
    ['the reply says nothing', undefined, 'empty'],
  ] as const)('is ours all the same (%s): its www name joins', async (_, fault, attachReply) => {
    await using stage = await createHttpsStage({
      simulator: { variants: attachReply ? { attachReply } : {} },
    });
    if (fault) stage.simulator.addFault(fault);
    stage.point(APEX);
    await add(stage, APEX);
    await stage.stands(APEX, 'live');
    stage.point(WWW);
    await stage.watch();
    await until(async () => (await covered(stage))?.length === 2, 'www is proven');
    expect(changes(stage)).toHaveLength(1);
  });
});

describe('a www name that is attached', () => {
  const live = async (stage: HttpsStage, www?: boolean) => {
    stage.point(APEX, WWW);
    await add(stage, APEX, www);
    await stage.stands(APEX, 'live');
    stage.edge.setDns(WWW, { a: ELSEWHERE });
  };

  test.each(['wait', 'detach'])(
    'and dies is taken off when it blocks the certificate of others, and the domain stays (SSL_INVALID_NAMES=%s)',
    async (invalidNames) => {
      await using stage = await createHttpsStage({ env: { SSL_INVALID_NAMES: invalidNames } });
      await live(stage);
      stage.point(NEW);
      await add(stage, NEW, false);
      await stage.stands(NEW, 'live');
      await stage.stands(APEX, 'live');
      expect(attached(stage)).toMatchObject({ www: false, redirection: 'none', type: 'alias' });
      expect(stage.calls('delete-domain')).toEqual([]);
      expect((await stage.record(APEX)).outcome).toContain(WWW);
      expect(orders(stage).filter(({ status }) => status === 'failed')).toEqual([]);
    },
  );

  test('and dies is told by the monitor, taken off when it is dead at the next look too, and joins when it is back', async () => {
    await using stage = await createHttpsStage();
    await live(stage);
    await stage.watch();
    expect(await stage.record(APEX)).toMatchObject({ state: 'held', mustAct: 'customer' });
    expect(changes(stage)).toEqual([]);
    const dead = (await stage.record(APEX)).evidence?.at ?? 0;
    await until(async () => (await stage.producer.requests.store.now()) > dead + 100, 'a while has passed');
    await stage.watch();
    await until(() => attached(stage)?.www === false, 'it is taken off');
    await stage.stands(APEX, 'live');
    await stage.idle();
    stage.point(WWW);
    await stage.watch();
    await until(async () => (await covered(stage))?.length === 2, 'www is proven');
    expect(attached(stage)).toMatchObject({ www: true });
  });

  test('and dies stays as it is where it was requested: the customer must act', async () => {
    await using stage = await createHttpsStage();
    await live(stage, true);
    await stage.watch();
    await stage.watch();
    expect(await stage.record(APEX)).toMatchObject({ state: 'held', mustAct: 'customer' });
    expect(changes(stage)).toEqual([]);
  });

  test('and has no DNS does not hold its domain up with DNS_GATE=off either: after an order that failed it is taken off', async () => {
    await using stage = await createHttpsStage({ env: { DNS_GATE: 'off', CERTIFICATE_DEADLINE: '300ms' } });
    stage.point(APEX);
    await add(stage, APEX);
    await until(() => attached(stage)?.www === false, 'it is taken off');
    await stage.passBackoff();
    await stage.stands(APEX, 'live');
    expect(await covered(stage)).toEqual([`${APEX} covers`]);
  });

  test('and was requested stays with SSL_INVALID_NAMES=wait: the others wait, and the answer helps', async () => {
    await using stage = await createHttpsStage();
    await live(stage, true);
    stage.point(NEW);
    await add(stage, NEW, false);
    await stage.stands(NEW, 'held');
    expect(changes(stage)).toEqual([]);
    await add(stage, APEX, false);
    await stage.stands(NEW, 'live');
    expect(attached(stage)).toMatchObject({ www: false });
  });

  test('and is wanted no more is taken off, so that it can be requested on its own', async () => {
    await using stage = await createHttpsStage({ simulator: { variants: { twinName: 'refused' } } });
    await live(stage);
    stage.point(WWW);
    await add(stage, APEX, false);
    await stage.stands(APEX, 'live');
    expect(attached(stage)).toMatchObject({ www: false });
    await add(stage, WWW);
    await stage.stands(WWW, 'live');
    expect(stage.names()).toEqual(expect.arrayContaining([APEX, WWW]));
  });

  test('is judged by the monitor only as far as RunCloud has it', async () => {
    await using stage = await createHttpsStage();
    await live(stage);
    await stage.panel('PATCH', `domains/${attached(stage)?.id}/meta`, { www: false });
    await stage.watch();
    expect(await stage.record(APEX)).toMatchObject({ state: 'live' });
  });
});

test('without DNS and TLS probes, www follows the request by a change too', async () => {
  await using stage = await createHttpsStage({ env: { DNS_GATE: 'off', TLS_PROBE: 'off' } });
  const settled = async () => (await stage.record(APEX)).request === 'settled';
  await add(stage, APEX, false);
  await until(settled, 'attached');
  for (const www of [true, false]) {
    await add(stage, APEX, www);
    await until(async () => attached(stage)?.www === www && (await settled()), `www is ${www}`);
  }
  expect(changes(stage)).toHaveLength(2);
  expect(stage.calls('delete-domain')).toEqual([]);
});

test('the API tells whether www is our own rule', async () => {
  await using stage = await liveWithoutWww();
  await using server = await startServer(stage.env);
  const { body } = await server.fetch('GET', `/v1/domains/${APEX}?appId=${APP.appId}`, { as: 'read' });
  expect(body).toMatchObject({ desired: { presence: 'present', www: 'auto', redirection: 'non-www' } });
});
