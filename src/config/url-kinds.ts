// The kinds of values that are web addresses or Redis' address. Each complaint says what is wrong and how it is written, and repeats
// nothing of the value: an address may hold a password anywhere.
import { type ApiBase, type Kind, kind } from './kinds.ts';

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

/** What `new URL` mends in silence, and others stumble over later. */
export function spellingComplaint(raw: string): string | undefined {
  if (/[\s\p{Cc}]/u.test(raw)) return 'holds a space or a line break: write %20 for a space';
  return decodes(raw)
    ? undefined
    : 'holds a "%" with which no %XX begins, or one that is no UTF-8: write %25 for a "%"';
}

const redisAccepts = 'redis:// or rediss:// (TLS), a host, and if need be a port and a database number';
const asRedis = `must be ${redisAccepts}`;
const encodeIt =
  'holds a character in its user or password that must be percent-encoded: write %2F for "/", %3F for "?", %23 for "#", %40 for "@", %25 for "%", %20 for a space';

/** Of ioredis' options, what an address may set. All others would change how we work with Redis. */
const redisParameters: Readonly<Record<string, RegExp>> = {
  username: /./s,
  password: /./s,
  family: /^[046]$/,
  db: /^\d{1,9}$/,
};

/** Of what stands behind user and password: `host:port/database?parameters`. */
function placeComplaint(place: string): string | undefined {
  const [, , port, path = '', query = ''] =
    /^(\[[^\]]*\]|[^:/?#]*)(?::([^/?#]*))?(\/[^?#]*)?(\?[^#]*)?/.exec(place) ?? [];
  if (/^[:/?#]|^$/.test(place)) return `names no host: it ${asRedis}`;
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535))
    return 'has a port that is none: it must be a number from 1 to 65535';
  if (!/^(?:\/\d{0,9})?$/.test(path))
    return 'must end with the number of a database, as in /0, or without one';
  const wrong = [...new URLSearchParams(query)].find(([name, value]) => !redisParameters[name]?.test(value));
  return (
    wrong && `has a parameter that is none behind "?": only ${Object.keys(redisParameters).join(', ')} are`
  );
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

export const redisUrl: Kind<string> = kind(
  redisAccepts,
  (raw) => (redisComplaint(raw) === undefined ? raw : undefined),
  (raw) => redisComplaint(raw) ?? asRedis,
);

const toApiBase = (raw: string): ApiBase | undefined =>
  apiUrlComplaint(raw) === undefined
    ? { url: raw.replace(/\/+$/, ''), version: /v3\/*$/.test(raw) ? 3 : 2 }
    : undefined;

function apiUrlComplaint(raw: string): string | undefined {
  const url = URL.canParse(raw) ? new URL(raw) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') return 'must be an https:// address';
  if (url.username !== '' || url.password !== '')
    return 'must not hold credentials: they have variables of their own';
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    return 'must be https://, since credentials would travel in clear (http:// is for a simulator on this machine)';
  if (url.search !== '' || url.hash !== '' || !/\/v[23]\/*$/.test(url.pathname))
    return 'must end with the API version that it speaks, /v2 or /v3';
  return spellingComplaint(raw);
}

export const apiUrl: Kind<ApiBase> = kind('an https:// address that ends with /v2 or /v3', toApiBase, (raw) =>
  String(apiUrlComplaint(raw)),
);

/** `http://` only where `mayBeClear` says so of the host. */
export function isWebAddress(raw: string, mayBeClear: (hostname: string) => boolean): boolean {
  const url = URL.canParse(raw) ? new URL(raw) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && mayBeClear(url.hostname));
}

const otlpAccepts = 'an http:// or https:// address without credentials';

const otlpComplaint = (raw: string): string | undefined =>
  isWebAddress(raw, () => true) ? spellingComplaint(raw) : `must be ${otlpAccepts}`;

export const otlpEndpoint: Kind<string> = kind(
  otlpAccepts,
  (raw) => (otlpComplaint(raw) === undefined ? raw.replace(/\/+$/, '') : undefined),
  (raw) => String(otlpComplaint(raw)),
);
