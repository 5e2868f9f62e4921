// One writer per domain, and one per certificate. A write is sent only inside a lease, which is renewed while the process lives. A
// worker that was paused or cut off cannot undo newer work when it wakes up. Time is this process's own monotonic clock.
import { randomUUID } from 'node:crypto';
import type { CallOptions } from '../runcloud/runcloud.ts';
import type { Lease, Writes } from './writes.ts';

/** The result of a write under a lease. `at`: its end, by Redis' clock. */
export type Leased<T> =
  | { readonly fate: 'written'; readonly value: T; readonly at: number }
  | { readonly fate: 'superseded' | 'busy' };

/** Shorter than BullMQ takes to find a dead worker's job (ADR 4), so the next run need not wait. */
export const LEASE_MS = 9_000;
const RENEW_EVERY_MS = 2_500;
/** Nothing is sent in the last part of a lease: each write has left before another run may write. */
const MARGIN_MS = 1_500;

/** A write that needs a lease: what is written to, by which job. */
export interface Write<Key, T> extends Pick<Lease, 'kind' | 'www' | 'lateMs' | 'lagMs'> {
  readonly key: Key;
  readonly jobId: string;
  /** Whether an error proves that the write had no effect. Default: none does. */
  readonly hadNoEffect?: ((error: unknown) => boolean) | undefined;
  /** RunCloud's id of what was attached, from its reply. */
  readonly toAttachedId?: (value: T) => number | undefined;
}

/**
 * Runs `send` under the lease of `key`. The options that it gets abort the call if the lease cannot be renewed. Rethrows what
 * `send` throws, after the lease is released.
 */
export async function underLease<Key, T>(
  store: Writes<Key>,
  { key, jobId, kind, www, lateMs, lagMs, toAttachedId, hadNoEffect }: Write<Key, T>,
  calls: CallOptions,
  send: (calls: CallOptions) => Promise<T>,
): Promise<Leased<T>> {
  if (calls.signal?.aborted) throw new Error('Another run has taken over the job. Nothing was written');
  const lease: Lease = { holder: `${jobId} ${randomUUID()}`, leaseMs: LEASE_MS, kind, www, lateMs, lagMs };
  const requestedAt = clock();
  const fate = await store.beginWrite(key, jobId, lease);
  if (fate !== 'acquired') return { fate };
  const keeper = keepAlive(
    { renew: () => store.renewWrite(key, lease), confirm: () => store.renewWrite(key, lease, jobId) },
    requestedAt,
    calls.signal,
  );
  try {
    const value = await send(keeper.options(calls));
    const at = await store.endWrite(key, lease, { fate: 'done', attachedId: toAttachedId?.(value) });
    return { fate: 'written', value, at };
  } catch (error) {
    await store.endWrite(key, lease, { fate: hadNoEffect?.(error) ? 'refused' : 'unknown' });
    throw error;
  } finally {
    keeper.stop();
  }
}

interface LeaseKeeper {
  options(calls: CallOptions): CallOptions;
  stop(): void;
}

interface LeaseCalls {
  /** Renews the lease; false if it is lost. */
  renew(): Promise<boolean>;
  /** The same, right before the write is sent; false also if a newer request has taken over. */
  confirm(): Promise<boolean>;
}

// A suspended machine stops the monotonic clock, and an operator may set the other one: either may end a lease.
interface Clock {
  readonly monotonic: number;
  readonly wall: number;
}
const clock = (): Clock => ({ monotonic: performance.now(), wall: Date.now() });
const elapsedMs = (since: Clock): number =>
  Math.max(performance.now() - since.monotonic, Date.now() - since.wall);

// The lease counts from before each call of Redis: the reply may take long. An aborted run renews nothing more: its lease runs
// out, whatever the write does, and the next run may write.
function keepAlive(
  { renew, confirm }: LeaseCalls,
  acquiredAt: Clock,
  ended: AbortSignal | undefined,
): LeaseKeeper {
  const lost = new AbortController();
  let renewedAt = acquiredAt;
  const isValid = (): boolean =>
    !ended?.aborted && !lost.signal.aborted && elapsedMs(renewedAt) < LEASE_MS - MARGIN_MS;
  const prolong = async (call: () => Promise<boolean>): Promise<boolean> => {
    const requestedAt = clock();
    const isRenewed = await call();
    if (isRenewed) renewedAt = requestedAt;
    return isRenewed;
  };
  const lose = (): void => lost.abort(new Error('The lease has run out'));
  const renewOrLose = (): void => {
    // Now, if the next renewal would come after the end of the lease.
    if (elapsedMs(renewedAt) + RENEW_EVERY_MS >= LEASE_MS) {
      lose();
      return;
    }
    prolong(renew).then(
      (isRenewed) => {
        if (!isRenewed) lose();
      },
      () => undefined, // Redis is unreachable: the clock decides
    );
  };
  const timer = setInterval(renewOrLose, RENEW_EVERY_MS);
  const stop = (): void => clearInterval(timer);
  ended?.addEventListener('abort', stop, { once: true });
  return {
    options: (calls) => ({
      ...calls,
      signal: AbortSignal.any([lost.signal, ...(calls.signal ? [calls.signal] : [])]),
      // Without Redis nothing proves that the lease is still ours.
      mayWrite: async () => isValid() && (await prolong(confirm).catch(() => false)) && isValid(),
    }),
    stop() {
      stop();
      ended?.removeEventListener('abort', stop);
    },
  };
}
