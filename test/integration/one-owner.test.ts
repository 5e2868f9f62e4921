// One host name has one owner among our records: a www name belongs to its domain, or was asked for by itself. Whoever comes second is
// refused, by name, at every door; of two that race, one wins.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Desired } from '../../src/domains/domain.ts';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { wwwWasRequested } from '../../src/domains/messages.ts';
import { createDomainStore, type DomainRequest, type DomainStore } from '../../src/domains/store.ts';
import { PermanentError } from '../../src/errors.ts';
import { QUEUE_NAME } from '../../src/jobs/catalog.ts';
import { createKeys, type Keys } from '../../src/redis/keys.ts';
import { startServer } from '../helpers/http-server.ts';
import { type TestRedis, testRedis } from '../helpers/redis.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

const APP = { serverId: 1903, appId: 646 };
const APEX = 'shop-a.com';
const WWW = 'www.shop-a.com';

let corner: TestRedis;
let redis: Redis;
let keys: Keys;
let store: DomainStore;

beforeEach(async () => {
  corner = await testRedis();
  redis = new Redis(corner.url, { disconnectTimeout: 50 });
  keys = createKeys(corner.prefix, QUEUE_NAME);
  store = createDomainStore({ redis, keys });
});

afterEach(async () => {
  await redis.quit();
  await corner.cleanup();
});

const present = (www: boolean | 'auto'): Desired => ({ presence: 'present', www, redirection: 'none' });
const absent: Desired = { presence: 'absent' };
const asked = (domain: string, desired: Desired, app = APP): DomainRequest => ({
  ...app,
  domain: parseDomainName(domain),
  desired,
});
const desiredOf = async (domain: string): Promise<Desired | undefined> =>
  (await store.get({ ...APP, domain: parseDomainName(domain) }))?.desired;
const ownerOf = async (domain: string): Promise<string | undefined> =>
  (await store.ownerOf({ ...APP, domain: parseDomainName(domain) }))?.domain;

/** `request`: as our own door records it; `claim`: as a job of a bare client comes up. */
const writers = {
  request: (request: DomainRequest) => store.request(request),
  claim: async (request: DomainRequest) => {
    const jobId = String(await redis.incr(`${keys.queue}id`));
    return store.claim({ jobId, addedAt: await store.now() }, request);
  },
};
type ProducerConnection = keyof typeof writers;

async function refusal(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(PermanentError);
  expect(error).toMatchObject({ code: 'host-name-taken' });
  return (error as PermanentError).message;
}

describe.each(['request', 'claim'] as const)('by a %s', (connection: ProducerConnection) => {
  const ask = (domain: string, desired: Desired) => writers[connection](asked(domain, desired));

  test.each([[true], ['auto']] as const)(
    'the www name of a domain that wants it (www: %s) is not added by itself, and no record is made',
    async (www) => {
      await ask(APEX, present(www));
      const sentence = await refusal(ask(WWW, present(false)));
      expect(sentence).toMatch(
        /www\.shop-a\.com is the www name of shop-a\.com.*add shop-a\.com --www=false/,
      );
      expect(await desiredOf(WWW)).toBeUndefined();
      expect(await redis.zrange(keys.all, '0', '-1')).toEqual([`1903:646:${APEX}`]);
      expect(await ownerOf(WWW)).toBe(APEX);
    },
  );

  test('nor removed by itself: the answer names the domain and what to ask', async () => {
    await ask(APEX, present('auto'));
    const sentence = await refusal(ask(WWW, absent));
    expect(sentence).toMatch(/add shop-a\.com --www=false.*remove shop-a\.com/);
    expect(await desiredOf(APEX)).toEqual(present('auto'));
  });

  test('a domain whose www name was asked for by itself goes without it where that was our own rule', async () => {
    await ask(WWW, present(false));
    await ask(APEX, present('auto'));
    expect(await desiredOf(APEX)).toEqual(present(false));
    expect(await ownerOf(WWW)).toBe(WWW);
    expect(await ownerOf(APEX)).toBe(APEX);
    const [step] = await store.history({ ...APP, domain: parseDomainName(APEX) });
    expect(step).toMatchObject({
      state: 'requested',
      reasonCode: 'requested',
      reason: expect.stringContaining('without www'),
    });
  });

  test('and is refused where the caller wants www', async () => {
    await ask(WWW, present(false));
    const sentence = await refusal(ask(APEX, present(true)));
    expect(sentence).toBe(wwwWasRequested(APEX));
    expect(await desiredOf(APEX)).toBeUndefined();
  });

  test.each([
    ['is removed', APEX, absent],
    ['gives its www up', APEX, present(false)],
  ])('a domain that %s has its www name no more', async (_, domain, desired) => {
    await ask(APEX, present(true));
    await ask(domain, desired);
    expect(await ownerOf(WWW)).toBeUndefined();
    await ask(WWW, present(false));
    expect(await ownerOf(WWW)).toBe(WWW);
  });

  test('a www name that was removed is free for its domain', async () => {
    await ask(WWW, present(false));
    await ask(WWW, absent);
    await ask(APEX, present(true));
    expect(await ownerOf(WWW)).toBe(APEX);
  });

  test('another web application has names of its own', async () => {
    await ask(APEX, present(true));
    const elsewhere = { serverId: 1903, appId: 647 };
    await writers[connection](asked(WWW, present(false), elsewhere));
    expect((await store.ownerOf({ ...elsewhere, domain: parseDomainName(WWW) }))?.domain).toBe(WWW);
  });

  test('a www name that wants a www of its own has the same rule one level down', async () => {
    await ask(WWW, present(true));
    await refusal(ask(`www.${WWW}`, present(false)));
    await ask(APEX, present('auto'));
    expect(await desiredOf(APEX)).toEqual(present(false));
  });
});

