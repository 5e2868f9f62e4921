// BullMQ's worker as we need it: its settings, its crash recovery, and a close that ends. What becomes of one job is
// processor.ts' business.
import { type Job, type JobJson, type Telemetry, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { QUEUE_NAME } from '../jobs/catalog.ts';
import { closeWorker, counted } from './close-worker.ts';
import { isLarge, isOversized, toShrunk } from './job-payload.ts';
import { createProcessor, type ProcessorOptions, quarantine } from './processor.ts';
import { adopt, toBackoff } from './settle.ts';
import { shieldScripts } from './shield.ts';

export interface WorkerOptions extends ProcessorOptions {
  readonly redis: Redis;
  readonly queuePrefix: string;
  readonly concurrency: number;
  /** Hears of BullMQ's own troubles, most of them Redis'; as often as BullMQ tries. */
  readonly onError: (error: Error) => void;
  /** Traces, where they are wanted. */
  readonly telemetry?: Telemetry | undefined;
  /** Tests only: crash recovery in a hurry. */
  readonly recovery?: Recovery | undefined;
}

export interface DomainWorker {
  /** Resolves when the worker takes jobs. */
  ready(): Promise<void>;
  /** Takes no new job, lets what runs finish, hands the rest back unspent; never longer than `timeoutMs`. */
  close(timeoutMs: number): Promise<void>;
}

/** A dead worker's job is taken up within lockMs + 2 x stalledCheckMs (docs/adr/0004-crash-recovery.md). */
const RECOVERY = { lockMs: 10_000, stalledCheckMs: 4_000 };
export type Recovery = Readonly<typeof RECOVERY>;
const MAX_STALLED_COUNT = 5;
/** What stays in Redis of finished jobs, so that the board has a past and memory has a bound. */
const KEEP_COMPLETED = { age: 7 * 24 * 3600, count: 2_000 };
const KEEP_FAILED = { age: 30 * 24 * 3600, count: 10_000 };
/** An aborted handler gets this long to hand its job back. */
const HAND_BACK_MS = 2_000;

export function createWorker(options: WorkerOptions): DomainWorker {
  const { redis, queuePrefix, concurrency, logger, telemetry, recovery = RECOVERY } = options;
  shieldScripts(redis);
  const draining = new AbortController();
  const { process, isIdle } = counted(createProcessor(options, draining.signal));
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
  // Another worker has taken these jobs over: what we still do for them must stop.
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) worker.cancelJob(id, 'lost its lock');
  });
  // The one failure that does not come from our own processor: BullMQ itself gives a job up that has stalled too often.
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
      if (how !== 'ended') logger.warn({ event: 'forced-close' }, forced[how]);
    },
  };
}

const forced = {
  late: 'jobs did not stop in time; another worker takes them over from Redis',
  'redis-away': 'Redis is away and no job is at work: there is nobody to say goodbye to',
};

/** Fails at once, as a job that nobody knows. */
const STUB = { name: 'oversized', data: '{}', opts: {} };

/** A payload that is no JSON would leave its job active until it stalls; as a text it fails at once, by its schema. */
class TolerantWorker extends Worker {
  adopt: (job: Job) => void = () => undefined;
  private readonly large = new WeakSet<Job>();

  /** A large payload is carried out, or refused, as it is; what Redis keeps of it is small. */
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

/** What bullmq-otel can read; where it cannot, the job would not even begin. */
const isContext = (metadata: unknown): boolean =>
  typeof metadata === 'string' && metadata.startsWith('{') && isJson(metadata);

/** Lets one call a second through: a connection that flaps must not flood the log. */
export function oncePerSecond<A>(call: (argument: A) => void): (argument: A) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (argument) => {
    const now = performance.now();
    if (now - last < 1000) return;
    last = now;
    call(argument);
  };
}
