// Calls whose replies are looked at as they are, whatever their status: for finding out what RunCloud answers (`doctor --survey`,
// `--try-domain`). Nothing of a reply is judged here. Must not be used by workers: no brake, no errors of errors.ts.
import { RequestError, type Response } from 'got';
import { boundReply } from '../untrusted/bounded-reply.ts';
import {
  createAgent,
  createGot,
  type HttpSettings,
  MAX_REPLY_BYTES,
  orLate,
  toAuthorization,
} from './connection.ts';
import { parseJson } from './reply-text.ts';

export interface RawCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the API version. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number>> | undefined;
  readonly json?: object | undefined;
  /** Leaves `Content-Type` out, which RunCloud documents for every request. */
  readonly isBare?: boolean | undefined;
}

export type RawBody =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'html' | 'text' | 'empty' };

export interface RawReply {
  readonly status: number;
  readonly body: RawBody;
  /** X-RateLimit-Limit and -Remaining; undefined where they are not sent. */
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
  readonly retryAfter: string | undefined;
}

export interface RawCalls {
  /** Undefined where no whole reply came: what a write did is not known then. */
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
      const ended = new AbortController();
      const promise = client<string>(`${base}${path}`, {
        method,
        headers: { authorization, ...(isBare && { 'content-type': undefined }) },
        signal: ended.signal,
        ...(query && { searchParams: query }),
        ...(json && { json }),
        resolveBodyOnly: false,
      });
      promise.on('request', (request) => boundReply(request, 2 * MAX_REPLY_BYTES));
      promise.on('downloadProgress', ({ transferred, total }) => {
        if (Math.max(transferred, total ?? 0) > MAX_REPLY_BYTES) ended.abort();
      });
      try {
        return toRawReply(await orLate(promise, settings.timeoutMs, () => ended.abort()));
      } catch (error) {
        if (error instanceof RequestError || ended.signal.aborted) return undefined;
        throw error;
      }
    },
    close: () => agent.destroy(),
  };
}

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
