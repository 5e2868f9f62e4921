// When a failed attempt is tried again. Pure.

export interface RetryPolicy {
  /** Tries in all, the first included. */
  readonly attempts: number;
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
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
