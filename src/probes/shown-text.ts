// Texts and lists that strangers wrote (DNS records, certificates), made fit to be repeated and kept: on one line, without
// control bytes, and bounded. Pure.

const maxShown = 100;
/** More than any record has, and less than what an expression gives up on: three megabytes of blanks overflow its stack. */
const MAX_LOOKED_AT = 65_536;
/** A DNS name has no more (RFC 1035, 2.3.4). */
const maxName = 255;

export function toShownText(text: string, max = maxShown): string {
  const line = text
    .slice(0, MAX_LOOKED_AT)
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  return line.length > max ? `${line.slice(0, max - 1)}…` : line;
}

/** Whole names: a target that is cut could not be found in a zone. */
export const toShownName = (name: string): string => toShownText(name, maxName);
