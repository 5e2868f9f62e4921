// How RunCloud is reached and who we are to it: the connection, the headers of every request, the credentials. Knows no exchange. With the
// files that use it the only importer of got.
import { Buffer } from 'node:buffer';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import got, { type Got } from 'got';
import type { CallLimiter, CallOptions } from './runcloud.ts';

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
  readonly limiter?: CallLimiter | undefined;
}

const MAX_CONNECT_MS = 10_000;
const MAX_SOCKETS = 8;
/** Shorter than servers' usual idle limits, so that we rarely write into a connection that they just closed. */
const IDLE_SOCKET_MS = 10_000;
export const MAX_REPLY_BYTES = 5 * 1024 * 1024;

export function createAgent(isTls: boolean): HttpAgent {
  const options = { keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: 4, timeout: IDLE_SOCKET_MS };
  return isTls ? new HttpsAgent(options) : new HttpAgent(options);
}

export function createGot(settings: Pick<HttpSettings, 'timeoutMs' | 'userAgent'>, agent: HttpAgent): Got {
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

/** What got's own time limit may take to show. */
const GRACE_MS = 1_000;

/**
 * The call, or its end soon after its time limit: got ends it by then, and whoever waits for it does not rely on that. `giveUp` ends
 * what may still be under way.
 */
export async function orLate<T>(call: Promise<T>, timeoutMs: number, giveUp: () => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(Object.assign(new Error(`no reply within ${timeoutMs} ms`), { code: 'ETIMEDOUT' }));
      giveUp();
    }, timeoutMs + GRACE_MS);
  });
  call.catch(() => undefined);
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function toAuthorization(credentials: Credentials): string {
  if (credentials.kind === 'token') return `Bearer ${credentials.token}`;
  return `Basic ${Buffer.from(`${credentials.key}:${credentials.secret}`).toString('base64')}`;
}

export function toSecrets(credentials: Credentials): string[] {
  const parts = credentials.kind === 'token' ? [credentials.token] : [credentials.key, credentials.secret];
  return [...parts, toAuthorization(credentials).replace(/^\w+ /, '')];
}
