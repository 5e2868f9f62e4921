// What became of an attempt, whatever the handler returned or threw: one value for the log, the record and BullMQ. Pure.
import { type Code, CodedError, PermanentError, RateLimitedError, reasonOf } from '../errors.ts';
import type { Outcome } from '../outcome.ts';
import { nextDelayMs, type RetryPolicy } from './retry-policy.ts';

export interface Verdict {
  /** `retry` spends an attempt, `waiting` and `handed-back` do not. */
  readonly kind: 'done' | 'superseded' | 'waiting' | 'retry' | 'failed' | 'handed-back';
  readonly sentence: string;
  readonly code?: Code | undefined;
  /** Milliseconds until the next look, for `waiting` and `retry`. */
  readonly delayMs?: number | undefined;
  readonly nextRunAt?: number | undefined;
  /** A bug's stack, for the log only. */
  readonly error?: unknown;
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
  if (error instanceof RateLimitedError) {
    const delayMs = rateLimitDelayMs(error.retryAfterMs);
    return {
      kind: 'waiting',
      sentence: error.message,
      code: error.code,
      delayMs,
      nextRunAt: nowMs + delayMs,
    };
  }
  const known = error instanceof CodedError;
  const what = {
    sentence: reasonOf(error),
    code: known ? error.code : ('unexpected' as const),
    error: known ? undefined : error,
  };
  const delayMs = error instanceof PermanentError ? undefined : nextDelayMs(policy, attemptsMade, random);
  if (delayMs === undefined) return { kind: 'failed', ...what };
  return { kind: 'retry', ...what, delayMs, nextRunAt: nowMs + delayMs };
}

// RunCloud documents no Retry-After (docs/runcloud-api.md), so absurd values are possible.
const DEFAULT_RATE_LIMIT_DELAY_MS = 30_000;
export const rateLimitDelayMs = (retryAfterMs: number | undefined): number =>
  Math.min(Math.max(retryAfterMs ?? DEFAULT_RATE_LIMIT_DELAY_MS, 1000), 900_000);
