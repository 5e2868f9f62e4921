// Takes jobs from the queue and carries them out: parse, announce, perform, settle, report. The one place where our
// outcomes and errors become BullMQ's.
import { DelayedError, type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { QUEUE_NAME } from '../jobs/catalog.ts';
import type { Logger } from '../logger.ts';
import { within } from '../redis.ts';
import { createTask, type Task, type TaskOptions } from './perform.ts';
import type { RetryPolicy } from './retry-policy.ts';
import { createRun, type Run } from './run.ts';
import { type Verdict, verdictOfError, verdictOfOutcome } from './verdict.ts';

export interface WorkerOptions extends TaskOptions {
  readonly redis: Redis;
  readonly queuePrefix: string;
  readonly concurrency: number;
  readonly retryPolicy: RetryPolicy;
  readonly logger: Logger;
  /** Takes secrets out of a text. */
  readonly scrub: (text: string) => string;
}

export interface DomainWorker {
  /** Resolves when the worker takes jobs. */
  ready(): Promise<void>;
  /** Takes no new job, lets what runs finish, hands the rest back unspent; never longer than `timeoutMs`. */
  close(timeoutMs: number): Promise<void>;
}

// A dead worker's job is taken up within lockDuration + 2 x stalledInterval (docs/adr/0004-crash-recovery.md).
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 4_000;
const MAX_STALLED_COUNT = 5;
/** What stays in Redis of finished jobs, so that the board has a past and memory has a bound. */
const KEEP_COMPLETED = { age: 7 * 24 * 3600, count: 2_000 };
const KEEP_FAILED = { age: 30 * 24 * 3600, count: 10_000 };
const KEEP_LOG_LINES = 100;
/** An aborted handler gets this long to hand its job back. */
const HAND_BACK_MS = 2_000;

export function createWorker(options: WorkerOptions): DomainWorker {
  const { redis, queuePrefix, concurrency, logger } = options;
  const process = createProcessor(options);
  const worker = new Worker(
    QUEUE_NAME,
    // BullMQ makes an abort signal only for processors that name a third parameter.
    async (job: Job, token?: string, signal?: AbortSignal) =>
      process(job, token ?? '', signal ?? new AbortController().signal),
    {
      connection: redis,
      prefix: queuePrefix,
      concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      maxStalledCount: MAX_STALLED_COUNT,
      removeOnComplete: KEEP_COMPLETED,
      removeOnFail: KEEP_FAILED,
      settings: {
        backoffStrategy: (_made, _type, error) => (error instanceof RetryLater ? error.delayMs : 1000),
      },
    },
  );
  worker.on(
    'error',
    oncePerSecond((error) => logger.error({ event: 'worker-error' }, `worker: ${error.message}`)),
  );
  // Another worker has taken these jobs over: what we still do for them must stop.
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) worker.cancelJob(id, 'lost its lock');
  });
  return {
    async ready() {
      await worker.waitUntilReady();
    },
    close: (timeoutMs) => closeWithin(worker, timeoutMs, logger),
  };
}

/** An attempt that failed, as BullMQ shall see it: no stack, no cause, nothing that was not scrubbed. */
class RetryLater extends Error {
  readonly delayMs: number;
  constructor(sentence: string, delayMs: number) {
    super(sentence);
    this.name = 'RetryLater';
    this.delayMs = delayMs;
    this.stack = sentence;
  }
}

function createProcessor(options: WorkerOptions) {
  const { logger, scrub, retryPolicy } = options;
  return async (job: Job, token: string, signal: AbortSignal): Promise<string> => {
    adopt(job, retryPolicy);
    const run = createRun({ job, token, signal, logger, scrub });
    let task: Task | undefined;
    let verdict: Verdict;
    try {
      task = createTask(run, options);
      announce(run, task);
      verdict = verdictOfOutcome(await task.perform(), Date.now());
    } catch (error) {
      verdict = signal.aborted ? handedBack : verdictOfFailure(error, run, retryPolicy);
    }
    // The record first: when BullMQ forgets a job, the record has its outcome.
    await task?.record(verdict);
    report(run, task, verdict);
    await run.told();
    return settle(run, verdict, scrub);
  };
}

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

// Jobs of foreign clients carry no options: the worker's own count for every job, so that there is one retry policy.
function adopt(job: Job, { attempts }: RetryPolicy): void {
  Object.assign(job.opts, { attempts, backoff: { type: 'custom' }, keepLogs: KEEP_LOG_LINES });
}

function announce(run: Run, task: Task): void {
  run.say('debug', task.announcement, { event: 'started', ...task.fields });
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

function report(run: Run, task: Task | undefined, verdict: Verdict): void {
  const { kind, sentence, code, delayMs, nextRunAt, error } = verdict;
  const next = delayMs === undefined ? '' : `; next look in ${Math.ceil(delayMs / 1000)} s`;
  run.say(levels[kind], `${kind}: ${sentence}${next}`, {
    event: 'outcome',
    outcome: kind,
    ...task?.fields,
    ...(code && { code }),
    ...(nextRunAt !== undefined && { nextRunAt: new Date(nextRunAt).toISOString() }),
    ...(error !== undefined && { err: error }),
    apiCalls: run.apiCalls(),
    durationMs: Math.round(performance.now() - run.startedAt),
  });
}

/** Tells BullMQ; returns the job's result or throws what BullMQ takes for the move. */
async function settle(
  { job, token }: Run,
  verdict: Verdict,
  scrub: (text: string) => string,
): Promise<string> {
  const reason = scrub(verdict.code ? `${verdict.code}: ${verdict.sentence}` : verdict.sentence);
  switch (verdict.kind) {
    case 'done':
    case 'superseded':
      return reason;
    case 'waiting':
      await job.moveToDelayed(verdict.nextRunAt ?? Date.now(), token);
      throw new DelayedError();
    case 'handed-back':
      await job.moveToWait(token);
      throw new WaitingError();
    case 'retry':
      throw new RetryLater(reason, verdict.delayMs ?? 0);
    case 'failed': {
      const failure = new UnrecoverableError(reason);
      failure.stack = reason;
      throw failure;
    }
  }
}

// BullMQ's close() has no time limit, and never resolves while Redis is away (taskforcesh/bullmq#4656).
async function closeWithin(worker: Worker, timeoutMs: number, logger: Logger): Promise<void> {
  const closing = worker.close().then(
    () => true,
    () => true,
  );
  if (await within(closing, Math.max(0, timeoutMs - HAND_BACK_MS), false)) return;
  worker.cancelAllJobs('the worker is stopping');
  if (await within(closing, HAND_BACK_MS, false)) return;
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
