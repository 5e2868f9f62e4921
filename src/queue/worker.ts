// BullMQ's worker: its settings, its crash recovery, and a close that ends. pipeline.ts has what it does with one job.
import { type Job, type JobJson, type Telemetry, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { QUEUE_NAME } from '../jobs/catalog.ts';
import { closeWorker, counted } from './close-worker.ts';
import { isLarge, isOversized, toShrunk } from './job-payload.ts';
import * as messages from './messages.ts';
import { createPipeline, type PipelineOptions, quarantine } from './pipeline.ts';
import { adopt, toBackoff } from './settle.ts';
import { shieldScripts } from './shield.ts';

export interface WorkerOptions extends PipelineOptions {
  readonly redis: Redis;
  readonly queuePrefix: string;
  readonly concurrency: number;
  /** Called with BullMQ's own errors, most of them Redis'; as often as BullMQ tries. */
  readonly onError: (error: Error) => void;
  /** Undefined: no traces. */
  readonly telemetry?: Telemetry | undefined;
  /** Tests only: faster crash recovery. */
  readonly recovery?: Recovery | undefined;
}

export interface DomainWorker {
  /** Resolves when the worker takes jobs. */
  ready(): Promise<void>;
  /** Takes no new job, lets running jobs finish, hands the rest back unspent. Never longer than `timeoutMs`. */
  close(timeoutMs: number): Promise<void>;
}

/** Another worker takes a dead worker's job within lockMs + 2 x stalledCheckMs (docs/adr/0004-crash-recovery.md). */
const RECOVERY = { lockMs: 10_000, stalledCheckMs: 4_000 };
export type Recovery = Readonly<typeof RECOVERY>;
const MAX_STALLED_COUNT = 5;
/** Finished jobs that stay in Redis: the board shows them, and memory has a bound. */
const KEEP_COMPLETED = { age: 7 * 24 * 3600, count: 2_000 };
const KEEP_FAILED = { age: 30 * 24 * 3600, count: 10_000 };
/** An aborted handler gets this long to hand its job back. */
const HAND_BACK_MS = 2_000;

export function createWorker(options: WorkerOptions): DomainWorker {
  const { redis, queuePrefix, concurrency, logger, telemetry, recovery = RECOVERY } = options;
  shieldScripts(redis);
  const draining = new AbortController();
  const { process, isIdle } = counted(createPipeline(options, draining.signal));
  const worker: TolerantWorker = new TolerantWorker(
    QUEUE_NAME,
    // BullMQ makes an abort signal only for processors that name a third parameter.
    async (job: Job, token?: string, signal?: AbortSignal) => {
      await worker.shrink(job);
      return process(job, token ?? '', signal ?? new AbortController().signal);
    },
    {
      connection: redis,
      prefix: queuePrefix,
      concurrency,
      lockDuration: recovery.lockMs,
      stalledInterval: recovery.stalledCheckMs,
      maxStalledCount: MAX_STALLED_COUNT,
      removeOnComplete: KEEP_COMPLETED,
      removeOnFail: KEEP_FAILED,
      settings: { backoffStrategy: toBackoff },
      ...(telemetry && { telemetry }),
    },
  );
  worker.adopt = (job) => adopt(job, options.retryPolicy);
  worker.on('error', options.onError);
  // Another worker has taken these jobs over: this one must stop them.
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) worker.cancelJob(id, 'lost its lock');
  });
  // The one failure that does not come from the pipeline: BullMQ gives a job up that has stalled too often.
  worker.on('failed', (job, error) => {
    if (job && error.message.includes('stalled more than allowable limit'))
      void quarantine(job, options, draining.signal);
  });
  return {
    async ready() {
      await worker.waitUntilReady();
    },
    async close(timeoutMs) {
      draining.abort();
      const handBackMs = Math.min(HAND_BACK_MS, timeoutMs / 2);
      const interrupt = (): void => worker.cancelAllJobs('the worker is stopping');
      const how = await closeWorker(worker, { redis, isIdle, timeoutMs, handBackMs, interrupt });
      if (how !== 'ended') logger.warn({ event: 'forced-close' }, messages.forcedClose[how]);
    },
  };
}

/** Fails at once, as an unknown job. */
const STUB = { name: 'oversized', data: '{}', opts: {} };

/** A payload that is not JSON would keep its job active until it stalls. As a text it fails at once, by its schema. */
class TolerantWorker extends Worker {
  adopt: (job: Job) => void = () => undefined;
  private readonly large = new WeakSet<Job>();

  /** A large payload runs, or is refused, as it is; Redis keeps a small part of it. */
  async shrink(job: Job): Promise<void> {
    if (!this.large.has(job)) return;
    const { data } = job;
    await job.updateData(toShrunk(data));
    job.data = data;
  }

  protected override createJob(json: JobJson, jobId: string): Job {
    const isTooLarge = isOversized(json, jobId);
    const data = isJson(json.data) ? json.data : JSON.stringify('not JSON');
    const job = super.createJob(isTooLarge ? { ...json, ...STUB } : { ...json, data }, jobId);
    this.adopt(job);
    // An option may name a scheduler too (shield.ts).
    Object.assign(job, { repeatJobKey: undefined });
    if (!isContext(job.opts.telemetry?.metadata)) Object.assign(job.opts, { telemetry: undefined });
    // It fails at once, and nothing of it stays.
    if (isTooLarge) Object.assign(job.opts, { removeOnFail: true });
    if (isLarge(json.data)) this.large.add(job);
    return job;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text || '{}');
    return true;
  } catch {
    return false;
  }
}

/** Whether bullmq-otel can read it; otherwise the job would not start. */
const isContext = (metadata: unknown): boolean =>
  typeof metadata === 'string' && metadata.startsWith('{') && isJson(metadata);

/** At most one call a second: a flapping connection must not flood the log. */
export function oncePerSecond<A>(call: (argument: A) => void): (argument: A) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (argument) => {
    const now = performance.now();
    if (now - last < 1000) return;
    last = now;
    call(argument);
  };
}
