// What an attempt means: delivered, retried later, or given up. Pure.
import type { ReasonCode } from '../domains/reasons.ts';
import { nextDelayMs } from '../queue/retry-policy.ts';
import { answered, gaveUp, gone, redirected } from './messages.ts';

/** An attempt that got no status. */
export interface FailedAttempt {
  readonly reasonCode: ReasonCode;
  readonly error: string;
}

/** What came of one attempt: the receiver's status, or why there is none. */
export type Attempt = { readonly status: number; readonly retryAfter?: string | undefined } | FailedAttempt;

export interface Circumstances {
  /** Includes the attempt that was just made. */
  readonly attemptsMade: number;
  /** Since the delivery was created. */
  readonly ageMs: number;
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random: number;
}

/** Why a message was not delivered: a code and a sentence. */
export interface DeliveryError {
  readonly reasonCode: ReasonCode;
  readonly sentence: string;
}

export type Judgement =
  | { readonly kind: 'delivered'; readonly sentence: string }
  | ({ readonly kind: 'retry'; readonly delayMs: number } & DeliveryError)
  | ({ readonly kind: 'failed' } & DeliveryError);

const HOUR_MS = 3_600_000;
/** The last attempt is made at the end of this time. */
export const KEEP_TRYING_MS = 72 * HOUR_MS;
/** About 35 attempts in three days. */
const BACKOFF = { attempts: Number.POSITIVE_INFINITY, backoffMs: 5_000, backoffMaxMs: 4 * HOUR_MS };
const MAX_RETRY_AFTER_MS = 12 * HOUR_MS;

export function judge(attempt: Attempt, circumstances: Circumstances): Judgement {
  if ('error' in attempt) {
    const { reasonCode, error } = attempt;
    return retry({ reasonCode, sentence: error }, 0, circumstances);
  }
  const { status, retryAfter } = attempt;
  if (status >= 200 && status < 300) return { kind: 'delivered', sentence: answered(status) };
  if (status === 410) return { kind: 'failed', reasonCode: 'receiver-gone', sentence: gone };
  if (status >= 300 && status < 400)
    return retry({ reasonCode: 'receiver-redirects', sentence: redirected(status) }, 0, circumstances);
  const requestedMs = status === 429 || status === 503 ? toRetryAfterMs(retryAfter, circumstances.nowMs) : 0;
  const error: DeliveryError = { reasonCode: 'receiver-error', sentence: answered(status) };
  return retry(error, Math.min(requestedMs, MAX_RETRY_AFTER_MS), circumstances);
}

/**
 * `leastMs`: the receiver's Retry-After. Our own backoff is the lower bound: a "0" makes no endless
 * loop.
 */
function retry(error: DeliveryError, leastMs: number, circumstances: Circumstances): Judgement {
  const { attemptsMade, ageMs, random } = circumstances;
  const leftMs = KEEP_TRYING_MS - ageMs;
  if (leftMs <= 0) return { kind: 'failed', ...error, sentence: gaveUp(error.sentence) };
  const ownMs = nextDelayMs(BACKOFF, attemptsMade, random) ?? BACKOFF.backoffMaxMs;
  return { kind: 'retry', ...error, delayMs: Math.min(Math.max(ownMs, leastMs), leftMs) };
}

/** Seconds, or a date (RFC 9110, 10.2.3); 0 if it is neither. */
function toRetryAfterMs(header: string | undefined, nowMs: number): number {
  const value = header?.trim() ?? '';
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const at = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} [\d:]{8} GMT$/.test(value) ? Date.parse(value) : 0;
  return Math.max(0, (at || 0) - nowMs);
}
