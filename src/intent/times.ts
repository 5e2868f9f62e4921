// Times as people read them, in UTC. Pure.

/** `2026-11-24 10:05 UTC` */
export const toMinute = (ms: number): string =>
  `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** The minute in which `ms` has passed: nobody should try too early. */
export const toNextMinute = (ms: number): string => toMinute(Math.ceil(ms / 60_000) * 60_000);
