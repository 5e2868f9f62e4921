// Access to the board: a login, and requests from its own pages only. Requests without a login are
// counted and sent to the login page.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BoardUser } from '../../config/load.ts';
import { networkOf } from '../../listening/network.ts';
import { createRate } from '../rate.ts';
import type { Cookies } from './cookies.ts';
import { isFromOwnPage } from './headers.ts';
import { boardPath, sendPage } from './login.ts';
import { loginExpired, networkRateReached, notFoundTitle, notFromBoard, refusedTitle } from './messages.ts';
import { messagePage } from './pages.ts';
import type { Sessions } from './sessions.ts';

export interface AccessParts {
  readonly sessions: Sessions;
  readonly cookies: Cookies;
  readonly ratePerMinute: number | undefined;
}

/** The least limit of one network without a login. A login takes four requests. */
const ANONYMOUS_PER_MINUTE = 120;

/** Returns a function: the user of a request that has passed. */
export function addAccess(
  scope: FastifyInstance,
  { sessions, cookies, ratePerMinute = 0 }: AccessParts,
): (request: FastifyRequest) => BoardUser | undefined {
  const visitors = new WeakMap<FastifyRequest, BoardUser>();
  const anonymous = createRate(Math.max(ratePerMinute, ANONYMOUS_PER_MINUTE));
  scope.addHook('onRequest', async (request, reply) => {
    const user = isLogin(request) ? undefined : await sessions.find(cookies.session(request));
    if (user) visitors.set(request, user);
    const waitMs = user ? 0 : anonymous.take(networkOf(request.ip));
    if (waitMs > 0) return tooManyRequests(request, reply, waitMs);
  });
  scope.addHook('onRequest', async (request, reply) => {
    if (!isRead(request) && !isFromOwnPage(request)) return refuse(request, reply, 403, notFromBoard);
    if (!isLogin(request) && !visitors.has(request)) return requireLogin(request, reply);
  });
  return (request) => visitors.get(request);
}

function tooManyRequests(request: FastifyRequest, reply: FastifyReply, waitMs: number): FastifyReply {
  reply.header('retry-after', Math.ceil(waitMs / 1000));
  return refuse(request, reply, 429, networkRateReached);
}

const isRead = ({ method }: FastifyRequest): boolean => method === 'GET' || method === 'HEAD';
export const pathOf = ({ url }: FastifyRequest): string => url.split('?', 1)[0] ?? '';
const isLogin = (request: FastifyRequest): boolean => pathOf(request) === '/board/login';
const isApi = (request: FastifyRequest): boolean => pathOf(request).startsWith('/board/api');

/** JSON for requests of Bull Board's page, else a page. */
export function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  sentence: string,
): FastifyReply {
  if (isApi(request)) return reply.status(status).send({ error: sentence });
  const title = status === 404 ? notFoundTitle : refusedTitle;
  return sendPage(reply, status, messagePage(boardPath(request), title, sentence));
}

function requireLogin(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!isRead(request) || isApi(request)) return refuse(request, reply, 401, loginExpired);
  const path = request.url === '/board' ? '/board/' : request.url;
  const next = path === '/board/' ? '' : `?next=${encodeURIComponent(path)}`;
  return reply.redirect(`${boardPath(request)}/login${next}`, 303);
}
