// The code of a failed call, whatever was thrown. Pure.

/** Not by `instanceof`: Node's own errors may come from another realm (a vm context, as in jest). */
export function toErrorCode(error: unknown): string {
  const code: unknown =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'no code';
}
