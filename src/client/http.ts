// The client over HTTP: `runcloud-domains-client`. It needs Node's fetch, and no library.
import { DomainsError } from '../errors.ts';
import type {
  AddDomainPayload,
  AddResult,
  DomainsClient,
  Receipt,
  RedeploySslPayload,
  RemoveDomainPayload,
} from './client.ts';
import type { ApplicationIds, DomainStatus } from './domain-status.ts';
import { type Connection, call } from './http-call.ts';
import { HttpError, toHttpError } from './http-error.ts';

export { DomainsError, type ErrorCode } from '../errors.ts';
export type {
  AddDomainPayload,
  AddResult,
  DomainsClient,
  Receipt,
  RedeploySslPayload,
  RemoveDomainPayload,
  RequestOptions,
} from './client.ts';
export type { ApplicationIds, DesiredState, DnsRecord, DomainStatus, StateChange } from './domain-status.ts';
export { HttpError } from './http-error.ts';

export interface HttpClientOptions {
  /** The address of the server without /v1: `https://domains.example.org`. It may have a path. */
  readonly url: string;
  /**
   * From `runcloud-domains token create`. Default: none, for a server on this machine without
   * tokens.
   */
  readonly token?: string | undefined;
  /**
   * For one request, retries included. Default: 10,000 ms. `addDomains`: five minutes per 1000
   * domains.
   */
  readonly deadlineMs?: number | undefined;
}

export interface HttpClient extends DomainsClient {
  /**
   * The status of a domain. Needs a token with the role `read` or `operate`. Rejects with
   * `not-found` if nobody has requested it, and with `several-applications` if several have it and
   * `on` names none.
   */
  getDomain(domain: string, on?: ApplicationIds): Promise<DomainStatus>;
}

const DEADLINE_MS = 10_000;
/** The server answers within a second. An attempt that takes longer is lost. */
const ATTEMPT_MS = 5_000;
/** The server may take 30 s for a batch. */
const BATCH_ATTEMPT_MS = 35_000;
/** Each domain counts against API_RATE_PER_MINUTE, so a batch may have to wait. */
const BATCH_DEADLINE_MS = 300_000;
/** Limits of one request: lines, and bytes of the body. */
const BATCH_LINES = 1_000;
const BATCH_BYTES = 1_000_000;

/** Throws TypeError for a wrong option. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const closing = new AbortController();
  const { deadlineMs = DEADLINE_MS } = options;
  if (!(Number.isFinite(deadlineMs) && deadlineMs > 0))
    throw new TypeError('deadlineMs must be a number of milliseconds above 0');
  const connection: Connection = {
    url: toBase(options.url),
    token: toToken(options.token),
    closed: closing.signal,
  };
  const send = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown> =>
    call(connection, { method, path, body: toJson(body), deadlineMs, attemptMs: ATTEMPT_MS });
  const postBatch = (body: unknown): Promise<unknown> =>
    call(connection, {
      method: 'POST',
      path: '/v1/domains:batch',
      body: toJson(body),
      deadlineMs: Math.max(deadlineMs, BATCH_DEADLINE_MS),
      attemptMs: BATCH_ATTEMPT_MS,
    });
  const addDomains = (payloads: readonly AddDomainPayload[]): Promise<AddResult[]> =>
    sendBatches(payloads, postBatch);
  return {
    async addDomain(payload, { bulk = false } = {}) {
      if (!bulk) return toReceipt(await send('POST', '/v1/domains', payload));
      const [result] = await addDomains([payload]);
      if (result?.accepted) return result.receipt;
      throw result?.error ?? new HttpError('unexpected-answer', 'The batch has no result');
    },
    addDomains,
    async removeDomain(payload: RemoveDomainPayload) {
      if (typeof payload !== 'object' || payload === null)
        throw new DomainsError('invalid-payload', 'remove-domain: must be an object with a domain');
      const { domain, ...query } = payload;
      return toReceipt(await send('DELETE', `${toPath(domain)}${toQuery({ ...query })}`));
    },
    async redeploySsl(payload: RedeploySslPayload = {}) {
      return toReceipt(await send('POST', '/v1/certificates:redeploy', payload));
    },
    async getDomain(domain, on = {}) {
      return (await send('GET', `${toPath(domain)}${toQuery({ ...on })}`)) as DomainStatus;
    },
    async close() {
      closing.abort();
    },
  };
}

const toJson = (body: unknown): string | undefined => (body === undefined ? undefined : JSON.stringify(body));

function toBase(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash)
    throw new TypeError(
      'url must be the http:// or https:// address of the server, without credentials or query',
    );
  return url.href.replace(/\/+$/, '');
}

function toToken(token: string | undefined): string | undefined {
  // fetch's error for an invalid header would contain the token.
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return token;
  throw new TypeError('token must be one word of visible ASCII characters, as printed by `token create`');
}

/** Refuses what would change the path, or cannot be a domain at all. */
function toPath(domain: string): string {
  if (typeof domain !== 'string' || !/[^.\s]/.test(domain) || domain.length > 500)
    throw new DomainsError('invalid-domain', 'domain: must be a domain name, such as shop.example.org');
  return `/v1/domains/${encodeURIComponent(domain.trim())}`;
}

function toQuery(fields: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  const query = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]));
  return given.length > 0 ? `?${query}` : '';
}

function toReceipt(answer: unknown): Receipt {
  const { jobId, coalesced, domain, serverId, appId, unknownFields, remark } = answer as Receipt;
  return {
    jobId,
    coalesced,
    domain: domain ?? undefined,
    serverId,
    appId,
    unknownFields: unknownFields ?? [],
    ...(remark !== undefined && { remark }),
  };
}

type Send = (lines: readonly AddDomainPayload[]) => Promise<unknown>;

/** In sequence: the later request for a domain is the newer one. */
async function sendBatches(payloads: readonly AddDomainPayload[], send: Send): Promise<AddResult[]> {
  const results: AddResult[] = [];
  for (const lines of toBatches(payloads)) results.push(...(await sendBatch(lines, send)));
  return results;
}

async function sendBatch(lines: readonly AddDomainPayload[], send: Send): Promise<AddResult[]> {
  try {
    const { results } = (await send(lines)) as { results: readonly LineResult[] };
    return lines.map((_, i) => toAddResult(results[i]));
  } catch (error) {
    if (!(error instanceof DomainsError)) throw error;
    return lines.map(() => ({ accepted: false, error }));
  }
}

type LineResult =
  | ({ readonly status: 202 } & Receipt)
  | { readonly status: number; readonly problem: unknown };

function toAddResult(result: LineResult | undefined): AddResult {
  if (result?.status === 202) return { accepted: true, receipt: toReceipt(result) };
  const problem = result && 'problem' in result ? toHttpError(result.problem, result.status) : undefined;
  const error = problem ?? new HttpError('unexpected-answer', 'The batch has no result for this domain');
  return { accepted: false, error };
}

function toBatches(payloads: readonly AddDomainPayload[]): AddDomainPayload[][] {
  const batches: AddDomainPayload[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const payload of payloads) {
    const size = Buffer.byteLength(JSON.stringify(payload) ?? 'null') + 1;
    const last = batches.at(-1);
    if (last && last.length < BATCH_LINES && bytes + size <= BATCH_BYTES) {
      last.push(payload);
      bytes += size;
    } else {
      batches.push([payload]);
      bytes = size;
    }
  }
  return batches;
}
