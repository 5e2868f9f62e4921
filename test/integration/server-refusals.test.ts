// What the HTTP API refuses. Much of it is made from the table of routes, so that no route is forgotten.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { missingField, notInFuture, unknownField } from '../../src/server/messages.ts';
import { problemDocument } from '../../src/server/problems.ts';
import type { Route } from '../../src/server/routes/route.ts';
import { routes } from '../../src/server/routes/table.ts';
import { type Reply, type Role, startServer, type TestServer, tokens } from '../helpers/http-server.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

let stage: Stage;
let server: TestServer;

beforeAll(async () => {
  stage = await createStage({ workers: 0 });
  server = await startServer(stage.env);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

const pathOf = ({ path }: Route): string => path.replace('{domain}', 'a.example.org').replace('{id}', 'x~1');
const guarded = routes.filter(({ role }) => role !== 'anyone');
const writing = routes.filter(({ method }) => method !== 'GET');
const named = (list: readonly Route[]) =>
  list.map((route) => [`${route.method} ${route.path}`, route] as const);

function expectProblem(reply: Reply, status: number, code: string): void {
  expect(reply.body).toMatchObject({ status, code, type: `urn:runcloud-domains:error:${code}` });
  expect(reply.status).toBe(status);
  expect(reply.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(problemDocument.safeParse(reply.body).error).toBeUndefined();
  expect(reply.text).not.toMatch(/node_modules|\.ts:\d|\n\s+at /);
}

describe.each(named(guarded))('%s', (_, route) => {
  test('refuses who has no token, or a wrong one', async () => {
    const send = (headers: Record<string, string>) =>
      server.fetch(route.method, pathOf(route), { as: null, headers });
    const wrong = `Bearer ${tokens.operate.token.slice(0, -1)}`;
    const attempts = [{}, { authorization: wrong }, { authorization: `Basic ${tokens.operate.token}` }];
    for (const headers of [
      ...attempts,
      { authorization: 'Bearer ' },
      { authorization: tokens.operate.hash },
    ]) {
      const reply = await send(headers as Record<string, string>);
      expectProblem(reply, 401, 'unauthorized');
      expect(reply.headers['www-authenticate']).toMatch(/^Bearer/);
    }
  });

  test('refuses the roles that are not its own, and names the one it needs', async () => {
    const wrong = (['enqueue', 'read'] as Role[]).filter((role) => role !== route.role);
    for (const as of wrong) {
      const reply = await server.fetch(route.method, pathOf(route), { as });
      expectProblem(reply, 403, 'forbidden');
      expect(reply.body.detail).toContain(route.role);
    }
  });
});

describe.each(named(writing))('%s', (_, route) => {
  test('refuses what a page of another site sends', async () => {
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ])
      expectProblem(await server.fetch(route.method, pathOf(route), { headers }), 403, 'cross-site');
  });

  test('refuses bodies that are no JSON, too large, or of another type', async () => {
    const send = (text: string, type = 'application/json') =>
      server.fetch(route.method, pathOf(route), { text, headers: { 'content-type': type } });
    expectProblem(await send('{"domain":'), 400, 'bad-request');
    expectProblem(await send('{"__proto__":{"x":1}}'), 400, 'bad-request');
    expectProblem(await send('domain=a', 'application/x-www-form-urlencoded'), 415, 'unsupported-media-type');
    expectProblem(await send('{}', 'text/plain'), 415, 'unsupported-media-type');
    if (!route.takesLines)
      expectProblem(await send('{}', 'application/x-ndjson'), 415, 'unsupported-media-type');
    expectProblem(await send(JSON.stringify({ domain: 'a'.repeat(1024 * 1024) })), 413, 'payload-too-large');
  });

  test('refuses deeply nested JSON, or leaves it out, and never stumbles over it', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    for (const text of [deep, `{"domain":${deep}}`, `{"domain":"a.example.org","x":${deep}}`]) {
      const reply = await server.fetch(route.method, pathOf(route), {
        text,
        headers: { 'idempotency-key': `deep-${route.id}-${text.length}` },
      });
      expect([200, 202, 400, 404, 409]).toContain(reply.status);
    }
  });

  test('refuses an Idempotency-Key that is none', async () => {
    for (const key of ['with space', 'x'.repeat(256), ' \t'])
      if (key.trim())
        expectProblem(
          await server.fetch(route.method, pathOf(route), { headers: { 'idempotency-key': key } }),
          400,
          'invalid-payload',
        );
  });
});

