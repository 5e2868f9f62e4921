// Several brakes on one Redis, and a clock: long waits pass by moving the brake's own dates in Redis back, which is what an
// hour does, without the hour.
import { Redis } from 'ioredis';
import { type Brake, createBrake } from '../../src/brake/brake.ts';
import type { CallReport } from '../../src/runcloud/runcloud.ts';
import { testRedis } from './redis.ts';

/** The fingerprint of the credentials in use. */
export const KEY = 'fingerprint';
const DATES = ['tat', 'closedUntil', 'probeAt', 'refusedAt'];

export interface BenchOptions {
  readonly ratePerMinute?: number;
  readonly brakes?: number;
  readonly defaultCloseMs?: number;
}

export interface Bench {
  readonly key: string;
  readonly brakes: readonly Brake[];
  readonly brake: Brake;
  /** Lets `ms` pass for the brake. */
  later(ms: number): Promise<void>;
  report(result: CallReport['result'], more?: Partial<CallReport>): ReturnType<Brake['report']>;
  /** How many of `calls` simultaneous ones may go out at once, over all brakes. */
  released(calls: number, fingerprint?: string): Promise<number>;
}

function createBench(
  redis: Redis,
  key: string,
  { ratePerMinute = 6000, brakes: count = 3, defaultCloseMs = 60_000 }: BenchOptions,
): Bench {
  const options = { redis, key, ratePerMinute, defaultCloseMs };
  const brakes = Array.from({ length: count }, () => createBrake(options));
  const brake = brakes[0] as Brake;
  return {
    key,
    brakes,
    brake,
    async later(ms) {
      for (const field of DATES) {
        if (await redis.hget(key, field)) await redis.hincrbyfloat(key, field, -ms);
      }
    },
    report: (result, more = {}) => brake.report({ result, fingerprint: KEY, ...more }),
    async released(calls, fingerprint = KEY) {
      const stop = new AbortController();
      let through = 0;
      const entered = Array.from({ length: calls }, async (_, at) => {
        await brakes[at % count]?.enter(fingerprint, stop.signal);
        through += 1;
      });
      // A question that was asked later is answered later: by then each call has its first answer.
      for (const each of brakes) await each.hold(fingerprint);
      const answered = through;
      stop.abort();
      await Promise.allSettled(entered);
      return answered;
    },
  };
}

export interface Benches extends AsyncDisposable {
  readonly redis: Redis;
  bench(options?: BenchOptions): Bench;
}

export async function createBenches(): Promise<Benches> {
  const corner = await testRedis();
  const redis = new Redis(corner.url);
  let made = 0;
  return {
    redis,
    bench(options = {}) {
      made += 1;
      return createBench(redis, `${corner.prefix}:brake-${made}`, options);
    },
    async [Symbol.asyncDispose]() {
      redis.disconnect();
      await corner.cleanup();
    },
  };
}
