// Does HTTP through a foreign address (a CDN's) reach our web application? Asks for one page and looks for one text in it.
// Customers control the DNS that leads here: only public addresses, only this host, only a small page, and nothing is shown.
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { boundReply } from '../untrusted/bounded-reply.ts';
import { isPublicAddress } from './addresses.ts';
import { orEnd, withDeadline } from './deadline.ts';
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
      desired: { readonly all?: boolean | undefined },
      done: (error: null, found: string | { address: string; family: number }[], family?: number) => void,
    ): void => (desired.all === true ? done(null, [{ address, family }]) : done(null, address, family)),
    headers: { 'user-agent': 'runcloud-domains', accept: '*/*', connection: 'close' },
  };
  // The certificate is what is being waited for; the page holds no secret and its text proves enough.
  return url.protocol === 'https:'
    ? httpsRequest(url, { ...options, rejectUnauthorized: false })
    : httpRequest(url, options);
}

/** What came as far as it is looked at. `page`: whether the text is in it; undefined where the page is not looked at. */
interface Reply {
  readonly status: number;
  readonly location?: string | undefined;
  readonly page?: 'has-text' | 'other' | undefined;
}

const broken = (code: string): Error => Object.assign(new Error(code), { code });

/**
 * Settles whatever the other side does; rejects where what came is not the whole of a reply. Only a whole page can be said to be
 * without the text: one that was cut off, by us or on its way, might have had it.
 */
function ask(url: URL, address: string, text: string, signal: AbortSignal): Promise<Reply> {
  const asking = new Promise<Reply>((resolve, reject) => {
    const request = open(url, address, signal);
    boundReply(request, 4 * maxBytes);
    const take = async (reply: IncomingMessage): Promise<Reply> => {
      const { statusCode: status = 0, headers } = reply;
      if (status !== 200) return { status, location: headers.location };
      return { status, page: await read(reply, text, signal) };
    };
    // `on`, since an error may follow the reply, and nobody else listens for it.
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
  return orEnd(asking, signal);
}

/** Throws where the page is not whole, is too long to be read, or is packed, which nobody asked for. */
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
  // The text may stand in what came before the end.
  if (Buffer.concat(chunks).subarray(0, maxBytes).includes(text)) return 'has-text';
  if (bytes > maxBytes) throw broken(`a page of more than ${maxBytes / 1024} kB`);
  if (signal.aborted || !reply.complete) throw broken('ECONNRESET');
  return 'other';
}

/** Another host would be asked by an address that nobody looked at; another port could be any service of that host. */
function nextUrl(from: URL, { status, location = '' }: Reply): URL | undefined {
  if (!redirects.includes(status)) return undefined;
  const next = URL.parse(location, from.href);
  if (next === null || next.hostname !== from.hostname) return undefined;
  if (next.protocol !== 'http:' && next.protocol !== 'https:') return undefined;
  return next.port === '' || next.port === from.port ? next : undefined;
}

/** A page, also one that says "not found", is somebody's answer; a server's trouble, a refusal, and what ends no exchange are none. */
const isAnswer = (status: number): boolean => status >= 200 && status < 500 && !refusals.includes(status);

async function follow(start: URL, address: string, text: string, signal: AbortSignal): Promise<Arrival> {
  let url: URL | undefined = start;
  for (let hop = 0; url !== undefined && hop <= maxRedirects; hop += 1) {
    const reply: Reply = await ask(url, address, text, signal);
    if (reply.page) return reply.page === 'has-text' ? 'ours' : 'not-ours';
    if (!isAnswer(reply.status)) return { unchecked: `HTTP ${reply.status}` };
    url = nextUrl(url, reply);
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
