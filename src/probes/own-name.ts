// Whose names a certificate holds: a shared one, or another site's, has those of other customers, which are none of this name's
// business. Pure.
import { getDomain } from 'tldts';

/** Only what can be a DNS name: anything else could pass for several names once they are written in one line. */
export const isPlainName = (name: string): boolean => /^[\w.*-]+$/.test(name);

const toSite = (name: string): string | null =>
  getDomain(name.toLowerCase().replace(/^\*\./, ''), { allowPrivateDomains: true });

/** Whether `text` is a name below the domain that somebody registered for `name`. */
export function isOwnName(text: string, name: string): boolean {
  const site = isPlainName(text) ? toSite(text) : null;
  return site !== null && site === toSite(name);
}

/** A certificate that a machine has signed for itself names the machine's site as its issuer. */
export const isForeignName = (text: string, name: string): boolean =>
  /^[\w*-]+(\.[\w-]+)+$/.test(text) && !isOwnName(text, name);
