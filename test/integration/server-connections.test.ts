// Who may hold a connection of the server: what is refused ends, what is too much is not taken, and nobody holds up the stop.
import { once } from 'node:events';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { boundConnections } from '../../src/listening/connections.ts';
import { createLogger } from '../../src/logger/logger.ts';
import { startServer, tokens } from '../helpers/http-server.ts';
import { connectTo } from '../helpers/raw-client.ts';
import { testRedis } from '../helpers/redis.ts';
import { until } from '../helpers/until.ts';

const envOf = ({ url, prefix }: { url: string; prefix: string }) => ({
  REDIS_URL: url,
  QUEUE_PREFIX: prefix,
  LOG_LEVEL: 'silent',
});
const AS = { authorization: `Bearer ${tokens.enqueue.token}` };

function toRequest(line: string, headers: Record<string, string> = {}): string {
  const lines = Object.entries({ host: '127.0.0.1', ...headers }).map(([name, value]) => `${name}: ${value}`);
  return `${line} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

/** A body that is begun, and never ends. */
const LONG = { 'content-type': 'application/json', 'content-length': '900000' };
const CHUNKED = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };

describe('a request that is refused before it has arrived', () => {
  test.each([
    ['without a token', toRequest('POST /v1/domains', LONG), 401],
    ['without a token, in chunks', toRequest('POST /v1/domains', CHUNKED), 401],
    ['by its role', toRequest('POST /v1/pauses', { ...LONG, ...AS }), 403],
    ['from a page of another site', toRequest('POST /v1/domains', { ...LONG, ...AS, origin: 'null' }), 403],
    ['for a route that is not there', toRequest('POST /v1/nothing', LONG), 404],
    ['for a path that is none', toRequest('POST /v1/%zz', LONG), 400],
    ['for its length', toRequest('POST /v1/domains', { ...LONG, ...AS, 'content-length': '9000000' }), 413],
    ['for its type', toRequest('POST /v1/domains', { ...LONG, ...AS, 'content-type': 'text/plain' }), 415],
    ['by the board', toRequest('POST /board/login', LONG), 403],
    ['by the metrics', toRequest('GET /metrics', LONG), 401],
    ['or answered without a look at its body', toRequest('GET /healthz', LONG), 200],
  ])('%s is answered, and its connection ends', async (_, request, status) => {
    await using corner = await testRedis();
    await using server = await startServer(envOf(corner));
    using client = await connectTo(server.url);
    client.send(request);
    client.send('9\r\n{"domain"\r\n'); // a piece of any body, a whole chunk of one
    const said = await client.ended;
    expect(said).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(said).toMatch(/\r\nconnection: close\r\n/i);
    // Nothing else was said: it was not the deadline of slow requests that ended it.
    expect(said.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  test('may be read by a client that goes on sending', async () => {
    await using corner = await testRedis();
    await using server = await startServer(envOf(corner));
    using client = await connectTo(server.url);
    client.send(toRequest('POST /v1/domains', LONG));
    for (let i = 0; i < 100; i += 1) client.send(' '.repeat(4000));
    expect(await client.ended).toMatch(/"code":"unauthorized"/);
  });

  test('is the last one of its connection', async () => {
    await using corner = await testRedis();
    await using server = await startServer(envOf(corner));
    using client = await connectTo(server.url);
    client.send(toRequest('POST /v1/domains', { ...LONG, 'content-length': '2' }));
    await until(() => client.text.includes('unauthorized'), 'it is refused');
    const domain = '{"domain":"smuggled.example.org","serverId":1,"appId":2}';
    const next = { ...AS, 'content-type': 'application/json', 'content-length': String(domain.length) };
    client.send(`{}${toRequest('POST /v1/domains', next)}${domain}`);
    expect((await client.ended).match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect((await server.fetch('GET', '/v1/domains')).body).toMatchObject({ domains: [] });
  });
});

test('a wrong token is counted at every route, and probes go on', async () => {
  await using corner = await testRedis();
  await using server = await startServer({ ...envOf(corner), API_RATE_PER_MINUTE: '3' });
  const ask = (path: string) =>
    server.fetch('GET', path, { as: null, headers: { authorization: 'Bearer x' } });
  for (const path of ['/metrics', '/workers', '/v1/nothing'])
    expect([401, 404]).toContain((await ask(path)).status);
  for (const path of ['/metrics', '/workers', '/v1/nothing', '/v1/domains', '/v1/docs']) {
    const { status, body, headers } = await ask(path);
    expect([status, body.code]).toEqual([429, 'too-many-requests']);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  }
  expect((await ask('/healthz')).status).toBe(200);
  expect((await server.fetch('GET', '/metrics', { as: 'read' })).status).toBe(200);
});

test.each([
  ['/board', 403],
  ['/board/', 403],
  ['/board/login', 403],
  ['/healthz', 200],
  ['/v1/domains', 401],
])('as for a proxy, %s is answered as ever, and is no error', async (path, status) => {
  await using corner = await testRedis();
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ level: 'warn', format: 'json', secrets: [], destination });
  await using server = await startServer(envOf(corner), { logger });
  using client = await connectTo(server.url);
  client.send(toRequest(`GET http://evil.example${path}`, { connection: 'close' }));
  expect(await client.ended).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(lines).toEqual([]);
});

