// What a worker does about callbacks, where CALLBACK_URLS is set: it dispatches the outbox and delivers.
import type { Redis } from 'ioredis';
import type { Logger } from '../logger.ts';
import { probeRights, within } from '../redis.ts';
import { createDispatcher } from './dispatcher.ts';
import { createEpisodes } from './episodes.ts';
import { createCallbackQueue } from './queue.ts';
import { toTargets } from './targets.ts';
import { createDeliveryWorker } from './worker.ts';

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
  /** Tests only. */
  readonly timing?: CallbackTiming | undefined;
}

export interface CallbackTiming {
  readonly everyMs?: number;
  readonly quietMs?: number;
  readonly timeoutMs?: number;
  /** Divides every wait between attempts. */
  readonly hurry?: number;
}

export interface Callbacks {
  /** Begins to dispatch and to deliver. */
  start(): Promise<void>;
  /** Never takes longer than `timeoutMs` and a second. */
  close(timeoutMs: number): Promise<void>;
}

export function createCallbacks({ timing = {}, ...options }: CallbacksOptions): Callbacks {
  const { redis, queuePrefix, keyOf, urls, secrets, logger, scrub } = options;
  const queue = createCallbackQueue(redis, queuePrefix);
  const targets = toTargets(urls);
  const dispatcher = createDispatcher({
    ...{ redis, queue, logger, scrub, outbox: keyOf('outbox'), targets: [...targets.keys()] },
    episodes: createEpisodes({ redis, keyOf, quietMs: timing.quietMs }),
    everyMs: timing.everyMs,
  });
  let close = async (_timeoutMs: number): Promise<void> => undefined;
  return {
    async start() {
      // BullMQ's worker would try again without a pause.
      await probeRights(redis, queue.toKey('probe'));
      const { timeoutMs, hurry } = timing;
      const { onError } = options;
      const worker = createDeliveryWorker({
        ...{ redis, queuePrefix, targets, secrets, logger, scrub, onError, timeoutMs, hurry },
      });
      close = (withinMs) => worker.close(withinMs);
      await worker.ready();
      dispatcher.start();
    },
    async close(timeoutMs) {
      await Promise.all([within(dispatcher.stop(), 500, undefined), close(timeoutMs)]);
      await within(queue.close(), 500, undefined);
    },
  };
}
