// Host names in texts of others (RunCloud's, Let's Encrypt's) that a domain's record repeats: it must not name another customer.
// Pure.
import { domainToASCII } from 'node:url';

// As a browser, a URL or a cautious author writes it: `%2E`, `[.]`, `(dot)`.
const DOT = String.raw`(?:[.。．｡․]|%2e|[[(](?:[.]|dot)[\])])`;
const DOTS = new RegExp(DOT, 'giu');
/** Joiners stand within a label, the soft hyphen is invisible, the middle dots belong to Catalan and Japanese. */
const WITHIN = String.raw`\p{L}\p{M}\p{N}\p{So}_\u200c\u200d\u00ad\u00b7\u30fb`;
const BYTE = '%(?!2e)[0-9a-f]{2}';
const LABEL = String.raw`(?:[\p{L}\p{N}\p{So}_]|${BYTE})(?:(?:[${WITHIN}-]|${BYTE})*(?:[${WITHIN}]|${BYTE}))?`;
// Anything with a dot that might be a host's name; names of files are taken for hosts rather than the other way round.
const HOST = new RegExp(
  String.raw`(?:${LABEL}${DOT})+(?:xn--[a-z0-9-]+|(?:\p{L}|${BYTE})(?:[${WITHIN}-]|${BYTE})*(?:[\p{L}\p{M}]|${BYTE}))`,
  'giu',
);
/** More of a text is neither read nor shown: each run of letters is read from each of its letters on. */
const MAX_READ = 4_000;

/** Ends between two words: half a host's name is not recognised. */
const bounded = (text: string): string =>
  text.length <= MAX_READ ? text : `${text.slice(0, text.lastIndexOf(' ', MAX_READ) + 1)}…`;

/** They take part in every issuance. */
const NEUTRAL = ['letsencrypt.org', 'runcloud.io', 'cloudflare.com'];

const isNeutral = (host: string): boolean =>
  NEUTRAL.some((neutral) => host === neutral || host.endsWith(`.${neutral}`));

const toBase = (host: string): string => withoutChallenge(host).replace(/^www\./, '');

const withoutChallenge = (host: string): string => host.replace(/^_acme-challenge\./, '');

const isOwn = (host: string, names: readonly string[]): boolean =>
  names.some((name) => toBase(name) === toBase(host));

// domainToASCII reads `%C3%BC` as a URL does.
function toHost(text: string): string {
  const plain = text.replaceAll(DOTS, '.');
  return domainToASCII(plain) || plain.toLowerCase();
}

const hostsOf = (text: string): string[] =>
  [...bounded(text).normalize('NFC').matchAll(HOST)].map(([host]) => toHost(host));

/** Whose hosts a text names: those of `names` (a www name belongs to its domain), or somebody else's. */
export function hostsIn(text: string, names: readonly string[]): { hasOwn: boolean; hasOthers: boolean } {
  const hosts = hostsOf(text);
  return {
    hasOwn: hosts.some((host) => isOwn(host, names)),
    hasOthers: hosts.some((host) => !isOwn(host, names) && !isNeutral(host)),
  };
}

/** Which of these names a text names, each on its own: a www name is not its domain. */
export function findNamed(text: string, names: readonly string[]): string[] {
  const hosts = new Set([...bounded(text).matchAll(HOST)].map(([host]) => withoutChallenge(toHost(host))));
  return names.filter((name) => hosts.has(name));
}

/** Puts "another domain" in the place of each host that is not one of `names`. */
export const withoutOthers = (text: string, names: readonly string[] = []): string =>
  bounded(text)
    .normalize('NFC')
    .replace(HOST, (host) => (hostsIn(host, names).hasOthers ? 'another domain' : host));
