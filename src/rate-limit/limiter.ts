// One brake for all workers: before each call to RunCloud it is asked, after each call it is told. It keeps the rate, closes
// the gate for everybody on a 429, and holds all jobs while RunCloud is down or refuses the credentials.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { CallLimiter } from '../runcloud/runcloud.ts';
import { ENTER, REPORT } from './scripts.ts';

/** Why calls wait, for people. */
export interface Hold {
  readonly kind: 'rate' | 'closed' | 'down' | 'refused' | 'account';
  readonly waitMs: number;
  readonly sentence: string;
}

export interface RateLimiter extends CallLimiter {
  /** What holds all jobs at this moment; undefined where calls may go out (the rate holds no job). */
  hold(fingerprint: string): Promise<Hold | undefined>;
  /** The same for onlookers, who have no credentials: an outage stands until a call has gone well. */
  status(): Promise<Hold | undefined>;
}

export interface RateLimiterOptions {
  readonly redis: Redis;
  readonly key: string;
  readonly ratePerMinute: number;
  /** How long a 429 without Retry-After closes the gate. */
  readonly defaultCloseMs: number;
}

const FAILURES_TO_TRIP = 5;
const FIRST_PROBE_MS = 5_000;
const MIN_CLOSE_MS = 1_000;
const MAX_CLOSE_MS = 900_000;
/** A held call looks again at least so often: another worker may have opened the gate. */
const LOOK_AGAIN_MS = 1_000;

export function createRateLimiter({
  redis,
  key,
  ratePerMinute,
  defaultCloseMs,
}: RateLimiterOptions): RateLimiter {
  const ask = async (fingerprint: string, take: boolean): Promise<Hold | undefined> => {
    const reply = await redis.eval(ENTER, 1, key, ratePerMinute, fingerprint, take ? '1' : '');
    const [kind, waitMs, why] = reply as ['go' | Hold['kind'], number, string];
    return kind === 'go' ? undefined : { kind, waitMs, sentence: toSentence(kind, waitMs, why) };
  };
  return {
    async enter(fingerprint, signal, onHold) {
      let told: string | undefined;
      for (let hold = await ask(fingerprint, true); hold; hold = await ask(fingerprint, true)) {
        if (hold.kind !== 'rate' && hold.kind !== told) {
          onHold?.(hold);
          told = hold.kind;
        }
        await sleep(Math.min(hold.waitMs, LOOK_AGAIN_MS), undefined, signal ? { signal } : {});
      }
    },
    hold: (fingerprint) => ask(fingerprint, false),
    status: () => ask('*', false),
    async report({ result, fingerprint, retryAfterMs, why, limit, remaining }) {
      const closeMs = Math.min(Math.max(retryAfterMs ?? defaultCloseMs, MIN_CLOSE_MS), MAX_CLOSE_MS);
      const headers = [limit ?? '', remaining ?? ''];
      const args = [
        result,
        fingerprint,
        ratePerMinute,
        closeMs,
        why ?? '',
        ...headers,
        FAILURES_TO_TRIP,
        FIRST_PROBE_MS,
      ];
      return (await redis.eval(REPORT, 1, key, ...args)) as Awaited<ReturnType<CallLimiter['report']>>;
    },
  };
}

const seconds = (ms: number): string => `${Math.ceil(ms / 1000)} s`;

function toSentence(kind: Hold['kind'], waitMs: number, why: string): string {
  switch (kind) {
    case 'rate':
      return `the rate limit of our own allows the next call in ${seconds(waitMs)}`;
    case 'closed':
      return `RunCloud asked all of us to slow down${why ? ` (${why})` : ''}; calls go on in ${seconds(waitMs)}`;
    case 'down':
      return `RunCloud gives no usable answer since ${new Date(Number(why)).toISOString()}; the next probe is in ${seconds(waitMs)}, jobs wait and lose nothing`;
    case 'account':
      return `${why || 'RunCloud refuses every call of this account'}; jobs wait and lose nothing, and go on by themselves once RunCloud answers again (next probe in ${seconds(waitMs)}); look at Limits & Usage > Developer API in RunCloud`;
    case 'refused':
      return `${why || 'RunCloud refuses the credentials'}; jobs wait, correct the credentials and they go on by themselves (next probe in ${seconds(waitMs)})`;
  }
}
