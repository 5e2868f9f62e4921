// The reconcile loop on a real Redis and the simulator: what RunCloud does not have as wanted, and what an outage
// made fail, is asked for again, and never against a newer request.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { DomainRecord } from '../../src/domains/domain.ts';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import type { RequestQueue } from '../../src/queue/enqueue.ts';
import { createKeys } from '../../src/redis/keys.ts';
import { checkInvariants, type Requested } from '../helpers/invariants.ts';
import { NOTHING, reconcile } from '../helpers/reconciler.ts';
import { until } from '../helpers/until.ts';
import { APP, createStage, PRIMARY, type Stage, type StageOptions } from '../helpers/worker.ts';

const DOMAIN = 'shop.example.org';
const key = { ...APP, domain: parseDomainName(DOMAIN) };
const HOUR = 3_600_000;

let stage: Stage;
let releases: AsyncDisposableStack;
beforeEach(() => {
  releases = new AsyncDisposableStack();
});
afterEach(() => releases.disposeAsync());

async function set(options: StageOptions = {}): Promise<RequestQueue> {
  stage = releases.use(await createStage(options));
  if (options.workers !== 0) await firstLoopDone();
  return stage.producer.requests;
}

/** The workers' first reconcile loop is at start; what a test prepares must come after it. */
async function firstLoopDone(): Promise<void> {
  const turn = stage.producer.requests.keyOf('reconcile');
  await until(async () => (await stage.redis.exists(turn)) === 1, 'the first reconcile loop has begun');
}

async function ask(presence: Requested['presence'] = 'present'): Promise<Requested> {
  const name = presence === 'present' ? 'add-domain' : 'remove-domain';
  const { jobId } = await stage.producer.requests.enqueue(name, { domain: DOMAIN });
  return { domain: DOMAIN, presence, jobId };
}

async function settle(presence: Requested['presence'] = 'present'): Promise<Requested> {
  const asked = await ask(presence);
  await stage.ended(asked.jobId);
  await stage.idle();
  return asked;
}

const recordKey = (): string => createKeys(stage.config.queuePrefix, 'runcloud-domains').record(key);

/** Makes the record older, as if that much time had passed since its outcome. */
async function age(ms: number): Promise<void> {
  for (const field of ['outcomeAt', 'wroteAt', 'requestedAt'])
    await stage.redis.hincrby(recordKey(), field, -ms);
  for (const field of ['nextRunAt', 'attachShownBy', 'detachShownBy'])
    if (await stage.redis.hget(recordKey(), field)) await stage.redis.hincrby(recordKey(), field, -ms);
}

const check = (asked: readonly Requested[]): Promise<void> =>
  checkInvariants({
    simulator: stage.simulator,
    redis: stage.redis,
    prefix: stage.config.queuePrefix,
    requested: asked,
  });

describe('a settled request that RunCloud does not have as wanted', () => {
  test('is mended within a day: an add whose domain is gone', async () => {
    await set();
    const asked = await settle();
    stage.simulator.detachDomain({ name: DOMAIN });
    await age(23 * HOUR);
    expect(await reconcile(stage)).toMatchObject({ ...NOTHING, reenqueued: 1 });
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
    expect(await reconcile(stage)).toMatchObject(NOTHING);
    await check([asked]);
  });

  test('is mended within a day: a removal that a late write has undone', async () => {
    await set();
    const asked = await settle('absent');
    stage.simulator.attachDomain({ name: DOMAIN });
    await age(HOUR);
    expect(await reconcile(stage)).toMatchObject({ ...NOTHING, reenqueued: 1 });
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY]);
    await check([asked]);
  });

  test('is left as it is after a day: somebody’s own doing in RunCloud’s panel, and no call is spent', async () => {
    await set();
    await settle();
    stage.simulator.detachDomain({ name: DOMAIN });
    await age(25 * HOUR);
    const { requests } = stage.simulator.state.counters;
    expect(await reconcile(stage)).toMatchObject(NOTHING);
    expect(stage.simulator.state.counters.requests).toBe(requests);
    expect(stage.names()).toEqual([PRIMARY]);
  });

  test('is not looked at while RunCloud is down or refuses us, but lost jobs are found all the same', async () => {
    await set({ workers: 0 });
    await ask();
    await stage.queue.obliterate({ force: true });
    expect(await reconcile(stage, { isUnavailable: async () => true })).toMatchObject({
      ...NOTHING,
      reenqueued: 1,
    });
    expect(stage.simulator.state.counters.requests).toBe(0);
  });
});

