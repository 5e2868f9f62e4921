// Every route that the running server has, whoever made it (API, board, health, metrics): the list comes from the server itself, so
// that none is forgotten. What the table of the API says more of its routes is tried in server-refusals.test.ts.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { routes as apiRoutes } from '../../src/server/routes/table.ts';
import { BOARD_USERS, logInAt, OWN } from '../helpers/board-login.ts';
import {
  type FetchOptions,
  type Reply,
  startServer,
  type TestServer,
  tokens,
} from '../helpers/http-server.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

/** What is there for everybody, on purpose. */
const OPEN = [
  ...['GET /healthz', 'HEAD /healthz', 'GET /readyz', 'HEAD /readyz'],
  ...['GET /v1/openapi.json', 'HEAD /v1/openapi.json', 'GET /v1/docs', 'HEAD /v1/docs'],
  ...['GET /board/login', 'HEAD /board/login', 'POST /board/login'],
];

interface Made {
  readonly name: string;
  readonly method: string;
  readonly path: string;
}

let stage: Stage;
let server: TestServer;
const made: Made[] = [];

const toPath = (url: string): string =>
  url
    .replaceAll('::', '%3A')
    .replace(/:queueName/, 'runcloud-domains')
    .replace(/:queueStatus/, 'failed')
    .replace(/:domain/, 'a.example.org')
    .replace(/:(jobId|id)(\(\.\+\))?/, 'x~1')
    .replace('*', 'nothing.js')
    .replaceAll('%3A', ':');

beforeAll(async () => {
  stage = await createStage({ workers: 0 });
  server = await startServer(
    { ...stage.env, BOARD_USERS },
    {
      onRoute({ method: methods, url }) {
        for (const method of [methods].flat())
          made.push({ name: `${method} ${url}`, method, path: toPath(url) });
      },
    },
  );
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

const isOpen = ({ name }: Made): boolean => OPEN.includes(name);
const isBoard = ({ path }: Made): boolean => path.startsWith('/board');
const isWriting = ({ method }: Made): boolean => method !== 'GET' && method !== 'HEAD';
const guarded = () => made.filter((route) => !isOpen(route));
const send = ({ method, path }: Made, { headers, ...more }: FetchOptions): Promise<Reply> =>
  server.fetch(method, path, { ...more, headers: { ...headers, connection: 'close' } });

/** Asks all of them, and says which were not answered as they must be. */
async function unexpected(
  list: readonly Made[],
  how: FetchOptions,
  isRight: (reply: Reply, route: Made) => boolean,
) {
  const wrong: string[] = [];
  for (const route of list) {
    const reply = await send(route, how);
    if (!isRight(reply, route)) wrong.push(`${route.name}: ${reply.status}`);
  }
  return wrong;
}

const asksToLogIn = ({ status, headers }: Reply): boolean =>
  status === 401 || (status === 303 && /^\/board\/login/.test(String(headers.location)));
const isShutOut = (reply: Reply, route: Made): boolean =>
  isBoard(route) ? asksToLogIn(reply) : reply.status === 401;

test('the list is the whole: every route of the table, the board, health and metrics', () => {
  const paths = made.map(({ method, path }) => `${method} ${path}`);
  for (const { method, path } of apiRoutes)
    expect(paths).toContain(`${method} ${path.replace('{domain}', 'a.example.org').replace('{id}', 'x~1')}`);
  expect(made.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      ...OPEN,
      'GET /metrics',
      'GET /workers',
      'GET /board',
      'PUT /board/api/queues/:queueName/:jobId/retry',
      'GET /board/api/queues/:queueName/:jobId',
    ]),
  );
});

