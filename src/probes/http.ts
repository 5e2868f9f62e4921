// Does HTTP through a foreign address (a CDN's) reach our web application? Asks for one page and looks for one text in it.
// Customers control the DNS that leads here: only public addresses, only this host, only a small page, and nothing is shown.
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { isPublicAddress } from './addresses.ts';
import { withDeadline } from './deadline.ts';
import { toErrorCode } from './error-code.ts';

/** `http://{domain}/runcloud-domains-probe.txt#7f3a91`, taken apart. */
export interface ProbeUrl {
  urlFor(name: string): URL;
  /** What the page must contain. */
  readonly text: string;
}

export interface ReachProbe {
  /** Throws only what `signal` is aborted with. */
  reaches(name: string, addresses: readonly string[], signal?: AbortSignal): Promise<boolean>;
}

/** `no-route`: this machine has no way there, as one without IPv6; says nothing about the address. */
type Arrival = 'ours' | 'not-ours' | 'no-route';

const placeholder = '{domain}';
const maxRedirects = 3;
const maxBytes = 64 * 1024;
const deadlineMs = 5_000;
/** CDNs answer a name with two or four addresses; whoever has more need not be asked one by one. */
const maxAddresses = 8;
const noRoute = ['ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'];
const redirects = [301, 302, 303, 307, 308];

function reasonAgainst(url: URL | null): string | undefined {
  if (url === null) return 'is no URL';
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must begin with http:// or https://';
  if (url.username !== '' || url.password !== '') return 'must not hold a user or a password';
  if (url.hostname !== 'probe.invalid') return `must have ${placeholder} as its whole host`;
  return url.hash.length < 2 ? 'must end in # and the text that the page contains' : undefined;
}

function decodeFragment(hash: string): string {
  try {
    return decodeURIComponent(hash.slice(1));
  } catch {
    return hash.slice(1);
  }
}

/** Throws with a sentence that begins with "the probe URL". */
export function parseProbeUrl(text: string): ProbeUrl {
  const example = URL.parse(text.trim().replace(placeholder, 'probe.invalid'));
  const reason = reasonAgainst(example);
  if (example === null || reason !== undefined)
    throw new Error(`the probe URL ${reason}, as in http://${placeholder}/runcloud-domains-probe.txt#7f3a91`);
  const urlFor = (name: string): URL => {
    const url = new URL(example);
    url.hostname = name;
    url.hash = '';
    return url;
  };
  return { urlFor, text: decodeFragment(example.hash) };
}

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

async function follow(start: URL, address: string, text: string, signal: AbortSignal): Promise<boolean> {
  let url: URL | undefined = start;
  for (let hop = 0; url !== undefined && hop <= maxRedirects; hop += 1) {
    const reply: IncomingMessage = await get(url, address, signal);
    try {
      if (reply.statusCode === 200) return await contains(reply, text);
      url = nextUrl(url, reply);
    } finally {
      reply.destroy();
    }
  }
  return false;
}

/** Whether HTTP for `name` arrives at the web application at every address that can be asked from here. */
export function createReachProbe(
  { urlFor, text }: ProbeUrl,
  { reachPrivate = false }: { readonly reachPrivate?: boolean | undefined } = {},
): ReachProbe {
  async function arrive(name: string, address: string, signal: AbortSignal): Promise<Arrival> {
    if (!reachPrivate && !isPublicAddress(address)) return 'not-ours';
    try {
      return (await follow(urlFor(name), address, text, signal)) ? 'ours' : 'not-ours';
    } catch (error) {
      return noRoute.includes(toErrorCode(error)) ? 'no-route' : 'not-ours';
    }
  }

  return {
    async reaches(name, addresses, signal) {
      if (addresses.length > maxAddresses) return false;
      const arrivals = await withDeadline(deadlineMs, signal, (ended) =>
        Promise.all(addresses.map((address) => arrive(name, address, ended))),
      );
      signal?.throwIfAborted();
      return arrivals.includes('ours') && !arrivals.includes('not-ours');
    },
  };
}
