// What every request goes through before a body is read, whatever part it is for: who calls, and how often he may. What is refused
// before it has arrived ends its connection.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServerConfig } from '../config/load.ts';
import { isLeaving, leaveAfter } from '../listening/connections.ts';
import { networkOf } from '../listening/network.ts';
import { authorize, type Caller, identify, type RouteRole } from './auth.ts';
import { type PrefixSettings, prefixIn } from './prefix.ts';
import { Refusal } from './problems.ts';
import type { Rates } from './rate.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined: whoever calls has no token that we know. */
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
    if (!isLeaving(socket)) return;
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
    if (isWithoutHost) throw new Refusal('bad-request', 'a request over HTTP/1.1 has to name its Host');
    // Fastify would read the body first.
    if (request.is404) throw noSuchRoute();
  });
  app.addHook('onSend', async (request, reply) => endUnread(request, reply));
}

export const noSuchRoute = (): Refusal => new Refusal('not-found', 'there is no such route');

/** An answer to a request that is still being sent is the last one of its connection: nobody waits for the rest. */
export function endUnread({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (raw.complete !== false) return;
  reply.header('connection', 'close');
  leaveAfter(raw);
}

/** Every answer's; a part that shows pages sets its own over them. */
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

/** Probes come often, and from one address; the board counts whoever is not logged in. */
const isCountedElsewhere = ({ url }: FastifyRequest): boolean =>
  /^\/(healthz|readyz)(\?|$)|^\/board([/?]|$)/.test(url);

/** Throws Refusal (429) where the token, or the network of whoever has none, has nothing left for a request of this cost. */
export function assertRate(
  { tokens, strangers }: Rates,
  { caller, ip }: Pick<FastifyRequest, 'caller' | 'ip'>,
  cost = 1,
): void {
  const waitMs = caller ? tokens.take(caller.name, cost) : strangers.take(networkOf(ip), cost);
  if (waitMs === 0) return;
  const detail = caller
    ? 'this token has made too many requests'
    : 'too many requests without a token that the server knows came from this network';
  throw new Refusal('too-many-requests', detail, {
    headers: { 'retry-after': String(Math.ceil(waitMs / 1000)) },
  });
}

/** Lets a route of another part pass where the caller has a token of the role. */
export const requireRole =
  (role: RouteRole) =>
  async ({ caller }: FastifyRequest): Promise<void> =>
    authorize(caller, role);
