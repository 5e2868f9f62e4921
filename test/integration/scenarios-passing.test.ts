// What passes by itself must not decide over a domain for good: pages in place of answers, a quota, a list that lags behind, an id
// that has changed, a site that moves, a write that takes effect late. Real workers, Redis and the simulator.
import { describe, expect, test } from '@jest/globals';
import type { FaultRule } from '../../packages/simulator/src/index.ts';
import type { DomainName } from '../../src/domains/domain-name.ts';
import type { DomainState as LifeStage } from '../../src/domains/states.ts';
import { checkInvariants, type Requested } from '../helpers/invariants.ts';
import { openLimiter } from '../helpers/mortal-worker.ts';
import { until } from '../helpers/until.ts';
import { APP, createStage, PRIMARY, PROMPT, type Stage } from '../helpers/worker.ts';

const DOMAIN = 'shop.example.org';
const EIGHT = Array.from({ length: 8 }, (_, i) => `d${i}.example.org`);

async function ask(
  stage: Stage,
  domain: string,
  presence: Requested['presence'] = 'present',
  appId?: number,
): Promise<Requested> {
  const name = presence === 'present' ? 'add-domain' : 'remove-domain';
  const { jobId } = await stage.producer.requests.enqueue(name, { domain, www: false, appId });
  return { domain, presence, jobId };
}

const check = ({ simulator, redis, config }: Stage, asked: readonly Requested[]) =>
  checkInvariants({ simulator, redis, prefix: config.queuePrefix, requested: asked });

const recordOf = async ({ producer }: Stage, domain: string, appId: number = APP.appId) => {
  const found = await producer.requests.store.everywhere(domain as never);
  return found.find((record) => record.appId === appId);
};

const untilStage = (stage: Stage, domain: string, desired: LifeStage, appId?: number) =>
  until(async () => {
    const record = await recordOf(stage, domain, appId);
    return record?.state === desired ? record : undefined;
  }, `${domain} is ${desired}`);

/** Takes out the time that would only be waited for, until `isSo`. (A job is delayed only after its record says why.) */
const hurryUntil = ({ queue }: Stage, isSo: () => Promise<boolean> | boolean, what: string) =>
  until(async () => {
    for (const job of await queue.getDelayed()) await job.promote().catch(() => undefined);
    return await isSo();
  }, what);

const hasEnded = (stage: Stage, jobId: string) => async () => {
  const state = await stage.queue.getJobState(jobId);
  return state === 'completed' || state === 'failed';
};

describe('answers that are not about the domain, for a while, to eight adds at once:', () => {
  test.each<[string, FaultRule]>([
    ['a firewall’s page with 403', { kind: 'html', status: 403 }],
    ['a proxy’s page with 404', { kind: 'html', status: 404 }],
    ['a page with 422', { kind: 'html', status: 422 }],
    ['JSON of somebody else with 403', { kind: 'status', status: 403, body: { blocked: true } }],
    ['a redirect', { kind: 'status', status: 302, headers: { Location: '/login' } }],
    ['RunCloud’s own 403, to every call', { kind: 'status', status: 403 }],
    ['RunCloud’s own 402, to every call', { kind: 'status', status: 402 }],
  ])('%s: none fails, and all are attached once it is over', async (_, rule) => {
    await using stage = await createStage({ retries: { attempts: 1000 }, env: { WORKER_CONCURRENCY: '8' } });
    stage.simulator.addFault({ ...rule, times: 'always' });
    const asked = await Promise.all(EIGHT.map((domain) => ask(stage, domain)));
    // Every job has met it, or is held by it; nobody calls any more.
    await until(async () => (await stage.producer.operator.unavailable()) !== undefined, 'all jobs are held');
    expect(await stage.queue.getFailedCount()).toBe(0);
    stage.simulator.clearFaults();
    await openLimiter(stage.redis, stage.config.queuePrefix);
    await stage.idle();
    expect(await stage.queue.getFailedCount()).toBe(0);
    await check(stage, asked);
  });

  test('RunCloud’s own 403 for one web application holds nobody else, and is shown as the operator’s matter', async () => {
    const seed = { webapps: [{}, { id: 647 }] };
    await using stage = await createStage({ simulator: { seed }, retries: { attempts: 1000 } });
    stage.simulator.addFault({ kind: 'status', status: 403, path: '*/webapps/647/*', times: 'always' });
    const lost = await ask(stage, 'lost.example.org', 'present', 647);
    const record = await untilStage(stage, lost.domain, 'held', 647);
    expect(record).toMatchObject({ mustAct: 'operator', code: 'runcloud-forbidden' });
    const good = await ask(stage, DOMAIN);
    expect((await stage.ended(good.jobId)).returnvalue).toMatch(/attached/);
    expect(await stage.producer.operator.unavailable()).toBeUndefined();
    stage.simulator.clearFaults();
    expect((await stage.ended(lost.jobId)).returnvalue).toMatch(/attached/);
    await stage.idle();
  });
});

