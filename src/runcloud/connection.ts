// The connection to RunCloud, the headers of every request, the credentials. Only this file and its
// users import got.
import { Buffer } from 'node:buffer';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import got, { type Got } from 'got';
import { late, unlessAborted, withDeadline } from '../deadline.ts';
import type { CallLimiter, CallOptions } from './runcloud.ts';

/**
 * A v3 (or workspace v2) token is sent as Bearer, a legacy key pair as Basic: [D]
 * runcloud.io/docs/api/v2, /v3.
 */
export type Credentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'key'; readonly key: string; readonly secret: string };

export interface HttpSettings {
  /** Up to and with the version: `https://manage.runcloud.io/api/v3`. */
  readonly url: string;
  /** A function is called before each exchange, to use corrected credentials. */
  readonly credentials: Credentials | (() => Credentials);
  /** In milliseconds, for the whole exchange with the wait for a free socket. */
  readonly timeoutMs: number;
  readonly userAgent?: string | undefined;
  /** The caller's own, for a proxy. The caller destroys it. No environment variable is read. */
  readonly agent?: HttpAgent | undefined;
  /** Called after every exchange, beside the caller's own `onCall`. */
  readonly onCall?: CallOptions['onCall'];
  /** Called before and after each exchange. */
  readonly limiter?: CallLimiter | undefined;
}

const MAX_CONNECT_MS = 10_000;
const MAX_SOCKETS = 8;
/** Shorter than the usual idle limits of servers: a write into a closed connection is rare. */
const IDLE_SOCKET_MS = 10_000;
export const MAX_REPLY_BYTES = 5 * 1024 * 1024;

export function createAgent(isTls: boolean): HttpAgent {
  const options = { keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: 4, timeout: IDLE_SOCKET_MS };
  return isTls ? new HttpsAgent(options) : new HttpAgent(options);
}

export function createGot(settings: Pick<HttpSettings, 'timeoutMs' | 'userAgent'>, agent: HttpAgent): Got {
  const connectMs = Math.min(settings.timeoutMs, MAX_CONNECT_MS);
  return got.extend({
    // Proxy agents extend http.Agent and serve https too.
    agent: { http: agent, https: agent as HttpsAgent },
    // [D] runcloud.io/docs/api/v3: both headers on every request, GET included.
    headers: {
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': settings.userAgent ?? 'runcloud-domains',
    },
    responseType: 'text',
    decompress: true,
    // Only the queue retries. A followed 302 would turn a POST into a GET.
    retry: { limit: 0 },
    followRedirect: false,
    throwHttpErrors: false,
    timeout: { lookup: connectMs, connect: connectMs, secureConnect: connectMs, request: settings.timeoutMs },
  });
}

/** got's own time limit may take so much longer. */
const GRACE_MS = 1_000;

/**
 * The reply, or `ETIMEDOUT` soon after its time limit. got should end the call before; this does
 * not rely on it. `start` gets the signal that ends the call.
 */
export const withTimeout = <T>(timeoutMs: number, start: (ended: AbortSignal) => Promise<T>): Promise<T> =>
  withDeadline(timeoutMs + GRACE_MS, undefined, (ended) => unlessAborted(start(ended), ended, late));

export function toAuthorization(credentials: Credentials): string {
  if (credentials.kind === 'token') return `Bearer ${credentials.token}`;
  return `Basic ${Buffer.from(`${credentials.key}:${credentials.secret}`).toString('base64')}`;
}

export function toSecrets(credentials: Credentials): string[] {
  const parts = credentials.kind === 'token' ? [credentials.token] : [credentials.key, credentials.secret];
  return [...parts, toAuthorization(credentials).replace(/^\w+ /, '')];
}
