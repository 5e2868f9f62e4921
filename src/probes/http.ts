// Does HTTP through an external address (a CDN's) reach our web application? Requests one page and
// searches one text in it. Customers control this DNS: only public addresses, only this host, only
// a small page, and nothing of it is shown.
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { late, unlessAborted, withDeadline } from '../deadline.ts';
import { boundReply } from '../untrusted/bounded-reply.ts';
import { isPublicAddress } from './addresses.ts';
import type { Reach } from './judge-dns.ts';
import type { ProbeUrl } from './probe-url.ts';
import { toErrorCode } from './shown-text.ts';

export interface ReachProbeOptions {
  readonly reachPrivate?: boolean | undefined;
  /** In milliseconds, for all addresses of one name together. */
  readonly timeoutMs?: number | undefined;
}

export interface ReachProbe {
  /** Undefined if there are too many addresses. Throws only the reason of `signal`. */
  reaches(name: string, addresses: readonly string[], signal?: AbortSignal): Promise<Reach>;
}

/**
 * `no-route`: this machine cannot reach the address (it may lack IPv6), which says nothing about
 * the address. `unchecked`: the server sent no page: an error, silence, a refusal.
 */
type Arrival = 'ours' | 'not-ours' | 'no-route' | { readonly unchecked: string };

const maxRedirects = 3;
const maxBytes = 64 * 1024;
const defaultTimeoutMs = 5_000;
/** CDNs give a name two or four addresses. */
const maxAddresses = 8;
const noRoute = ['ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'];
const redirects = [301, 302, 303, 307, 308];
/** A password, a CDN's check for robots or a rate limit: these do not say whose page it is. */
const refusals = [401, 403, 407, 408, 425, 429];

/** Opens the request at this very address: DNS may change a moment later. */
function open(url: URL, address: string, signal: AbortSignal): ClientRequest {
  const family = isIP(address);
  const options = {
    agent: false,
    signal,
    family,
    lookup: (
      _host: string,
      desired: { readonly all?: boolean | undefined },
      done: (error: null, found: string | { address: string; family: number }[], family?: number) => void,
    ): void => (desired.all === true ? done(null, [{ address, family }]) : done(null, address, family)),
    headers: { 'user-agent': 'runcloud-domains', accept: '*/*', connection: 'close' },
  };
  // The name may have no certificate yet. The page has no secret, and its text is proof enough.
  return url.protocol === 'https:'
    ? httpsRequest(url, { ...options, rejectUnauthorized: false })
    : httpRequest(url, options);
}

/**
 * The parts of a reply that count. `page`: whether the text is in it; undefined if the page was not
 * read.
 */
interface Reply {
  readonly status: number;
  readonly location?: string | undefined;
  readonly page?: 'has-text' | 'other' | undefined;
}

const broken = (code: string): Error => Object.assign(new Error(code), { code });

/**
 * Settles whatever the other side does. Rejects an incomplete reply: only a whole page can prove
 * that the text is missing.
 */
function fetchPage(url: URL, address: string, text: string, signal: AbortSignal): Promise<Reply> {
  const fetched = new Promise<Reply>((resolve, reject) => {
    const request = open(url, address, signal);
    boundReply(request, 4 * maxBytes);
    const take = async (reply: IncomingMessage): Promise<Reply> => {
      const { statusCode: status = 0, headers } = reply;
      if (status !== 200) return { status, location: headers.location };
      return { status, page: await read(reply, text, signal) };
    };
    // `on`, since an error may follow the reply, and it has no other listener.
    request.on('error', reject);
    let isAnswered = false;
    request.on('close', () => isAnswered || reject(broken('ECONNRESET')));
    request.once('response', (reply) => {
      isAnswered = true;
      take(reply)
        .then(resolve, reject)
        .finally(() => request.destroy());
    });
    // `101 Switching Protocols` is neither a reply nor an error to Node. It has no page.
    request.on('upgrade', ({ statusCode: status = 0 }, socket) => {
      socket.destroy();
      resolve({ status });
    });
    request.end();
  });
  return unlessAborted(fetched, signal, late);
}

/** Throws if the page is incomplete, too long, or packed, which the request did not allow. */
async function read(reply: IncomingMessage, text: string, signal: AbortSignal): Promise<Reply['page']> {
  const { 'content-encoding': encoding = 'identity' } = reply.headers;
  if (encoding !== 'identity') throw broken('a packed page');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of reply as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBytes) break;
  }
  // The text may be in the part that came.
  if (Buffer.concat(chunks).subarray(0, maxBytes).includes(text)) return 'has-text';
  if (bytes > maxBytes) throw broken(`a page of more than ${maxBytes / 1024} kB`);
  if (signal.aborted || !reply.complete) throw broken('ECONNRESET');
  return 'other';
}

/**
 * Another host has an address that was not checked; another port may be any service of this host.
 */
function nextUrl(from: URL, { status, location = '' }: Reply): URL | undefined {
  if (!redirects.includes(status)) return undefined;
  const next = URL.parse(location, from.href);
  if (next === null || next.hostname !== from.hostname) return undefined;
  if (next.protocol !== 'http:' && next.protocol !== 'https:') return undefined;
  return next.port === '' || next.port === from.port ? next : undefined;
}

/**
 * A page is an answer, also "not found". A server's error, a refusal and an interim reply are none.
 */
const isAnswer = (status: number): boolean => status >= 200 && status < 500 && !refusals.includes(status);

async function follow(start: URL, address: string, text: string, signal: AbortSignal): Promise<Arrival> {
  let url: URL | undefined = start;
  for (let hop = 0; url !== undefined && hop <= maxRedirects; hop += 1) {
    const reply: Reply = await fetchPage(url, address, text, signal);
    if (reply.page) return reply.page === 'has-text' ? 'ours' : 'not-ours';
    if (!isAnswer(reply.status)) return { unchecked: `HTTP ${reply.status}` };
    url = nextUrl(url, reply);
  }
  return 'not-ours';
}

/** One page of another site decides. Else one failed check leaves it open. */
function judgeArrivals(arrivals: readonly Arrival[]): Reach {
  if (arrivals.includes('not-ours')) return 'not-reached';
  const open = arrivals.find((arrival) => typeof arrival === 'object');
  if (open) return open;
  return arrivals.includes('ours') ? 'reached' : { unchecked: 'no route' };
}

/**
 * Whether HTTP for `name` reaches the web application through every address that this machine can
 * reach.
 */
export function createReachProbe(
  { urlFor, text }: ProbeUrl,
  { reachPrivate = false, timeoutMs = defaultTimeoutMs }: ReachProbeOptions = {},
): ReachProbe {
  async function arrive(name: string, address: string, signal: AbortSignal): Promise<Arrival> {
    if (!reachPrivate && !isPublicAddress(address)) return 'not-ours';
    try {
      return await follow(urlFor(name), address, text, signal);
    } catch (error) {
      const code = signal.aborted ? 'ETIMEDOUT' : toErrorCode(error);
      return noRoute.includes(code) ? 'no-route' : { unchecked: code };
    }
  }

  return {
    async reaches(name, addresses, signal) {
      if (addresses.length > maxAddresses) return undefined;
      const arrivals = await withDeadline(timeoutMs, signal, (ended) =>
        Promise.all(addresses.map((address) => arrive(name, address, ended))),
      );
      signal?.throwIfAborted();
      return judgeArrivals(arrivals);
    },
  };
}
