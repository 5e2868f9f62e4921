// One HTTP exchange with RunCloud, for all requests. Never retries, never follows a redirect, and
// knows no route.
import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { type Got, RequestError, type Response } from 'got';
import { boundReply } from '../untrusted/bounded-reply.ts';
import { createRedact, type Redact } from '../untrusted/redact.ts';
import {
  type Credentials,
  createAgent,
  createGot,
  type HttpSettings,
  MAX_REPLY_BYTES,
  toAuthorization,
  toSecrets,
  withTimeout,
} from './connection.ts';
import { AccountRefusedError, CallAbortedError, ForbiddenError, type Operation } from './errors.ts';
import { toExchangeError, toReplyError, toUnusableReply } from './failures.ts';
import { faults, stopped } from './messages.ts';
import { type Exchanged, rateLimited, toFingerprint } from './rate-limited.ts';
import { parseJson } from './reply-text.ts';
import type { CallOptions } from './runcloud.ts';

export type { Credentials, HttpSettings } from './connection.ts';

export interface Exchange {
  readonly operation: Operation;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the API version. */
  readonly path: string;
  readonly query?: Readonly<Record<string, number>> | undefined;
  readonly json?: object | undefined;
  readonly options: CallOptions | undefined;
}

/** A 2xx reply. `body`: parsed JSON. Undefined: the reply has no body. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

export interface Http {
  exchange(exchange: Exchange): Promise<Reply>;
  /** Identifies the current credentials without revealing them. */
  fingerprint(): string;
  /** Closes the connections. Running calls end with an unknown result. */
  close(): void;
}

/** What is known about a running exchange. */
interface Attempt {
  sent: boolean;
  status: number | undefined;
  readonly tooLong: AbortController;
}

/** Bytes leave only over an open connection. Before that a failed call has changed nothing. */
function trackSending(request: ClientRequest, attempt: Attempt, isTls: boolean): void {
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
  timeoutMs: number,
): Promise<Response<string>> {
  const { method, query, json, options } = exchange;
  const { tooLong } = attempt;
  const start = (ended: AbortSignal): Promise<Response<string>> => {
    const promise = client<string>(url, {
      method,
      headers: { authorization: auth },
      signal: AbortSignal.any([tooLong.signal, ended, ...(options?.signal ? [options.signal] : [])]),
      ...(query === undefined ? {} : { searchParams: query }),
      ...(json === undefined ? {} : { json }),
      resolveBodyOnly: false,
    });
    promise.on('request', (request) => {
      trackSending(request, attempt, url.startsWith('https:'));
      boundReply(request, 2 * MAX_REPLY_BYTES);
    });
    promise.on('downloadProgress', ({ transferred, total }) => {
      if (Math.max(transferred, total ?? 0) > MAX_REPLY_BYTES) tooLong.abort();
    });
    return promise;
  };
  return withTimeout(timeoutMs, start);
}

/** Notifies the observers of calls. An observer's error must not turn a success into a failure. */
function report(
  { operation, method, path, options }: Exchange,
  status: number | undefined,
  startedMs: number,
  onCall: HttpSettings['onCall'],
): void {
  const durationMs = Math.round(performance.now() - startedMs);
  for (const notify of [options?.onCall, onCall]) {
    try {
      notify?.({ operation, method, path, status, durationMs });
    } catch {
      // Ignored: see above.
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
  // [D] "all replies JSON": other text comes from something in front of RunCloud.
  if (json === undefined) throw toUnusableReply(operation, status, faults.noJson);
  return { status, body: json.value };
}

async function assertMayGo({ operation, method, options }: Exchange): Promise<void> {
  const mayGo = method === 'GET' || ((await options?.mayWrite?.()) ?? true);
  if (mayGo && options?.signal?.aborted !== true) return;
  throw new CallAbortedError(stopped(operation, 'before'), { operation }, false);
}

export function createHttp(settings: HttpSettings): Http {
  const base = settings.url.replace(/\/+$/, '');
  const agent = settings.agent ?? createAgent(new URL(base).protocol === 'https:');
  const client = createGot(settings, agent);

  const perform = async (exchange: Exchange, auth: string, redact: Redact): Promise<Response<string>> => {
    const attempt: Attempt = { sent: false, status: undefined, tooLong: new AbortController() };
    const startedMs = performance.now();
    try {
      const url = `${base}${exchange.path}`;
      const response = await send(client, url, exchange, auth, attempt, settings.timeoutMs);
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
    const { limiter } = settings;
    const current = currentCredentials();
    const auth = toAuthorization(current);
    const redact = createRedact(toSecrets(current));
    const call = async (): Promise<Exchanged<Reply>> => {
      await assertMayGo(exchange);
      const response = await perform(exchange, auth, redact);
      return { response, toReply: () => toReply(response, exchange, redact) };
    };
    return limiter ? rateLimited(limiter, toFingerprint(auth), exchange, call) : (await call()).toReply();
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
 * After a 403: is it this one route, or every call of the account? A ping decides. Concurrent
 * callers share one. Throws AccountRefusedError if the ping is refused too. Any other result says
 * nothing.
 */
function createAccountCheck(exchange: (exchange: Exchange) => Promise<Reply>) {
  let running: Promise<unknown> | undefined;
  const ping = async ({ onCall, onUnavailable, waitSignal }: CallOptions): Promise<unknown> => {
    const options = { onCall, onUnavailable, waitSignal };
    return exchange({ operation: 'ping', method: 'GET', path: '/ping', options });
  };
  return async (options: CallOptions = {}): Promise<void> => {
    running ??= ping(options).finally(() => (running = undefined));
    await running.catch((error: unknown) => {
      if (error instanceof AccountRefusedError) throw error;
    });
  };
}
