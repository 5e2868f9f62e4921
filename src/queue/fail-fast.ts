// A deadline for all that a producer requests of Redis. Its caller gets an answer within a second, and nothing that it gave
// up may run later (the connection queues no commands).
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Redis } from 'ioredis';
import { within } from '../deadline.ts';
import { CodedError, isReplyError } from '../errors.ts';
import { redisUnavailable, toMissingRight, untilReady } from '../redis/connection.ts';
import * as messages from './messages.ts';

const LATE = Symbol('late');

const pings = new WeakMap<Redis, Promise<unknown>>();

/** Resolves with Redis' reply to a PING. Callers of the same event loop turn share one. */
function proveAlive(redis: Redis): Promise<unknown> {
  const underway = pings.get(redis);
  if (underway) return underway;
  const ping = redis.ping();
  pings.set(redis, ping);
  setImmediate(() => pings.delete(redis));
  return ping;
}

/** By performance.now(): what is begun within somebody's deadline ends by it, however deep. */
const outer = new AsyncLocalStorage<number>();

/** Runs `work`; no failFast within it begins anything after `deadline` (by performance.now()). */
export const byDeadline = <T>(deadline: number, work: () => Promise<T>): Promise<T> =>
  outer.run(Math.min(deadline, outer.getStore() ?? Number.POSITIVE_INFINITY), work);

/** Runs `work` once Redis is there; one deadline over both. A late reply is an unknown: sending again is harmless. */
export async function failFast<T>(
  redis: Redis,
  deadlineMs: number | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (deadlineMs === undefined) return work();
  const deadline = Math.min(performance.now() + deadlineMs, outer.getStore() ?? Number.POSITIVE_INFINITY);
  await untilReady(redis, Math.max(1, Math.ceil(deadline - performance.now())));
  // A frozen Redis carries out later what it is sent now: it has to show first that it lives.
  const attempt = async (): Promise<T> => {
    await proveAlive(redis);
    if (performance.now() >= deadline) throw redisUnavailable(undefined, deadlineMs, redis);
    return work();
  };
  const result = await within(
    attempt().catch((error: unknown) => {
      if (error instanceof CodedError) throw error;
      throw isReplyError(error) ? toRefusal(error) : redisUnavailable(error, deadlineMs, redis);
    }),
    Math.max(1, deadline - performance.now()),
    LATE,
  );
  if (result === LATE) throw redisUnavailable(undefined, deadlineMs, redis);
  return result;
}

/** Redis answered with an error. A key of another program is no outage. */
function toRefusal(cause: Error): CodedError {
  const { message } = cause;
  if (/\bOOM\b/.test(message)) {
    return new CodedError('redis-unavailable', messages.redisFull, { cause });
  }
  if (/\bWRONGTYPE\b/.test(message)) {
    return new CodedError('unexpected', messages.wrongKeyType(message), { cause });
  }
  return (
    toMissingRight(cause) ?? new CodedError('redis-unavailable', messages.redisRefused(message), { cause })
  );
}
