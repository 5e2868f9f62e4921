// The way of one job, from BullMQ to its handler and back. `execute` has the steps in their order.
import type { Job } from 'bullmq';
import { waiting } from '../domains/outcome.ts';
import { reasonOf, TransientError } from '../errors.ts';
import type { Logger } from '../logger/logger.ts';
import { type Bounds, createBound, type Excuses, StuckError } from './bound.ts';
import { CRASHED_WAIT_MS, type CrashedJobs } from './crashed-jobs.ts';
import * as messages from './messages.ts';
import type { RetryPolicy } from './retry-policy.ts';
import { createRun, type Run } from './run.ts';
import { isMove, RetryLater, settle, standInLine } from './settle.ts';
import { createTask, type Task, type TaskOptions } from './task.ts';
import { Ended, end, handedBack, type Verdict, verdictOfError, verdictOfOutcome } from './verdict.ts';
import { assertNotPaused, type WaitObserver, type WaitOptions, waitWhileUnavailable } from './wait.ts';

export interface JobEnd {
  readonly name: string;
  readonly verdict: Verdict;
  readonly durationMs: number;
  /** The job's subject as its log lines have it; undefined if the job was not understood. */
  readonly about: Readonly<Record<string, unknown>> | undefined;
}

/** For metrics and the heartbeat. No method may throw. */
export interface JobObserver extends WaitObserver {
  /** A worker has taken a job, and is done with it. */
  started(): void;
  finished(): void;
  ended(end: JobEnd): void;
}

export interface PipelineOptions extends TaskOptions, Omit<WaitOptions, 'observer'> {
  readonly retryPolicy: RetryPolicy;
  readonly logger: Logger;
  /** Takes secrets out of a text. */
  readonly scrub: (text: string) => string;
  readonly crashedJobs: CrashedJobs;
  /** When a job is given up, and what it may wait for. */
  readonly bounds: Bounds;
  readonly excuses: Excuses;
  readonly observer?: JobObserver | undefined;
  /** Called once for each job that an external producer added: no writer of ours has put it into the audit log. */
  readonly onExternalRequest?: ((request: Task['request']) => void) | undefined;
}

export type Pipeline = (job: Job, token: string, signal: AbortSignal) => Promise<string>;

/** One job on its way. */
interface Passage {
  readonly run: Run;
  readonly options: PipelineOptions;
  /** Aborts when the worker stops. */
  readonly draining: AbortSignal;
  /** Rejects once the job is given up (bound.ts). */
  readonly bounded: <T>(work: Promise<T>) => Promise<T>;
  /** Undefined until the job is parsed. */
  task?: Task;
}

export function createPipeline(options: PipelineOptions, draining: AbortSignal): Pipeline {
  return async (job, token, stopped) => {
    const bound = createBound(options.bounds, options.excuses);
    const signal = AbortSignal.any([stopped, bound.signal]);
    const run = createRun({ ...options, job, token, signal, draining, moved: bound.moved });
    options.observer?.started();
    try {
      return await execute({ run, options, draining, bounded: (work) => bound.keep(work, stopped) });
    } catch (error) {
      if (isMove(error)) throw error;
      // Redis failed in the middle. What BullMQ keeps of the error must be clean too.
      throw new RetryLater(options.scrub(reasonOf(error)), 1_000);
    } finally {
      options.observer?.finished();
    }
  };
}

async function execute(passage: Passage): Promise<string> {
  const verdict = await perform(passage).catch((error: unknown) => judgeError(error, passage));
  const recorded = await record(verdict, passage);
  await releaseCrashed(recorded, passage);
  await report(recorded, passage);
  return settle(passage.run, recorded);
}

async function perform(passage: Passage): Promise<Verdict> {
  const { run, options, draining, bounded } = passage;
  const task = await parse(passage);
  await standInLine(run, task.lanes, options.requests.line);
  announce(task, run);
  await waitWhileUnavailable(run, task, options, draining);
  return bounded(work(task, passage));
}

async function work(task: Task, passage: Passage): Promise<Verdict> {
  const handle = await task.claim();
  // Claimed before: a job that a newer request has overtaken ends, paused or not.
  await assertNotPaused(task, passage.options);
  await isolateCrashed(passage);
  return verdictOfOutcome(await handle(), Date.now());
}