test('the board refuses who asks too often in the words of its reason, by whatever spelling of its path', async () => {
  await using corner = await testRedis();
  await using server = await startServer({ ...envOf(corner), API_RATE_PER_MINUTE: '1' });
  const ask = () => server.fetch('GET', '/%62oard/', { as: null });
  await ask();
  const { status, headers } = await ask();
  expect(status).toBe(429);
  expect(Number(headers['retry-after'])).toBeGreaterThan(0);
});

test('an expectation that nobody knows is passed over: the request is counted, and answered as ever', async () => {
  await using corner = await testRedis();
  await using server = await startServer({ ...envOf(corner), API_RATE_PER_MINUTE: '1' });
  const ask = async () => {
    using client = await connectTo(server.url);
    client.send(toRequest('GET /v1/domains', { expect: 'foo', connection: 'close' }));
    return await client.ended;
  };
  const first = await ask();
  expect(first).toMatch(/^HTTP\/1.1 401 /);
  expect(first).toMatch(/\r\nx-content-type-options: nosniff\r\n/i);
  expect(await ask()).toMatch(/^HTTP\/1.1 429 /);
});

test.each(['/v1/domains', '/board/', '/healthz'])(
  'without a Host, %s is refused as everything is, and counted',
  async (path) => {
    await using corner = await testRedis();
    await using server = await startServer({ ...envOf(corner), API_RATE_PER_MINUTE: '1' });
    const ask = async () => {
      using client = await connectTo(server.url);
      client.send(`GET ${path} HTTP/1.1\r\nconnection: close\r\n\r\n`);
      return await client.ended;
    };
    const first = await ask();
    expect(first).toMatch(/^HTTP\/1.1 400 /);
    expect(first).toMatch(/\r\nx-content-type-options: nosniff\r\n/i);
    expect(await ask()).toMatch(/^HTTP\/1.1 429 /);
  },
);

test('addresses of one IPv6 network are counted together, as a trusted proxy tells them', async () => {
  await using corner = await testRedis();
  const env = { ...envOf(corner), API_RATE_PER_MINUTE: '3', TRUST_PROXY: 'on' };
  await using server = await startServer(env);
  const ask = async (address: string) =>
    (await server.fetch('GET', '/v1/pauses', { as: null, headers: { 'x-forwarded-for': address } })).status;
  for (let i = 1; i <= 3; i += 1) expect(await ask(`2001:db8::${i}`)).toBe(401);
  expect(await ask('2001:db8::ffff:1')).toBe(429);
  expect(await ask('[2001:db8::5]:4711')).toBe(429);
  expect(await ask('2001:db8:0:1::1')).toBe(401);
});

