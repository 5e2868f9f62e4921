// --limit, as typed.

/** From 1 to `max`; a sentence where it is none. */
export function parseLimit(typed: string, max: number): number | string {
  const count = /^\d{1,6}$/.test(typed) ? Number(typed) : 0;
  return count >= 1 && count <= max ? count : `--limit must be a whole number from 1 to ${max}`;
}
