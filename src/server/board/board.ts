// Bull Board at /board, behind a login: a viewer looks, an operator may also try failed jobs again. Nothing else that Bull Board
// offers is there; docs/guides/board.md says why.
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
import { noUsersPage } from './pages.ts';
import { createRetries, type Retries } from './retries.ts';
import { createSessions } from './sessions.ts';
import { createShown } from './shown.ts';

export interface BoardOptions {
  /** The queue whose failed jobs an operator may try again. */
  readonly queue: Queue;
  readonly operator: Pick<Operator, 'retry' | 'failed' | 'counts'>;
  /** To look at: the deliveries of callbacks, and the URL that they go to as people may see it. */
  readonly callbackQueues?: readonly CallbackQueue[] | undefined;
  readonly users: readonly BoardUser[];
  readonly sessionMs: number;
  /** Requests without a login that one network may make in a minute. */
  readonly ratePerMinute?: number | undefined;
  /** Behind TLS. */
  readonly secureCookies: boolean;
  readonly redis: Redis;
  readonly keyOf: (name: string) => string;
  readonly audit: Pick<Audit, 'record'>;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Takes the secrets of the configuration out of what is shown. */
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
  // The server's own policy, which is on every answer, would keep the board's files from being used: each answer gets one here.
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
  scope.setNotFoundHandler((request, reply) => refuse(request, reply, 404, 'There is no such page.'));
}

const MAX_PER_PAGE = 100;

/** Bull Board reads as many jobs as it is asked for, and everybody else waits meanwhile. */
function capPage(query: unknown): void {
  const asked = query as { jobsPerPage?: unknown };
  if (asked.jobsPerPage !== undefined && !(Number(asked.jobsPerPage) <= MAX_PER_PAGE))
    asked.jobsPerPage = String(MAX_PER_PAGE);
}

// A login form alone is read. Whatever else is sent is taken and dropped: no action of ours looks at a body.
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
    if (error instanceof SyntaxError)
      return {
        status: 500 as const,
        body: {
          error: "A job's data is no JSON, so that this page cannot be shown: `runcloud-domains failed`.",
        },
      };
    // What every request goes through refuses in its own words.
    if (error instanceof Refusal)
      return { status: statusOf(error.code) as 400, body: { error: error.message } };
    const status = error instanceof URIError ? 400 : (error.statusCode ?? 500);
    if (status < 500) return { status: status as 400, body: { error: 'The request cannot be understood.' } };
    logger.error({ event: 'board-error', err: error }, 'the board could not answer');
    return {
      status: 503 as 500,
      body: { error: 'Redis did not answer in time; the log of the server says more.' },
    };
  };
}

interface ActionOptions {
  readonly queueName: string;
  readonly retries: Retries;
  readonly visitorOf: (request: FastifyRequest) => BoardUser | undefined;
}

const NOT_HERE =
  'This cannot be done from the board: it would go past what the domains wait for. The board retries failed jobs; ' +
  '`runcloud-domains pause` pauses, and a removal or another wish for a domain is asked for by the API or the command line.';
const FAILED_ONLY = 'Only failed jobs can be tried again; a wish that was fulfilled is asked for anew.';

/** All that can be done; everything else that is no reading is refused by one route, for everybody. */
function addActions(scope: FastifyInstance, { queueName, retries, visitorOf }: ActionOptions): void {
  const mayAct = (request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined =>
    visitorOf(request)?.role === 'operator'
      ? undefined
      : refuse(request, reply, 403, 'You are logged in as a viewer, who may only look.');
  const whoOf = (request: FastifyRequest): string => `board:${visitorOf(request)?.name}`;
  const onRequest = async (request: FastifyRequest, reply: FastifyReply) => mayAct(request, reply);

  scope.put<{ Params: { queueName: string; jobId: string } }>(
    '/api/queues/:queueName/:jobId/retry',
    { onRequest },
    async (request, reply) => {
      const { params } = request;
      if (params.queueName !== queueName) return refuse(request, reply, 403, NOT_HERE);
      const result = await retries.one(params.jobId, whoOf(request));
      return result.kind === 'retried'
        ? reply.status(204).send()
        : refuse(request, reply, 409, result.sentence);
    },
  );
  scope.put<{ Params: { queueName: string; queueStatus: string } }>(
    '/api/queues/:queueName/retry/:queueStatus',
    { onRequest },
    async (request, reply) => {
      const { params } = request;
      if (params.queueName !== queueName) return refuse(request, reply, 403, NOT_HERE);
      if (params.queueStatus !== 'failed') return refuse(request, reply, 409, FAILED_ONLY);
      return retries.all(whoOf(request));
    },
  );
  scope.route({
    method: ['POST', 'PUT', 'PATCH', 'DELETE'],
    url: '/*',
    onRequest,
    handler: (request, reply) => refuse(request, reply, 403, NOT_HERE),
  });
}

/** The page of a job that was tried again shows the job that carries on. */
async function followRetries(params: unknown, queueName: string, retries: Retries): Promise<void> {
  const named = params as { queueName?: string; jobId?: string };
  if (named.queueName !== queueName || named.jobId === undefined) return;
  named.jobId = await retries.successor(named.jobId);
}

/** Headers that stand on every answer, also on a refusal. */
function finish(
  request: FastifyRequest,
  reply: FastifyReply,
  headers: Readonly<Record<string, string>>,
): void {
  reply.headers(headers);
  // The files of Bull Board itself are public; all the rest is for those eyes only.
  const isFile = pathOf(request).startsWith('/board/static/') && reply.statusCode < 400;
  reply.header('cache-control', isFile ? 'private, no-cache' : 'no-store');
  // A file may be a worker's script, which lives by the policy that comes with it.
  if (!reply.hasHeader('content-security-policy'))
    reply.header('content-security-policy', isFile ? BOARD_POLICY : strictPolicy());
}

/** Bull Board's page, and nothing else of its scope, is HTML. */
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