test.each(named(routes.filter(({ method }) => method === 'GET')))('%s changes nothing', async (_, route) => {
  const before = await snapshot();
  await server.fetch('GET', pathOf(route));
  expect(await snapshot()).toEqual(before);
});

async function snapshot(): Promise<Record<string, string>> {
  const keys = (await stage.redis.keys(`*${stage.config.queuePrefix}*`)).toSorted();
  const dumps = await Promise.all(keys.map(async (key) => [key, (await stage.redis.dump(key)) ?? '']));
  return Object.fromEntries(dumps);
}

describe('input', () => {
  test('that is wrong is named by its field', async () => {
    const post = (body: unknown) => server.fetch('POST', '/v1/domains', { body });
    const wrong = await post({ domain: 'a_b.example.org' });
    expectProblem(wrong, 400, 'invalid-domain');
    expect(wrong.body).toMatchObject({ field: 'domain', errors: [{ field: 'domain' }] });
    const two = await post({ domain: 'a.example.org', www: 'yes', serverId: -1 });
    expectProblem(two, 400, 'invalid-payload');
    expect(two.body.errors.map(({ field }: { field: string }) => field)).toEqual(['serverId', 'www']);
    for (const body of [[], 'text', 7, null]) expectProblem(await post(body), 400, 'invalid-payload');
    expectProblem(await server.fetch('POST', '/v1/domains'), 400, 'invalid-payload');
    expectProblem(await server.fetch('GET', '/v1/domains/a_b.example.org'), 400, 'invalid-domain');
    expectProblem(await server.fetch('DELETE', '/v1/domains/127.0.0.1'), 400, 'invalid-domain');
    const body = { x: 1 };
    expectProblem(
      await server.fetch('DELETE', '/v1/domains/a.example.org', { body }),
      400,
      'invalid-payload',
    );
    expectProblem(
      await server.fetch('POST', '/v1/domains?x=1', { body: { domain: 'a.example.org' } }),
      400,
      'invalid-payload',
    );
  });

  test('that lacks a field, or has an unknown one, is refused with the name of the field', async () => {
    const typo = await server.fetch('POST', '/v1/domains', { body: { domian: 'a.example.org' } });
    expectProblem(typo, 400, 'invalid-payload');
    expect(typo.body.errors).toMatchObject([{ field: 'domain' }, { field: 'domian', message: unknownField }]);
    const nothing = await server.fetch('POST', '/v1/pauses', { body: {} });
    expect(nothing.body).toMatchObject({
      errors: [{ field: 'reason', message: missingField }],
      fix: expect.stringMatching(/v1.docs/),
    });
    const past = { reason: 'a move', until: '2020-01-01T00:00:00Z' };
    expect((await server.fetch('POST', '/v1/pauses', { body: past })).body).toMatchObject({
      field: 'until',
      errors: [{ field: 'until', message: notInFuture }],
    });
    expectProblem(await server.fetch('GET', '/v1/callbacks/deliveries?cursor=x'), 400, 'invalid-payload');
  });

  test('that names a key of BullMQ for a job gets 404', async () => {
    await stage.producer.requests.enqueue('add-domain', { domain: 'any.example.org' });
    for (const id of ['events', 'id', 'meta', 'prioritized']) {
      expectProblem(await server.fetch('GET', `/v1/jobs/${id}`), 404, 'not-found');
      expectProblem(await server.fetch('POST', `/v1/jobs/${id}:retry`), 404, 'not-found');
    }
  });

  test('without a web application is refused where none is configured', async () => {
    const { RUNCLOUD_SERVER_ID: _, RUNCLOUD_APP_ID: __, ...env } = stage.env;
    await using bare = await startServer(env);
    const reply = await bare.fetch('POST', '/v1/domains', { body: { domain: 'a.example.org' } });
    expectProblem(reply, 400, 'no-web-application');
    // Whom it is about can be looked for all the same.
    expectProblem(await bare.fetch('GET', '/v1/domains/nobody.example.org'), 404, 'not-found');
  });

  test('that no route takes is refused as a problem, too', async () => {
    expectProblem(await server.fetch('GET', '/v1/nothing'), 404, 'not-found');
    expectProblem(await server.fetch('PUT', '/v1/domains'), 404, 'not-found');
    expectProblem(await server.fetch('GET', '/v1/jobs/%zz'), 400, 'bad-request');
    expectProblem(await server.fetch('GET', `/v1/domains/${'a'.repeat(2000)}`), 404, 'not-found');
  });
});

