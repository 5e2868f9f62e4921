// Does HTTP through a foreign address (a CDN's) reach our web application? Asks for one page and looks for one text in it.
// Customers control the DNS that leads here: only public addresses, only this host, only a small page, and nothing is shown.
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { isPublicAddress } from './addresses.ts';
import { withDeadline } from './deadline.ts';
import { toErrorCode } from './error-code.ts';
import type { Reach } from './judge-dns.ts';
import type { ProbeUrl } from './probe-url.ts';

export interface ReachProbeOptions {
  readonly reachPrivate?: boolean | undefined;
  /** For all addresses of one name together. */
  readonly timeoutMs?: number | undefined;
}

export interface ReachProbe {
  /** Undefined where there are too many addresses to ask. Throws only what `signal` is aborted with. */
  reaches(name: string, addresses: readonly string[], signal?: AbortSignal): Promise<Reach>;
}

/**
 * `no-route`: this machine has no way there, as one without IPv6; says nothing about the address. `unchecked`: somebody may well
 * be there, but showed no page: an error, silence, a refusal.
 */
type Arrival = 'ours' | 'not-ours' | 'no-route' | { readonly unchecked: string };

const maxRedirects = 3;
const maxBytes = 64 * 1024;
const defaultTimeoutMs = 5_000;
/** CDNs answer a name with two or four addresses; whoever has more need not be asked one by one. */
const maxAddresses = 8;
const noRoute = ['ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'];
const redirects = [301, 302, 303, 307, 308];
/** Who will not show us a page (a password, a CDN's doubts about robots, too many of us) does not say whose page it is. */
const refusals = [401, 403, 407, 408, 425, 429];

/** Opens the request at this very address: what DNS says a moment later must not lead it elsewhere. */
function open(url: URL, address: string, signal: AbortSignal): ClientRequest {
  const family = isIP(address);
  const options = {
    agent: false,
    signal,
    family,
    lookup: (
      _host: string,
      wanted: { readonly all?: boolean | undefined },
      done: (error: null, found: string | { address: string; family: number }[], family?: number) => void,
    ): void => (wanted.all === true ? done(null, [{ address, family }]) : done(null, address, family)),
    headers: { 'user-agent': 'runcloud-domains', accept: '*/*', connection: 'close' },
  };
  // The certificate is what is being waited for; the page holds no secret and its text proves enough.
  return url.protocol === 'https:'
    ? httpsRequest(url, { ...options, rejectUnauthorized: false })
    : httpRequest(url, options);
}

function get(url: URL, address: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = open(url, address, signal);
    // `on`, since an error may follow the reply, and nobody else listens for it.
    request.on('error', reject);
    request.once('response', resolve);
    request.end();
  });
}

async function contains(reply: IncomingMessage, text: string): Promise<boolean> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of reply as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, maxBytes - bytes));
    bytes += chunk.length;
    if (bytes >= maxBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8').includes(text);
}

/** Another host would be asked by an address that nobody looked at; another port could be any service of that host. */
function nextUrl(from: URL, reply: IncomingMessage): URL | undefined {
  if (!redirects.includes(reply.statusCode ?? 0)) return undefined;
  const next = URL.parse(reply.headers.location ?? '', from.href);
  if (next === null || next.hostname !== from.hostname) return undefined;
  if (next.protocol !== 'http:' && next.protocol !== 'https:') return undefined;
  return next.port === '' || next.port === from.port ? next : undefined;
}

/** A page, also one that says "not found", is somebody's answer; a server's trouble and a refusal are none. */
const isAnswer = (status: number): boolean => status < 500 && !refusals.includes(status);

async function follow(start: URL, address: string, text: string, signal: AbortSignal): Promise<Arrival> {
  let url: URL | undefined = start;
  for (let hop = 0; url !== undefined && hop <= maxRedirects; hop += 1) {
    const reply: IncomingMessage = await get(url, address, signal);
    try {
      const status = reply.statusCode ?? 0;
      if (status === 200) return (await contains(reply, text)) ? 'ours' : 'not-ours';
      if (!isAnswer(status)) return { unchecked: `HTTP ${status}` };
      url = nextUrl(url, reply);
    } finally {
      reply.destroy();
    }
  }
  return 'not-ours';
}

/** One page of somebody else's settles it; else what could not be checked stays open. */
function judgeArrivals(arrivals: readonly Arrival[]): Reach {
  if (arrivals.includes('not-ours')) return 'not-reached';
  const open = arrivals.find((arrival) => typeof arrival === 'object');
  if (open) return open;
  return arrivals.includes('ours') ? 'reached' : { unchecked: 'no route' };
}

/** Whether HTTP for `name` arrives at the web application at every address that can be asked from here. */
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
