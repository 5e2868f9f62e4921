// The result of an attempt, whatever the handler returned or threw: one value for the log, the record and BullMQ. Pure.

import type { Outcome, Report, Told } from '../domains/outcome.ts';
import {
  actorAfter,
  type Code,
  CodedError,
  PermanentError,
  reasonOf,
  TransientError,
  UnavailableError,
} from '../errors.ts';
import * as messages from './messages.ts';
import { nextDelayMs, type RetryPolicy } from './retry-policy.ts';

export interface Verdict extends Told {
  /** `retry` spends an attempt, `waiting` and `handed-back` do not. */
  readonly kind: 'done' | 'superseded' | 'waiting' | 'retry' | 'failed' | 'handed-back';
  readonly code?: Code | undefined;
  /** Milliseconds until the next check, for `waiting` and `retry`. */
  readonly delayMs?: number | undefined;
  readonly nextRunAt?: number | undefined;
  /** With `waiting`: its next check goes behind what is requested now. */
  readonly goesBehind?: true;
  /** What it changes in the domain's record. */
  readonly report?: Report | undefined;
  /** A bug's stack, for the log only. */
  readonly error?: unknown;
}

export const handedBack: Verdict = {
  kind: 'handed-back',
  sentence: messages.handedBack,
  report: { reasonCode: 'worker-stopping' },
};

/** Ends an attempt before its handler runs. */
export class Ended extends Error {
  readonly verdict: Verdict;
  constructor(verdict: Verdict) {
    super(verdict.sentence);
    this.verdict = verdict;
  }
}

export function end(outcome: Outcome): never {
  throw new Ended(verdictOfOutcome(outcome, Date.now()));
}

interface Moment {
  readonly attemptsMade: number;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly random: number;
}

export function verdictOfOutcome(outcome: Outcome, nowMs: number): Verdict {
  if (outcome.kind !== 'waiting') return outcome;
  return { ...outcome, nextRunAt: nowMs + outcome.delayMs };
}

/** `attemptsMade` counts the one that just failed. */
export function verdictOfError(
  error: unknown,
  policy: RetryPolicy,
  { attemptsMade, nowMs, random }: Moment,
): Verdict {
  const known = error instanceof CodedError;
  const code = known ? error.code : ('unexpected' as const);
  const what = { sentence: reasonOf(error), code, error: known ? undefined : error };
  if (isUnavailable(error))
    return { kind: 'waiting', ...what, delayMs: UNAVAILABLE_MS, nextRunAt: nowMs + UNAVAILABLE_MS };
  const delayMs = error instanceof PermanentError ? undefined : nextDelayMs(policy, attemptsMade, random);
  if (delayMs === undefined)
    return { kind: 'failed', ...what, report: { state: 'failed', reasonCode: code } };
  return {
    kind: 'retry',
    ...what,
    delayMs,
    nextRunAt: nowMs + delayMs,
    report: reportOf(error, code, attemptsMade),
  };
}

function reportOf(error: unknown, reasonCode: Code, attemptsMade: number): Report | undefined {
  const mustAct = actorAfter(error, attemptsMade);
  return mustAct && { state: 'held', reasonCode, mustAct };
}

// The job goes back, and its next run waits as long as the rate limiter says (wait.ts).
const UNAVAILABLE_MS = 1_000;

const isUnavailable = (error: unknown): boolean =>
  error instanceof UnavailableError || (error instanceof TransientError && !error.attemptSpent);
