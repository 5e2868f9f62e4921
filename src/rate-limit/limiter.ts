// One rate limiter for all workers. Each call to RunCloud acquires a slot before, and reports its result after. After a 429
// no worker calls. Two circuit breakers stop all jobs: during an outage, and while RunCloud refuses the credentials.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { CallLimiter } from '../runcloud/runcloud.ts';
import { unavailableSentence } from './messages.ts';
import { ENTER, REPORT } from './scripts.ts';

/** Why calls wait. `rate`: our own limit. `throttled`: a 429. `credentials`, `account`: what RunCloud refuses. */
export interface Unavailable {
  readonly kind: 'rate' | 'throttled' | 'outage' | 'credentials' | 'account';
  readonly waitMs: number;
  readonly sentence: string;
}

export interface RateLimiter extends CallLimiter {
  /** Why all jobs wait now; undefined: calls may go out. The rate alone stops no job. */
  unavailable(fingerprint: string): Promise<Unavailable | undefined>;
  /** The same for readers without credentials: an outage lasts until a call succeeds. */
  status(): Promise<Unavailable | undefined>;
}

export interface RateLimiterOptions {
  readonly redis: Redis;
  readonly key: string;
  readonly ratePerMinute: number;
  /** How long calls stop after a 429 without Retry-After. */
  readonly defaultThrottleMs: number;
}

const FAILURES_TO_TRIP = 5;
const FIRST_TRIAL_MS = 5_000;
const MIN_THROTTLE_MS = 1_000;
const MAX_THROTTLE_MS = 900_000;
/** A waiting call checks at least this often: another worker may have closed the breaker. */
const CHECK_MS = 1_000;

export function createRateLimiter({
  redis,
  key,
  ratePerMinute,
  defaultThrottleMs,
}: RateLimiterOptions): RateLimiter {
  const acquire = async (fingerprint: string, take: boolean): Promise<Unavailable | undefined> => {
    const reply = await redis.eval(ENTER, 1, key, ratePerMinute, fingerprint, take ? '1' : '');
    const [kind, waitMs, why] = reply as ['go' | Unavailable['kind'], number, string];
    return kind === 'go' ? undefined : { kind, waitMs, sentence: unavailableSentence(kind, waitMs, why) };
  };
  return {
    async acquire(fingerprint, signal, onUnavailable) {
      const report = oncePerKind(onUnavailable);
      for (let reason = await acquire(fingerprint, true); reason; reason = await acquire(fingerprint, true)) {
        report(reason);
        await sleep(Math.min(reason.waitMs, CHECK_MS), undefined, signal ? { signal } : {});
      }
    },
    unavailable: (fingerprint) => acquire(fingerprint, false),
    status: () => acquire('*', false),
    async report({ result, fingerprint, retryAfterMs, why, limit, remaining }) {
      const throttleMs = Math.min(
        Math.max(retryAfterMs ?? defaultThrottleMs, MIN_THROTTLE_MS),
        MAX_THROTTLE_MS,
      );
      const headers = [limit ?? '', remaining ?? ''];
      const args = [
        result,
        fingerprint,
        ratePerMinute,
        throttleMs,
        why ?? '',
        ...headers,
        FAILURES_TO_TRIP,
        FIRST_TRIAL_MS,
      ];
      return (await redis.eval(REPORT, 1, key, ...args)) as Awaited<ReturnType<CallLimiter['report']>>;
    },
  };
}

/** The rate alone is no news. */
function oncePerKind(report: ((reason: Unavailable) => void) | undefined): (reason: Unavailable) => void {
  let last: string | undefined;
  return (reason) => {
    if (reason.kind === 'rate' || reason.kind === last) return;
    last = reason.kind;
    report?.(reason);
  };
}
