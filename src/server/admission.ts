// What every request of every part passes before its body is read: the caller, and the rate limit.
// A request that is refused before it has arrived ends its connection.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServerConfig } from '../config/load.ts';
import { endAfterAnswer, isEnding } from '../listening/connections.ts';
import { networkOf } from '../listening/network.ts';
import { authorize, type Caller, identify, type RouteRole } from './auth.ts';
import { hostMissing, networkRateReached, noSuchRoute as noRoute, tokenRateReached } from './messages.ts';
import { type PrefixSettings, prefixIn } from './prefix.ts';
import { Refusal } from './problems.ts';
import type { Rates } from './rate.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined: the request has no valid token. */
    caller: Caller | undefined;
  }
}

export interface AdmissionParts {
  readonly settings: Pick<ServerConfig, 'tokens'> & PrefixSettings;
  readonly rates: Rates;
}

export function addAdmission(app: FastifyInstance, { settings, rates }: AdmissionParts): void {
  app.decorateRequest('caller', undefined);
  app.decorateRequest('prefix', '');
  app.addHook('onRequest', async ({ raw: { socket } }, reply) => {
    if (!isEnding(socket)) return;
    socket.destroy();
    reply.hijack();
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headersOf(request));
    request.prefix = prefixIn(request.headers, settings);
    request.caller = identify(request.headers, settings.tokens);
    const isWithoutHost = request.headers.host === undefined && request.raw.httpVersion === '1.1';
    if (isCountedElsewhere(request) && !isWithoutHost) return;
    assertRate(rates, request);
    if (isWithoutHost) throw new Refusal('bad-request', hostMissing);
    // Fastify would first read the body.
    if (request.is404) throw noSuchRoute();
  });
  app.addHook('onSend', async (request, reply) => endUnread(request, reply));
}

export const noSuchRoute = (): Refusal => new Refusal('not-found', noRoute);

/**
 * An answer to a request that is still being sent ends its connection: nobody waits for the rest.
 */
export function endUnread({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (raw.complete !== false) return;
  reply.header('connection', 'close');
  endAfterAnswer(raw);
}

/** Headers of every answer. A part that shows pages replaces some of them. */
export const headersOf = (request: FastifyRequest): Record<string, string> => ({
  'x-request-id': request.id,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
  ...(request.protocol === 'https' && { 'strict-transport-security': 'max-age=31536000' }),
});

/** Health checks come often, and from one address. The board counts requests without a login. */
const isCountedElsewhere = ({ url }: FastifyRequest): boolean =>
  /^\/(healthz|readyz)(\?|$)|^\/board([/?]|$)/.test(url);

/**
 * Throws Refusal (429) if the token, or the network without a valid token, has reached its rate
 * limit.
 */
export function assertRate(
  { tokens, anonymous }: Rates,
  { caller, ip }: Pick<FastifyRequest, 'caller' | 'ip'>,
  cost = 1,
): void {
  const waitMs = caller ? tokens.take(caller.name, cost) : anonymous.take(networkOf(ip), cost);
  if (waitMs === 0) return;
  throw new Refusal('too-many-requests', caller ? tokenRateReached : networkRateReached, {
    headers: { 'retry-after': String(Math.ceil(waitMs / 1000)) },
  });
}

/** For routes of other parts: throws Refusal if the caller's token does not have the role. */
export const requireRole =
  (role: RouteRole) =>
  async ({ caller }: FastifyRequest): Promise<void> =>
    authorize(caller, role);
