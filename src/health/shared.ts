// A reading that takes long and that many ask for: what was read last is told while one process of all reads anew. What it is, and
// whose turn it is, stands in Redis.
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
  /** Where it stands in Redis, as JSON. */
  readonly key: string;
  readonly read: () => Promise<T>;
  /** It is not read anew before it is so old; what took long is read the more seldom. */
  readonly freshMs: number;
  /** So long an asker waits for a reading that is under way in this process. Default: 500 ms. */
  readonly patienceMs?: number;
}

/** Looking costs at most a twentieth of what there is to look at. */
const SELDOM = 20;
const PATIENCE_MS = 500;
/** After a crash of whoever reads somebody else does. */
const TURN_MS = 30_000;
const KEPT_MS = 24 * 3_600_000;

interface Stored<T> {
  readonly value: T;
  /** When it began, by Redis' clock. */
  readonly at: number;
  readonly tookMs: number;
}

// Only whoever has the turn may lengthen it, or give it back.
const IF_MINE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

/** Resolves with undefined where nothing is known yet. Rejects where Redis does not answer. */
export function createShared<T>(options: SharedOptions<T>): () => Promise<Known<T> | undefined> {
  const { redis, key, freshMs, patienceMs = PATIENCE_MS } = options;
  const turn = createTurn(redis, `${key}:turn`);
  let underway: Promise<Stored<T> | undefined> | undefined;
  let own: Stored<T> | undefined;
  const readNow = async (at: number): Promise<Stored<T> | undefined> => {
    // A Redis that takes nothing more has nobody's turn: each process then reads for itself.
    const isMine = await turn.take().catch(() => true);
    if (!isMine) return undefined;
    try {
      const startedAt = performance.now();
      const value = await options.read();
      own = { value, at, tookMs: performance.now() - startedAt };
      await redis.set(key, JSON.stringify(own), 'PX', KEPT_MS).catch(() => undefined);
      return own;
    } finally {
      await turn.giveBack().catch(() => undefined);
    }
  };
  // Where it cannot be read, what is known is told, and how old that is.
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
    const read = isFresh ? undefined : await within(underway ?? begin(now), patienceMs, undefined);
    const told = read ?? known;
    return told && { value: told.value, ageMs: Math.max(0, now - told.at) };
  };
}

const newest = <T>(one: Stored<T> | undefined, other: Stored<T> | undefined): Stored<T> | undefined =>
  one && other ? (one.at > other.at ? one : other) : (one ?? other);

function createTurn(redis: Redis, key: string) {
  const token = randomUUID();
  let timer: NodeJS.Timeout | undefined;
  return {
    async take(): Promise<boolean> {
      if ((await redis.set(key, token, 'PX', TURN_MS, 'NX')) !== 'OK') return false;
      const lengthen = (): void => void redis.eval(IF_MINE, 1, key, token, TURN_MS).catch(() => undefined);
      timer = setInterval(lengthen, TURN_MS / 3).unref();
      return true;
    },
    async giveBack(): Promise<void> {
      clearInterval(timer);
      await redis.eval(IF_MINE, 1, key, token, 0);
    },
  };
}
