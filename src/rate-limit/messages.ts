// What people read while RunCloud is unavailable. Pure.
import type { Unavailable } from './limiter.ts';

const seconds = (ms: number): string => `${Math.ceil(ms / 1000)} s`;

const asClause = (text: string): string => text.replace(/\.$/, '');

/** `why`: RunCloud's own words, or since when it is away (milliseconds since the epoch). */
export function unavailableSentence(kind: Unavailable['kind'], waitMs: number, why: string): string {
  const next = seconds(waitMs);
  switch (kind) {
    case 'rate':
      return `This program's rate limit is reached (RUNCLOUD_RATE_PER_MINUTE). Next call in ${next}.`;
    case 'throttled':
      return `RunCloud rate limit reached (HTTP 429${why ? `: ${asClause(why)}` : ''}). All workers resume in ${next}.`;
    case 'outage':
      return `RunCloud has been unavailable since ${new Date(Number(why)).toISOString()}. All jobs wait. Next attempt in ${next}.`;
    case 'account':
      return `${asClause(why) || 'RunCloud rejects every call of this account'}. All jobs wait. Next attempt in ${next}. Check Limits & Usage > Developer API in RunCloud.`;
    case 'credentials':
      return `${asClause(why) || 'RunCloud rejected the credentials'}. All jobs wait. Next attempt in ${next}. Correct the credentials.`;
  }
}
