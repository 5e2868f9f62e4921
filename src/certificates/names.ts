// The names that a certificate must cover. Pure.
import { type DomainRecord, hasWww } from '../domains/domain.ts';

/** The domains and their www twins, each once. The twin is a name of its own, with its own DNS. */
export function namesOf(
  domains: readonly { readonly name: string; readonly www?: boolean | undefined }[],
): string[] {
  return [...new Set(domains.flatMap(({ name, www }) => (www ? [name, `www.${name}`] : [name])))];
}

/** The domain, and its www twin where RunCloud has one, as far as is known. */
export const namesOfRecord = (
  record: Pick<DomainRecord, 'domain' | 'desired' | 'attachedWww' | 'setWww'>,
): string[] => namesOf([{ name: record.domain, www: hasWww(record) }]);

/** `1 domain`, `3 domains` */
export const counted = (count: number, what = 'domain'): string =>
  `${count} ${what}${count === 1 ? '' : 's'}`;

/** For people: the first three, and how many more. */
export const listed = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;

/** The same for whole sentences: a hundred of them help nobody, and each domain's record would keep them all. */
export const joined = (sentences: readonly string[]): string =>
  sentences.length <= 3
    ? inOneLine(sentences)
    : `${sentences.slice(0, 3).map(asClause).join('; ')}; and ${sentences.length - 3} more like these`;

/** Let's Encrypt's limit for one certificate (letsencrypt.org/docs/rate-limits). */
export const MAX_NAMES = 100;
/** From here on people are told. */
export const MANY_NAMES = 80;

/** As the middle of a longer sentence: other programs' messages end with a full stop. */
export const asClause = (sentence: string): string => sentence.replace(/(?<!\.)\.$/, '');

export const inOneLine = (sentences: readonly string[]): string =>
  sentences.map((sentence, i) => (i < sentences.length - 1 ? asClause(sentence) : sentence)).join('; ');
