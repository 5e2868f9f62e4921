// A look that some worker takes now and then: now, and every interval, one worker of all. Redis holds whose turn it is.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';

export interface Periodic {
  start(): void;
  stop(): Promise<void>;
}

export interface PeriodicOptions {
  readonly redis: Redis;
  /** The turn, in Redis. */
  readonly key: string;
  readonly intervalMs: number;
  /** Each worker, whether it is its turn or not, before it asks. */
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
    if (signal.aborted) return; // it has not seen all
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

const lastSuccessKey = (turnKey: string): string => `${turnKey}:last-success`;

/** When a turn was last finished, by whichever worker; milliseconds by Redis' clock. */
export async function lastSuccessOf(redis: Redis, turnKey: string): Promise<number | undefined> {
  const at = await redis.get(lastSuccessKey(turnKey));
  return at === null ? undefined : Number(at);
}
