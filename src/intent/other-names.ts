// Host names in a text of somebody else's (RunCloud's, Let's Encrypt's), which a domain's record repeats: it must not name another
// customer. Pure.
import { domainToASCII } from 'node:url';

// Anything with a dot that might be a host's name; names of files are taken for hosts rather than the other way round.
const HOST =
  /(?:[\p{L}\p{N}_](?:[\p{L}\p{N}_-]*[\p{L}\p{N}_])?[.。．｡])+(?:xn--[a-z0-9-]+|\p{L}[\p{L}\p{M}-]*\p{L})/giu;
/** Whoever takes part in every issuance. */
const NEUTRAL = ['letsencrypt.org', 'runcloud.io', 'cloudflare.com'];

const isNeutral = (host: string): boolean =>
  NEUTRAL.some((neutral) => host === neutral || host.endsWith(`.${neutral}`));

const toBase = (host: string): string => host.replace(/^_acme-challenge\./, '').replace(/^www\./, '');

const isOwn = (host: string, names: readonly string[]): boolean =>
  names.some((name) => toBase(name) === toBase(host));

function toHost(text: string): string {
  const plain = text.replaceAll(/[。．｡]/g, '.');
  return domainToASCII(plain) || plain.toLowerCase();
}

/** Whose hosts a text names: those of `names` (a www twin goes with its domain), or somebody else's. */
export function hostsIn(text: string, names: readonly string[]): { hasOwn: boolean; hasOthers: boolean } {
  const hosts = [...text.matchAll(HOST)].map(([host]) => toHost(host));
  return {
    hasOwn: hosts.some((host) => isOwn(host, names)),
    hasOthers: hosts.some((host) => !isOwn(host, names) && !isNeutral(host)),
  };
}

/** Puts "another domain" in the place of each host that is not one of `names`. */
export const withoutOthers = (text: string, names: readonly string[] = []): string =>
  text.replace(HOST, (host) => (hostsIn(host, names).hasOthers ? 'another domain' : host));
