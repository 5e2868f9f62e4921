// Which names of a certificate belong to a domain. A shared certificate has names of other
// customers, which must not show. Pure.

/** Only what can be a DNS name: other text could pass for several names in one line. */
export const isPlainName = (name: string): boolean => /^[\w.*-]+$/.test(name);

const toBase = (name: string): string => name.toLowerCase().replace(/^www\./, '');

/** Whether `text` is `name` or its www twin, or a wildcard that covers one of them. */
export function isOwnName(text: string, name: string): boolean {
  if (!isPlainName(text)) return false;
  const base = toBase(name);
  const [, below] = /^\*\.(.+)$/.exec(text.toLowerCase()) ?? [];
  return below === undefined
    ? toBase(text) === base
    : below === base || base.split('.').slice(1).join('.') === below;
}

/** A self-signed certificate names the machine's own site as its issuer. */
export const isExternalName = (text: string, name: string): boolean =>
  /^[\w*-]+(\.[\w-]+)+$/.test(text) && !isOwnName(text, name);