describe('the stop', () => {
  test('ends within seconds, whatever clients do', async () => {
    await using corner = await testRedis();
    const big = 'x'.repeat(20_000_000);
    const server = await startServer(envOf(corner), {
      register: [
        async (app) => {
          app.get('/big', async () => big);
          app.get('/endless', async () => Readable.from(endless()));
        },
      ],
    });
    using silent = await connectTo(server.url);
    using half = await connectTo(server.url);
    half.send('GET /v1/domains HTTP/1.1\r\nhost: 127.');
    using slow = await connectTo(server.url);
    slow.send(toRequest('POST /v1/domains', { ...LONG, ...AS }));
    using refused = await connectTo(server.url);
    refused.send(toRequest('POST /v1/domains', CHUNKED));
    using deaf = await connectTo(server.url, { isReading: false });
    deaf.send(toRequest('GET /big'));
    using deafer = await connectTo(server.url, { isReading: false });
    deafer.send(toRequest('GET /endless'));
    using idle = await connectTo(server.url);
    idle.send(toRequest('GET /healthz'));
    await until(() => idle.text.includes('uptimeSeconds'), 'the last one was heard');
    const dripping = setInterval(() => {
      slow.send(' ');
      refused.send('1\r\n \r\n');
      half.send('0');
    }, 200);
    const startedAt = performance.now();
    await server[Symbol.asyncDispose]();
    clearInterval(dripping);
    // The promise is seconds: two of grace. SHUTDOWN_TIMEOUT has 27 for those who wait for work that is under way.
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    await Promise.all([silent, half, slow, refused, idle].map(({ ended }) => ended));
  });

  function* endless() {
    for (;;) yield 'x'.repeat(100_000);
  }

  test('carries out a request whose last piece comes within the grace', async () => {
    await using corner = await testRedis();
    const server = await startServer(envOf(corner));
    const domain = '{"domain":"late.example.org","serverId":1,"appId":2}';
    using client = await connectTo(server.url);
    client.send(
      toRequest('POST /v1/domains', {
        ...AS,
        'content-type': 'application/json',
        'content-length': String(domain.length),
      }),
    );
    await server.fetch('GET', '/healthz'); // its head has been read before it
    const closed = server[Symbol.asyncDispose]();
    client.send(domain);
    expect(await client.ended).toMatch(/^HTTP\/1.1 202 .*"domain":"late\.example\.org"/s);
    await closed;
  });
});

describe('connections', () => {
  async function listen(perNetwork: number, total: number) {
    const refused: number[] = [];
    const server: Server = createServer((_, response) => response.end('here'));
    boundConnections(server, {
      total,
      perNetwork,
      networkOf: () => 'one',
      onRefused: () => void refused.push(1),
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return {
      url,
      refused,
      async [Symbol.asyncDispose]() {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }

  test.each([
    ['of one network', 2, 10],
    ['of all', 10, 2],
  ])('%s are bounded, and a place that is left is given again', async (_, perNetwork, total) => {
    await using bench = await listen(perNetwork, total);
    using first = await connectTo(bench.url);
    using second = await connectTo(bench.url);
    using third = await connectTo(bench.url);
    expect(await third.ended).toBe('');
    expect(bench.refused).toHaveLength(1);
    expect([first.socket.destroyed, second.socket.destroyed]).toEqual([false, false]);
    first.socket.destroy();
    await until(async () => (await answerOf(bench.url)) === 200, 'there is room');
  });

  const answerOf = async (url: string): Promise<number> => {
    const request = get(url, { agent: false });
    const [response] = await once(request, 'response').catch(() => [undefined]);
    response?.resume();
    return response?.statusCode ?? 0;
  };
});
