// One HTTP exchange with RunCloud: the only importer of got, and the one function all requests go through.
// It never retries, never follows a redirect, and knows no route.
import { Buffer } from 'node:buffer';
import { type ClientRequest, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import got, { type Got, RequestError, type Response } from 'got';
import { AccountRefusedError, CallAbortedError, ForbiddenError, type Operation } from './errors.ts';
import { toExchangeError, toPhrase, toReplyError, toUnusableReply } from './failures.ts';
import { createRedact, type Redact } from './redact.ts';
import { parseJson } from './reply-text.ts';
import type { CallBrake, CallOptions } from './runcloud.ts';
import { type Exchanged, toFingerprint, underBrake } from './under-brake.ts';

/** A v3 (or workspace v2) token goes out as Bearer, a legacy key pair as Basic: [D] runcloud.io/docs/api/v2, /v3. */
export type Credentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'key'; readonly key: string; readonly secret: string };

export interface HttpSettings {
  /** Up to and with the version: `https://manage.runcloud.io/api/v3`. */
  readonly url: string;
  /** A function is asked before each call, so that corrected credentials are picked up. */
  readonly credentials: Credentials | (() => Credentials);
  /** For the whole exchange, waiting for a free socket included. */
  readonly timeoutMs: number;
  readonly userAgent?: string | undefined;
  /** Yours to destroy, and the way to go through a proxy: no environment variable is looked at. */
  readonly agent?: HttpAgent | undefined;
  /** Hears of every call, besides the caller's own `onCall`. */
  readonly onCall?: CallOptions['onCall'];
  /** Asked before each call, told after each. */
  readonly brake?: CallBrake | undefined;
}

export interface Exchange {
  readonly operation: Operation;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the API version. */
  readonly path: string;
  readonly query?: Readonly<Record<string, number>> | undefined;
  readonly json?: object | undefined;
  readonly options: CallOptions | undefined;
}

/** A 2xx reply. `body` is parsed JSON, or undefined where the reply has none. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

export interface Http {
  exchange(exchange: Exchange): Promise<Reply>;
  /** Names the credentials in force, without being them. */
  fingerprint(): string;
  /** Closes the connections; calls under way end as of unknown result. */
  close(): void;
}

const MAX_CONNECT_MS = 10_000;
const MAX_SOCKETS = 8;
/** Shorter than servers' usual idle limits, so that we rarely write into a connection that they just closed. */
const IDLE_SOCKET_MS = 10_000;
const MAX_REPLY_BYTES = 5 * 1024 * 1024;

function createAgent(isTls: boolean): HttpAgent {
  const options = { keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: 4, timeout: IDLE_SOCKET_MS };
  return isTls ? new HttpsAgent(options) : new HttpAgent(options);
}

function createGot(settings: HttpSettings, agent: HttpAgent): Got {
  const connectMs = Math.min(settings.timeoutMs, MAX_CONNECT_MS);
  return got.extend({
    // Proxy agents extend http.Agent and serve https all the same.
    agent: { http: agent, https: agent as HttpsAgent },
    // [D] runcloud.io/docs/api/v3: both headers on every request, GET included.
    headers: {
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': settings.userAgent ?? 'runcloud-domains',
    },
    responseType: 'text',
    decompress: true,
    // Retries belong to the queue alone, and a followed 302 would turn a POST into a GET elsewhere.
    retry: { limit: 0 },
    followRedirect: false,
    throwHttpErrors: false,
    timeout: { lookup: connectMs, connect: connectMs, secureConnect: connectMs, request: settings.timeoutMs },
  });
}

function toAuthorization(credentials: Credentials): string {
  if (credentials.kind === 'token') return `Bearer ${credentials.token}`;
  return `Basic ${Buffer.from(`${credentials.key}:${credentials.secret}`).toString('base64')}`;
}

function toSecrets(credentials: Credentials): string[] {
  const parts = credentials.kind === 'token' ? [credentials.token] : [credentials.key, credentials.secret];
  return [...parts, toAuthorization(credentials).replace(/^\w+ /, '')];
}

/** One exchange under way, and what is known about it. */
interface Attempt {
  sent: boolean;
  status: number | undefined;
  readonly tooLong: AbortController;
}

/** Bytes leave only over a connection that stands; until then a failed call has certainly changed nothing. */
function watchSending(request: ClientRequest, attempt: Attempt, isTls: boolean): void {
  const onSocket = (socket: Socket): void => {
    if (!socket.connecting) attempt.sent = true;
    else socket.once(isTls ? 'secureConnect' : 'connect', () => (attempt.sent = true));
  };
  if (request.socket) onSocket(request.socket);
  else request.once('socket', onSocket);
}

async function send(
  client: Got,
  url: string,
  exchange: Exchange,
  auth: string,
  attempt: Attempt,
): Promise<Response<string>> {
  const { method, query, json, options } = exchange;
  const promise = client<string>(url, {
    method,
    headers: { authorization: auth },
    signal: AbortSignal.any([attempt.tooLong.signal, ...(options?.signal ? [options.signal] : [])]),
    ...(query === undefined ? {} : { searchParams: query }),
    ...(json === undefined ? {} : { json }),
    resolveBodyOnly: false,
  });
  promise.on('request', (request) => watchSending(request, attempt, url.startsWith('https:')));
  promise.on('downloadProgress', ({ transferred, total }) => {
    if (Math.max(transferred, total ?? 0) > MAX_REPLY_BYTES) attempt.tooLong.abort();
  });
  return await promise;
}

