// Texts that strangers wrote (DNS records, certificates), made safe to repeat and keep: one line,
// no control bytes, bounded. And the code of a failed call. Pure.

const maxShown = 100;
/**
 * More than any record has. Three megabytes of blanks would overflow the stack of the expression
 * below.
 */
const MAX_READ_CHARS = 65_536;
/** A DNS name has no more (RFC 1035, 2.3.4). */
const maxName = 255;

export function toShownText(text: string, max = maxShown): string {
  const line = text
    .slice(0, MAX_READ_CHARS)
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  return line.length > max ? `${line.slice(0, max - 1)}…` : line;
}

/** Whole names: nobody could find half a target in a zone. */
export const toShownName = (name: string): string => toShownText(name, maxName);

/**
 * The code of whatever was thrown. Without `instanceof`: Node's errors may come from another realm
 * (jest's vm context).
 */
export function toErrorCode(error: unknown): string {
  const code: unknown =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'no code';
}
