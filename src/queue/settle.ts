// Verdicts as BullMQ's moves at the end of an attempt.

import { DelayedError, type Job, UnrecoverableError, WaitingError } from 'bullmq';
import { states } from '../domains/states.ts';
import { priorities } from '../jobs/catalog.ts';
import { hasNoTurn, type Line } from './line.ts';
import type { RetryPolicy } from './retry-policy.ts';
import type { Run } from './run.ts';
import type { Verdict } from './verdict.ts';

const KEEP_LOG_LINES = 100;

// Jobs of external producers have no options. The worker's own count for every job: there is one retry policy.
export function adopt(job: Job, { attempts }: RetryPolicy): void {
  const ours = { attempts, backoff: { type: 'custom' }, keepLogs: KEEP_LOG_LINES };
  // Retention is the worker's: a failed request must stay for a check and a retry.
  Object.assign(job.opts, ours, { removeOnComplete: undefined, removeOnFail: undefined });
}

/** BullMQ's backoff strategy. An error that is not ours (Redis went away in the middle) is tried again soon. */
export const toBackoff = (_made: number, _type: unknown, error?: Error): number =>
  error instanceof RetryLater ? error.delayMs : 1000;

/** A failed attempt as BullMQ gets it: no stack, no cause, nothing unscrubbed. */
export class RetryLater extends Error {
  readonly delayMs: number;
  constructor(sentence: string, delayMs: number) {
    super(sentence);
    this.name = 'RetryLater';
    this.delayMs = delayMs;
    this.stack = sentence;
  }
}

/** True for what settle() throws on purpose. */
export const isMove = (error: unknown): boolean =>
  error instanceof RetryLater ||
  error instanceof DelayedError ||
  error instanceof WaitingError ||
  error instanceof UnrecoverableError;

/** Tells BullMQ; the verdict's sentence is clean. Returns the job's result or throws what BullMQ takes for the move. */
export async function settle({ job, token }: Run, verdict: Verdict): Promise<string> {
  const reason = verdict.code ? `${verdict.code}: ${verdict.sentence}` : verdict.sentence;
  switch (verdict.kind) {
    case 'done':
    case 'superseded':
      return reason;
    case 'waiting':
      await giveUpTurn(job, bandOf(job, verdict));
      await job.moveToDelayed(verdict.nextRunAt ?? Date.now(), token);
      throw new DelayedError();
    case 'handed-back':
      await job.moveToWait(token);
      throw new WaitingError();
    case 'retry':
      await giveUpTurn(job, priorities.retry);
      throw new RetryLater(reason, verdict.delayMs ?? 0);
    case 'failed': {
      const failure = new UnrecoverableError(reason);
      failure.stack = reason;
      throw failure;
    }
  }
}

// A redeploy that waits for its delay has not been tried yet: it keeps its place before new additions.
function bandOf({ name }: Job, verdict: Verdict): number {
  if (name === 'redeploy-ssl' && verdict.report?.reasonCode === 'redeploy-delayed') return priorities[name];
  return isCheck(verdict) ? priorities.check : priorities.retry;
}

// A check of DNS or a certificate runs a hundred times, and must not delay new requests.
const isCheck = ({ goesBehind, report }: Verdict): boolean =>
  goesBehind ?? (report?.state !== undefined && !states[report.state].keepsTurn);

// Its turn is over. When it is due, it gets a new one.
async function giveUpTurn(job: Job, band: number): Promise<void> {
  if (job.priority !== band) await job.changePriority({ priority: band });
}

/**
 * A job that is due has no turn yet. If others wait, it goes back to take one, and this throws BullMQ's error of the move. It has
 * spent nothing. If its worker dies in between, it is taken again, with a turn or without.
 */
export async function standInLine({ job, token }: Run, lanes: readonly string[], line: Line): Promise<void> {
  if (!isDue(job) || (await line.isEmpty())) return;
  await job.changePriority({ priority: await line.place(lanes, job.priority) });
  await job.moveToWait(token);
  throw new WaitingError();
}

// A redeploy has no turn at its first run either. Other new jobs have theirs from our writers, or an external producer's priority.
const isDue = ({ priority, attemptsStarted, name }: Job): boolean =>
  hasNoTurn(priority) && (attemptsStarted > 1 || name === 'redeploy-ssl');
