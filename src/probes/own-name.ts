// Whose names a certificate holds: a shared one, or another site's, has those of other customers, which are none of this name's
// business. Pure.

/** Only what can be a DNS name: anything else could pass for several names once they are written in one line. */
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

/** A certificate that a machine has signed for itself names the machine's site as its issuer. */
export const isExternalName = (text: string, name: string): boolean =>
  /^[\w*-]+(\.[\w-]+)+$/.test(text) && !isOwnName(text, name);