/** Hands the exchange to whoever counts calls. An observer's mistake must not turn a success into a failure. */
function report(
  { operation, method, path, options }: Exchange,
  status: number | undefined,
  startedMs: number,
  onCall: HttpSettings['onCall'],
): void {
  const durationMs = Math.round(performance.now() - startedMs);
  for (const tell of [options?.onCall, onCall]) {
    try {
      tell?.({ operation, method, path, status, durationMs });
    } catch {
      // Deliberately nothing: see above.
    }
  }
}

function toBrokenExchange(error: unknown, exchange: Exchange, attempt: Attempt, redact: Redact): Error {
  const { operation, options } = exchange;
  const aborted = options?.signal?.aborted === true;
  const tooLong = attempt.tooLong.signal.aborted;
  return toExchangeError({ operation, ...attempt, aborted, tooLong, error, redact });
}

/** All redirects, refusals and 5xx throw; a 2xx is JSON or empty. */
function toReply(response: Response<string>, { operation }: Exchange, redact: Redact): Reply {
  const { statusCode: status, body, headers } = response;
  if (status < 200 || status > 299) {
    const retryAfter = headers['retry-after'];
    throw toReplyError({ operation, status, body, retryAfter, redact, nowMs: Date.now() });
  }
  if (body.trim() === '') return { status, body: undefined };
  const json = parseJson(body);
  // [D] "all replies JSON": anything else comes from something that stands before RunCloud.
  if (json === undefined) throw toUnusableReply(operation, status, 'is not JSON');
  return { status, body: json.value };
}

async function assertWanted({ operation, method, options }: Exchange): Promise<void> {
  const mayGo = method === 'GET' || ((await options?.mayWrite?.()) ?? true);
  if (mayGo && options?.signal?.aborted !== true) return;
  throw new CallAbortedError(
    `The call was stopped by us before ${toPhrase(operation)}`,
    { operation },
    false,
  );
}

export function createHttp(settings: HttpSettings): Http {
  const base = settings.url.replace(/\/+$/, '');
  const agent = settings.agent ?? createAgent(new URL(base).protocol === 'https:');
  const client = createGot(settings, agent);

  const perform = async (exchange: Exchange, auth: string, redact: Redact): Promise<Response<string>> => {
    const attempt: Attempt = { sent: false, status: undefined, tooLong: new AbortController() };
    const startedMs = performance.now();
    try {
      const response = await send(client, `${base}${exchange.path}`, exchange, auth, attempt);
      report(exchange, response.statusCode, startedMs, settings.onCall);
      return response;
    } catch (error) {
      attempt.status = error instanceof RequestError ? error.response?.statusCode : undefined;
      report(exchange, attempt.status, startedMs, settings.onCall);
      throw toBrokenExchange(error, exchange, attempt, redact);
    }
  };

  const currentCredentials = (): Credentials => {
    const { credentials } = settings;
    return typeof credentials === 'function' ? credentials() : credentials;
  };

  const exchangeOnce = async (exchange: Exchange): Promise<Reply> => {
    const { brake } = settings;
    const current = currentCredentials();
    const auth = toAuthorization(current);
    const redact = createRedact(toSecrets(current));
    const call = async (): Promise<Exchanged> => {
      await assertWanted(exchange);
      const response = await perform(exchange, auth, redact);
      return { response, toReply: () => toReply(response, exchange, redact) };
    };
    return brake ? underBrake(brake, toFingerprint(auth), exchange, call) : (await call()).toReply();
  };
  const assertAccount = createAccountCheck(exchangeOnce);

  return {
    fingerprint: () => toFingerprint(toAuthorization(currentCredentials())),
    async exchange(exchange) {
      try {
        return await exchangeOnce(exchange);
      } catch (error) {
        if (error instanceof ForbiddenError) await assertAccount(exchange.options);
        throw error;
      }
    },
    close() {
      if (settings.agent === undefined) agent.destroy();
    },
  };
}

/**
 * After a 403: is it this one route, or every call of the account? A ping tells; all who ask at the same time share one. Throws
 * AccountRefusedError where ping is refused too; whatever else becomes of it says nothing.
 */
function createAccountCheck(exchange: (exchange: Exchange) => Promise<Reply>) {
  let underway: Promise<unknown> | undefined;
  const ping = async ({ onCall, onHold, patience }: CallOptions): Promise<unknown> => {
    const options = { onCall, onHold, patience };
    return exchange({ operation: 'ping', method: 'GET', path: '/ping', options });
  };
  return async (options: CallOptions = {}): Promise<void> => {
    underway ??= ping(options).finally(() => (underway = undefined));
    await underway.catch((error: unknown) => {
      if (error instanceof AccountRefusedError) throw error;
    });
  };
}
