// From the outbox to the deliveries. An entry is deleted after all its jobs are in their queues. A
// crash in between repeats it; the ids make the repetition harmless. Every worker does this.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Seals } from '../domains/outbox.ts';
import { reasonOf } from '../errors.ts';
import type { Logger } from '../logger/logger.ts';
import type { Episodes } from './episodes.ts';
import { type Message, toMessage } from './message.ts';
import { entryUnreadable, outboxWaiting } from './messages.ts';
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
  /** Empties the outbox every second. */
  start(): void;
  stop(): Promise<void>;
}

const DISPATCH_EVERY_MS = 1_000;
const BATCH = 100;

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { episodes, logger, scrub, everyMs = DISPATCH_EVERY_MS } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> | undefined;
  let failing = false;

  const round = async (): Promise<void> => {
    try {
      await episodes.record();
      await dispatchAll(options, signal);
      failing = false;
    } catch (error) {
      // Redis is unreachable or full. Logged once; the outbox keeps its entries.
      if (!failing && !signal.aborted)
        logger.warn({ event: 'callbacks-waiting' }, outboxWaiting(scrub(reasonOf(error))));
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
      else logger.error({ event: 'callback-unreadable', entryId }, entryUnreadable);
    }
    await redis.xdel(outbox, ...entries.map(([entryId]) => entryId));
  }
}

/** A message that no worker wrote gets no seal: its deliveries fail, and the list shows them. */
async function enqueue(
  message: Message,
  isGenuine: boolean,
  { queues, targets, seals }: DispatcherOptions,
): Promise<void> {
  const { id: messageId, type, domain, at, body } = message;
  const add = (target: string): Promise<void> => {
    const data = { messageId, target, domain, at, body };
    const seal = isGenuine ? seals.seal(sealedParts(type, data)) : '';
    return addDelivery(queues.of(target), toDeliveryId(messageId, target), type, { ...data, seal });
  };
  await Promise.all(targets.map(add));
}

// Names and values alternate.
function toFields(pairs: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let i = 0; i + 1 < pairs.length; i += 2) fields[pairs[i] ?? ''] = pairs[i + 1] ?? '';
  return fields;
}
