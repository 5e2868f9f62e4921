// Kinds of values that name places on the network. An address may contain a password anywhere, so no
// complaint repeats any part of it.
import { isIP } from 'node:net';
import { ProbeUrlError, parseProbeUrl } from '../probes/probe-url.ts';
import { type Kind, kind, listOf } from './kinds.ts';

export interface HostAndPort {
  /** An IPv6 address has no brackets here. */
  readonly host: string;
  readonly port: number;
}

const isPort = (text: string): boolean =>
  /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;

/** `host:port` or `[v6]:port`. */
function toHostAndPort(raw: string): HostAndPort | undefined {
  const [, v6, name, port = ''] = /^(?:\[([^\]]*)\]|([^:[\]/@\s]+)):(\d+)$/.exec(raw) ?? [];
  const host = v6 ?? name ?? '';
  const isHost = v6 === undefined ? /^[\w.-]+$/.test(host) : isIP(host) === 6;
  return isHost && isPort(port) ? { host, port: Number(port) } : undefined;
}

export const hostAndPort = kind('a host and a port, host:port or [IPv6]:port', toHostAndPort);

const when =
  (isEntry: (item: string) => boolean) =>
  (item: string): string | undefined =>
    isEntry(item) ? item : undefined;

const isIPv6InBrackets = (item: string): boolean => /^\[.*\]$/.test(item) && isIP(item.slice(1, -1)) === 6;

/** As `dns.setServers` of node:dns takes them. A name would need a DNS server to be found. */
const isDnsServer = (item: string): boolean =>
  isIP(item) !== 0 || isIPv6InBrackets(item) || isIP(toHostAndPort(item)?.host ?? '') !== 0;

export const dnsServers = listOf({
  accepts: 'IP addresses with commas between them, each with an optional port: 9.9.9.9, [2620:fe::fe]:53',
  toEntry: when(isDnsServer),
});

export const ipAddresses = listOf({
  accepts: 'IPv4 or IPv6 addresses with commas between them',
  toEntry: when((item) => isIP(item) !== 0),
});

/** Takes the host of a URL: an IPv6 address has its brackets. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(?:\.\d+){3}$/.test(host);

const decodes = (text: string): boolean => {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
};

/** What `new URL` corrects in silence, and other programs reject later. */
export function spellingComplaint(raw: string): string | undefined {
  if (/[\s\p{Cc}]/u.test(raw)) return 'has a space or a line break: write %20 for a space';
  return decodes(raw) ? undefined : 'has a "%" that begins no valid %XX: write %25 for a "%"';
}

const redisAccepts = 'redis:// or rediss:// (TLS), a host, and optionally a port and a database number';
const asRedis = `must be ${redisAccepts}`;
const encodeIt =
  'has a character in its user or password that must be percent-encoded: write %2F for "/", %3F for "?", %23 for "#", %40 for "@", %25 for "%", %20 for a space';

/** The options of ioredis that an address may set. All others would change how we work with Redis. */
const redisParameters: Readonly<Record<string, RegExp>> = {
  username: /./s,
  password: /./s,
  family: /^[046]$/,
  db: /^\d{1,9}$/,
};

/** Of the part behind user and password: `host:port/database?parameters`. */
function placeComplaint(place: string): string | undefined {
  const [, , port, path = '', query = ''] =
    /^(\[[^\]]*\]|[^:/?#]*)(?::([^/?#]*))?(\/[^?#]*)?(\?[^#]*)?/.exec(place) ?? [];
  if (/^[:/?#]|^$/.test(place)) return `names no host: it ${asRedis}`;
  if (port !== undefined && !isPort(port)) return 'has an invalid port: it must be a number from 1 to 65535';
  if (!/^(?:\/\d{0,9})?$/.test(path)) return 'must end with a database number, as in /0, or without one';
  const wrong = [...new URLSearchParams(query)].find(([name, value]) => !redisParameters[name]?.test(value));
  const known = Object.keys(redisParameters).join(', ');
  return wrong && `has an invalid parameter behind "?": only ${known} are allowed`;
}

function redisComplaint(raw: string): string | undefined {
  const [, scheme = '', rest = ''] = /^([a-z][a-z\d+.-]*:\/\/)?(.*)$/is.exec(raw) ?? [];
  if (scheme !== 'redis://' && scheme !== 'rediss://') return asRedis;
  const user = rest.slice(0, Math.max(0, rest.lastIndexOf('@')));
  // Characters that end the user's part of a URL, or the whole of it.
  if (/[/?#@\s\p{Cc}]/u.test(user) || !decodes(user)) return encodeIt;
  const place = rest.slice(user === '' && !rest.startsWith('@') ? 0 : user.length + 1);
  if (place.includes('#')) return encodeIt;
  const complaint = placeComplaint(place) ?? spellingComplaint(place);
  return complaint ?? (URL.canParse(raw) ? undefined : asRedis);
}

export const redisUrl = kind(redisAccepts, (raw) => raw, redisComplaint);

/** RunCloud's API. `url` has no trailing slash. */
export interface ApiBase {
  readonly url: string;
  readonly version: 2 | 3;
}

function apiComplaint(raw: string): string | undefined {
  const url = URL.canParse(raw) ? new URL(raw) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') return 'must be an https:// address';
  if (url.username !== '' || url.password !== '')
    return 'must not contain credentials: they have variables of their own';
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    return 'must be https://, or the credentials travel in clear (http:// is for a simulator on this machine)';
  if (url.search !== '' || url.hash !== '' || !/\/v[23]\/*$/.test(url.pathname))
    return 'must end with the API version, /v2 or /v3';
  return spellingComplaint(raw);
}

export const apiUrl: Kind<ApiBase> = kind(
  'an https:// address that ends with /v2 or /v3',
  (raw) => ({ url: raw.replace(/\/+$/, ''), version: /v3\/*$/.test(raw) ? 3 : 2 }),
  apiComplaint,
);

/** `mayBeClear`: whether this host may be called by http://. */
export function isWebAddress(raw: string, mayBeClear: (hostname: string) => boolean): boolean {
  const url = URL.canParse(raw) ? new URL(raw) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && mayBeClear(url.hostname));
}

const otlpAccepts = 'an http:// or https:// address without credentials';

export const otlpEndpoint = kind(
  otlpAccepts,
  (raw) => raw.replace(/\/+$/, ''),
  (raw) => (isWebAddress(raw, () => true) ? spellingComplaint(raw) : `must be ${otlpAccepts}`),
);

/** The probe itself parses it, so a value that passes here works there. */
function probeComplaint(raw: string): string | undefined {
  try {
    parseProbeUrl(raw);
    return undefined;
  } catch (error) {
    if (error instanceof ProbeUrlError) return error.reason;
    throw error;
  }
}

export const probeUrl = kind(
  'an http:// or https:// address that contains {domain} and ends with # and a text',
  (raw) => raw,
  probeComplaint,
);