describe('a list that lags behind our own writes', () => {
  const LAG_MS = 60_000;
  const setLag = ({ simulator }: Stage, listLagMs: number) => simulator.setSettings({ listLagMs });

  test.each<[string, FaultRule]>([
    ['504', { kind: 'status', status: 504, appliesWrite: true }],
    ['{}', { kind: 'status', status: 200, body: {}, appliesWrite: true }],
    ['a page', { kind: 'html', status: 200, appliesWrite: true }],
    ['silence', { kind: 'drop-after' }],
  ])(
    'after a POST that was applied and answered with %s: refused, looked at again, attached',
    async (_, rule) => {
      await using stage = await createStage();
      setLag(stage, LAG_MS);
      stage.simulator.addFault({ ...rule, operation: 'attach-domain' });
      const asked = await ask(stage, DOMAIN);
      const isRefused = () => stage.calls('attach-domain').some(({ status }) => status === 422);
      await hurryUntil(stage, isRefused, 'RunCloud refuses the second POST');
      const record = await until(async () => {
        const record = await recordOf(stage, DOMAIN);
        return record?.reasonCode === 'list-contradicts' ? record : undefined;
      }, 'the contradiction is told');
      expect(record).toMatchObject({ request: 'pending', state: 'attaching' });
      expect(Number(record?.nextRunAt)).toBeGreaterThan(0);
      setLag(stage, 0);
      await hurryUntil(stage, hasEnded(stage, asked.jobId), 'it has ended');
      expect((await stage.ended(asked.jobId)).returnvalue).toMatch(/attached/);
      await stage.idle();
      // The certificate follows, as after any attachment of ours.
      expect(stage.calls('redeploy-ssl')).toHaveLength(1);
      await check(stage, [asked]);
    },
  );

  test('for good: held for the operator, never failed', async () => {
    await using stage = await createStage();
    setLag(stage, LAG_MS * 1000);
    stage.simulator.addFault({ kind: 'drop-after', operation: 'attach-domain' });
    await ask(stage, DOMAIN);
    await until(async () => (await recordOf(stage, DOMAIN))?.reasonCode === 'list-contradicts', 'it is told');
    const { keys } = stage.producer.requests;
    // Ten minutes later.
    const key = keys.record({ ...APP, domain: DOMAIN as DomainName });
    await stage.redis.hincrby(key, 'touchedAt', -600_000);
    const isHeld = async () => (await recordOf(stage, DOMAIN))?.state === 'held';
    await hurryUntil(stage, isHeld, 'it is held');
    expect(await recordOf(stage, DOMAIN)).toMatchObject({ mustAct: 'operator', request: 'pending' });
    expect(await stage.queue.getFailedCount()).toBe(0);
    setLag(stage, 0);
    await hurryUntil(
      stage,
      async () => (await recordOf(stage, DOMAIN))?.request === 'settled',
      'it is attached',
    );
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
  });

  test.each(['remove', 'add again'])(
    'another worker, which has only the list, does not take it at its word: %s',
    async (what) => {
      const isRemoval = what === 'remove';
      const seed = { webapps: [{ domains: isRemoval ? [] : [DOMAIN] }] };
      const backoff = { ...PROMPT, lagMs: LAG_MS };
      await using stage = await createStage({ workers: 0, backoff, simulator: { seed } });
      setLag(stage, LAG_MS);
      const first = await stage.startWorker();
      await stage.ended((await ask(stage, DOMAIN, isRemoval ? 'present' : 'absent')).jobId);
      await first.close();
      await stage.startWorker();
      const asked = await ask(stage, DOMAIN, isRemoval ? 'absent' : 'present');
      await until(
        async () => (await recordOf(stage, DOMAIN))?.reasonCode === 'list-lags',
        'it waits for the list',
      );
      setLag(stage, 0);
      // The time that the list gets is over.
      const key = stage.producer.requests.keys.record({ ...APP, domain: DOMAIN as DomainName });
      await stage.redis.hset(key, isRemoval ? 'attachShownBy' : 'detachShownBy', Date.now());
      await hurryUntil(stage, hasEnded(stage, asked.jobId), 'it has ended');
      await stage.idle();
      await check(stage, [asked]);
    },
  );

  test('a removal is done when RunCloud has named it, whatever the list still shows', async () => {
    await using stage = await createStage({ simulator: { seed: { webapps: [{ domains: [DOMAIN] }] } } });
    setLag(stage, LAG_MS);
    const asked = await ask(stage, DOMAIN, 'absent');
    expect((await stage.ended(asked.jobId)).returnvalue).toMatch(/removed/);
    await stage.idle();
    await check(stage, [asked]);
  });
});

