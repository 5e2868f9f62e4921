// Reads a Retry-After header. Pure; it neither clamps nor guesses. No RunCloud document promises this header,
// so undefined is the usual answer.

// The three date formats of RFC 9110, 5.6.7. Date.parse alone takes nearly anything ('2', 'job 7') for a date.
const httpDates = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
];
const asctime = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;

function toMoment(value: string): number {
  if (asctime.test(value)) return Date.parse(`${value} GMT`);
  return httpDates.some((format) => format.test(value)) ? Date.parse(value) : Number.NaN;
}

/** Milliseconds to wait; 0 where the header names the past; undefined where it is missing or garbage. */
export function toRetryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  const value = header?.trim() ?? '';
  const ms = /^-?\d+$/.test(value) ? Number(value) * 1000 : toMoment(value) - nowMs;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
