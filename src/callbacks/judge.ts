// What an attempt means: delivered, tried again later, or given up. Pure.
import { nextDelayMs } from '../queue/retry-policy.ts';

/** What came of one attempt: the receiver's status, or why there is none. */
export type Attempt =
  | { readonly status: number; readonly retryAfter?: string | undefined }
  | { readonly error: string };

export interface Circumstances {
  /** The attempt that was just made counts. */
  readonly attemptsMade: number;
  /** Since the delivery was asked for. */
  readonly ageMs: number;
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random: number;
}

export type Judgement =
  | { readonly kind: 'delivered'; readonly sentence: string }
  | { readonly kind: 'retry'; readonly sentence: string; readonly delayMs: number }
  | { readonly kind: 'failed'; readonly sentence: string };

const HOUR_MS = 3_600_000;
/** Then it is given up; the last attempt is made at that moment. */
export const KEEP_TRYING_MS = 72 * HOUR_MS;
/** About 35 attempts in three days. */
const BACKOFF = { attempts: Number.POSITIVE_INFINITY, backoffMs: 5_000, backoffMaxMs: 4 * HOUR_MS };
const MAX_RETRY_AFTER_MS = 12 * HOUR_MS;

export function judge(attempt: Attempt, circumstances: Circumstances): Judgement {
  if ('error' in attempt) return again(attempt.error, 0, circumstances);
  const { status, retryAfter } = attempt;
  if (status >= 200 && status < 300) return { kind: 'delivered', sentence: `answered ${status}` };
  if (status === 410) {
    const sentence = 'answered 410 (gone): this URL is not tried again for this message';
    return { kind: 'failed', sentence };
  }
  if (status >= 300 && status < 400) {
    const sentence = `answered ${status}: redirects are not followed, put the final address into CALLBACK_URLS`;
    return again(sentence, 0, circumstances);
  }
  const asked = status === 429 || status === 503 ? toRetryAfterMs(retryAfter, circumstances.nowMs) : 0;
  return again(`answered ${status}`, Math.min(asked, MAX_RETRY_AFTER_MS), circumstances);
}

/** `leastMs`: what the receiver asked for; never sooner than our own backoff, so that "0" does not make it an endless loop. */
function again(sentence: string, leastMs: number, { attemptsMade, ageMs, random }: Circumstances): Judgement {
  const leftMs = KEEP_TRYING_MS - ageMs;
  if (leftMs <= 0) return { kind: 'failed', sentence: `${sentence}; given up after three days` };
  const ownMs = nextDelayMs(BACKOFF, attemptsMade, random) ?? BACKOFF.backoffMaxMs;
  return { kind: 'retry', sentence, delayMs: Math.min(Math.max(ownMs, leastMs), leftMs) };
}

/** Seconds, or a date (RFC 9110, 10.2.3); 0 where it is neither. */
function toRetryAfterMs(header: string | undefined, nowMs: number): number {
  const value = header?.trim() ?? '';
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const at = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} [\d:]{8} GMT$/.test(value) ? Date.parse(value) : 0;
  return Math.max(0, (at || 0) - nowMs);
}