describe('a site moves from one web application to another of ours, a name being unique on the server', () => {
  const seed = { webapps: [{ domains: [DOMAIN] }, { id: 647 }] };
  const simulator = { seed, variants: { duplicateScope: 'server' } } as const;

  test.each(['removed first', 'added first'] as const)('%s: it ends on the new one', async (order) => {
    await using stage = await createStage({ simulator });
    stage.simulator.addFault({ kind: 'slow', delayMs: 800, operation: 'delete-domain' });
    const steps = [() => ask(stage, DOMAIN, 'absent'), () => ask(stage, DOMAIN, 'present', 647)];
    for (const step of order === 'removed first' ? steps : steps.reverse()) await step();
    const isThere = async () => (await recordOf(stage, DOMAIN, 647))?.request === 'settled';
    await hurryUntil(stage, isThere, 'it is attached to the new one');
    expect(stage.simulator.state.domains(647).map(({ name }) => name)).toContain(DOMAIN);
    expect(stage.names()).not.toContain(DOMAIN);
    expect(await stage.queue.getFailedCount()).toBe(0);
    await stage.idle();
  });

  test('and nobody asks for its removal: held, naming the place and the command; freed, it comes up by itself', async () => {
    await using stage = await createStage({ simulator });
    await stage.ended((await ask(stage, DOMAIN)).jobId);
    await ask(stage, DOMAIN, 'present', 647);
    const held = await untilStage(stage, DOMAIN, 'held', 647);
    expect(held).toMatchObject({ mustAct: 'operator', reasonCode: 'requested-elsewhere' });
    expect(held.outcome).toContain(`\`remove ${DOMAIN} --app 646\``);
    await stage.ended((await ask(stage, DOMAIN, 'absent')).jobId);
    const isThere = async () => (await recordOf(stage, DOMAIN, 647))?.request === 'settled';
    await hurryUntil(stage, isThere, 'it is attached');
    await stage.idle();
  });
});

describe('one odd answer does not end a removal', () => {
  const seed = { webapps: [{ domains: [DOMAIN] }] };
  const lists = (body: unknown) =>
    ({ kind: 'status', status: 200, body, operation: 'list-domains' }) as const;
  const onlyPrimary = [{ id: 4711, name: PRIMARY, type: 'primary', www: 0, redirection: 'none' }];

  test.each<[string, FaultRule]>([
    ['an empty list', lists({ data: [] })],
    ['an empty list with a total', lists({ data: [], meta: { pagination: { total: 0, total_pages: 1 } } })],
    [
      'a list that lacks it',
      lists({ data: onlyPrimary, meta: { pagination: { total: 1, total_pages: 1 } } }),
    ],
    [
      '404 without a word, twice',
      { kind: 'status', status: 404, body: '', path: '*/webapps/646*', times: 2 },
    ],
    ['404 in RunCloud’s words, twice', { kind: 'status', status: 404, path: '*/webapps/646*', times: 2 }],
  ])('%s', async (_, rule) => {
    await using stage = await createStage({ simulator: { seed } });
    stage.simulator.addFault(rule);
    const asked = await ask(stage, DOMAIN, 'absent');
    expect((await stage.ended(asked.jobId)).returnvalue).toMatch(/removed/);
    await stage.idle();
    await check(stage, [asked]);
  });
});

describe('a refusal that is not about the domain is tried again:', () => {
  test.each([
    [409, 'Another operation is running on this server, please try again.'],
    [422, 'Your server is not connected to RunCloud.'],
    [400, 'Please try again later.'],
    [423, 'Locked.'],
  ])('%i %s', async (status, message) => {
    await using stage = await createStage({
      simulator: { seed: { webapps: [{ domains: ['gone.example.org'] }] } },
    });
    const refusal = { kind: 'status', status, body: { message } } as const;
    stage.simulator.addFault({ ...refusal, operation: 'attach-domain' });
    stage.simulator.addFault({ ...refusal, operation: 'delete-domain' });
    const asked = [await ask(stage, DOMAIN), await ask(stage, 'gone.example.org', 'absent')];
    for (const { jobId } of asked) expect((await stage.ended(jobId)).returnvalue).toMatch(/attached|removed/);
    await stage.idle();
    await check(stage, asked);
  });

  test('one that is about it decides, and says only what RunCloud says', async () => {
    await using stage = await createStage();
    const body = {
      message: 'The given data was invalid.',
      errors: { name: ['The name format is invalid.'] },
    };
    stage.simulator.addFault({
      kind: 'status',
      status: 422,
      body,
      operation: 'attach-domain',
      times: 'always',
    });
    const { jobId } = await ask(stage, DOMAIN);
    const { failedReason, attemptsMade } = await stage.ended(jobId);
    expect(failedReason).toMatch(/name format is invalid\.\)?$/);
    expect(attemptsMade).toBe(1);
  });
});

