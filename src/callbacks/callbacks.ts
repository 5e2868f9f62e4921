// The callbacks of a worker, if CALLBACK_URLS is set: it dispatches the outbox and sends the
// deliveries.
import type { LookupFunction } from 'node:net';
import type { Redis } from 'ioredis';
import { within } from '../deadline.ts';
import { createSeals, toOutboxKeys } from '../domains/outbox.ts';
import type { Logger } from '../logger/logger.ts';
import { probeRights } from '../redis/connection.ts';
import { createDispatcher } from './dispatcher.ts';
import { createEpisodes } from './episodes.ts';
import { createDeliveryQueues } from './queues.ts';
import { createRemovedUrls } from './removed-urls.ts';
import { toTargets } from './targets.ts';
import { createDeliveryWorker, type DeliveryWorker } from './worker.ts';

export interface CallbacksOptions {
  /** A connection that waits for Redis without a limit (`worker` in redis.ts). */
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
  /** Called for each delivery that no worker wrote. */
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
  /** How often removed URLs are checked. */
  readonly removedEveryMs?: number;
  /** After this time without a worker the deliveries of a URL fail. */
  readonly unusedMs?: number;
}

export interface Callbacks {
  /** Starts to dispatch and to deliver. */
  start(): Promise<void>;
  /** Takes at most `timeoutMs` and a second. */
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
      // Without the rights BullMQ's worker would retry without a delay.
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
