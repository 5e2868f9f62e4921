// The client over HTTP against a faulty server: what is retried, what is not, and how it ends.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createHttpClient, DomainsError, type HttpClient, HttpError } from '../../src/client/http.ts';
import { freePort } from '../helpers/port.ts';

const RECEIPT = {
  jobId: 'a~1',
  domain: 'a.example.org',
  serverId: 1,
  appId: 2,
  coalesced: false,
  unknownFields: [],
};

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Act = (response: ServerResponse, requests: Received) => void;

const answer =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Act =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
const problem = (status: number, code: string, headers = {}): Act =>
  answer(
    status,
    { code, detail: `it is ${code}`, fix: 'correct it', status, errors: [{ field: 'f', message: 'm' }] },
    headers,
  );
const accept = answer(202, RECEIPT);
const cutOff: Act = (response) => void response.destroy();
const silence: Act = () => undefined;

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** Plays `acts` one after the other, and the last one from then on. */
async function play(
  acts: readonly Act[],
  deadlineMs = 60_000,
): Promise<{ client: HttpClient; requests: Received[]; url: string }> {
  const requests: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const { method, url, headers } = request;
      const received = { method, url, headers, body };
      requests.push(received);
      acts[Math.min(requests.length, acts.length) - 1]?.(response, received);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/below`;
  const client = createHttpClient({ url: `${url}/`, token: 'secret-token', deadlineMs });
  open.push(async () => {
    await client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { client, requests, url };
}

const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

const add = (client: HttpClient) => client.addDomain({ domain: 'a.example.org' });

describe('a request', () => {
  test('goes below the path of `url`, with the token and a key of its own', async () => {
    const { client, requests } = await play([accept]);
    expect(await add(client)).toEqual(RECEIPT);
    await client.removeDomain({ domain: 'bücher.example.org', siteId: 7, appId: undefined });
    await client.redeploySsl();
    expect(requests).toMatchObject([
      { method: 'POST', url: '/below/v1/domains', body: '{"domain":"a.example.org"}' },
      { method: 'DELETE', url: '/below/v1/domains/b%C3%BCcher.example.org?siteId=7', body: '' },
      { method: 'POST', url: '/below/v1/certificates:redeploy', body: '{}' },
    ]);
    for (const { headers } of requests) expect(headers.authorization).toBe('Bearer secret-token');
    expect(new Set(requests.map(({ headers }) => headers['idempotency-key'])).size).toBe(3);
  });

  test.each([
    ['a connection that is cut off', cutOff],
    ['503 redis-unavailable', problem(503, 'redis-unavailable')],
    ['429', problem(429, 'too-many-requests', { 'retry-after': '0' })],
    ['502 of a proxy', answer(502, '<h1>Bad Gateway</h1>')],
    ['the same request in flight', problem(409, 'idempotency-in-flight')],
  ])('is sent again after %s, under the same key', async (_, act) => {
    const { client, requests } = await play([act, act, accept]);
    expect(await add(client)).toEqual(RECEIPT);
    expect(requests).toHaveLength(3);
    expect(new Set(requests.map(({ headers, body }) => `${headers['idempotency-key']} ${body}`)).size).toBe(
      1,
    );
  });

  test('is sent again at once without a key, where the server keeps no more answers today', async () => {
    const full = problem(429, 'idempotency-full', { 'retry-after': '3600' });
    const { client, requests } = await play([full, accept]);
    expect(await add(client)).toEqual(RECEIPT);
    expect(requests.map(({ headers }) => headers['idempotency-key'])).toEqual([
      expect.any(String),
      undefined,
    ]);
  });

  test.each([
    [400, 'invalid-domain'],
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [409, 'host-name-taken'],
    [422, 'idempotency-mismatch'],
    [500, 'unexpected'],
  ])('is not sent again after %i %s, and has its problem', async (status, code) => {
    const { client, requests } = await play([problem(status, code), accept]);
    const error = await errorOf(add(client));
    expect(error).toBeInstanceOf(HttpError);
    expect(error).toBeInstanceOf(DomainsError);
    expect(error).toMatchObject({
      code,
      status,
      message: `it is ${code}`,
      fix: 'correct it',
      errors: [{ field: 'f', message: 'm' }],
    });
    expect(requests).toHaveLength(1);
  });

  test.each([
    ['a page', answer(404, '<h1>Not here</h1>')],
    ['a page that is well', answer(200, '<h1>Welcome</h1>')],
    ['JSON of something else', answer(403, { error: 'no' })],
    ['a redirect', answer(301, '', { location: 'http://127.0.0.1:1/elsewhere' })],
  ])('that is answered by %s rejects with `unexpected-answer`', async (_, act) => {
    const { client, requests } = await play([act]);
    const error = await errorOf(add(client));
    expect(error).toMatchObject({ code: 'unexpected-answer', fix: expect.stringContaining('`url`') });
    expect(requests).toHaveLength(1);
  });
});

describe('the deadline', () => {
  test('ends a server that is silent, and says what happened', async () => {
    const { client } = await play([silence], 300);
    expect(await errorOf(add(client))).toMatchObject({
      code: 'server-unavailable',
      message: expect.stringMatching(/\d+ ms/),
    });
  });

  test('keeps the last refusal, where waiting as long as it says would be too late', async () => {
    const { client, requests } = await play([problem(429, 'too-many-requests', { 'retry-after': '3600' })]);
    expect(await errorOf(add(client))).toMatchObject({ code: 'too-many-requests', status: 429 });
    expect(requests).toHaveLength(1);
  });

  test('is not waited for where the client is closed', async () => {
    const { client } = await play([problem(503, 'redis-unavailable', { 'retry-after': '30' })]);
    const requests = errorOf(add(client));
    await client.close();
    expect(await requests).toMatchObject({ code: 'server-unavailable' });
    expect(await errorOf(add(client))).toMatchObject({ code: 'server-unavailable' });
  });

  test('says why nobody is there, without the token', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const client = createHttpClient({ url, token: 'secret-token', deadlineMs: 300 });
    const error = await errorOf(add(client));
    expect(error).toMatchObject({
      code: 'server-unavailable',
      message: expect.stringMatching(/ECONNREFUSED/),
    });
    expect(JSON.stringify(error) + String(error)).not.toContain('secret-token');
  });
});

describe('many', () => {
  const results = (body: string, status = 202) => {
    const lines = JSON.parse(body) as { domain: string }[];
    return { results: lines.map(({ domain }, i) => ({ line: i + 1, status, ...RECEIPT, domain })) };
  };
  const acceptAll: Act = (response, { body }) => answer(200, results(body))(response, {} as Received);

  test('are sent a thousand at a time, and have a result each, in order', async () => {
    const { client, requests } = await play([acceptAll]);
    const payloads = Array.from({ length: 2500 }, (_, i) => ({ domain: `d${i}.example.org` }));
    const found = await client.addDomains(payloads);
    expect(requests.map(({ body }) => JSON.parse(body).length)).toEqual([1000, 1000, 500]);
    expect(found.map((result) => result.accepted && result.receipt.domain)).toEqual(
      payloads.map(({ domain }) => domain),
    );
  });

  test('of any size stay below what the server takes at once', async () => {
    const { client, requests } = await play([acceptAll]);
    const requestedBy = 'x'.repeat(100_000);
    await client.addDomains(Array.from({ length: 25 }, () => ({ domain: 'a.example.org', requestedBy })));
    expect(requests.map(({ body }) => body.length <= 1_048_576)).toEqual([true, true, true]);
  });

  test('none of them: nothing is sent', async () => {
    const { client, requests } = await play([acceptAll]);
    expect(await client.addDomains([])).toEqual([]);
    expect(requests).toEqual([]);
  });

  test('of which a part is refused: the rest is accepted', async () => {
    const refuse = problem(403, 'forbidden');
    const { client } = await play([acceptAll, refuse]);
    const found = await client.addDomains(
      Array.from({ length: 1500 }, (_, i) => ({ domain: `d${i}.example.org` })),
    );
    expect(found.filter(({ accepted }) => accepted)).toHaveLength(1000);
    expect(found[1499]).toMatchObject({ accepted: false, error: { code: 'forbidden' } });
  });
});

describe('what is wrong from the start', () => {
  test.each(['', 'domains.example.org', 'ftp://a.example', 'https://u:p@a.example', 'https://a.example?x=1'])(
    'the address %j',
    (url) => {
      expect(() => createHttpClient({ url })).toThrow(/url must be/);
    },
  );

  test('the token, which is not in the error', () => {
    expect(() => createHttpClient({ url: 'http://a.example', token: 'two words' })).toThrow(
      /token must be one word of/,
    );
  });

  test.each(['', '.', '..', ' ', 'x'.repeat(501), undefined as never])(
    'the name %j, which never reaches a server',
    async (domain) => {
      const { client, requests } = await play([accept]);
      expect(await errorOf(client.removeDomain({ domain }))).toMatchObject({ code: 'invalid-domain' });
      expect(await errorOf(client.getDomain(domain))).toMatchObject({ code: 'invalid-domain' });
      expect(requests).toEqual([]);
    },
  );
});
