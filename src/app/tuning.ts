// What tests, the soak and the demo run a worker with, in place of production's constants. No setting changes them.
import type { CallbackTiming } from '../callbacks/callbacks.ts';
import type { LedgerLimits } from '../certificates/ledger.ts';
import type { Backoff } from '../domains/backoff.ts';
import type { RetryPolicy } from '../queue/retry-policy.ts';
import type { Recovery } from '../queue/worker.ts';

export interface Tuning {
  readonly recovery?: Recovery | undefined;
  readonly backoff?: Backoff | undefined;
  readonly callbacks?: CallbackTiming | undefined;
  /** Default: as RETRY_FOR says. */
  readonly retryPolicy?: RetryPolicy | undefined;
  readonly reconcileIntervalMs?: number | undefined;
  /** Limits of Let's Encrypt that differ from the configured ones. */
  readonly limits?: Partial<LedgerLimits> | undefined;
  /** How long all workers pause after a 429 that does not say for how long. */
  readonly throttledMs?: number | undefined;
}
