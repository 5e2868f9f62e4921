// Lists and counts inside sentences. Pure.
//
// The rule for reasons and messages: a sentence begins with a capital letter, unless it begins with
// a name (shop.example.org). A message of one sentence has no full stop. In a message of several,
// each has one.

/** `1 domain`, `3 domains` */
export const counted = (count: number, what = 'domain'): string =>
  `${count} ${what}${count === 1 ? '' : 's'}`;

/** For people: the first three, and how many more. */
export const listed = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;

/** The same for whole sentences. A hundred of them help nobody, and each domain's record would keep them all. */
export const joined = (sentences: readonly string[]): string =>
  sentences.length <= 3
    ? inSentences(...sentences)
    : inSentences(...sentences.slice(0, 3), `There are ${sentences.length - 3} more like these`);

/** As the middle of a longer sentence: other programs' messages end with a full stop. */
export const asClause = (sentence: string): string => sentence.replace(/(?<!\.)\.$/, '');

export const inOneLine = (sentences: readonly string[]): string =>
  sentences.map((sentence, i) => (i < sentences.length - 1 ? asClause(sentence) : sentence)).join('; ');

/** Parts as one text: each is a sentence of its own, with a capital letter and, if there are several, a full stop. */
export function inSentences(...parts: readonly (string | undefined)[]): string {
  const said = parts.filter((part) => part !== undefined && part !== '') as string[];
  const sentences = said.map((part) => part.replace(/^[a-z](?=[a-z]* )/, (letter) => letter.toUpperCase()));
  return sentences.length < 2
    ? sentences.join('')
    : sentences.map((sentence) => (/[.?!]$/.test(sentence) ? sentence : `${sentence}.`)).join(' ');
}
