// When a failed attempt is tried again. Pure.

export interface RetryPolicy {
  /** Tries in all, the first included. */
  readonly attempts: number;
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
}

const FIRST_DELAY_MS = 5_000;
const LONGEST_DELAY_MS = 900_000;
/** Halfway between the least and the most jitter. */
const MEAN = 0.5;

/** Retries for `retryForMs` (RETRY_FOR) on average; 0: one attempt. Jitter makes it up to a third shorter or longer. */
export function retryPolicyFor(retryForMs: number): RetryPolicy {
  const unlimited = {
    attempts: Number.POSITIVE_INFINITY,
    backoffMs: FIRST_DELAY_MS,
    backoffMaxMs: LONGEST_DELAY_MS,
  };
  let attempts = 1;
  for (let spanMs = 0; spanMs < retryForMs; attempts += 1)
    spanMs += nextDelayMs(unlimited, attempts, MEAN) ?? 0;
  return { ...unlimited, attempts };
}

/**
 * Milliseconds before the next try after `attemptsMade` failed ones, or undefined when the budget is spent.
 * The wait doubles from `backoffMs` to `backoffMaxMs`; jitter takes up to half of it away, so that jobs which failed
 * together do not come back together. `random` is in [0, 1).
 */
export function nextDelayMs(policy: RetryPolicy, attemptsMade: number, random: number): number | undefined {
  if (attemptsMade >= policy.attempts) return undefined;
  const full = Math.min(policy.backoffMs * 2 ** Math.min(attemptsMade - 1, 50), policy.backoffMaxMs);
  return Math.round(full * (1 - random / 2));
}
