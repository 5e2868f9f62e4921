// Calls that return raw replies, whatever their status, for `doctor --survey` and `--try-domain`.
// Judges nothing. Not for workers: no rate limiter, and no errors of errors.ts.
import { RequestError, type Response } from 'got';
import { boundReply } from '../untrusted/bounded-reply.ts';
import {
  createAgent,
  createGot,
  type HttpSettings,
  MAX_REPLY_BYTES,
  toAuthorization,
  withTimeout,
} from './connection.ts';
import { parseJson } from './reply-text.ts';

export interface RawCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the API version. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number>> | undefined;
  readonly json?: object | undefined;
  /** Omits `Content-Type`, which RunCloud documents for every request. */
  readonly isBare?: boolean | undefined;
}

export type RawBody =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'html' | 'text' | 'empty' };

export interface RawReply {
  readonly status: number;
  readonly body: RawBody;
  /** X-RateLimit-Limit and -Remaining. Undefined: not sent. */
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
  readonly retryAfter: string | undefined;
}

export interface RawCalls {
  /** Undefined: no whole reply came, so the effect of a write is unknown. */
  send(call: RawCall): Promise<RawReply | undefined>;
  close(): void;
}

type RawSettings = Pick<HttpSettings, 'url' | 'timeoutMs' | 'userAgent'> & {
  readonly credentials: Parameters<typeof toAuthorization>[0];
};

export function createRawCalls(settings: RawSettings): RawCalls {
  const base = settings.url.replace(/\/+$/, '');
  const agent = createAgent(new URL(base).protocol === 'https:');
  const client = createGot(settings, agent);
  const authorization = toAuthorization(settings.credentials);
  return {
    async send({ method, path, query, json, isBare }) {
      const tooLong = new AbortController();
      const start = (ended: AbortSignal): Promise<Response<string>> => {
        const promise = client<string>(`${base}${path}`, {
          method,
          headers: { authorization, ...(isBare && { 'content-type': undefined }) },
          signal: AbortSignal.any([tooLong.signal, ended]),
          ...(query && { searchParams: query }),
          ...(json && { json }),
          resolveBodyOnly: false,
        });
        promise.on('request', (request) => boundReply(request, 2 * MAX_REPLY_BYTES));
        promise.on('downloadProgress', ({ transferred, total }) => {
          if (Math.max(transferred, total ?? 0) > MAX_REPLY_BYTES) tooLong.abort();
        });
        return promise;
      };
      try {
        return toRawReply(await withTimeout(settings.timeoutMs, start));
      } catch (error) {
        if (error instanceof RequestError || isEnd(error) || tooLong.signal.aborted) return undefined;
        throw error;
      }
    },
    close: () => agent.destroy(),
  };
}

/** The time limit, which got did not keep. */
const isEnd = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ETIMEDOUT';

function toRawReply({ statusCode: status, body, headers }: Response<string>): RawReply {
  const retryAfter = headers['retry-after'];
  return {
    status,
    body: toRawBody(body),
    limit: toCount(headers['x-ratelimit-limit']),
    remaining: toCount(headers['x-ratelimit-remaining']),
    retryAfter,
  };
}

function toRawBody(text: string): RawBody {
  if (text.trim() === '') return { kind: 'empty' };
  const json = parseJson(text);
  if (json) return { kind: 'json', value: json.value };
  return { kind: /^\s*</.test(text) ? 'html' : 'text' };
}

const toCount = (header: string | string[] | undefined): number | undefined =>
  typeof header === 'string' && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
