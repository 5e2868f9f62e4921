// One job from its activation to its end: parse, announce, wait while all are held, perform, record, report, settle.

import type { Job } from 'bullmq';
import { waiting } from '../domains/outcome.ts';
import { asClause } from '../domains/sentences.ts';
import { reasonOf, TransientError } from '../errors.ts';
import type { Logger } from '../logger/logger.ts';
import { type Bounds, createBound, type Excuses, StuckError } from './bound.ts';
import { SUSPECT_WAIT_MS, type Suspects } from './crashed-jobs.ts';
import { isReleased, verdictOfPause, type WaitOptions } from './holds.ts';
import type { JobEnd } from './observer.ts';
import { createTask, type Task, type TaskOptions } from './perform.ts';
import type { RetryPolicy } from './retry-policy.ts';
import { createRun, type Run } from './run.ts';
import { isMove, RetryLater, settle, standInLine } from './settle.ts';
import { type Verdict, verdictOfError, verdictOfOutcome } from './verdict.ts';

export interface ProcessorOptions extends TaskOptions, WaitOptions {
  readonly retryPolicy: RetryPolicy;
  readonly logger: Logger;
  /** Takes secrets out of a text. */
  readonly scrub: (text: string) => string;
  readonly suspects: Suspects;
  /** After which a job is given up, and what it may wait for meanwhile. */
  readonly bounds: Bounds;
  readonly excuses: Excuses;
  /** Told once of each job that a program has added through Redis: no door of ours has written down that it was asked for. */
  readonly onBareRequest?: ((asked: Task['asked']) => void) | undefined;
}

export type Processor = (job: Job, token: string, signal: AbortSignal) => Promise<string>;

export function createProcessor(options: ProcessorOptions, draining: AbortSignal): Processor {
  return async (job, token, signal) => {
    const bound = createBound(options.bounds, options.excuses);
    const ends = AbortSignal.any([signal, bound.signal]);
    const run = createRun({ ...options, job, token, signal: ends, draining, moved: bound.moved });
    options.observer?.started();
    try {
      return await process(run, options, draining, (work) => bound.keep(work, signal));
    } catch (error) {
      if (isMove(error)) throw error;
      // Redis failed us in the middle. What BullMQ keeps of it must be as clean as everything else.
      throw new RetryLater(options.scrub(reasonOf(error)), 1_000);
    } finally {
      options.observer?.finished();
    }
  };
}

type Keep = <T>(work: Promise<T>) => Promise<T>;

async function process(
  run: Run,
  options: ProcessorOptions,
  draining: AbortSignal,
  keep: Keep,
): Promise<string> {
  let task: Task | undefined;
  const perform = async (): Promise<Verdict> => {
    task = await createTask(run, options);
    if (task.isUnwritten && run.job.attemptsStarted <= 1) options.onBareRequest?.(task.asked);
    await standInLine(run, task.lanes, options.requests.line);
    announce(run, task);
    if (!(await isReleased(run, task, options, draining))) return handedBack;
    return keep(carryOut(task, run, options));
  };
  const judged = await perform().catch((error: unknown) => {
    if (isMove(error)) throw error;
    return verdictOfFailure(error, run, options, draining);
  });
  const clean = (text: string): string => toSentence(options.scrub(text));
  const { sentence, forDomains } = judged;
  const said = { sentence: clean(sentence), forDomains: forDomains && clean(forDomains) };
  const verdict = { ...judged, ...said };
  // The record first: when BullMQ forgets a job, the record has its outcome.
  const recorded = task ? await task.record(verdict) : verdict;
  if (run.job.stalledCounter > 0) await clear(run, recorded, options);
  report(run, recorded);
  options.observer?.ended(toEnd(run, recorded, task));
  await run.told();
  return settle(run, recorded);
}

