// One writer per domain, and one per certificate: a write goes out only inside a lease that is renewed while we live, so that a worker which was
// paused or cut off cannot undo newer work when it wakes up. Time is this process's own monotonic clock.
import { randomUUID } from 'node:crypto';
import type { CallOptions } from '../runcloud/runcloud.ts';
import type { Lease, Writes } from './writes.ts';

/** What became of a write under the fence. `at`: its end, by Redis' clock. */
export type Leased<T> =
  | { readonly fate: 'written'; readonly value: T; readonly at: number }
  | { readonly fate: 'superseded' | 'busy' };

/** Shorter than a dead worker's job takes to be noticed (ADR 4), so that its successor need not wait. */
export const LEASE_MS = 9_000;
const RENEW_EVERY_MS = 2_500;
/** Kept free at the end of a lease: what is sent until then has left before anybody else may write. */
const MARGIN_MS = 1_500;

/** A write that wants the fence: what is written to, by which job. */
export interface Write<Key, T> extends Pick<Lease, 'kind' | 'www' | 'lateMs' | 'lagMs'> {
  readonly key: Key;
  readonly jobId: string;
  /** Whether what was thrown says for certain that the write had no effect. Default: nothing does. */
  readonly hadNoEffect?: ((error: unknown) => boolean) | undefined;
  /** RunCloud's id of what was attached, from its reply. */
  readonly toAttachedId?: (value: T) => number | undefined;
}

/**
 * Runs `send` while holding the fence of `key`. The options that it gets end the call when the lease cannot
 * be renewed. Rethrows what `send` throws, after giving the fence back.
 */
export async function underLease<Key, T>(
  store: Writes<Key>,
  { key, jobId, kind, www, lateMs, lagMs, toAttachedId, hadNoEffect }: Write<Key, T>,
  calls: CallOptions,
  send: (calls: CallOptions) => Promise<T>,
): Promise<Leased<T>> {
  if (calls.signal?.aborted) throw new Error("the job is no longer this run's; nothing was written");
  const lease: Lease = { holder: `${jobId} ${randomUUID()}`, leaseMs: LEASE_MS, kind, www, lateMs, lagMs };
  const askedAt = clock();
  const fate = await store.beginWrite(key, jobId, lease);
  if (fate !== 'acquired') return { fate };
  const watch = keepAlive(
    { renew: () => store.renewWrite(key, lease), confirm: () => store.renewWrite(key, lease, jobId) },
    askedAt,
    calls.signal,
  );
  try {
    const value = await send(watch.options(calls));
    const at = await store.endWrite(key, lease, { fate: 'done', attachedId: toAttachedId?.(value) });
    return { fate: 'written', value, at };
  } catch (error) {
    await store.endWrite(key, lease, { fate: hadNoEffect?.(error) ? 'refused' : 'unknown' });
    throw error;
  } finally {
    watch.stop();
  }
}

interface Watch {
  options(calls: CallOptions): CallOptions;
  stop(): void;
}

interface Keeper {
  /** Prolongs the lease; false where it is lost. */
  renew(): Promise<boolean>;
  /** The same, right before the write leaves; false also where a newer request has taken over. */
  confirm(): Promise<boolean>;
}

// A machine that was suspended stops the monotonic clock, a clock that was set moves the other one: either may end a lease.
interface Clock {
  readonly monotonic: number;
  readonly wall: number;
}
const clock = (): Clock => ({ monotonic: performance.now(), wall: Date.now() });
const elapsedMs = (since: Clock): number =>
  Math.max(performance.now() - since.monotonic, Date.now() - since.wall);

// The lease counts from before each request to Redis, since the reply may have been long on its way.
// Whose signal has aborted renews nothing more: whatever the write itself does, its lease runs out, and the next run may write.
function keepAlive({ renew, confirm }: Keeper, heldAt: Clock, ended: AbortSignal | undefined): Watch {
  const lost = new AbortController();
  let heldSince = heldAt;
  const isHeld = (): boolean =>
    !ended?.aborted && !lost.signal.aborted && elapsedMs(heldSince) < LEASE_MS - MARGIN_MS;
  const prolong = async (ask: () => Promise<boolean>): Promise<boolean> => {
    const askedAt = clock();
    const held = await ask();
    if (held) heldSince = askedAt;
    return held;
  };
  const lose = (): void => lost.abort(new Error('the right to write has run out'));
  const look = (): void => {
    // Now, where the next look would come after the lease has ended.
    if (elapsedMs(heldSince) + RENEW_EVERY_MS >= LEASE_MS) {
      lose();
      return;
    }
    prolong(renew).then(
      (held) => {
        if (!held) lose();
      },
      () => undefined, // Redis is away: the clock decides
    );
  };
  const timer = setInterval(look, RENEW_EVERY_MS);
  const stop = (): void => clearInterval(timer);
  ended?.addEventListener('abort', stop, { once: true });
  return {
    options: (calls) => ({
      ...calls,
      signal: AbortSignal.any([lost.signal, ...(calls.signal ? [calls.signal] : [])]),
      // Without Redis nobody can say that the right still stands.
      mayWrite: async () => isHeld() && (await prolong(confirm).catch(() => false)) && isHeld(),
    }),
    stop() {
      stop();
      ended?.removeEventListener('abort', stop);
    },
  };
}
