// A job that was at work when its worker died may be why. From the second time on such suspects run one at a time, so that
// the innocent ones which shared its process are not set aside together with it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';

export interface Suspects {
  /** True where this job may run now; false: another suspect runs, look again soon. */
  enter(jobId: string, stalledCounter: number, signal: AbortSignal): Promise<boolean>;
  leave(jobId: string): Promise<void>;
  /** Takes BullMQ's count of dead workers back; `jobKey` is the job's hash. */
  forgive(jobKey: string): Promise<void>;
}

/** How soon to look again. */
export const SUSPECT_WAIT_MS = 2_000;
const SUSPECT_AFTER = 2;
/** Longer than it takes to take a dead worker's job up (ADR 4), so that the turn stays with the job that had it. */
const TURN_MS = 30_000;
/** The others, taken at the same moment, have left by then. */
const PAUSE_MS = 1_000;

// `stc` is BullMQ's; a job that is gone must not come back as an empty hash.
const FORGIVE = `if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'stc', 0) end`;

export function createSuspects(redis: Redis, key: string): Suspects {
  return {
    async enter(jobId, stalledCounter, signal) {
      if (stalledCounter < SUSPECT_AFTER) return true;
      const isMine =
        (await redis.set(key, jobId, 'PX', TURN_MS, 'NX')) === 'OK' || (await redis.get(key)) === jobId;
      if (isMine) await sleep(PAUSE_MS, undefined, { signal });
      return isMine;
    },
    async leave(jobId) {
      if ((await redis.get(key)) === jobId) await redis.del(key);
    },
    async forgive(jobKey) {
      await redis.eval(FORGIVE, 1, jobKey);
    },
  };
}
