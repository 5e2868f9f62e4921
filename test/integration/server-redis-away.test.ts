// Without Redis every route says so within a second, and nothing that was refused is done later.
import { describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { type RedisServer, startRedisServer } from '../../scripts/redis-server.ts';
import { routes } from '../../src/server/routes/table.ts';
import { type FetchOptions, type Reply, startServer, type TestServer } from '../helpers/http-server.ts';
import { until } from '../helpers/until.ts';

/** The server gives up after 900 ms; how soon that is seen depends on how busy the machine is. Without that it would never answer. */
const NEVER_MS = 30_000;
const AWAY = { isRedisAway: true } as const;

const env = (url: string) => ({
  REDIS_URL: url,
  RUNCLOUD_SERVER_ID: '1903',
  RUNCLOUD_APP_ID: '646',
  LOG_LEVEL: 'silent',
});

const post = (server: TestServer, domain: string, options: FetchOptions = {}): Promise<Reply> =>
  server.fetch('POST', '/v1/domains', { ...options, body: { domain } });

const accepted = (server: TestServer, domain: string): Promise<unknown> =>
  until(async () => (await post(server, domain)).status === 202, `${domain} is accepted`);

async function expectAway(reply: () => Promise<Reply>): Promise<void> {
  const startedAt = performance.now();
  const { status, body, headers } = await reply();
  expect(performance.now() - startedAt).toBeLessThan(NEVER_MS);
  const detail = expect.stringMatching(/did not answer within (1000|\d{1,3}) ms/);
  expect(body).toMatchObject({ status: 503, code: 'redis-unavailable', detail });
  expect([status, headers['retry-after']]).toEqual([503, '1']);
}

/** What the server holds of our jobs, by a connection of its own. */
async function jobsAt({ url }: RedisServer): Promise<number> {
  const redis = new Redis(url);
  try {
    return await redis.zcard('bull:runcloud-domains:prioritized');
  } finally {
    redis.disconnect();
  }
}

const bodies: Readonly<Record<string, unknown>> = {
  addDomain: { domain: 'ghost.example.org' },
  addDomains: [{ domain: 'ghost.example.org' }, { domain: 'ghost2.example.org' }],
  redeployCertificate: {},
  retryJobs: { filter: {}, confirm: true },
  pause: { reason: 'ghost' },
};

/** Every route, with and without an Idempotency-Key. */
async function askAll(server: TestServer): Promise<void> {
  const asks = routes
    .filter(({ role }) => role !== 'anyone')
    .flatMap(({ id, method, path }) => {
      const url = path.replace('{domain}', 'ghost.example.org').replace('{id}', 'ghost~1');
      const options: FetchOptions = id in bodies ? { body: bodies[id] } : {};
      const keyed = { ...options, headers: { 'idempotency-key': id } };
      return (method === 'GET' ? [options] : [options, keyed]).map(
        (each) => () => server.fetch(method, url, each),
      );
    });
  await Promise.all(asks.map(expectAway));
}

const callbacks = {
  CALLBACK_URLS: 'https://app.example.org/hook',
  CALLBACK_SECRETS: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
};

describe('with Redis away', () => {
  test('from the start, the server listens, and every route says so', async () => {
    await using server = await startServer({ ...env('redis://127.0.0.1:9'), ...callbacks }, AWAY);
    await askAll(server);
    expect((await server.fetch('GET', '/healthz')).status).toBe(200);
    expect((await server.fetch('GET', '/workers')).body).toMatchObject({ code: 'redis-unavailable' });
    expect((await server.fetch('GET', '/v1/docs')).status).toBe(200);
  });

  test('later, every route says so, no ghost of a job follows, and all is well when it is back', async () => {
    await using redis = await startRedisServer({ aof: true });
    await using server = await startServer({ ...env(redis.url), ...callbacks }, AWAY);
    await accepted(server, 'before.example.org');
    await redis.kill();
    await askAll(server);
    await redis.restart();
    await accepted(server, 'after.example.org');
    expect(await jobsAt(redis)).toBe(2);
    expect((await server.fetch('GET', '/v1/pauses')).body.pauses).toEqual([]);
    const again = await post(server, 'ghost.example.org', { headers: { 'idempotency-key': 'addDomain' } });
    expect(again).toMatchObject({ status: 202, body: { coalesced: false } });
  });

  test('frozen, so that connections stay open, it is the same', async () => {
    await using redis = await startRedisServer();
    await using server = await startServer({ ...env(redis.url), ...callbacks }, AWAY);
    await accepted(server, 'before.example.org');
    redis.pause();
    await expectAway(() => post(server, 'ghost.example.org', { headers: { 'idempotency-key': 'k' } }));
    await expectAway(() => post(server, 'ghost.example.org'));
    await expectAway(() => server.fetch('GET', '/v1/domains'));
    await expectAway(() => server.fetch('POST', '/v1/domains:batch', { body: bodies.addDomains }));
    redis.resume();
    await accepted(server, 'after.example.org');
    expect(await jobsAt(redis)).toBe(2);
    const again = await post(server, 'ghost.example.org', { headers: { 'idempotency-key': 'k' } });
    expect(again).toMatchObject({ status: 202, body: { coalesced: false } });
  });
});
