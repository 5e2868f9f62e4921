// The names that a certificate must cover. Pure.
import type { Intent } from './intent.ts';

/** The domains and their www twins, each once. The twin is a name of its own, with its own DNS. */
export function namesOf(
  domains: readonly { readonly name: string; readonly www?: boolean | undefined }[],
): string[] {
  return [...new Set(domains.flatMap(({ name, www }) => (www ? [name, `www.${name}`] : [name])))];
}

/** The domain, and its www twin where that is wanted. */
export const namesOfIntent = ({ domain, wish }: Pick<Intent, 'domain' | 'wish'>): string[] =>
  namesOf([{ name: domain, www: wish.want === 'present' && wish.www }]);

/** Let's Encrypt's limit for one certificate (letsencrypt.org/docs/rate-limits). */
export const MAX_NAMES = 100;
/** From here on people are told. */
export const MANY_NAMES = 80;
