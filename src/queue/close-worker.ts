// Ends one of BullMQ's workers within a time limit. Its own close() has none, and never resolves while Redis is away
// (taskforcesh/bullmq#4656).
import type { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { within } from '../deadline.ts';

const CHECK_EVERY_MS = 250;
const FORCED_MS = 500;

export interface Closing {
  readonly redis: Redis;
  /** No job runs in this process. */
  readonly isIdle: () => boolean;
  readonly timeoutMs: number;
  /** The end of it: how long what was interrupted gets to hand its job back. */
  readonly handBackMs: number;
  readonly interrupt: () => void;
}

/** `late`: a job would not stop. `redis-away`: no job ran, and Redis was unreachable. Both are forced. */
export type Closed = 'ended' | 'late' | 'redis-away';

export async function closeWorker(worker: Worker, closing: Closing): Promise<Closed> {
  const { redis, isIdle, timeoutMs, handBackMs, interrupt } = closing;
  const ended = worker.close().then(
    () => true,
    () => true,
  );
  const deadline = performance.now() + timeoutMs - handBackMs;
  let away = 0;
  // Away twice in a row: a connection that comes back at once is no outage.
  while (away < 2 && performance.now() < deadline) {
    if (await within(ended, Math.min(CHECK_EVERY_MS, deadline - performance.now()), false)) return 'ended';
    away = isIdle() && redis.status !== 'ready' ? away + 1 : 0;
  }
  if (away < 2) {
    interrupt();
    if (await within(ended, handBackMs, false)) return 'ended';
  }
  await within(worker.close(true), FORCED_MS, undefined);
  return away < 2 ? 'late' : 'redis-away';
}

/** The same processor, and whether one of its runs is under way. */
export function counted<A extends unknown[], R>(
  process: (...job: A) => Promise<R>,
): { readonly process: (...job: A) => Promise<R>; readonly isIdle: () => boolean } {
  let running = 0;
  return {
    isIdle: () => running === 0,
    async process(...job) {
      running += 1;
      try {
        return await process(...job);
      } finally {
        running -= 1;
      }
    },
  };
}
