// The heartbeat of each worker in Redis: every process can list the running workers.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import { within } from '../deadline.ts';

/** The last heartbeat of one worker. Times in milliseconds since the epoch, by its own clock. */
export interface WorkerBeat {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly startedAt: number;
  /** Running jobs. */
  readonly running: number;
  readonly concurrency: number;
  /** When a job last ended here. */
  readonly lastEndedAt?: number | undefined;
}

export interface HeartbeatOptions {
  readonly redis: Redis;
  readonly keyOf: (name: string) => string;
  readonly version: string;
  readonly concurrency: number;
  readonly activity: () => Pick<WorkerBeat, 'running' | 'lastEndedAt'>;
}

export interface Heartbeat {
  readonly id: string;
  /** Resolves when the first beat is in Redis, or was refused there. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const EVERY_MS = 10_000;
const EXPIRY_MS = 30_000;
/** A worker without a heartbeat for so long leaves the list. */
const FORGET_MS = 3_600_000;

const indexOf = (keyOf: HeartbeatOptions['keyOf']): string => keyOf('workers');
const beatOf = (keyOf: HeartbeatOptions['keyOf'], id: string): string => keyOf(`worker:${id}`);

export function createHeartbeat({ redis, keyOf, activity, ...about }: HeartbeatOptions): Heartbeat {
  const id = randomUUID().slice(0, 8);
  const { version, concurrency } = about;
  const self = { id, host: hostname(), pid: process.pid, version, concurrency, startedAt: Date.now() };
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const beat = async (): Promise<void> => {
    if (isStopped || redis.status !== 'ready') return; // it would only pile up
    const now = Date.now();
    const text = JSON.stringify({ ...self, ...activity() });
    await redis
      .multi()
      .set(beatOf(keyOf, id), text, 'PX', EXPIRY_MS)
      .zadd(indexOf(keyOf), now, id)
      .zremrangebyscore(indexOf(keyOf), 0, now - FORGET_MS)
      .exec();
  };
  return {
    id,
    async start() {
      if (isStopped) return; // the worker stopped while it started
      timer ??= setInterval(() => void beat().catch(() => undefined), EVERY_MS);
      // Its jobs matter more: if Redis is full, the worker works on, and the next heartbeat follows.
      await beat().catch(() => undefined);
    },
    async stop() {
      isStopped = true;
      clearInterval(timer);
      if (!timer || redis.status !== 'ready') return;
      const gone = redis.multi().del(beatOf(keyOf, id)).zrem(indexOf(keyOf), id).exec();
      await within(
        gone.catch(() => undefined),
        500,
        undefined,
      );
    },
  };
}

/** The workers that are alive, the oldest first. */
export async function readWorkers(redis: Redis, keyOf: HeartbeatOptions['keyOf']): Promise<WorkerBeat[]> {
  const ids = await redis.zrange(indexOf(keyOf), 0, '-1');
  const beats = ids.length === 0 ? [] : await redis.mget(ids.map((id) => beatOf(keyOf, id)));
  return beats
    .filter((beat) => beat !== null)
    .map((beat) => JSON.parse(beat) as WorkerBeat)
    .toSorted((a, b) => a.startedAt - b.startedAt);
}
