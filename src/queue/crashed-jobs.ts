// A job that ran when its worker died may be the cause. From the second time on such jobs run one at a time: the innocent
// ones that shared its process must not be quarantined with it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';

export interface CrashedJobs {
  /** True if this job may run now; false: another crashed job runs, try again soon. */
  enter(jobId: string, stalledCounter: number, signal: AbortSignal): Promise<boolean>;
  leave(jobId: string): Promise<void>;
  /** Resets BullMQ's count of dead workers; `jobKey` is the job's hash. */
  forgive(jobKey: string): Promise<void>;
}

/** How soon to try again. */
export const CRASHED_WAIT_MS = 2_000;
const ALONE_AFTER = 2;
/** Longer than recovery from a dead worker (ADR 4): the job that ran alone keeps its right. */
const ALONE_MS = 30_000;
/** The others, taken at the same moment, have left by then. */
const SETTLE_MS = 1_000;

// `stc` is BullMQ's; a job that is gone must not come back as an empty hash.
const FORGIVE = `if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'stc', 0) end`;

export function createCrashedJobs(redis: Redis, key: string): CrashedJobs {
  return {
    async enter(jobId, stalledCounter, signal) {
      if (stalledCounter < ALONE_AFTER) return true;
      const isAlone =
        (await redis.set(key, jobId, 'PX', ALONE_MS, 'NX')) === 'OK' || (await redis.get(key)) === jobId;
      if (isAlone) await sleep(SETTLE_MS, undefined, { signal });
      return isAlone;
    },
    async leave(jobId) {
      if ((await redis.get(key)) === jobId) await redis.del(key);
    },
    async forgive(jobKey) {
      await redis.eval(FORGIVE, 1, jobKey);
    },
  };
}
