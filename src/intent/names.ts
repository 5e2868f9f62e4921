// The names that a certificate must cover. Pure.

/** The domains and their www twins, each once. The twin is a name of its own, with its own DNS. */
export function namesOf(
  domains: readonly { readonly name: string; readonly www?: boolean | undefined }[],
): string[] {
  return [...new Set(domains.flatMap(({ name, www }) => (www ? [name, `www.${name}`] : [name])))];
}

/** Let's Encrypt's limit for one certificate (letsencrypt.org/docs/rate-limits). */
export const MAX_NAMES = 100;
/** From here on people are told. */
export const MANY_NAMES = 80;