async function carryOut(task: Task, run: Run, options: ProcessorOptions): Promise<Verdict> {
  const work = await task.claim();
  if (typeof work !== 'function') return verdictOfOutcome(work, Date.now());
  const pause = await options.pauses.pausedBy(task.subject);
  if (pause) return verdictOfPause(pause);
  const { id = '', stalledCounter } = run.job;
  if (!(await options.suspects.enter(id, stalledCounter, run.signal)))
    return verdictOfOutcome(suspectWaits, Date.now());
  return verdictOfOutcome(await work(), Date.now());
}

/** It stands in the record, its history, the job, its log and the log: a hundred names' worth of reasons must not. */
const LONGEST_SENTENCE = 2_000;
const toSentence = (text: string): string =>
  text.length <= LONGEST_SENTENCE ? text : `${text.slice(0, LONGEST_SENTENCE)}…`;

// A domain may wait for weeks, and outlive many a worker: what it was looked at well counts, not how often somebody died before.
async function clear(
  { job }: Run,
  verdict: Verdict,
  { suspects, requests }: ProcessorOptions,
): Promise<void> {
  const id = job.id ?? '';
  await suspects.leave(id);
  if (verdict.kind === 'waiting' && verdict.report?.state) await suspects.forgive(requests.queue.toKey(id));
}

/** A job that ends its process each time must not do so for ever: it waits for a person, and the others go on. */
export async function quarantine(job: Job, options: ProcessorOptions, draining: AbortSignal): Promise<void> {
  const run = createRun({ ...options, job, token: '', signal: draining, draining });
  const verdict: Verdict = {
    kind: 'failed',
    code: 'job-quarantined',
    sentence: 'this job has ended its worker several times over and is not tried again by itself',
  };
  try {
    const task = await createTask(run, options);
    run.about(task.fields);
    await task.record(verdict);
    report(run, verdict);
    options.observer?.ended(toEnd(run, verdict, task));
  } catch (error) {
    options.logger.error({ event: 'quarantine-failed', jobId: job.id }, options.scrub(reasonOf(error)));
  }
}

const handedBack: Verdict = {
  kind: 'handed-back',
  sentence: 'the worker is stopping; the job goes back to the queue',
};

const suspectWaits = waiting(
  'its worker died more than once; it runs when no other such job does',
  SUSPECT_WAIT_MS,
);

const lostLock: Verdict = {
  kind: 'handed-back',
  sentence: 'another worker has taken this job over',
};

function verdictOfFailure(
  error: unknown,
  { job, signal }: Run,
  { retryPolicy }: ProcessorOptions,
  draining: AbortSignal,
): Verdict {
  if (error instanceof StuckError) return verdictOf(error, job, retryPolicy);
  const isUnsent = error instanceof TransientError && !error.attemptSpent;
  if (draining.aborted && (signal.aborted || isUnsent)) return handedBack;
  if (signal.aborted) return lostLock;
  return verdictOf(error, job, retryPolicy);
}

const verdictOf = (error: unknown, { attemptsMade }: Job, retryPolicy: RetryPolicy): Verdict =>
  verdictOfError(error, retryPolicy, {
    attemptsMade: attemptsMade + 1,
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
  run.say(levels[kind], `${kind}: ${next === '' ? sentence : asClause(sentence)}${next}`, {
    event: 'outcome',
    outcome: kind,
    ...(code && { code }),
    ...(verdict.report?.state && { state: verdict.report.state }),
    ...(verdict.report?.mustAct && { mustAct: verdict.report.mustAct }),
    ...(nextRunAt !== undefined && { nextRunAt: new Date(nextRunAt).toISOString() }),
    ...(error !== undefined && { err: error }),
    apiCalls: run.apiCalls(),
    durationMs: Math.round(performance.now() - run.startedAt),
  });
}

const toEnd = ({ job, startedAt }: Run, verdict: Verdict, task: Task | undefined): JobEnd => ({
  name: job.name,
  verdict,
  durationMs: performance.now() - startedAt,
  about: task?.fields,
});

const toSeconds = (ms: number): string => `${ms < 10_000 ? (ms / 1000).toFixed(1) : Math.round(ms / 1000)} s`;
