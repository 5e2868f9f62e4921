// A round of work that one worker of all does: now, and every interval. A periodic lock in Redis says which worker.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';

export interface Periodic {
  start(): void;
  stop(): Promise<void>;
}

export interface PeriodicOptions {
  readonly redis: Redis;
  /** The lock, in Redis. */
  readonly key: string;
  readonly intervalMs: number;
  /** Runs in each worker before it tries to lock. */
  readonly beforehand?: () => Promise<void>;
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

const TICK_MS = 5_000;

export function createPeriodic({
  redis,
  key,
  intervalMs,
  beforehand,
  run,
  onError,
}: PeriodicOptions): Periodic {
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> | undefined;

  const isMine = async (): Promise<boolean> => (await redis.set(key, '1', 'PX', intervalMs, 'NX')) === 'OK';
  const runAndNote = async (): Promise<void> => {
    await run(signal);
    if (signal.aborted) return; // it has not checked all
    const [seconds] = await redis.time();
    await redis.set(lastSuccessKey(key), Number(seconds) * 1000);
  };
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await beforehand?.();
        if (await isMine()) await runAndNote();
      } catch (error) {
        if (!signal.aborted) onError(error);
      }
      await sleep(Math.min(TICK_MS, intervalMs), undefined, { signal }).catch(() => undefined);
    }
  };
  return {
    start() {
      running ??= loop();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

const lastSuccessKey = (lockKey: string): string => `${lockKey}:last-success`;

/** When any worker last finished it; milliseconds by Redis' clock. */
export async function lastSuccessOf(redis: Redis, lockKey: string): Promise<number | undefined> {
  const at = await redis.get(lastSuccessKey(lockKey));
  return at === null ? undefined : Number(at);
}
