// Who gets in at the board: whoever is logged in, from the board's own pages; everybody else is counted, and sent to the login.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BoardUser } from '../../config/load.ts';
import { networkOf } from '../../listening/network.ts';
import { createRate } from '../rate.ts';
import type { Cookies } from './cookies.ts';
import { isFromOwnPage } from './headers.ts';
import { boardPath, sendPage } from './login.ts';
import { messagePage } from './pages.ts';
import type { Sessions } from './sessions.ts';

export interface AccessParts {
  readonly sessions: Sessions;
  readonly cookies: Cookies;
  readonly ratePerMinute: number | undefined;
}

/** Of one network, without a login, at least: to log in takes four. */
const STRANGERS_PER_MINUTE = 120;

/** Returns who is logged in, of a request that it has let pass. */
export function addAccess(
  scope: FastifyInstance,
  { sessions, cookies, ratePerMinute = 0 }: AccessParts,
): (request: FastifyRequest) => BoardUser | undefined {
  const visitors = new WeakMap<FastifyRequest, BoardUser>();
  const strangers = createRate(Math.max(ratePerMinute, STRANGERS_PER_MINUTE));
  scope.addHook('onRequest', async (request, reply) => {
    const user = isLogin(request) ? undefined : await sessions.find(cookies.session(request));
    if (user) visitors.set(request, user);
    const waitMs = user ? 0 : strangers.take(networkOf(request.ip));
    if (waitMs > 0) return slowDown(request, reply, waitMs);
  });
  scope.addHook('onRequest', async (request, reply) => {
    if (!isReading(request) && !isFromOwnPage(request))
      return refuse(request, reply, 403, 'This request did not come from a page of the board.');
    if (!isLogin(request) && !visitors.has(request)) return askToLogIn(request, reply);
  });
  return (request) => visitors.get(request);
}

function slowDown(request: FastifyRequest, reply: FastifyReply, waitMs: number): FastifyReply {
  reply.header('retry-after', Math.ceil(waitMs / 1000));
  return refuse(request, reply, 429, 'Too many requests without a login came from this network.');
}

const isReading = ({ method }: FastifyRequest): boolean => method === 'GET' || method === 'HEAD';
export const pathOf = ({ url }: FastifyRequest): string => url.split('?', 1)[0] ?? '';
const isLogin = (request: FastifyRequest): boolean => pathOf(request) === '/board/login';
const isApi = (request: FastifyRequest): boolean => pathOf(request).startsWith('/board/api');

/** In the format of Bull Board's page for its requests, as a page for a person's. */
export function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  sentence: string,
): FastifyReply {
  if (isApi(request)) return reply.status(status).send({ error: sentence });
  return sendPage(
    reply,
    status,
    messagePage(boardPath(request), status === 404 ? 'Not found' : 'Not done', sentence),
  );
}

function askToLogIn(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!isReading(request) || isApi(request))
    return refuse(request, reply, 401, 'You are not logged in any more: load the page anew.');
  const path = request.url === '/board' ? '/board/' : request.url;
  const next = path === '/board/' ? '' : `?next=${encodeURIComponent(path)}`;
  return reply.redirect(`${boardPath(request)}/login${next}`, 303);
}
