// The names that a domain stands for. Pure.
import { type DomainRecord, hasWww } from './domain.ts';

/** The domains and their www names, each once. The www name has its own DNS. */
export function namesOf(
  domains: readonly { readonly name: string; readonly www?: boolean | undefined }[],
): string[] {
  return [...new Set(domains.flatMap(({ name, www }) => (www ? [name, `www.${name}`] : [name])))];
}

/** The domain, and its www name if RunCloud has one, as far as is known. */
export const namesOfRecord = (
  record: Pick<DomainRecord, 'domain' | 'desired' | 'attachedWww' | 'setWww'>,
): string[] => namesOf([{ name: record.domain, www: hasWww(record) }]);