describe('what is on its way', () => {
  test('a removal that runs late is not stopped by a domain that has taken the name since', async () => {
    await store.request(asked(WWW, present(false)));
    const { jobId } = await store.request(asked(WWW, absent));
    await store.request(asked(APEX, present(true)));
    const { fate, record } = await store.claim({ jobId, addedAt: 0 }, asked(WWW, absent));
    expect([fate, record.desired]).toEqual(['current', absent]);
    expect(
      await store.request(asked(WWW, absent), {
        generation: record.generation,
        by: 'the reconcile loop',
      }),
    ).toMatchObject({ fate: 'missing' });
  });

  test('a repeated auto that gave way is coalesced with itself', async () => {
    await store.request(asked(WWW, present(false)));
    const first = await store.request(asked(APEX, present('auto')));
    await redis.hset(`${keys.queue}${first.jobId}`, 'name', 'add-domain');
    expect(first).toMatchObject({ fate: 'new', isWithoutTwin: true });
    expect(await store.request(asked(APEX, present('auto')))).toEqual({ ...first, fate: 'coalesced' });
  });

  test('of two requests that race for one name, one wins, at whichever door', async () => {
    for (let round = 0; round < 60; round += 1) {
      const apex = `race-${round}.com`;
      const pair = [
        (connection: ProducerConnection) => writers[connection](asked(apex, present(true))),
        (connection: ProducerConnection) => writers[connection](asked(`www.${apex}`, present(false))),
      ];
      const turn = round % 2 === 0 ? pair : pair.toReversed();
      const ended = await Promise.allSettled(
        turn.map((ask, at) => ask((round + at) % 3 === 0 ? 'claim' : 'request')),
      );
      expect(ended.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      const desiredOnes = await Promise.all([desiredOf(apex), desiredOf(`www.${apex}`)]);
      expect(desiredOnes.filter((desired) => desired !== undefined)).toHaveLength(1);
    }
  });
});

describe('at the door', () => {
  const createBench = async () => {
    await using stack = new AsyncDisposableStack();
    const stage = stack.use(await createStage({ workers: 0 }));
    const server = stack.use(await startServer(stage.env));
    const releases = stack.move();
    return { stage, server, [Symbol.asyncDispose]: () => releases.disposeAsync() };
  };
  const add = ({ producer }: Stage, domain: string, www?: boolean) =>
    producer.requests.enqueue('add-domain', { domain, ...(www !== undefined && { www }) });

  test('the API answers 409 with a problem of its own, and adds no job', async () => {
    await using bench = await createBench();
    await add(bench.stage, APEX);
    const post = await bench.server.fetch('POST', '/v1/domains', { as: 'enqueue', body: { domain: WWW } });
    expect(post).toMatchObject({ status: 409, body: { code: 'host-name-taken' } });
    expect(post.body.detail).toContain('add shop-a.com --www=false');
    const remove = await bench.server.fetch('DELETE', `/v1/domains/${WWW}`, { as: 'enqueue' });
    expect(remove).toMatchObject({ status: 409, body: { code: 'host-name-taken' } });
    expect(await bench.stage.queue.getPrioritizedCount()).toBe(1);
  });

  test('a question about the www name is answered with its owner', async () => {
    await using bench = await createBench();
    await add(bench.stage, APEX);
    const { status, body } = await bench.server.fetch('GET', `/v1/domains/${WWW}`, { as: 'read' });
    expect([status, body.detail]).toEqual([
      404,
      expect.stringContaining(`${WWW} is the www name of ${APEX}`),
    ]);
  });

  test('the API says where www gave way', async () => {
    await using bench = await createBench();
    await add(bench.stage, WWW);
    const post = await bench.server.fetch('POST', '/v1/domains', { as: 'enqueue', body: { domain: APEX } });
    expect(post).toMatchObject({
      status: 202,
      body: { remark: expect.stringContaining(`without www: ${WWW}`) },
    });
  });

  test('each line of a batch has its own answer, in the order of the lines', async () => {
    await using bench = await createBench();
    const pairs = Array.from({ length: 40 }, (_, i) => `pair-${i}.com`);
    const body = [
      ...pairs.map((domain) => ({ domain })),
      ...pairs.map((domain) => ({ domain: `WWW.${domain}.` })),
    ];
    const { body: answer } = await bench.server.fetch('POST', '/v1/domains:batch', { as: 'enqueue', body });
    expect(answer).toMatchObject({ accepted: 40, refused: 40 });
    expect(answer.results.slice(0, 40).every(({ status }: { status: number }) => status === 202)).toBe(true);
    expect(answer.results[40]).toMatchObject({ status: 409, problem: { code: 'host-name-taken' } });
  });
});

describe('a job of a bare client', () => {
  test('fails at once with the owner named, and RunCloud is not asked; the domain goes on', async () => {
    await using stage = await createStage();
    await stage.ended(await stage.add('add-domain', { domain: APEX }));
    await stage.idle();
    const before = stage.simulator.state.calls.length;
    for (const name of ['add-domain', 'remove-domain']) {
      const job = await stage.ended(await stage.add(name, { domain: WWW }));
      expect(job.failedReason).toMatch(/^host-name-taken: www\.shop-a\.com is the www name of shop-a\.com/);
      expect(job.attemptsMade).toBe(1);
    }
    expect(stage.simulator.state.calls).toHaveLength(before);
    expect(stage.names()).toEqual(['network.example.org', APEX]);
    const { requests } = stage.producer;
    expect(await requests.store.get({ ...APP, domain: parseDomainName(WWW) })).toBeUndefined();
    expect((await requests.store.get({ ...APP, domain: parseDomainName(APEX) }))?.request).toBe('settled');
  });
});