describe('of all routes but those that are open on purpose, none lets in', () => {
  test('who has no token and no login', async () => {
    expect(await unexpected(guarded(), { as: null, headers: OWN }, isShutOut)).toEqual([]);
  });

  test('who has a wrong token, or somebody else’s session', async () => {
    const authorization = `Bearer ${tokens.operate.token.slice(0, -1)}`;
    const cookie = `runcloud-domains-board=${'A'.repeat(43)}; __Host-runcloud-domains-board=${'A'.repeat(43)}`;
    const headers = { ...OWN, authorization, cookie };
    expect(await unexpected(guarded(), { as: null, headers }, isShutOut)).toEqual([]);
  });

  test('a session that has ended', async () => {
    const cookie = await logInAt(server, 'ada');
    const headers = { ...OWN, cookie };
    expect((await server.fetch('GET', '/board/api/queues', { as: null, headers })).status).toBe(200);
    const keys = await stage.redis.keys(`${stage.config.queuePrefix}*board:session:*`);
    expect(keys).toHaveLength(1);
    await stage.redis.del(keys);
    expect(await unexpected(guarded(), { as: null, headers }, isShutOut)).toEqual([]);
  });

  test('a token at the board, nor a session anywhere else', async () => {
    const board = guarded().filter(isBoard);
    expect(await unexpected(board, { as: 'operate', headers: OWN }, asksToLogIn)).toEqual([]);
    const others = guarded().filter((route) => !isBoard(route));
    const headers = { ...OWN, cookie: await logInAt(server, 'ada') };
    expect(await unexpected(others, { as: null, headers }, ({ status }) => status === 401)).toEqual([]);
  });

  test('a token or a login of the wrong role', async () => {
    const isForbidden = ({ status }: Reply): boolean => status === 403;
    const admin = guarded().filter(
      (route) => isBoard(route) && isWriting(route) && !/logout/.test(route.name),
    );
    const headers = { ...OWN, cookie: await logInAt(server, 'vic') };
    expect(admin.length).toBeGreaterThan(4);
    expect(await unexpected(admin, { as: null, headers }, isForbidden)).toEqual([]);
    const observed = made.filter(({ path }) => ['/metrics', '/workers'].includes(path));
    expect(observed).toHaveLength(4);
    expect(await unexpected(observed, { as: 'enqueue' }, isForbidden)).toEqual([]);
  });
});

test('none takes what a page of another site sends, with whatever credentials', async () => {
  const cookie = await logInAt(server, 'ada');
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ] as Record<string, string>[]) {
    const how = { as: 'operate', headers: { ...headers, cookie } } as const;
    expect(await unexpected(made.filter(isWriting), how, ({ status }) => status === 403)).toEqual([]);
  }
});

const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
test.each([
  ['oversize', `{"domain":"${'a'.repeat(1024 * 1024)}"}`, 'application/json'],
  ['malformed', '{"domain":', 'application/json'],
  ['deeply nested', `{"domain":${deep}}`, 'application/json'],
  ['form', `name=${'a'.repeat(9000)}`, 'application/x-www-form-urlencoded'],
  ['XML', '<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>', 'application/xml'],
])('none stumbles over a body that is %s', async (_, text, type) => {
  const cookie = await logInAt(server, 'ada');
  const before = await stage.queue.getJobCounts();
  const how = { as: 'operate', text, headers: { ...OWN, cookie, 'content-type': type } } as const;
  const isRefused = ({ status, text: answer }: Reply): boolean =>
    status >= 400 && status < 500 && !/root:|node_modules|\n\s+at /.test(answer);
  // The page that retries a whole list, and the one that ends a session, read no body.
  const isBodyless = ({ name }: Made): boolean => /retry\/:queueStatus|logout/.test(name);
  const writing = made.filter((route) => isWriting(route) && !isBodyless(route));
  expect(await unexpected(writing, how, isRefused)).toEqual([]);
  expect(await stage.queue.getJobCounts()).toEqual(before);
});

test('every answer closes itself off from frames, guesses of its type and caches', async () => {
  for (const route of made) {
    const { headers } = await send(route, {
      as: 'read',
      headers: { cookie: await logInAt(server, 'vic'), ...OWN },
    });
    expect([route.name, headers]).toEqual([
      route.name,
      expect.objectContaining({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'content-security-policy': expect.stringMatching(/^default-src 'none'.*frame-ancestors 'none'/),
        'cache-control': 'no-store',
      }),
    ]);
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  }
});
