// The producer that app servers import: refuses bad input by itself, and says fast and plainly when Redis is away.
import { afterEach, describe, expect, test } from '@jest/globals';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { type RedisServer, startRedisServer } from '../../scripts/redis-server.ts';
import {
  CodedError,
  createProducer,
  PermanentError,
  type Producer,
  type ProducerOptions,
} from '../../src/index.ts';
import { type TestRedis, testRedis } from '../helpers/redis.ts';
import { until } from '../helpers/until.ts';
import { APP } from '../helpers/worker.ts';

/** Nothing listens there: whoever is answered without delay has not asked Redis. */
const NOWHERE = 'redis://127.0.0.1:1';
/** A second is promised, and the error names it; without the deadline the answer would never come. */
const NEVER_MS = 30_000;

const open: Producer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((producer) => producer.close()));
});

function producerAt(redisUrl: string, options: ProducerOptions = {}): Producer {
  const producer = createProducer({ redisUrl, ...APP, ...options });
  open.push(producer);
  return producer;
}

/** Where Redis is there, however busy the machine. */
const patientAt = ({ url, prefix }: TestRedis): Producer =>
  producerAt(url, { queuePrefix: prefix, deadlineMs: 60_000 });

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function bareQueue(url: string, prefix: string): Promise<AsyncDisposable & { queue: Queue }> {
  const connection = new Redis(url, { maxRetriesPerRequest: null, disconnectTimeout: 50 });
  const queue = new Queue('runcloud-domains', { connection, prefix });
  await queue.waitUntilReady();
  return {
    queue,
    async [Symbol.asyncDispose]() {
      await queue.close();
      await connection.quit();
    },
  };
}

describe('bad input', () => {
  test('is refused by the name of its field, before Redis is asked', async () => {
    const producer = producerAt(NOWHERE);
    const refusals = await Promise.all([
      errorOf(producer.addDomain({ domain: 'a_b.example.org' })),
      errorOf(producer.removeDomain({ domain: 'https://a.example.org' })),
      errorOf(producer.addDomain({ domain: 'a.example.org', www: 'yes' as never })),
      errorOf(producer.redeploySsl({ serverId: 'seven' as never })),
    ]);
    for (const refusal of refusals) expect(refusal).toBeInstanceOf(PermanentError);
    expect(refusals).toMatchObject([
      { code: 'invalid-domain', message: expect.stringMatching(/domain: .*underscore/) },
      { code: 'invalid-domain', message: expect.stringMatching(/domain: .*use "a\.example\.org"/) },
      { code: 'invalid-payload', message: expect.stringMatching(/www: must be/) },
      { code: 'invalid-payload', message: expect.stringMatching(/serverId: must be/) },
    ]);
  });
});

