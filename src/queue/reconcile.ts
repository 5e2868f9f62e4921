// The reconcile loop: one worker at a time compares every record with its job, and with RunCloud. It enqueues again what was
// lost or differs: requests, redeploys. It quarantines what BullMQ gave up, and forgets removals that are over.
import type { Redis } from 'ioredis';
import type { DomainRecord } from '../domains/domain.ts';
import { planReconcile, type ReconcileFacts } from '../domains/reconcile.ts';
import { reasonOf } from '../errors.ts';
import type { Logger } from '../logger/logger.ts';
import type { Directory } from '../runcloud/directory.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import type { RequestQueue } from './enqueue.ts';
import type { ReconcileReport } from './messages.ts';
import * as messages from './messages.ts';
import { readOpenDomains } from './open-domains.ts';
import { createPeriodic } from './periodic.ts';

/** How often one of the workers reconciles. */
export const RECONCILE_INTERVAL_MS = 900_000;

export interface ReconcileOptions {
  readonly redis: Redis;
  readonly requests: RequestQueue;
  readonly directory: Directory;
  readonly logger: Logger;
  readonly intervalMs: number;
  /** True while no call to RunCloud may go out: then only the queue is checked. */
  readonly isUnavailable: () => Promise<boolean>;
}

/** What one round did. */
export interface Reconciler {
  /** One round, whatever other workers do. */
  reconcile(): Promise<ReconcileReport>;
  /** A round now and every interval until `stop`; of all workers, one does it. */
  start(): void;
  stop(): Promise<void>;
}

/** The periodic lock, in Redis. */
const LOCK = 'reconcile';
/** In one round; the rest is left to the next. */
const FORGOTTEN_AT_ONCE = 10_000;

const NOTHING_DONE: ReconcileReport = {
  checked: 0,
  reenqueued: 0,
  quarantined: 0,
  redeploys: 0,
  deduplicationKeys: 0,
  forgotten: 0,
};

export function createReconciler(options: ReconcileOptions): Reconciler {
  const { redis, requests, logger, intervalMs } = options;
  let newest = 0;
  const alarmIfEmptied = async (): Promise<void> => {
    const generation = await requests.store.newestGeneration();
    if (generation < newest) {
      logger.error({ event: 'redis-emptied', had: newest, has: generation }, messages.redisEmptied);
    }
    newest = generation;
  };
  const periodic = createPeriodic({
    redis,
    key: requests.keyOf(LOCK),
    intervalMs,
    beforehand: alarmIfEmptied,
    run: async (signal) => log(logger, await reconcileOnce(options, signal)),
    onError: (error) => logger.warn({ event: 'reconcile-failed' }, messages.reconcileFailed(reasonOf(error))),
  });
  return { reconcile: () => reconcileOnce(options, new AbortController().signal), ...periodic };
}

function log(logger: Logger, report: ReconcileReport): void {
  const { checked, reenqueued, quarantined, redeploys } = report;
  if (checked === 0) return;
  const level = reenqueued + quarantined + redeploys > 0 ? 'warn' : 'debug';
  logger[level]({ event: 'reconcile', ...report }, messages.reconciled(report));
}

async function reconcileOnce(options: ReconcileOptions, signal: AbortSignal): Promise<ReconcileReport> {
  const { requests } = options;
  const report: ReconcileReport = { ...NOTHING_DONE };
  const apps = new Map<string, WebApplication>();
  const over: DomainRecord[] = [];
  const startedAt = await requests.store.now();
  const examine = await createExamination(options, startedAt, signal);
  for await (const record of requests.store.scan()) {
    if (signal.aborted) return report;
    apps.set(`${record.serverId}:${record.appId}`, record);
    report.checked += 1;
    const facts = await examine(record);
    if (facts) await act(facts, over, options, report);
  }
  for (const app of apps.values()) if (await requests.reenqueueRedeploy(app)) report.redeploys += 1;
  report.deduplicationKeys = await requests.dropOrphanedDeduplicationKeys();
  report.forgotten = await forget(over, options, signal);
  await requests.store.forgetApps(new Set(apps.keys()), startedAt);
  return report;
}

async function forget(
  over: readonly DomainRecord[],
  { requests, redis }: ReconcileOptions,
  signal: AbortSignal,
): Promise<number> {
  if (over.length === 0) return 0;
  const open = await readOpenDomains(redis, requests.keys.queue);
  let forgotten = 0;
  for (const record of over) {
    if (signal.aborted) break;
    if (!open.has(record.domain) && (await requests.store.forget(record))) forgotten += 1;
  }
  return forgotten;
}

// A record with its job, and RunCloud's list if this program would repair a difference. If a web application cannot be read,
// its domains are compared with the queue only.
async function createExamination(
  { requests, directory, isUnavailable, logger }: ReconcileOptions,
  startedAt: number,
  signal: AbortSignal,
) {
  const mayRead = !(await isUnavailable());
  const unreadable = new Set<number>();
  const read = async (record: DomainRecord): Promise<ReconcileFacts['observed']> => {
    try {
      const { attached, at } = await directory.find(record, record.domain, startedAt, { signal });
      return { attached: attached !== undefined, at };
    } catch (error) {
      unreadable.add(record.appId);
      logger.warn(
        { event: 'reconcile-blind', appId: record.appId },
        messages.unreadable(record.appId, reasonOf(error)),
      );
      return undefined;
    }
  };
  return async (scanned: DomainRecord): Promise<ReconcileFacts | undefined> => {
    // The job first, the record second: a job that ends in between has written its record before.
    const job = await requests.jobResult(scanned.jobId);
    const record = await requests.store.get(scanned);
    if (record?.jobId !== scanned.jobId) return undefined; // a newer request
    const facts: ReconcileFacts = { record, job, now: startedAt };
    const different = { attached: record.desired.presence === 'absent', at: startedAt };
    const isOurs =
      record.request === 'settled' && planReconcile({ ...facts, observed: different }).kind === 'renew';
    if (!mayRead || !isOurs || unreadable.has(record.appId)) return facts;
    return { ...facts, observed: await read(record) };
  };
}

/** Removals that are over are added to `over`. */
async function act(
  facts: ReconcileFacts,
  over: DomainRecord[],
  { requests, logger }: ReconcileOptions,
  report: ReconcileReport,
): Promise<void> {
  const { record } = facts;
  const step = planReconcile(facts);
  if (step.kind === 'forget' && over.length < FORGOTTEN_AT_ONCE) over.push(record);
  if (step.kind === 'nothing' || step.kind === 'forget') return;
  const { domain, jobId } = record;
  if (step.kind === 'quarantine') {
    const outcome = messages.gaveUp(jobId);
    await requests.store.settle(record, jobId, {
      request: 'failed',
      outcome,
      code: 'job-quarantined',
      report: { state: 'failed', reasonCode: 'job-quarantined' },
    });
    report.quarantined += 1;
    logger.error({ event: 'quarantined', domain, jobId }, outcome);
    return;
  }
  const result = await requests.reenqueue(record, 'reconcile', true);
  if (result.fate !== 'new' && result.fate !== 'missing') return;
  report.reenqueued += 1;
  logger.warn({ event: 'reenqueued', domain, jobId: result.jobId }, messages.enqueuedAgain(domain, step.why));
}
