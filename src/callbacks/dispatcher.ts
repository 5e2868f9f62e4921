// From the outbox to the deliveries: an entry is dropped when all its jobs are in their queues, so a crash in between repeats it,
// and the ids make the repetition harmless. Every worker does it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Seals } from '../domains/outbox.ts';
import { reasonOf } from '../errors.ts';
import type { Logger } from '../logger/logger.ts';
import type { Episodes } from './episodes.ts';
import { type Message, toMessage } from './message.ts';
import { addDelivery, sealedParts, toDeliveryId } from './queue.ts';
import type { DeliveryQueues } from './queues.ts';

export interface DispatcherOptions {
  readonly redis: Redis;
  readonly queues: Pick<DeliveryQueues, 'of'>;
  /** The outbox, a stream in Redis. */
  readonly outbox: string;
  readonly episodes: Episodes;
  /** Ids of the configured URLs. */
  readonly targets: readonly string[];
  readonly seals: Seals;
  readonly logger: Logger;
  readonly scrub: (text: string) => string;
  readonly everyMs?: number | undefined;
}

export interface Dispatcher {
  /** Empties the outbox now and then. */
  start(): void;
  stop(): Promise<void>;
}

const LOOK_EVERY_MS = 1_000;
const BATCH = 100;

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { episodes, logger, scrub, everyMs = LOOK_EVERY_MS } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> | undefined;
  let failing = false;

  const round = async (): Promise<void> => {
    try {
      await episodes.note();
      await dispatchAll(options, signal);
      failing = false;
    } catch (error) {
      // Redis is away or full: told once, nothing is lost meanwhile.
      if (!failing && !signal.aborted)
        logger.warn({ event: 'callbacks-waiting' }, `callbacks: ${scrub(reasonOf(error))}`);
      failing = true;
    }
  };
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      await round();
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
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

async function dispatchAll(options: DispatcherOptions, signal: AbortSignal): Promise<void> {
  const { redis, outbox, seals, logger, scrub } = options;
  while (!signal.aborted) {
    const entries = await redis.xrange(outbox, '-', '+', 'COUNT', BATCH);
    if (entries.length === 0) return;
    for (const [entryId, pairs] of entries) {
      const message = toMessage(toFields(pairs), scrub);
      if (message) await enqueue(message, seals.isGenuine(pairs), options);
      else
        logger.error({ event: 'callback-unreadable', entryId }, 'callbacks: an entry of the outbox is none');
    }
    await redis.xdel(outbox, ...entries.map(([entryId]) => entryId));
  }
}

/** What no worker wrote goes on without a seal, so that it is seen as failed; its deliveries end there. */
async function enqueue(
  message: Message,
  isGenuine: boolean,
  { queues, targets, seals }: DispatcherOptions,
): Promise<void> {
  const { id: messageId, type, domain, at, body } = message;
  const add = (target: string): Promise<void> => {
    const said = { messageId, target, domain, at, body };
    const seal = isGenuine ? seals.seal(sealedParts(type, said)) : '';
    return addDelivery(queues.of(target), toDeliveryId(messageId, target), type, { ...said, seal });
  };
  await Promise.all(targets.map(add));
}

// Names and values by turns.
function toFields(pairs: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let i = 0; i + 1 < pairs.length; i += 2) fields[pairs[i] ?? ''] = pairs[i + 1] ?? '';
  return fields;
}
