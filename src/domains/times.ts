// Times as people read them, in UTC. Pure.

/** `2026-11-24 10:05 UTC` */
export const toMinute = (ms: number): string =>
  `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** `2026-11-24 10:05:12 UTC` */
export const toSecond = (ms: number): string =>
  `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** How long something took, in two units at most: `0.1 s`, `48 s`, `15 min 3 s`, `2 d 4 h`. */
export function toSpan(ms: number): string {
  const tenths = Math.max(0, Math.round(ms / 100));
  if (tenths < 100) return `${(tenths / 10).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ] as const;
  const first = units.findIndex(([, length]) => seconds >= length);
  const parts: string[] = [];
  let rest = seconds;
  for (const [unit, length] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.join(' ');
}

/** The minute in which `ms` has passed: nobody should try too early. */
export const toNextMinute = (ms: number): string => toMinute(Math.ceil(ms / 60_000) * 60_000);