async function parse(passage: Passage): Promise<Task> {
  const { run, options } = passage;
  const task = await createTask(run, options);
  passage.task = task;
  if (task.isExternal && run.job.attemptsStarted <= 1) options.onExternalRequest?.(task.request);
  return task;
}

function announce(task: Task, run: Run): void {
  run.about(task.fields);
  run.log('debug', task.announcement, { event: 'started' });
  if (task.unknownFields.length > 0)
    run.log('warn', messages.unknownFields(task.unknownFields), { event: 'unknown-fields' });
}

async function isolateCrashed({ run, options }: Passage): Promise<void> {
  const { id = '', stalledCounter } = run.job;
  if (await options.crashedJobs.enter(id, stalledCounter, run.signal)) return;
  end(waiting(messages.crashedBefore, CRASHED_WAIT_MS, { reasonCode: 'crashed-before' }));
}

const takenOver: Verdict = {
  kind: 'handed-back',
  sentence: messages.takenOver,
  report: { reasonCode: 'taken-over' },
};

/** What the passage threw, judged; BullMQ's own moves are thrown on. */
function judgeError(error: unknown, { run, options, draining }: Passage): Verdict {
  if (isMove(error)) throw error;
  if (error instanceof Ended) return error.verdict;
  const { job, signal } = run;
  const isUnsent = error instanceof TransientError && !error.attemptSpent;
  const isStuck = error instanceof StuckError;
  if (!isStuck && draining.aborted && (signal.aborted || isUnsent)) return handedBack;
  if (!isStuck && signal.aborted) return takenOver;
  const moment = { attemptsMade: job.attemptsMade + 1, nowMs: Date.now(), random: Math.random() };
  return verdictOfError(error, options.retryPolicy, moment);
}

/** The record first: when BullMQ forgets a job, the record has its outcome. */
async function record(verdict: Verdict, { task, options }: Passage): Promise<Verdict> {
  const clean = (text: string): string => messages.shortened(options.scrub(text));
  const { sentence, forDomains } = verdict;
  const cleaned = { ...verdict, sentence: clean(sentence), forDomains: forDomains && clean(forDomains) };
  return task ? task.record(cleaned) : cleaned;
}

/** A domain may wait for weeks and outlive many workers: what was checked well ends the count of crashes. */
async function releaseCrashed(verdict: Verdict, { run, options }: Passage): Promise<void> {
  const { crashedJobs, requests } = options;
  const { id = '', stalledCounter } = run.job;
  if (stalledCounter === 0) return;
  await crashedJobs.leave(id);
  if (verdict.kind === 'waiting' && verdict.report?.state)
    await crashedJobs.forgive(requests.queue.toKey(id));
}

const levels = {
  done: 'info',
  superseded: 'info',
  waiting: 'info',
  retry: 'warn',
  failed: 'error',
  'handed-back': 'info',
} as const;

async function report(verdict: Verdict, { run, task, options }: Passage): Promise<void> {
  const { kind, code, nextRunAt, error } = verdict;
  const { state, mustAct, reasonCode } = verdict.report ?? {};
  const durationMs = performance.now() - run.startedAt;
  run.log(levels[kind], messages.outcome(verdict), {
    event: 'outcome',
    outcome: kind,
    ...(code && { code }),
    ...(state && { state }),
    ...(reasonCode && { reasonCode }),
    ...(mustAct && { mustAct }),
    ...(nextRunAt !== undefined && { nextRunAt: new Date(nextRunAt).toISOString() }),
    ...(error !== undefined && { err: error }),
    apiCalls: run.apiCalls(),
    durationMs: Math.round(durationMs),
  });
  options.observer?.ended({ name: run.job.name, verdict, durationMs, about: task?.fields });
  await run.logged();
}

/** A job that ends its process each time waits for a person, and the others go on. */
export async function quarantine(job: Job, options: PipelineOptions, draining: AbortSignal): Promise<void> {
  const run = createRun({ ...options, job, token: '', signal: draining, draining });
  const passage: Passage = { run, options, draining, bounded: (promise) => promise };
  try {
    const task = await parse(passage);
    run.about(task.fields);
    const verdict = { kind: 'failed', code: 'job-quarantined', sentence: messages.quarantined } as const;
    await task.record(verdict);
    await report(verdict, passage);
  } catch (error) {
    options.logger.error({ event: 'quarantine-failed', jobId: job.id }, options.scrub(reasonOf(error)));
  }
}
