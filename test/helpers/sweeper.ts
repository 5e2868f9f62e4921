// A sweep as a worker makes it, at the moment that a test chooses, and with parts that a test may replace.
import { createLogger } from '../../src/logger/logger.ts';
import type { RequestQueue } from '../../src/queue/enqueue.ts';
import { createSweeper, type ReconcileReport, type Sweeper } from '../../src/queue/reconcile.ts';
import { createRunCloud } from '../../src/runcloud/client.ts';
import { createDirectory } from '../../src/runcloud/directory.ts';
import type { Stage } from './worker.ts';

/** What a sweep tells that had nothing to do. */
export const NOTHING = {
  renewed: 0,
  quarantined: 0,
  redeploys: 0,
  deduplicationKeys: 0,
  forgotten: 0,
} as const;

export interface Parts {
  readonly requests?: RequestQueue;
  readonly isUnavailable?: () => Promise<boolean>;
}

/** A sweeper as a worker has it, with parts of the test's own. */
export function createTestSweeper(
  stage: Stage,
  parts: Parts = {},
): { sweeper: Sweeper; close(): Promise<void> } {
  const { requests } = stage.producer;
  const { url, timeoutMs, credentials } = stage.config.runcloud;
  if (!credentials) throw new Error('the stage has no credentials');
  const runcloud = createRunCloud({ url, version: 'v3', timeoutMs, credentials });
  const directory = createDirectory({ runcloud, now: requests.store.now });
  const logger = createLogger({ ...stage.config.log, secrets: () => [] });
  const all = { requests, isUnavailable: async () => false, ...parts };
  const sweeper = createSweeper({ redis: stage.redis, directory, logger, intervalMs: 3_600_000, ...all });
  return {
    sweeper,
    async close() {
      await sweeper.stop();
      runcloud.close();
    },
  };
}

export async function sweep(stage: Stage, parts: Parts = {}): Promise<ReconcileReport> {
  const { sweeper, close } = createTestSweeper(stage, parts);
  try {
    return await sweeper.sweep();
  } finally {
    await close();
  }
}
