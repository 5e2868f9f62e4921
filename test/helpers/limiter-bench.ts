// Several limiters on one Redis, and a clock that stands still until a test moves it: the limiter's own scripts run as they are, only
// their TIME is the test's. So an hour passes at once, and no measurement depends on how long a call to Redis takes.
import { Redis } from 'ioredis';
import { createRateLimiter, type RateLimiter } from '../../src/rate-limit/limiter.ts';
import { ENTER } from '../../src/rate-limit/scripts.ts';
import type { CallReport } from '../../src/runcloud/runcloud.ts';
import { testRedis } from './redis.ts';

/** The fingerprint of the credentials in use. */
export const KEY = 'fingerprint';
/** What the clock says at first, in milliseconds. */
export const START = Date.parse('2026-03-14T15:09:26.535Z');
/** In front of a script: it sees the time that comes as the last argument. */
const CLOCK = `
local real, given = redis, tonumber(table.remove(ARGV))
local redis = { call = function(name, ...)
  if name == 'TIME' then return { math.floor(given / 1000), given % 1000 * 1000 } end
  return real.call(name, ...)
end }
`;

export interface BenchOptions {
  readonly ratePerMinute?: number;
  readonly limiters?: number;
  readonly defaultThrottleMs?: number;
}

export interface Bench {
  readonly limiters: readonly RateLimiter[];
  readonly limiter: RateLimiter;
  /** What the clock says, in milliseconds. */
  now(): number;
  /** Lets `ms` pass. */
  later(ms: number): void;
  /** How often the limiters asked Redis whether a call may go out. */
  questions(): number;
  /** Asks for one call, and does not wait: 'go', or why not and how long. */
  ask(): Promise<[kind: string, waitMs: number]>;
  report(result: CallReport['result'], more?: Partial<CallReport>): ReturnType<RateLimiter['report']>;
  /** How many of `calls` simultaneous ones may go out at once, over all limiters. */
  released(calls: number, fingerprint?: string): Promise<number>;
}

function createBench(
  redis: Redis,
  key: string,
  { ratePerMinute = 6000, limiters: count = 3, defaultThrottleMs = 60_000 }: BenchOptions,
): Bench {
  let [now, questions] = [START, 0];
  const timed = {
    eval(script: string, keys: number, ...args: string[]) {
      if (script === ENTER) questions += 1;
      return redis.eval(CLOCK + script, keys, ...args, now);
    },
  } as Redis;
  const options = { redis: timed, key, ratePerMinute, defaultThrottleMs };
  const limiters = Array.from({ length: count }, () => createRateLimiter(options));
  const limiter = limiters[0] as RateLimiter;
  return {
    limiters,
    limiter,
    now: () => now,
    later(ms) {
      now += ms;
    },
    questions: () => questions,
    async ask() {
      const reply = await timed.eval(ENTER, 1, key, ratePerMinute, KEY, '1');
      const [kind, waitMs] = reply as [string, number];
      return [kind, waitMs];
    },
    report: (result, more = {}) => limiter.report({ result, fingerprint: KEY, ...more }),
    async released(calls, fingerprint = KEY) {
      const stop = new AbortController();
      let through = 0;
      const entered = Array.from({ length: calls }, async (_, at) => {
        await limiters[at % count]?.acquire(fingerprint, stop.signal);
        through += 1;
      });
      // A question that was asked later is answered later: by then each call has its first answer.
      for (const each of limiters) await each.unavailable(fingerprint);
      const answered = through;
      stop.abort();
      await Promise.allSettled(entered);
      return answered;
    },
  };
}

export interface Benches extends AsyncDisposable {
  bench(options?: BenchOptions): Bench;
}

export async function createBenches(): Promise<Benches> {
  const corner = await testRedis();
  const redis = new Redis(corner.url);
  let made = 0;
  return {
    bench(options = {}) {
      made += 1;
      return createBench(redis, `${corner.prefix}:limiter-${made}`, options);
    },
    async [Symbol.asyncDispose]() {
      redis.disconnect();
      await corner.cleanup();
    },
  };
}
