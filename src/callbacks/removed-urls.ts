// URLs that were removed from CALLBACK_URLS. Their deliveries stay in the list and wait for a
// worker that has the URL. After three days without one they fail, and a week later they are
// deleted.
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from '../logger/logger.ts';
import { KEEP_TRYING_MS } from './judge.ts';
import { removedLine, urlRemoved } from './messages.ts';
import { gaveUpError, RETENTION, toQueueName } from './queue.ts';
import type { DeliveryQueues } from './queues.ts';

export interface RemovedUrlsOptions {
  readonly redis: Redis;
  readonly queuePrefix: string;
  readonly queues: DeliveryQueues;
  /** Ids of the configured URLs. */
  readonly targets: readonly string[];
  readonly logger: Logger;
  readonly onError: (error: Error) => void;
  /** Tests only. */
  readonly everyMs?: number | undefined;
  readonly unusedMs?: number | undefined;
}

export interface RemovedUrls {
  /** Resolves after the first check: from then on the configured URLs are known. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const EVERY_MS = 3_600_000;
const TOKEN = 'removed-urls';

export function createRemovedUrls(options: RemovedUrlsOptions): RemovedUrls {
  const { queues, targets, onError, everyMs = EVERY_MS, unusedMs = KEEP_TRYING_MS } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> | undefined;

  const check = async (): Promise<void> => {
    await queues.markUsed(targets);
    for (const target of await queues.unusedFor(unusedMs)) {
      await giveUpAll(target, unusedMs, options);
      for (const state of ['completed', 'failed'] as const)
        await queues.of(target).clean(RETENTION.age * 1000, RETENTION.count, state);
      const counts = Object.values(await queues.of(target).getJobCounts());
      if (counts.every((count) => count === 0)) await queues.forget(target);
    }
  };
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await check().catch(onError);
    }
  };
  return {
    async start() {
      await check();
      running ??= loop();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function giveUpAll(
  target: string,
  unusedMs: number,
  { redis, queuePrefix, logger, onError }: RemovedUrlsOptions,
): Promise<void> {
  const worker = new Worker(toQueueName(target), null, { connection: redis, prefix: queuePrefix });
  worker.on('error', onError);
  try {
    for (;;) {
      const job = await worker.getNextJob(TOKEN, { block: false });
      if (!job) return;
      // The URL has just been configured again.
      if (Date.now() - job.timestamp < unusedMs) return void (await job.moveToWait(TOKEN));
      const error = { reasonCode: 'callback-url-removed', sentence: urlRemoved } as const;
      await job.moveToFailed(gaveUpError(error), TOKEN, false);
      const fields = { event: 'callback-failed', type: job.name, reasonCode: error.reasonCode };
      logger.error(fields, removedLine(job.name));
    }
  } finally {
    await worker.close();
  }
}
