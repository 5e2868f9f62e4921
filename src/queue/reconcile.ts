// The sweep: now and then one worker looks for requests whose job was lost, stuck or given up, for redeploys that nobody
// carries, and for domains that RunCloud does not have as wanted, and asks for them again. Records of removals that are over leave.
import type { Redis } from 'ioredis';
import type { DomainRecord } from '../domains/domain.ts';
import { planReconcile, type ReconcileFacts } from '../domains/reconcile.ts';
import { reasonOf } from '../errors.ts';
import type { Logger } from '../logger/logger.ts';
import type { Directory } from '../runcloud/directory.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import type { RequestQueue } from './enqueue.ts';
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
  /** True while RunCloud is down or refuses us: then only the queue is looked at. */
  readonly isUnavailable: () => Promise<boolean>;
}

/** What one sweep did. */
export interface ReconcileReport {
  looked: number;
  renewed: number;
  quarantined: number;
  redeploys: number;
  deduplicationKeys: number;
  /** Records of removals that are over. */
  forgotten: number;
}

export interface Sweeper {
  /** Sweeps once, whatever the others do. */
  sweep(): Promise<ReconcileReport>;
  /** Sweeps now and every interval until `stop`; of all workers, one does it. */
  start(): void;
  stop(): Promise<void>;
}

/** The sweeper's turn, in Redis: one worker per interval. */
const TURN = 'sweep';
/** In one sweep: what is left is the next one's. */
const FORGOTTEN_AT_ONCE = 10_000;

const NOTHING_DONE: ReconcileReport = {
  looked: 0,
  renewed: 0,
  quarantined: 0,
  redeploys: 0,
  deduplicationKeys: 0,
  forgotten: 0,
};

export function createSweeper(options: ReconcileOptions): Sweeper {
  const { redis, requests, logger, intervalMs } = options;
  let newest = 0;
  const alarmIfEmptied = async (): Promise<void> => {
    const generation = await requests.store.newestGeneration();
    if (generation < newest) {
      logger.error(
        { event: 'redis-emptied', had: newest, has: generation },
        'Redis has lost its data: requests from before are gone, send them again; new ones work',
      );
    }
    newest = generation;
  };
  const turns = createPeriodic({
    redis,
    key: requests.keyOf(TURN),
    intervalMs,
    beforehand: alarmIfEmptied,
    run: async (signal) => tell(logger, await reconcileOnce(options, signal)),
    onError: (error) => logger.warn({ event: 'sweep-failed' }, `sweep: ${reasonOf(error)}`),
  });
  return { sweep: () => reconcileOnce(options, new AbortController().signal), ...turns };
}

function tell(logger: Logger, report: ReconcileReport): void {
  const { looked, renewed, quarantined, redeploys, forgotten } = report;
  const level = renewed + quarantined + redeploys > 0 ? 'warn' : 'debug';
  const found = `${renewed} asked for again, ${quarantined} quarantined, ${redeploys} redeploys revived, ${forgotten} removals forgotten`;
  if (looked === 0) return;
  logger[level]({ event: 'sweep', ...report }, `sweep: ${looked} domains looked at, ${found}`);
}

async function reconcileOnce(options: ReconcileOptions, signal: AbortSignal): Promise<ReconcileReport> {
  const { requests } = options;
  const report: ReconcileReport = { ...NOTHING_DONE };
  const apps = new Map<string, WebApplication>();
  const over: DomainRecord[] = [];
  const startedAt = await requests.store.now();
  const look = await createLook(options, startedAt, signal);
  for await (const record of requests.store.scan()) {
    if (signal.aborted) return report;
    apps.set(`${record.serverId}:${record.appId}`, record);
    report.looked += 1;
    const standing = await look(record);
    if (standing) await mend(standing, over, options, report);
  }
  for (const app of apps.values()) if (await requests.reviveRedeploy(app)) report.redeploys += 1;
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

// How a record stands, with a look at RunCloud where a difference would be ours to mend. A web application that cannot be
// read ends the looking there, not the sweep: what the queue has lost is found all the same.
async function createLook(
  { requests, directory, isUnavailable, logger }: ReconcileOptions,
  startedAt: number,
  signal: AbortSignal,
) {
  const mayLook = !(await isUnavailable());
  const unreadable = new Set<number>();
  const see = async (record: DomainRecord): Promise<ReconcileFacts['observed']> => {
    try {
      const { attached, at } = await directory.find(record, record.domain, startedAt, { signal });
      return { attached: attached !== undefined, at };
    } catch (error) {
      unreadable.add(record.appId);
      const what = `web application ${record.appId} is not looked at this time`;
      logger.warn({ event: 'sweep-blind', appId: record.appId }, `sweep: ${what}: ${reasonOf(error)}`);
      return undefined;
    }
  };
  return async (scanned: DomainRecord): Promise<ReconcileFacts | undefined> => {
    // The job first, the record second: a job that ends in between has written its record before.
    const job = await requests.jobFate(scanned.jobId);
    const record = await requests.store.get(scanned);
    if (record?.jobId !== scanned.jobId) return undefined; // somebody is at it
    const standing: ReconcileFacts = { record, job, now: startedAt };
    const different = { attached: record.desired.presence === 'absent', at: startedAt };
    const isOurs =
      record.request === 'settled' && planReconcile({ ...standing, observed: different }).kind === 'renew';
    if (!mayLook || !isOurs || unreadable.has(record.appId)) return standing;
    return { ...standing, observed: await see(record) };
  };
}

/** What is over is put aside: `over`. */
async function mend(
  standing: ReconcileFacts,
  over: DomainRecord[],
  { requests, logger }: ReconcileOptions,
  report: ReconcileReport,
): Promise<void> {
  const { record } = standing;
  const reconcileStep = planReconcile(standing);
  if (reconcileStep.kind === 'forget' && over.length < FORGOTTEN_AT_ONCE) over.push(record);
  if (reconcileStep.kind === 'nothing' || reconcileStep.kind === 'forget') return;
  const { domain, jobId } = record;
  if (reconcileStep.kind === 'quarantine') {
    const outcome = `BullMQ gave job ${jobId} up; it may have crashed its worker`;
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
  const renewed = await requests.renew(record, 'the sweep', true);
  if (renewed.fate !== 'new' && renewed.fate !== 'missing') return;
  report.renewed += 1;
  logger.warn(
    { event: 'renewed', domain, jobId: renewed.jobId },
    `${domain} is asked for again: ${reconcileStep.why}`,
  );
}