test('a 404 on the redeploy of a certificate whose id we read ourselves: the id is read again, and it goes on', async () => {
  await using stage = await createStage();
  stage.simulator.addFault({ kind: 'status', status: 404, operation: 'redeploy-ssl' });
  const asked = await ask(stage, DOMAIN);
  await stage.ended(asked.jobId);
  await until(() => stage.calls('redeploy-ssl').some(({ writeApplied }) => writeApplied), 'it is ordered');
  await stage.idle();
  const record = await stage.producer.requests.certificates.get(APP);
  expect(record).toMatchObject({ state: 'done' });
  expect(stage.calls('get-ssl').length).toBeGreaterThan(1);
  await check(stage, [asked]);
});

describe('a write that takes effect after its time', () => {
  /** Shorter than what the write takes: it lands when the test says so. */
  const env = { RUNCLOUD_TIMEOUT: '1500ms' };
  const retries = { attempts: 1000 };
  const backoff = { ...PROMPT, lateMs: 3_600_000 };
  /** The time is over during which it may still take effect. */
  const passLateness = async ({ redis, producer }: Stage, domain: string, kind: 'attach' | 'detach') => {
    const key = producer.requests.keys.record({ ...APP, domain: domain as DomainName });
    await redis.hset(key, `${kind}LateUntil`, await producer.requests.store.now());
  };

  test('an add lands while its removal is asked: nothing is said to be removed before it is, and two cost one reading', async () => {
    await using stage = await createStage({ env, retries, backoff });
    const two = ['one.example.org', 'two.example.org'];
    const land = stage.keepWaiting('attach-domain', { appliesWrite: false, times: 2 });
    for (const domain of two) await ask(stage, domain);
    await until(() => stage.calls('attach-domain').length === 2, 'both POSTs are on their way');
    const asked = await Promise.all(two.map((domain) => ask(stage, domain, 'absent')));
    for (const domain of two) {
      const waiting = await until(async () => {
        const record = await recordOf(stage, domain);
        return record?.state === 'removing' && record.reasonCode === 'write-unanswered' ? record : undefined;
      }, `${domain} waits for the end of the POST`);
      expect(waiting.request).toBe('pending');
      expect(Number(waiting.nextRunAt)).toBeGreaterThanOrEqual(waiting.lateUntil.attach);
    }
    land();
    await until(() => two.every((domain) => stage.names().includes(domain)), 'both POSTs have taken effect');
    const before = stage.calls('list-domains').length;
    for (const domain of two) await passLateness(stage, domain, 'attach');
    for (const { jobId } of asked) await hurryUntil(stage, hasEnded(stage, jobId), 'it has ended');
    for (const { jobId } of asked) expect((await stage.ended(jobId)).returnvalue).toMatch(/removed/);
    expect(stage.names()).toEqual([PRIMARY]);
    expect(stage.calls('list-domains').length - before).toBeLessThanOrEqual(2);
    await stage.idle();
    await check(stage, asked);
  });

  test('a removal lands while its domain is asked for again: nothing is said to be attached before it is', async () => {
    await using stage = await createStage({ env, retries, backoff });
    await stage.ended((await ask(stage, DOMAIN)).jobId);
    const land = stage.keepWaiting('delete-domain', { appliesWrite: false });
    await ask(stage, DOMAIN, 'absent');
    await until(() => stage.calls('delete-domain').length === 1, 'the DELETE is on its way');
    const asked = await ask(stage, DOMAIN);
    await until(async () => (await recordOf(stage, DOMAIN))?.reasonCode === 'write-unanswered', 'it waits');
    land();
    await until(() => !stage.names().includes(DOMAIN), 'the DELETE has taken effect');
    await passLateness(stage, DOMAIN, 'detach');
    await hurryUntil(stage, hasEnded(stage, asked.jobId), 'it has ended');
    expect((await stage.ended(asked.jobId)).returnvalue).toMatch(/attached/);
    await stage.idle();
    await check(stage, [asked]);
  });
});