describe('a request', () => {
  test('is answered with its job; a repetition is coalesced; its opposite is a new one', async () => {
    await using corner = await testRedis();
    const producer = patientAt(corner);
    const first = await producer.addDomain({ domain: 'Bücher.Example.ORG' });
    expect(first).toMatchObject({
      coalesced: false,
      domain: 'xn--bcher-kva.example.org',
      unknownFields: [],
    });
    const again = await producer.addDomain({ domain: 'xn--bcher-kva.example.org' });
    expect(again).toMatchObject({ jobId: first.jobId, coalesced: true });
    const opposite = await producer.removeDomain({ domain: 'bücher.example.org' });
    expect(opposite).toMatchObject({ coalesced: false });
    expect(opposite.jobId).not.toBe(first.jobId);
    await using bare = await bareQueue(corner.url, corner.prefix);
    const job = await bare.queue.getJob(first.jobId);
    expect(job?.data).toEqual({
      domain: 'xn--bcher-kva.example.org',
      ...APP,
      www: false,
      redirection: 'none',
      by: 'producer',
    });
    await Promise.all(open.splice(0).map((made) => made.close()));
  });

  test('that is made 50 times at once becomes one job', async () => {
    await using corner = await testRedis();
    const producer = patientAt(corner);
    const receipts = await Promise.all(
      Array.from({ length: 50 }, () => producer.addDomain({ domain: 'a.example.org' })),
    );
    expect(new Set(receipts.map(({ jobId }) => jobId)).size).toBe(1);
    await using bare = await bareQueue(corner.url, corner.prefix);
    const { prioritized } = await bare.queue.getJobCounts('prioritized');
    expect(prioritized).toBe(1);
    await Promise.all(open.splice(0).map((made) => made.close()));
  });

  test('reports fields that nobody knows', async () => {
    await using corner = await testRedis();
    const producer = patientAt(corner);
    const payload = { domain: 'a.example.org', colour: 'red' };
    expect(await producer.addDomain(payload)).toMatchObject({ unknownFields: ['colour'] });
    await producer.close();
    open.length = 0;
  });

  test('of a bulk import stands behind everything else, a removal before the other adds', async () => {
    await using corner = await testRedis();
    const producer = patientAt(corner);
    await producer.addDomain({ domain: 'bulk.example.org' }, { bulk: true });
    await producer.addDomain({ domain: 'single.example.org' });
    await producer.removeDomain({ domain: 'gone.example.org' });
    await using bare = await bareQueue(corner.url, corner.prefix);
    const jobs = await bare.queue.getPrioritized();
    expect(jobs.map(({ data }) => data.domain)).toEqual([
      'gone.example.org',
      'single.example.org',
      'bulk.example.org',
    ]);
    await producer.close();
    open.length = 0;
  });
});

describe('with Redis away', () => {
  async function expectUnavailable(request: Promise<unknown>): Promise<void> {
    const startedAt = performance.now();
    const error = await errorOf(request);
    expect(error).toBeInstanceOf(CodedError);
    expect(error).toMatchObject({
      code: 'redis-unavailable',
      message: expect.stringMatching(/did not answer within 1000 ms/),
    });
    expect(performance.now() - startedAt).toBeLessThan(NEVER_MS);
  }

  /** How many jobs the server holds once it answers again. */
  async function jobsAt(server: RedisServer): Promise<number> {
    await using bare = await bareQueue(server.url, 'bull');
    const counts = await bare.queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active');
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  }

  test('from the start, a request fails typed and fast', async () => {
    await expectUnavailable(producerAt(NOWHERE).addDomain({ domain: 'a.example.org' }));
  });

  test('later, it fails the same, leaves no ghost of a job, and works when Redis is back', async () => {
    await using server = await startRedisServer({ aof: true });
    const producer = producerAt(server.url);
    await producer.addDomain({ domain: 'before.example.org' });
    await server.kill();
    await expectUnavailable(producer.addDomain({ domain: 'ghost.example.org' }));
    await expectUnavailable(producer.redeploySsl());
    await server.restart();

    const back = await until(
      () => producer.addDomain({ domain: 'after.example.org' }).catch(() => undefined),
      'the same producer is accepted again',
    );
    // A try that was answered too late may have been taken: then this one repeats it.
    expect(back).toMatchObject({ domain: 'after.example.org' });
    expect(await jobsAt(server)).toBe(2);
    await producer.close();
    open.length = 0;
  });

  test('frozen, so that connections stay open, it fails the same', async () => {
    await using server = await startRedisServer();
    const producer = producerAt(server.url);
    await producer.addDomain({ domain: 'before.example.org' });
    server.pause();
    await expectUnavailable(producer.addDomain({ domain: 'frozen.example.org' }));
    server.resume();
    await until(
      () => producer.addDomain({ domain: 'after.example.org' }).catch(() => undefined),
      'the same producer is accepted again',
    );
    // What reached the frozen server may have been taken; sending it again must find or make one job, not two.
    await producer.addDomain({ domain: 'frozen.example.org' });
    await until(async () => (await jobsAt(server)) === 3, 'each request has one job');
    await producer.close();
    open.length = 0;
  });

  test('closing a producer that never reached Redis returns', async () => {
    const producer = producerAt(NOWHERE);
    await errorOf(producer.addDomain({ domain: 'a.example.org' }));
    await producer.close();
    open.length = 0;
  });
});
