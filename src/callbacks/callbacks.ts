// What a worker does about callbacks, where CALLBACK_URLS is set: it dispatches the outbox and delivers.
import type { LookupFunction } from 'node:net';
import type { Redis } from 'ioredis';
import { createSeals, toOutboxKeys } from '../domains/outbox.ts';
import type { Logger } from '../logger/logger.ts';
import { probeRights, within } from '../redis/connection.ts';
import { createDispatcher } from './dispatcher.ts';
import { createEpisodes } from './episodes.ts';
import { createDeliveryQueues } from './queues.ts';
import { createRemovedUrls } from './removed-urls.ts';
import { toTargets } from './targets.ts';
import { createDeliveryWorker, type DeliveryWorker } from './worker.ts';

export interface CallbacksOptions {
  /** Waits for Redis as long as it takes (`worker` in redis.ts). */
  readonly redis: Redis;
  readonly queuePrefix: string;
  /** A key of our own in Redis. */
  readonly keyOf: (name: string) => string;
  readonly urls: readonly string[];
  readonly secrets: readonly string[];
  readonly logger: Logger;
  /** Takes secrets out of a text. */
  readonly scrub: (text: string) => string;
  readonly onError: (error: Error) => void;
  /** Told of each delivery that no worker wrote. */
  readonly onForged?: (() => void) | undefined;
  /** Tests only. */
  readonly timing?: CallbackTiming | undefined;
}

export interface CallbackTiming {
  readonly everyMs?: number;
  readonly quietMs?: number;
  readonly timeoutMs?: number;
  readonly lookup?: LookupFunction;
  /** Divides every wait between attempts. */
  readonly hurry?: number;
  /** How often removed URLs are looked for, and after how long without a worker their deliveries are given up. */
  readonly removedEveryMs?: number;
  readonly unusedMs?: number;
}

export interface Callbacks {
  /** Begins to dispatch and to deliver. */
  start(): Promise<void>;
  /** Never takes longer than `timeoutMs` and a second. */
  close(timeoutMs: number): Promise<void>;
}

export function createCallbacks({ timing = {}, ...options }: CallbacksOptions): Callbacks {
  const { redis, queuePrefix, keyOf, urls, secrets, logger, scrub } = options;
  const all = toTargets(urls);
  const targets = [...all.keys()];
  const queues = createDeliveryQueues({ redis, queuePrefix, keyOf, targets });
  const seals = createSeals(secrets);
  const dispatcher = createDispatcher({
    ...{ redis, queues, logger, scrub, outbox: keyOf('outbox'), targets },
    episodes: createEpisodes({ redis, keyOf, outboxKeys: toOutboxKeys(secrets), quietMs: timing.quietMs }),
    seals,
    everyMs: timing.everyMs,
  });
  const { removedEveryMs, unusedMs, timeoutMs, lookup, hurry } = timing;
  const removed = createRemovedUrls({ ...options, queues, targets, everyMs: removedEveryMs, unusedMs });
  let workers: DeliveryWorker[] = [];
  return {
    async start() {
      // BullMQ's worker would try again without a pause.
      for (const target of targets) await probeRights(redis, queues.of(target).toKey('probe'));
      await removed.start();
      workers = [...all.values()].map((target) =>
        createDeliveryWorker({ ...options, queues, seals, target, timeoutMs, lookup, hurry }),
      );
      await Promise.all(workers.map((worker) => worker.ready()));
      dispatcher.start();
    },
    async close(withinMs) {
      const ended = Promise.all([dispatcher.stop(), removed.stop()]);
      await Promise.all([within(ended, 500, undefined), ...workers.map((worker) => worker.close(withinMs))]);
      await within(queues.close(), 500, undefined);
    },
  };
}
