// Times as a person reads them, relative to now.

/** "in 3 min", "2 h ago" */
export function toRelative(atMs: number, nowMs: number): string {
  const seconds = Math.round(Math.abs(atMs - nowMs) / 1000);
  const text =
    seconds < 90
      ? `${seconds} s`
      : seconds < 5400
        ? `${Math.round(seconds / 60)} min`
        : seconds < 129_600
          ? `${Math.round(seconds / 3600)} h`
          : `${Math.round(seconds / 86_400)} d`;
  return atMs > nowMs ? `in ${text}` : `${text} ago`;
}
