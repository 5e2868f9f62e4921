// The server below a path of a proxy: every path in an answer leads there.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BOARD_USERS, OWN, PASSWORDS } from '../helpers/board-login.ts';
import { type FetchOptions, type Reply, startServer, type TestServer } from '../helpers/http-server.ts';
import { until } from '../helpers/until.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage({ workers: 0 });
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

const FORM = { ...OWN, 'content-type': 'application/x-www-form-urlencoded' };
const cookiesOf = ({ headers }: Reply): string[] => [headers['set-cookie'] ?? []].flat();
const toCookie = (reply: Reply): string =>
  cookiesOf(reply)
    .map((cookie) => cookie.split(';')[0])
    .filter((cookie) => !cookie?.endsWith('='))
    .join('; ');

interface Way {
  readonly env: Record<string, string>;
  readonly headers: Record<string, string>;
  /** The prefix that the proxy leaves in the path. */
  readonly ownPath: string;
}

const ways: [string, Way][] = [
  ['set, and removed', { env: { SERVER_PATH: 'domains/' }, headers: {}, ownPath: '' }],
  [
    'set, behind a proxy that sends an empty header',
    {
      env: { SERVER_PATH: '/domains', TRUST_PROXY: 'on' },
      headers: { 'x-forwarded-prefix': '' },
      ownPath: '',
    },
  ],
  ['set, and left', { env: { SERVER_PATH: '/domains' }, headers: {}, ownPath: '/domains' }],
  [
    'set by the proxy, and removed',
    { env: { TRUST_PROXY: 'on' }, headers: { 'x-forwarded-prefix': '/domains' }, ownPath: '' },
  ],
  [
    'set by the proxy, and left',
    { env: { TRUST_PROXY: 'on' }, headers: { 'x-forwarded-prefix': '/domains/' }, ownPath: '/domains' },
  ],
];

describe.each(ways)('a prefix that is %s', (_, { env, headers, ownPath }) => {
  const start = () => startServer({ ...stage.env, BOARD_USERS, ...env });
  const sendTo = (server: TestServer, method: string, path: string, options: FetchOptions = {}) =>
    server.fetch(method, `${ownPath}${path}`, { ...options, headers: { ...headers, ...options.headers } });

  test('is in the answers of the API', async () => {
    await using server = await start();
    const body = { domain: 'a.example.org' };
    const key = { 'idempotency-key': `prefixed ${ownPath}`.replaceAll(' ', '-') };
    for (let i = 0; i < 2; i += 1) {
      const added = await sendTo(server, 'POST', '/v1/domains', { body, headers: key });
      expect(added.headers.location).toBe('/domains/v1/domains/a.example.org');
    }
    expect((await sendTo(server, 'GET', '/v1/openapi.json', { as: null })).body.servers).toEqual([
      { url: '/domains' },
    ]);
    const docs = await sendTo(server, 'GET', '/v1/docs', { as: null });
    expect(docs.text).toContain('href="openapi.json"');
    expect(docs.text).not.toMatch(/(href|src|action)="\//);
    const missing = await sendTo(server, 'GET', '/v1/nothing');
    expect(missing.body.fix).toContain('GET /domains/v1/docs');
    const lines = [{ domain: 'a.example.org', www: 'yes' }];
    const batch = await sendTo(server, 'POST', '/v1/domains:batch', { body: lines });
    expect(batch.body.results[0].problem.fix).toContain('GET /domains/v1/docs');
    expect((await sendTo(server, 'GET', '/metrics')).status).toBe(200);
  });

  test('is in the pages of the board, and its cookies go there only', async () => {
    await using server = await start();
    const sent = await sendTo(server, 'GET', '/board/queue/x?status=failed', { as: null });
    const next = encodeURIComponent('/board/queue/x?status=failed');
    expect(sent.headers.location).toBe(`/domains/board/login?next=${next}`);
    // On a machine that is busy for longer than the server waits for Redis the board says to come again.
    const { form, done } = await until(async () => {
      const form = await sendTo(server, 'GET', `/board/login?next=${next}`, { as: null });
      const [, token = ''] = /name="token" value="([^"]*)"/.exec(form.text) ?? [];
      const fields = { token, name: 'ada', password: PASSWORDS.ada, next: '/board/queue/x?status=failed' };
      const done = await sendTo(server, 'POST', '/board/login', {
        as: null,
        headers: { ...FORM, cookie: toCookie(form) },
        text: new URLSearchParams(fields).toString(),
      });
      return done.status === 503 ? undefined : { form, done };
    }, 'Redis answered in time');
    expect(form.text).toContain('action="/domains/board/login"');
    expect(done.headers.location).toBe('/domains/board/queue/x?status=failed');
    for (const cookie of [...cookiesOf(form), ...cookiesOf(done)]) {
      expect(cookie).toMatch(/; Path=\/domains\/board(;|$)/);
      expect(cookie).not.toMatch(/^__Host-/);
      expect(cookie.startsWith('__Secure-')).toBe(env.TRUST_PROXY === 'on');
    }
    const as = { as: null, headers: { cookie: toCookie(done) } };
    const page = await sendTo(server, 'GET', '/board/', as);
    expect(page.text).toContain('<base href="/domains/board/"');
    expect(page.text).toContain('"url":"/domains/v1/docs"');
    expect(page.text).toContain('"url":"/domains/board/logout"');
    expect(page.text).not.toMatch(/"\/(board|v1)\b/);
    const logout = await sendTo(server, 'GET', '/board/logout', as);
    expect(logout.text).toContain('action="/domains/board/logout"');
    expect(logout.text).not.toMatch(/"\/board/);
    const nothing = await sendTo(server, 'GET', '/board/x/y/z', as);
    expect(nothing.text).not.toMatch(/"\/board/);
  });
});

test('a header that nobody is trusted to send, or that is no plain path, changes nothing', async () => {
  await using server = await startServer({ ...stage.env, BOARD_USERS });
  await using trusting = await startServer({ ...stage.env, BOARD_USERS, TRUST_PROXY: 'on' });
  const servers = [
    [server, '/domains'],
    [trusting, '//evil.example'],
    [trusting, '/\\evil.example'],
    [trusting, 'https://evil.example'],
    [trusting, '/a"><script>'],
    [trusting, '/v1'],
    [trusting, '/a, /b'],
  ] as const;
  for (const [{ fetch: send }, prefix] of servers) {
    const headers = { 'x-forwarded-prefix': prefix };
    const { location } = (await send('GET', '/board/', { as: null, headers })).headers;
    expect(location).toBe('/board/login');
    const form = await send('GET', '/board/login', { as: null, headers });
    expect(form.text).toContain('action="/board/login"');
  }
});
