// Bull Board at /board, behind a login. A viewer reads; an operator can also retry failed jobs. The
// other actions of Bull Board are refused; docs/guides/board.md says why.
import cookie from '@fastify/cookie';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { Redis } from 'ioredis';
import type { Audit } from '../../audit/audit.ts';
import type { BoardUser } from '../../config/load.ts';
import { createScrub, type Logger, type Scrub } from '../../logger/logger.ts';
import type { Operator } from '../../queue/operator.ts';
import { statusOf } from '../http-codes.ts';
import { prefixOf } from '../prefix.ts';
import { Refusal } from '../problems.ts';
import { addAccess, pathOf, refuse } from './access.ts';
import { addActions, followRetries } from './actions.ts';
import {
  below,
  type CallbackQueue,
  createReadingBoard,
  LOGOUT_TEXT,
  type Queue,
  toShownBody,
} from './bull-board.ts';
import { createChecks } from './checks.ts';
import { createCookies } from './cookies.ts';
import { BOARD_POLICY, fixedHeaders, strictPolicy, withoutInlineStyle } from './headers.ts';
import { createLockout } from './lockout.ts';
import { addLoginRoutes, sendPage } from './login.ts';
import { dataNotJson, noSuchPage, redisTimeout, unexpectedError, unreadableRequest } from './messages.ts';
import { noUsersPage } from './pages.ts';
import { createRetries } from './retries.ts';
import { createSessions } from './sessions.ts';
import { createShown } from './shown.ts';

export interface BoardOptions {
  /** The queue whose failed jobs an operator can retry. */
  readonly queue: Queue;
  readonly operator: Pick<Operator, 'retry' | 'failed' | 'counts'>;
  /** Read only: the deliveries of callbacks, with their URLs without secrets. */
  readonly callbackQueues?: readonly CallbackQueue[] | undefined;
  readonly users: readonly BoardUser[];
  readonly sessionMs: number;
  /** Requests per minute of one network without a login. */
  readonly ratePerMinute?: number | undefined;
  /** Behind TLS. */
  readonly secureCookies: boolean;
  readonly redis: Redis;
  readonly keyOf: (name: string) => string;
  readonly audit: Pick<Audit, 'record'>;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Removes the secrets of the configuration. */
  readonly scrub?: Scrub;
}

/** Register it without a prefix: all its routes are below /board. */
export function createBoard(options: BoardOptions): FastifyPluginAsync {
  return async (app) => {
    await app.register((scope) => addBoard(scope, options), { prefix: '/board' });
  };
}

async function addBoard(scope: FastifyInstance, options: BoardOptions): Promise<void> {
  const { users, queue, callbackQueues, logger, scrub = createScrub([]) } = options;
  if (!scope.hasReplyDecorator('setCookie')) await scope.register(cookie);
  addParsers(scope);
  const onError = createOnError(logger);
  scope.setErrorHandler((error: Error, request, reply) => {
    if (error instanceof Refusal) reply.headers(error.headers);
    const { status = 500, body } = onError(error);
    return refuse(request, reply, status, body.error);
  });
  // The server's policy would block the board's files. Each answer gets its own policy here.
  scope.addHook('onRequest', async (_request, reply) => void reply.removeHeader('content-security-policy'));
  const headers = fixedHeaders(options.secureCookies);
  scope.addHook('onSend', async (request, reply) => finish(request, reply, headers));
  if (users.length === 0) {
    scope.addHook('onRequest', async (_request, reply) => sendPage(reply, 403, noUsersPage()));
    scope.setNotFoundHandler((_request, reply) => sendPage(reply, 403, noUsersPage()));
    return;
  }
  const sessions = createSessions(options);
  const cookies = createCookies({ secure: options.secureCookies });
  const visitorOf = addAccess(scope, { sessions, cookies, ratePerMinute: options.ratePerMinute });
  const checks = createChecks();
  scope.addHook('preClose', async () => checks.close());
  addLoginRoutes(scope, {
    users,
    sessions,
    lockout: createLockout(options),
    checks,
    cookies,
    logger,
    visitorOf,
  });

  const retries = createRetries(options);
  addActions(scope, { queueName: queue.name, retries, visitorOf });
  const shown = createShown(scrub);
  await scope.register(async (inner) => {
    inner.addHook('preHandler', async ({ params, query }) => {
      capPage(query);
      await followRetries(params, queue.name, retries);
    });
    inner.addHook('preSerialization', async (request, _reply, body) =>
      toShownBody(request.routeOptions.url ?? '', body, visitorOf(request)?.role !== 'operator', shown),
    );
    inner.addHook('onSend', async (request, reply, payload) =>
      toOwnPage(request, reply, payload, visitorOf(request)),
    );
    await inner.register(createReadingBoard({ queue, callbackQueues, shown, onError }));
  });
  scope.setNotFoundHandler((request, reply) => refuse(request, reply, 404, noSuchPage));
}

const MAX_PER_PAGE = 100;

/** Bull Board reads as many jobs as requested, and every other request waits meanwhile. */
function capPage(query: unknown): void {
  const page = query as { jobsPerPage?: unknown };
  if (page.jobsPerPage !== undefined && !(Number(page.jobsPerPage) <= MAX_PER_PAGE))
    page.jobsPerPage = String(MAX_PER_PAGE);
}

// Only the login form is read. Other bodies are received and dropped: no action needs a body.
function addParsers(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 8192 },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );
  scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: 65_536 }, (_request, _body, done) =>
    done(null),
  );
}

function createOnError(logger: BoardOptions['logger']) {
  return (error: Error & { statusCode?: number }) => {
    if (error instanceof SyntaxError) return { status: 500 as const, body: { error: dataNotJson } };
    if (error instanceof Refusal)
      return { status: statusOf(error.code) as 400, body: { error: error.message } };
    const status = error instanceof URIError ? 400 : (error.statusCode ?? 500);
    if (status < 500) return { status: status as 400, body: { error: unreadableRequest } };
    logger.error({ event: 'board-error', err: error }, unexpectedError);
    return { status: 503 as 500, body: { error: redisTimeout } };
  };
}

/** Headers of every answer, refusals included. */
function finish(
  request: FastifyRequest,
  reply: FastifyReply,
  headers: Readonly<Record<string, string>>,
): void {
  reply.headers(headers);
  // Bull Board's own files are public; everything else must not be cached.
  const isFile = pathOf(request).startsWith('/board/static/') && reply.statusCode < 400;
  reply.header('cache-control', isFile ? 'private, no-cache' : 'no-store');
  // A file may be a worker's script, which needs a policy of its own.
  if (!reply.hasHeader('content-security-policy'))
    reply.header('content-security-policy', isFile ? BOARD_POLICY : strictPolicy());
}

/** Adapts Bull Board's page, the only HTML of its scope. */
function toOwnPage(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  user: BoardUser | undefined,
): unknown {
  const type = String(reply.getHeader('content-type') ?? '');
  if (typeof payload !== 'string' || !type.startsWith('text/html') || reply.statusCode !== 200)
    return payload;
  reply.header('content-security-policy', BOARD_POLICY);
  const logout = user ? `${LOGOUT_TEXT} ${user.name} (${user.role})` : LOGOUT_TEXT;
  const inJson = JSON.stringify(logout).replace(/</g, '\\u003c');
  const page = below(prefixOf(request), withoutInlineStyle(payload)).replace(
    `"${LOGOUT_TEXT}"`,
    () => inJson,
  );
  reply.removeHeader('content-length');
  return page;
}
