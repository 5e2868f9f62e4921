// A run of the reconcile loop as a worker makes it, at the moment that a test chooses, and with parts that a test may replace.
import { createLogger } from '../../src/logger/logger.ts';
import type { RequestQueue } from '../../src/queue/enqueue.ts';
import type { ReconcileReport } from '../../src/queue/messages.ts';
import { createReconciler, type Reconciler } from '../../src/queue/reconcile.ts';
import { createRunCloud } from '../../src/runcloud/client.ts';
import { createDirectory } from '../../src/runcloud/directory.ts';
import type { Stage } from './worker.ts';

/** The report of a run that had nothing to do. */
export const NOTHING = {
  reenqueued: 0,
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
export function createTestReconciler(
  stage: Stage,
  parts: Parts = {},
): { reconciler: Reconciler; close(): Promise<void> } {
  const { requests } = stage.producer;
  const { url, timeoutMs, credentials } = stage.config.runcloud;
  if (!credentials) throw new Error('the stage has no credentials');
  const runcloud = createRunCloud({ url, version: 'v3', timeoutMs, credentials });
  const directory = createDirectory({ runcloud, now: requests.store.now });
  const logger = createLogger({ ...stage.config.log, secrets: () => [] });
  const all = { requests, isUnavailable: async () => false, ...parts };
  const reconciler = createReconciler({
    redis: stage.redis,
    directory,
    logger,
    intervalMs: 3_600_000,
    ...all,
  });
  return {
    reconciler,
    async close() {
      await reconciler.stop();
      runcloud.close();
    },
  };
}

export async function reconcile(stage: Stage, parts: Parts = {}): Promise<ReconcileReport> {
  const { reconciler, close } = createTestReconciler(stage, parts);
  try {
    return await reconciler.reconcile();
  } finally {
    await close();
  }
}
