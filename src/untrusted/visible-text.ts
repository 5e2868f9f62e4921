// What somebody else wrote, on its way to a terminal, a log or a page: characters that are not seen, move the cursor or turn the
// direction of writing become the escape by which JSON knows them. Imports nothing of ours.

const unseen = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const toEscape = (character: string): string =>
  character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

/**
 * `text` with `\u202e` and the like spelled out; line breaks and tabs stay. The text of a JSON document means the same afterwards.
 * A domain name that needs a joiner (U+200C, U+200D) loses nothing: it is printed in its canonical form, which is ASCII.
 */
export const toVisible = (text: string): string => text.replace(unseen, toEscape);
