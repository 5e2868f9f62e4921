// Text from outside for a terminal, a log or a page. Characters that are invisible, move the cursor
// or change the writing direction become JSON escapes. Imports nothing of ours.

const invisible = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const toEscape = (character: string): string =>
  character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

/**
 * `text` with escapes such as `\u202e`. Line breaks and tabs stay. A JSON document keeps its
 * meaning. A domain name with a joiner (U+200C, U+200D) loses nothing: it is printed in its
 * canonical form, which is ASCII.
 */
export const toVisible = (text: string): string => text.replace(invisible, toEscape);