test('a request that failed is tried again after ten minutes, not before, and by nobody’s hand', async () => {
  await set({ retries: { attempts: 1 } });
  stage.simulator.addFault({ kind: 'status', status: 503, operation: 'list-domains' });
  const asked = await ask();
  await stage.ended(asked.jobId);
  await age(9 * 60_000);
  expect(await reconcile(stage)).toMatchObject(NOTHING);
  await age(60_000);
  expect(await reconcile(stage)).toMatchObject({ ...NOTHING, reenqueued: 1 });
  await stage.idle();
  await check([asked]);
});

test('however often a request failed in an outage, what is undone after it is mended all the same', async () => {
  await set({ retries: { attempts: 1 } });
  stage.simulator.addFault({ kind: 'status', status: 503, operation: 'list-domains', times: 4 });
  const asked = await ask();
  await stage.ended(asked.jobId);
  for (let i = 0; i < 4; i += 1) {
    // Each pause is twice the one before.
    await age(600_000 * 2 ** i - 60_000);
    expect(await reconcile(stage)).toMatchObject(NOTHING);
    await age(60_000);
    expect(await reconcile(stage)).toMatchObject({ ...NOTHING, reenqueued: 1 });
    await stage.idle();
  }
  expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
  stage.simulator.detachDomain({ name: DOMAIN });
  await age(HOUR);
  expect(await reconcile(stage)).toMatchObject({ ...NOTHING, reenqueued: 1 });
  await stage.idle();
  await check([asked]);
});

test('what RunCloud refused is looked at again too, and stays failed for people meanwhile', async () => {
  const seed = { webapps: [{}, { id: 647, domains: [DOMAIN] }] };
  await set({ simulator: { seed, variants: { duplicateScope: 'server' } } });
  const asked = await ask();
  expect((await stage.ended(asked.jobId)).failedReason).toMatch(/^runcloud-rejected: /);
  const store = stage.producer.requests.store;
  const failedSince = (await store.get(key))?.stateAt;
  await age(600_000);
  expect(await reconcile(stage)).toMatchObject({ ...NOTHING, reenqueued: 1 });
  await stage.idle();
  expect(await store.get(key)).toMatchObject({ request: 'failed', state: 'failed', stateAt: failedSince });
  // Somebody frees the name, a day later.
  stage.simulator.detachDomain({ name: DOMAIN, webapp: 647 });
  await age(1_200_000);
  expect(await reconcile(stage)).toMatchObject({ ...NOTHING, reenqueued: 1 });
  await stage.idle();
  await check([asked]);
});

describe('a newer request is never overridden by the reconcile loop', () => {
  /** Parts that let somebody ask for the opposite in the middle of the reconcile loop. */
  const moments = {
    'when it has listed the domain': (requests: RequestQueue, askNow: () => Promise<void>): RequestQueue => ({
      ...requests,
      store: {
        ...requests.store,
        async *scan() {
          for await (const record of requests.store.scan()) {
            await askNow();
            yield record;
          }
        },
      },
    }),
    'when it has checked, and is about to enqueue again': (
      requests: RequestQueue,
      askNow: () => Promise<void>,
    ) => ({
      ...requests,
      async reenqueue(record: DomainRecord) {
        await askNow();
        return requests.reenqueue(record, 'reconcile');
      },
    }),
  };

  test.each(Object.entries(moments))('that is made %s', async (_, at) => {
    const requests = await set();
    await settle();
    stage.simulator.detachDomain({ name: DOMAIN });
    const newer: Requested[] = [];
    const watched = at(requests, async () => {
      newer.push(await ask('absent'));
    });
    expect(await reconcile(stage, { requests: watched })).toMatchObject(NOTHING);
    await stage.idle();
    expect(newer).toHaveLength(1);
    expect(stage.names()).toEqual([PRIMARY]);
    expect(await requests.store.get(key)).toMatchObject({
      jobId: newer[0]?.jobId,
      desired: { presence: 'absent' },
      request: 'settled',
    });
  });
});

test('a domain that somebody takes away each time is mended three times, then left: they mean it', async () => {
  await set();
  await settle();
  for (const reenqueued of [1, 1, 1, 0]) {
    stage.simulator.detachDomain({ name: DOMAIN });
    expect(await reconcile(stage)).toMatchObject({ ...NOTHING, reenqueued });
    await stage.idle();
  }
  expect(stage.names()).toEqual([PRIMARY]);
  // A new request counts anew.
  await settle();
  expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
});
