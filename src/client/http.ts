// The client over HTTP: `runcloud-domains-client` itself. Needs Node's fetch, and no library.
import { DomainsError } from '../errors.ts';
import type {
  AddDomainPayload,
  AddResult,
  DomainsClient,
  Receipt,
  RedeploySslPayload,
  RemoveDomainPayload,
} from './client.ts';
import type { DomainStatus, On } from './domain-status.ts';
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
export type { DesiredRecord, DnsRecordToSet, DomainStatus, On, StatusStep } from './domain-status.ts';
export { HttpError } from './http-error.ts';

export interface HttpClientOptions {
  /** Where the server answers, without /v1: `https://domains.example.org`. A path is kept. */
  readonly url: string;
  /** As `runcloud-domains token create` made it. Default: none, for a server on this machine without tokens. */
  readonly token?: string | undefined;
  /** How long one request may take, tries included. Default: 10,000 ms. `addDomains` has five minutes for each 1000. */
  readonly deadlineMs?: number | undefined;
}

export interface HttpClient extends DomainsClient {
  /**
   * How a domain stands, why, and what comes next; needs a token that may read. Rejects with `not-found` where nobody has asked for it,
   * with `several-applications` where several have it and `on` does not say which.
   */
  status(domain: string, on?: On): Promise<DomainStatus>;
}

const DEADLINE_MS = 10_000;
/** The server answers within a second; what takes longer has got lost. */
const TRY_MS = 5_000;
/** The server gives a batch 30 s. */
const BATCH_TRY_MS = 35_000;
/** The server counts each domain against API_RATE_PER_MINUTE, and says how long to wait. */
const BATCH_DEADLINE_MS = 300_000;
/** What the server takes at once, and how large a body may be. */
const BATCH_LINES = 1_000;
const BATCH_BYTES = 1_000_000;

/** Throws TypeError where an option is wrong. */
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
  const ask = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown> =>
    call(connection, { method, path, body: toJson(body), deadlineMs, tryMs: TRY_MS });
  const askBatch = (body: unknown): Promise<unknown> =>
    call(connection, {
      method: 'POST',
      path: '/v1/domains:batch',
      body: toJson(body),
      deadlineMs: Math.max(deadlineMs, BATCH_DEADLINE_MS),
      tryMs: BATCH_TRY_MS,
    });
  const addDomains = (payloads: readonly AddDomainPayload[]): Promise<AddResult[]> =>
    sendBatches(payloads, askBatch);
  return {
    async addDomain(payload, { bulk = false } = {}) {
      if (!bulk) return toReceipt(await ask('POST', '/v1/domains', payload));
      const [result] = await addDomains([payload]);
      if (result?.accepted) return result.receipt;
      throw result?.error ?? new HttpError('unexpected-answer', 'the batch has no result');
    },
    addDomains,
    async removeDomain(payload: RemoveDomainPayload) {
      if (typeof payload !== 'object' || payload === null)
        throw new DomainsError('invalid-payload', 'remove-domain: must be an object with a domain');
      const { domain, ...query } = payload;
      return toReceipt(await ask('DELETE', `${toPath(domain)}${toQuery({ ...query })}`));
    },
    async redeploySsl(payload: RedeploySslPayload = {}) {
      return toReceipt(await ask('POST', '/v1/certificates:redeploy', payload));
    },
    async status(domain, on = {}) {
      return (await ask('GET', `${toPath(domain)}${toQuery({ ...on })}`)) as DomainStatus;
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
      'url must be the http:// or https:// address of the server, without credentials and query',
    );
  return url.href.replace(/\/+$/, '');
}

function toToken(token: string | undefined): string | undefined {
  // What is no header would make fetch fail with the token in its words.
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return token;
  throw new TypeError('token must be one word of visible ASCII characters, as `token create` prints it');
}

/** What would change the path, or cannot be a name at all, the server would not even see. */
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

/** One after the other: the later request for a domain is the newer one. */
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
  const error = problem ?? new HttpError('unexpected-answer', 'the batch has no result for this domain');
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
