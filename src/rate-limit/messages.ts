// What people read while RunCloud is unavailable. Pure.
import type { Unavailable } from './limiter.ts';

const seconds = (ms: number): string => `${Math.ceil(ms / 1000)} s`;

/** `why`: RunCloud's own words, or since when it is away (milliseconds since the epoch). */
export function unavailableSentence(kind: Unavailable['kind'], waitMs: number, why: string): string {
  const next = seconds(waitMs);
  switch (kind) {
    case 'rate':
      return `next call in ${next}, by our own rate limit (RUNCLOUD_RATE_PER_MINUTE)`;
    case 'throttled':
      return `RunCloud rate limit hit (HTTP 429${why ? `: ${why}` : ''}); all workers resume in ${next}`;
    case 'outage':
      return `RunCloud has been unavailable since ${new Date(Number(why)).toISOString()}; jobs are waiting, next retry in ${next}`;
    case 'account':
      return `${why || 'RunCloud rejects every call of this account'}; jobs are waiting, next retry in ${next}; check Limits & Usage > Developer API in RunCloud`;
    case 'credentials':
      return `${why || 'RunCloud rejected the credentials'}; jobs are waiting, next retry in ${next}; correct the credentials`;
  }
}
