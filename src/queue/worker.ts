// Takes jobs from the queue and carries them out: parse, announce, perform, settle, report. The one place where our
// outcomes and errors become BullMQ's.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, type JobJson, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Hold } from '../brake/brake.ts';
import { reasonOf } from '../errors.ts';
import { QUEUE_NAME } from '../jobs/catalog.ts';
import type { Logger } from '../logger.ts';
import { within } from '../redis.ts';
import { createTask, type Task, type TaskOptions } from './perform.ts';
import type { RetryPolicy } from './retry-policy.ts';
import { createRun, type Run } from './run.ts';
import { adopt, settle, toBackoff } from './settle.ts';
import { type Verdict, verdictOfError, verdictOfOutcome } from './verdict.ts';

export interface WorkerOptions extends TaskOptions {
  readonly redis: Redis;
  readonly queuePrefix: string;
  readonly concurrency: number;
  readonly retryPolicy: RetryPolicy;
  readonly logger: Logger;
  /** Takes secrets out of a text. */
  readonly scrub: (text: string) => string;
  /** What holds all jobs at this moment: an outage, refused credentials, a closed gate. */
  readonly hold: () => Promise<Hold | undefined>;
  /** Hears of BullMQ's own troubles, most of them Redis'; as often as BullMQ tries. */
  readonly onError: (error: Error) => void;
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
  const { redis, queuePrefix, concurrency, logger, recovery = RECOVERY } = options;
  const draining = new AbortController();
  const process = createProcessor(options, draining.signal);
  const worker = new TolerantWorker(
    QUEUE_NAME,
    // BullMQ makes an abort signal only for processors that name a third parameter.
    async (job: Job, token?: string, signal?: AbortSignal) =>
      process(job, token ?? '', signal ?? new AbortController().signal),
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
    },
  );
  worker.on('error', options.onError);
  // Another worker has taken these jobs over: what we still do for them must stop.
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) worker.cancelJob(id, 'lost its lock');
  });
  // The one failure that does not come from our own processor: BullMQ itself gives a job up that has stalled too often.
  worker.on('failed', (job, error) => {
    if (job && error.message.includes('stalled more than allowable limit')) void quarantine(job, options);
  });
  return {
    async ready() {
      await worker.waitUntilReady();
    },
    close: (timeoutMs) => {
      draining.abort();
      return closeWithin(worker, timeoutMs, logger);
    },
  };
}

/** A payload that is no JSON would leave its job active until it stalls; as a text it fails at once, by its schema. */
class TolerantWorker extends Worker {
  protected override createJob(json: JobJson, jobId: string): Job {
    return super.createJob(
      { ...json, data: isJson(json.data) ? json.data : JSON.stringify('not JSON') },
      jobId,
    );
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

function createProcessor(options: WorkerOptions, draining: AbortSignal) {
  const { logger, scrub, retryPolicy } = options;
  return async (job: Job, token: string, signal: AbortSignal): Promise<string> => {
    adopt(job, retryPolicy);
    const run = createRun({ job, token, signal, logger, scrub });
    let task: Task | undefined;
    const judge = async (): Promise<Verdict> => {
      task = createTask(run, options);
      announce(run, task);
      if (!(await isReleased(run, task, options, draining))) return handedBack;
      return verdictOfOutcome(await task.perform(), Date.now());
    };
    const verdict = await judge().catch((error: unknown) =>
      signal.aborted ? handedBack : verdictOfFailure(error, run, retryPolicy),
    );
    // The record first: when BullMQ forgets a job, the record has its outcome.
    await task?.record(verdict);
    report(run, verdict);
    await run.told();
    return settle(run, verdict, scrub);
  };
}

// A job that ends its process each time must not do so for ever: it waits for a person, and the others go on.
async function quarantine(job: Job, options: WorkerOptions): Promise<void> {
  const run = createRun({ ...options, job, token: '', signal: new AbortController().signal });
  const verdict: Verdict = {
    kind: 'failed',
    code: 'job-quarantined',
    sentence: 'this job has ended its worker several times over and is not tried again by itself',
  };
  try {
    const task = createTask(run, options);
    run.about(task.fields);
    await task.record(verdict);
    report(run, verdict);
  } catch (error) {
    options.logger.error({ event: 'quarantine-failed', jobId: job.id }, reasonOf(error));
  }
}

// A job that is taken while nothing can be done keeps its place, untouched: at most `concurrency` jobs wait here, all others
// stay in the queue, and a newer request may overtake it meanwhile. False where the worker stops: then it goes back.
async function isReleased(
  run: Run,
  task: Task,
  { hold }: WorkerOptions,
  draining: AbortSignal,
): Promise<boolean> {
  const signal = AbortSignal.any([run.signal, draining]);
  let said: string | undefined;
  for (let held = await hold(); held; held = await hold()) {
    if (said !== held.kind) {
      run.say('warn', `held: ${held.sentence}`, { event: 'held', why: held.kind });
      await task.record({ kind: 'waiting', sentence: held.sentence, nextRunAt: Date.now() + held.waitMs });
    }
    said = held.kind;
    await sleep(Math.min(held.waitMs, HOLD_LOOK_MS), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return false;
  }
  return true;
}

const HOLD_LOOK_MS = 1_000;

const handedBack: Verdict = {
  kind: 'handed-back',
  sentence: 'the worker is stopping; the job goes back to the queue',
};

const verdictOfFailure = (error: unknown, { job }: Run, policy: RetryPolicy): Verdict =>
  verdictOfError(error, policy, {
    attemptsMade: job.attemptsMade + 1,
    nowMs: Date.now(),
    random: Math.random(),
  });

function announce(run: Run, task: Task): void {
  run.about(task.fields);
  run.say('debug', task.announcement, { event: 'started' });
  if (task.unknownFields.length > 0) {
    run.say('warn', `unknown fields were left out: ${task.unknownFields.join(', ')}`, {
      event: 'unknown-fields',
    });
  }
}

const levels = {
  done: 'info',
  superseded: 'info',
  waiting: 'info',
  retry: 'warn',
  failed: 'error',
  'handed-back': 'info',
} as const;

function report(run: Run, verdict: Verdict): void {
  const { kind, sentence, code, delayMs, nextRunAt, error } = verdict;
  const next = delayMs === undefined ? '' : `; next look in ${toSeconds(delayMs)}`;
  run.say(levels[kind], `${kind}: ${sentence}${next}`, {
    event: 'outcome',
    outcome: kind,
    ...(code && { code }),
    ...(nextRunAt !== undefined && { nextRunAt: new Date(nextRunAt).toISOString() }),
    ...(error !== undefined && { err: error }),
    apiCalls: run.apiCalls(),
    durationMs: Math.round(performance.now() - run.startedAt),
  });
}

const toSeconds = (ms: number): string => `${ms < 10_000 ? (ms / 1000).toFixed(1) : Math.round(ms / 1000)} s`;

// BullMQ's close() has no time limit, and never resolves while Redis is away (taskforcesh/bullmq#4656).
async function closeWithin(worker: Worker, timeoutMs: number, logger: Logger): Promise<void> {
  const closing = worker.close().then(
    () => true,
    () => true,
  );
  const handBackMs = Math.min(HAND_BACK_MS, timeoutMs / 2);
  if (await within(closing, timeoutMs - handBackMs, false)) return;
  worker.cancelAllJobs('the worker is stopping');
  if (await within(closing, handBackMs, false)) return;
  logger.warn(
    { event: 'forced-close' },
    'jobs did not stop in time; another worker takes them over from Redis',
  );
  await within(worker.close(true), 500, undefined);
}

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
