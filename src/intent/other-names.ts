// A text of somebody else's (RunCloud's, Let's Encrypt's) for a domain's record: without the names of other customers. Pure.
import { domainToASCII } from 'node:url';
import { getDomain } from 'tldts';

/** Whatever looks like a host name: two labels at least, the last one of letters. */
const HOST_NAME = /(?:\*\.)?(?:[\p{L}\p{N}_-]+\.)+(?:xn--[a-z\d-]+|\p{L}{2,})(?![\p{L}\p{N}_-])/giu;

/** Nobody's customers. */
const KNOWN: readonly string[] = ['runcloud.io', 'letsencrypt.org'];

const toSite = (name: string): string | undefined =>
  getDomain(domainToASCII(name.replace(/^\*\./, '')), { allowPrivateDomains: true }) ?? undefined;

/** Puts "another domain" in the place of each host name that does not belong to one of `own`. */
export function withoutOthers(text: string, own: readonly string[] = []): string {
  const sites = new Set([...own.map(toSite), ...KNOWN]);
  return text.replace(HOST_NAME, (name) => (sites.has(toSite(name)) ? name : 'another domain'));
}