test('a token with too many requests gets Retry-After; another one is not affected', async () => {
  await using slow = await startServer({ ...stage.env, API_RATE_PER_MINUTE: '3' });
  const send = (as: Role | null) => slow.fetch('GET', '/v1/pauses', { as });
  for (let i = 0; i < 3; i += 1) expect((await send('read')).status).toBe(200);
  const limited = await send('read');
  expectProblem(limited, 429, 'too-many-requests');
  expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
  expect((await send('operate')).status).toBe(200);
  for (let i = 0; i < 3; i += 1) expectProblem(await send(null), 401, 'unauthorized');
  expectProblem(await send(null), 429, 'too-many-requests');
});

describe('a server without tokens', () => {
  test('lets everything from this machine pass, in the name of `local`', async () => {
    await using open = await startServer({ ...stage.env, API_TOKENS: '' });
    const reply = await open.fetch('POST', '/v1/pauses', { as: null, body: { reason: 'x' } });
    expect(reply.body).toMatchObject({ by: 'api:local' });
    await open.fetch('DELETE', '/v1/pauses', { as: null });
    // A name of somebody else's that leads to 127.0.0.1: DNS rebinding.
    const rebound = await open.fetch('GET', '/v1/pauses', { as: null, headers: { host: 'evil.example:80' } });
    expectProblem(rebound, 401, 'unauthorized');
  });

  test('does not start beyond this machine', async () => {
    await expect(startServer({ ...stage.env, API_TOKENS: '', SERVER_HOST: '0.0.0.0' })).rejects.toThrow(
      /API_TOKENS is missing/,
    );
  });
});

test('every answer has an id, and headers that keep browsers strict', async () => {
  for (const path of ['/v1/pauses', '/v1/nothing', '/v1/docs']) {
    const { headers } = await server.fetch('GET', path, { headers: { 'x-request-id': 'from-me.1' } });
    expect(headers).toMatchObject({
      'x-request-id': 'from-me.1',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'content-security-policy': expect.stringMatching(/default-src 'none'/),
    });
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  }
  const { headers } = await server.fetch('GET', '/v1/pauses', { headers: { 'x-request-id': 'bad id' } });
  expect(headers['x-request-id']).toMatch(/^[\da-f-]{36}$/);
});

test('a secret of the configuration is in no answer, wherever it was put', async () => {
  const { token } = stage.simulator.credentials;
  const password = decodeURIComponent(new URL(stage.config.redisUrl).password);
  const secret = `${token} ${password}`;
  const body = { domain: 'secret.example.org', requestedBy: secret.slice(0, 100), [token]: 1 };
  const replies = [
    await server.fetch('POST', '/v1/domains', { body }),
    await server.fetch('GET', '/v1/domains/secret.example.org'),
    await server.fetch('GET', '/v1/domains'),
    await server.fetch('POST', '/v1/pauses', { body: { reason: secret } }),
    await server.fetch('GET', '/v1/pauses'),
    await server.fetch('GET', '/v1/audit'),
    await server.fetch('GET', `/v1/jobs/${encodeURIComponent(token)}`),
    await server.fetch('GET', `/v1/domains/${encodeURIComponent(token)}`),
    await server.fetch('GET', `/v1/domains?state=${encodeURIComponent(token)}`),
    await server.fetch('DELETE', '/v1/pauses'),
  ];
  for (const { text } of replies) {
    expect(text).not.toContain(token);
    expect(text).not.toContain(password);
  }
});
