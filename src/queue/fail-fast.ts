// A deadline round everything that a producer asks of Redis: its caller must hear within a second, and nothing that it has
// given up may run later (the connection queues no commands).
import type { Redis } from 'ioredis';
import { CodedError, reasonOf } from '../errors.ts';
import { redisUnavailable, untilReady, within } from '../redis.ts';

const LATE = Symbol('late');

const pings = new WeakMap<Redis, Promise<unknown>>();

/** Resolves with a reply of Redis that came after this call. All who ask while a PING is on its way share its reply. */
function proveAlive(redis: Redis): Promise<unknown> {
  const underway = pings.get(redis);
  if (underway) return underway;
  const ping = redis.ping().finally(() => pings.delete(redis));
  pings.set(redis, ping);
  return ping;
}

/** Runs `work` once Redis is there; one deadline over both. A late reply is an unknown: sending again is harmless. */
export async function failFast<T>(
  redis: Redis,
  deadlineMs: number | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (deadlineMs === undefined) return work();
  const deadline = performance.now() + deadlineMs;
  await untilReady(redis, deadlineMs);
  // A frozen Redis carries out later what it is sent now: it has to show first that it lives.
  const attempt = async (): Promise<T> => {
    await proveAlive(redis);
    if (performance.now() >= deadline) throw redisUnavailable(undefined, deadlineMs);
    return work();
  };
  const result = await within(
    attempt().catch((error: unknown) => {
      if (error instanceof CodedError) throw error;
      if (/\bOOM\b/.test(reasonOf(error))) throw outOfMemory(error);
      throw redisUnavailable(error, deadlineMs);
    }),
    Math.max(1, deadline - performance.now()),
    LATE,
  );
  if (result === LATE) throw redisUnavailable(undefined, deadlineMs);
  return result;
}

const outOfMemory = (cause: unknown): CodedError =>
  new CodedError(
    'redis-unavailable',
    'Redis is out of memory and took nothing; raise maxmemory, then send again',
    { cause },
  );
