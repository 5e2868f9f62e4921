// A value that many read and that takes long to read. One process of all reads it again; meanwhile the others return the last
// value. The value and the lock stand in Redis.
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { within } from '../deadline.ts';
import { readClock } from '../redis/clock.ts';

/** `ageMs` by Redis' clock. */
export interface Known<T> {
  readonly value: T;
  readonly ageMs: number;
}

export interface SharedOptions<T> {
  readonly redis: Redis;
  /** Its key in Redis: JSON. */
  readonly key: string;
  readonly read: () => Promise<T>;
  /** It is not read again before this age; a slow value is read more seldom. */
  readonly freshMs: number;
  /** How long a caller waits for a read that runs in this process. Default: 500 ms. */
  readonly waitMs?: number;
}

/** At most a twentieth of the time is spent on it. */
const SELDOM = 20;
const WAIT_MS = 500;
/** After a crash of the reader another process reads. */
const LOCK_MS = 30_000;
const KEPT_MS = 24 * 3_600_000;

interface Stored<T> {
  readonly value: T;
  /** When it began, by Redis' clock. */
  readonly at: number;
  readonly tookMs: number;
}

// Only the owner may extend or release the lock.
const IF_MINE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

/** Resolves with undefined if nothing is known yet. Rejects if Redis does not answer. */
export function createShared<T>(options: SharedOptions<T>): () => Promise<Known<T> | undefined> {
  const { redis, key, freshMs, waitMs = WAIT_MS } = options;
  const lock = createLock(redis, `${key}:lock`);
  let underway: Promise<Stored<T> | undefined> | undefined;
  let own: Stored<T> | undefined;
  const readNow = async (at: number): Promise<Stored<T> | undefined> => {
    // A full Redis takes no lock: each process then reads for itself.
    const isMine = await lock.take().catch(() => true);
    if (!isMine) return undefined;
    try {
      const startedAt = performance.now();
      const value = await options.read();
      own = { value, at, tookMs: performance.now() - startedAt };
      await redis.set(key, JSON.stringify(own), 'PX', KEPT_MS).catch(() => undefined);
      return own;
    } finally {
      await lock.release().catch(() => undefined);
    }
  };
  // If it cannot be read, the last value stays, with its age.
  const begin = (at: number): Promise<Stored<T> | undefined> => {
    underway = readNow(at)
      .catch(() => undefined)
      .finally(() => {
        underway = undefined;
      });
    return underway;
  };
  return async () => {
    const [now, text] = await Promise.all([readClock(redis), redis.get(key)]);
    const known = newest(own, text === null ? undefined : (JSON.parse(text) as Stored<T>));
    const isFresh = known && now - known.at < Math.max(freshMs, SELDOM * known.tookMs);
    const read = isFresh ? undefined : await within(underway ?? begin(now), waitMs, undefined);
    const found = read ?? known;
    return found && { value: found.value, ageMs: Math.max(0, now - found.at) };
  };
}

const newest = <T>(one: Stored<T> | undefined, other: Stored<T> | undefined): Stored<T> | undefined =>
  one && other ? (one.at > other.at ? one : other) : (one ?? other);

function createLock(redis: Redis, key: string) {
  const token = randomUUID();
  let timer: NodeJS.Timeout | undefined;
  return {
    async take(): Promise<boolean> {
      if ((await redis.set(key, token, 'PX', LOCK_MS, 'NX')) !== 'OK') return false;
      const extend = (): void => void redis.eval(IF_MINE, 1, key, token, LOCK_MS).catch(() => undefined);
      timer = setInterval(extend, LOCK_MS / 3).unref();
      return true;
    },
    async release(): Promise<void> {
      clearInterval(timer);
      await redis.eval(IF_MINE, 1, key, token, 0);
    },
  };
}
