// One job from its activation to its end: parse, announce, wait while all are held, perform, record, report, settle.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from 'bullmq';
import type { Hold } from '../brake/brake.ts';
import { reasonOf, TransientError } from '../errors.ts';
import { asClause } from '../intent/names.ts';
import { withoutOthers } from '../intent/other-names.ts';
import { type Pause, type Pauses, toPausedSentence } from '../intent/pauses.ts';
import type { Logger } from '../logger.ts';
import { waiting } from '../outcome.ts';
import type { JobEnd, JobObserver } from './observer.ts';
import { createTask, type Task, type TaskOptions } from './perform.ts';
import type { RetryPolicy } from './retry-policy.ts';
import { createRun, type Run } from './run.ts';
import { isMove, RetryLater, settle } from './settle.ts';
import { SUSPECT_WAIT_MS, type Suspects } from './suspects.ts';
import { type Verdict, verdictOfError, verdictOfOutcome } from './verdict.ts';

export interface ProcessorOptions extends TaskOptions {
  readonly retryPolicy: RetryPolicy;
  readonly logger: Logger;
  /** Takes secrets out of a text. */
  readonly scrub: (text: string) => string;
  /** What holds all jobs at this moment: an outage, refused credentials, a closed gate. */
  readonly hold: () => Promise<Hold | undefined>;
  /** What a person has paused. */
  readonly pauses: Pick<Pauses, 'heldBy'>;
  readonly suspects: Suspects;
  readonly observer?: JobObserver | undefined;
  /** Told once of each job that a bare client has added: no door of ours has written down that it was asked for. */
  readonly onBareRequest?: ((asked: Task['asked']) => void) | undefined;
}

export type Processor = (job: Job, token: string, signal: AbortSignal) => Promise<string>;

export function createProcessor(options: ProcessorOptions, draining: AbortSignal): Processor {
  return async (job, token, signal) => {
    const run = createRun({ ...options, job, token, signal, draining });
    options.observer?.started();
    try {
      return await process(run, options, draining);
    } catch (error) {
      if (isMove(error)) throw error;
      // Redis failed us in the middle. What BullMQ keeps of it must be as clean as everything else.
      throw new RetryLater(options.scrub(reasonOf(error)), 1_000);
    } finally {
      options.observer?.finished();
    }
  };
}

async function process(run: Run, options: ProcessorOptions, draining: AbortSignal): Promise<string> {
  let task: Task | undefined;
  const perform = async (): Promise<Verdict> => {
    task = await createTask(run, options);
    announce(run, task);
    if (task.isBare && run.job.attemptsStarted <= 1) options.onBareRequest?.(task.asked);
    if (!(await isReleased(run, task, options, draining))) return handedBack;
    const work = await task.claim();
    if (typeof work !== 'function') return verdictOfOutcome(work, Date.now());
    const pause = await options.pauses.heldBy(task.subject);
    if (pause) return verdictOfPause(pause);
    const { id = '', stalledCounter } = run.job;
    if (!(await options.suspects.enter(id, stalledCounter, run.signal)))
      return verdictOfOutcome(suspectWaits, Date.now());
    return verdictOfOutcome(await work(), Date.now());
  };
  const judged = await perform().catch((error: unknown) => verdictOfFailure(error, run, options, draining));
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
  if (verdict.kind === 'waiting' && verdict.report?.stage) await suspects.forgive(requests.queue.toKey(id));
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

// A job that is taken while nothing can be done keeps its place, untouched: at most `concurrency` jobs wait here, all others
// stay in the queue, and a newer request may overtake it meanwhile. False where the worker stops: then it goes back.
async function isReleased(
  run: Run,
  task: Task,
  options: ProcessorOptions,
  draining: AbortSignal,
): Promise<boolean> {
  const signal = AbortSignal.any([run.signal, draining]);
  let said: string | undefined;
  for (let held = await heldOf(options); held; held = await heldOf(options)) {
    if (said !== held.kind) {
      options.observer?.held(held.kind);
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

// The sentence stands in the record of every domain: it names none, whatever RunCloud or a person wrote.
// A pause of everything is a hold like an outage: were each job sent away to look again every minute, ten thousand of them would
// be taken and moved sixty times an hour, and lose their order. (BullMQ's own pause knows no end, no reason and no scope.)
async function heldOf({ pauses, hold }: ProcessorOptions): Promise<Held | undefined> {
  const pause = await pauses.heldBy({});
  const held = pause
    ? { kind: 'paused' as const, waitMs: waitOf(pause), sentence: toPausedSentence(pause) }
    : await hold();
  return held && { ...held, sentence: withoutOthers(held.sentence) };
}

type Held = Omit<Hold, 'kind'> & { readonly kind: Hold['kind'] | 'paused' };

// A narrower pause must not keep the places of a worker from the other web applications: its jobs step aside, behind what is
// asked for now. They have been claimed, so that one which a newer request has overtaken ends, and the record says why it waits.
const verdictOfPause = (pause: Pause): Verdict => ({
  ...verdictOfOutcome(waiting(withoutOthers(toPausedSentence(pause)), waitOf(pause)), Date.now()),
  goesBehind: true,
});

/** After `resume` all goes on within this. */
const PAUSE_LOOK_MS = 60_000;

const waitOf = ({ leftMs = PAUSE_LOOK_MS }: Pause): number => Math.min(leftMs, PAUSE_LOOK_MS);

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
  const isUnsent = error instanceof TransientError && !error.attemptSpent;
  if (draining.aborted && (signal.aborted || isUnsent)) return handedBack;
  if (signal.aborted) return lostLock;
  return verdictOfError(error, retryPolicy, {
    attemptsMade: job.attemptsMade + 1,
    nowMs: Date.now(),
    random: Math.random(),
  });
}

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
    ...(verdict.report?.stage && { stage: verdict.report.stage }),
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
