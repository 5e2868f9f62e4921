// The HTTP server: the table of routes behind authentication, limits and problem documents. The
// caller listens.
import { randomUUID } from 'node:crypto';
import {
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from 'fastify';
import type { ServerConfig } from '../config/load.ts';
import { boundConnections, endGracefully } from '../listening/connections.ts';
import { withoutOrigin, withoutPrefix } from '../listening/prefix.ts';
import type { Logger } from '../logger/logger.ts';
import { toVisible } from '../untrusted/visible-text.ts';
import { addAdmission, endUnread, headersOf, noSuchRoute } from './admission.ts';
import { authorize, refuseCrossSite } from './auth.ts';
import { addParsers } from './bodies.ts';
import { drain } from './drain.ts';
import { handle, type Served } from './handle.ts';
import { createIdempotency } from './idempotency.ts';
import { bug, connectionsRefused, notHttp, requestFailed } from './messages.ts';
import { createOpenRequests } from './open-requests.ts';
import { toOpenApi } from './openapi.ts';
import { prefixIn, prefixOf } from './prefix.ts';
import { problemOf, toRefusal } from './problems.ts';
import { createRates, type Rates } from './rate.ts';
import type { Route, RouteParts } from './routes/route.ts';
import { routes } from './routes/table.ts';

/** A part beside the API: the board, health, metrics. It controls access on its own. */
export type ServerPart = FastifyPluginAsync;

export interface HttpServerParts extends Omit<RouteParts, 'open'> {
  readonly settings: Pick<ServerConfig, 'tokens' | 'trustProxy' | 'ratePerMinute' | 'path'>;
  readonly logger: Logger;
  /** Unfinished requests that a token may have; default: 10,000. */
  readonly maxOpen?: number | undefined;
  /** Of the package. */
  readonly version: string;
  /** Removes secrets from the answer: the last of several nets. */
  readonly scrub?: (text: string) => string;
  readonly register?: readonly ServerPart[];
  /** Called for each route of every part: tests visit all of them. */
  readonly onRoute?:
    | ((route: { readonly method: string | string[]; readonly url: string }) => void)
    | undefined;
}

const BODY_LIMIT = 1024 * 1024;
/** How long a client may take to send a request. */
const REQUEST_TIMEOUT_MS = 15_000;
/** Longer than any answer takes. A client that does not read its answer is disconnected. */
const SILENCE_MS = 60_000;
/** Of all clients. Behind a proxy the limit per network does not apply. */
const MAX_CONNECTIONS = 1000;
const MAX_OF_A_NETWORK = 250;

/** The answer to bytes that are not HTTP. */
const UNREADABLE = (() => {
  const problem = problemOf('bad-request', notHttp);
  const body = JSON.stringify(problem);
  return `HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
})();

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it was sent. */
    rawBody: string;
  }
  interface FastifyContextConfig {
    route?: Route;
  }
}

export async function createHttpServer(parts: HttpServerParts): Promise<FastifyInstance> {
  const { settings, logger, register = [], onRoute } = parts;
  const app = fastify({
    bodyLimit: BODY_LIMIT,
    // Only the nearest proxy: anybody may have written the other entries of X-Forwarded-For.
    trustProxy: settings.trustProxy ? (_address: string, hop: number) => hop === 0 : false,
    rewriteUrl: ({ url = '/', headers }) => withoutPrefix(withoutOrigin(url), prefixIn(headers, settings)),
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: SILENCE_MS,
    // admission.ts counts and refuses requests without a Host.
    http: { headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: 2000, requireHostHeader: false },
    keepAliveTimeout: 30_000,
    forceCloseConnections: 'idle',
    // Requests during a shutdown are answered as usual, or not at all. Fastify's 503 is no problem
    // document.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 1000 },
    requestIdHeader: false,
    genReqId: ({ headers: { 'x-request-id': given } }) =>
      typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID(),
    clientErrorHandler: (_error, socket) => endGracefully(socket, UNREADABLE),
    frameworkErrors: (error, request, reply) => {
      endUnread(request, reply); // hooks do not run here
      answerError(error, request, reply, logger);
    },
  });
  if (onRoute) app.addHook('onRoute', onRoute);
  limitConnections(app, parts);
  const rates = createRates(settings);
  addAdmission(app, { settings, rates });
  app.decorateRequest('rawBody', '');
  app.addHook('onResponse', async (request, reply) => logResponse(request, reply, logger));
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, logger));
  app.setNotFoundHandler((_, reply) => answerError(noSuchRoute(), reply.request, reply, logger));
  await app.register((api) => addApi(api, parts, rates));
  for (const part of register) await app.register(part);
  return app;
}

function limitConnections(app: FastifyInstance, { settings, logger }: HttpServerParts): void {
  const onRefused = oncePerMinute(() => logger.warn({ event: 'connections-refused' }, connectionsRefused));
  const perNetwork = settings.trustProxy ? undefined : MAX_OF_A_NETWORK;
  const connections = boundConnections(app.server, { total: MAX_CONNECTIONS, perNetwork, onRefused });
  let isStopping = false;
  app.addHook('preClose', async () => {
    isStopping = true;
    connections.closeIdle();
    await drain(app.server);
  });
  // A kept-alive connection would delay the shutdown.
  app.addHook('onSend', async (_, reply) => void (isStopping && reply.header('connection', 'close')));
}

function oncePerMinute(log: () => void): () => void {
  let quietUntil = Number.NEGATIVE_INFINITY;
  return () => {
    if (performance.now() < quietUntil) return;
    quietUntil = performance.now() + 60_000;
    log();
  };
}

async function addApi(api: FastifyInstance, parts: HttpServerParts, rates: Rates): Promise<void> {
  const { requests, redis, scrub = (text) => text } = parts;
  // Before the body is read.
  api.addHook('preParsing', async (request) => {
    const { route } = request.routeOptions.config;
    if (!route) return;
    if (route.method !== 'GET') refuseCrossSite(request.headers);
    authorize(request.caller, route.role);
  });
  api.addHook('onSend', async (_, __, payload) =>
    typeof payload === 'string' ? toVisible(scrub(payload)) : payload,
  );
  addParsers(api);
  const idempotency = createIdempotency({ redis, prefix: requests.keyOf('idempotency:') });
  const open = createOpenRequests({ redis, requests, max: parts.maxOpen });
  const document = toOpenApi(routes, parts.version);
  const served = { parts: { ...parts, open, document }, idempotency, rates };
  for (const route of routes) addRoute(api, route, served);
}

function addRoute(api: FastifyInstance, route: Route, served: Served): void {
  api.route({
    method: route.method,
    // In fastify `:` begins a parameter, and `::` is the character itself.
    url: route.path
      .replaceAll(':', '::')
      .replace(/\{(\w+)\}(?=::)/, ':$1(.+)')
      .replace(/\{(\w+)\}/, ':$1'),
    config: { route },
    handler: (request, reply) => handle(route, served, request, reply),
  });
}

function answerError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
): FastifyReply {
  const refusal = toRefusal(error);
  if (!refusal) logger.error({ event: 'http-error', requestId: request.id, err: error }, requestFailed);
  const detail = refusal?.message ?? bug(request.id);
  const problem = problemOf(refusal?.code ?? 'unexpected', detail, refusal, prefixOf(request));
  return reply
    .code(problem.status)
    .headers({
      ...headersOf(request),
      ...(problem.status === 503 && { 'retry-after': '1' }),
      ...refusal?.headers,
      'content-type': 'application/problem+json; charset=utf-8',
    })
    .send(JSON.stringify(problem));
}

// The pattern of the path. The path and the query contain what people type.
function logResponse(request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const { method, id: requestId, caller } = request;
  const fields = {
    event: 'http',
    requestId,
    method,
    route: request.routeOptions.url ?? '-',
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime),
    caller: caller?.name,
  };
  logger.debug(fields, `${method} ${fields.route} ${reply.statusCode}`);
}
