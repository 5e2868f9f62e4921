// The state of the queue and of the workers, read from Redis for each probe and scrape. Cheap for any number of domains.
import type { Redis } from 'ioredis';
import { readOldestDue } from '../queue/backlog.ts';
import type { RequestQueue } from '../queue/enqueue.ts';
import type { QueueCounts } from '../queue/operator.ts';
import { lastSuccessOf } from '../queue/periodic.ts';
import type { Unavailable } from '../rate-limit/limiter.ts';
import { readWorkers, type WorkerBeat } from './heartbeat.ts';

/** A pause in force. */
export interface PauseInForce {
  readonly scope: 'all' | 'app' | 'site';
  readonly sentence: string;
}

/** Times in milliseconds by Redis' clock. */
export interface Vitals {
  readonly at: number;
  readonly counts: QueueCounts;
  /** For how long the oldest job that is due has waited; 0 where none is due. */
  readonly oldestDueMs: number;
  readonly unavailable: Unavailable | undefined;
  readonly lastSuccess: { readonly reconcile: number | undefined; readonly monitor: number | undefined };
  readonly workers: readonly WorkerBeat[];
  readonly pauses: readonly PauseInForce[];
  /** Deliveries by state; undefined without callbacks. */
  readonly callbacks: Readonly<Record<string, number>> | undefined;
}

export interface VitalsParts {
  readonly redis: Redis;
  readonly requests: RequestQueue;
  readonly counts: () => Promise<QueueCounts>;
  readonly unavailable: () => Promise<Unavailable | undefined>;
  readonly pauses?: (() => Promise<readonly PauseInForce[]>) | undefined;
  readonly callbacks?: (() => Promise<Readonly<Record<string, number>>>) | undefined;
}

export async function readVitals(parts: VitalsParts): Promise<Vitals> {
  const { redis, requests } = parts;
  const at = await requests.store.now();
  const [counts, oldestDueMs, unavailable, reconcile, monitor, workers, pauses, callbacks] =
    await Promise.all([
      parts.counts(),
      readOldestDue(redis, requests, at),
      parts.unavailable(),
      lastSuccessOf(redis, requests.keyOf('reconcile')),
      lastSuccessOf(redis, requests.keyOf('monitor')),
      readWorkers(redis, requests.keyOf),
      parts.pauses?.() ?? [],
      parts.callbacks?.(),
    ]);
  return {
    at,
    counts,
    oldestDueMs,
    unavailable,
    lastSuccess: { reconcile, monitor },
    workers,
    pauses,
    callbacks,
  };
}
