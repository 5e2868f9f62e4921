// A job that gets no reply any more is given up and retried later: it must not keep its place in the worker. Its handler is
// cut off from RunCloud (run.signal) and from the lease. Time is counted in ticks: a suspended process has not waited.
import { TransientError } from '../errors.ts';
import * as messages from './messages.ts';

export interface Bounds {
  /** The job got no reply for so long: longer than any one step may take. */
  readonly stillMs: number;
  /** The job runs for so long, whatever came back; waits for the rate limiter do not count. */
  readonly wholeMs: number;
  readonly tickMs: number;
  /** A handler that heeds its signal has this long to end, and to release the lease. */
  readonly graceMs: number;
}

const MINUTE_MS = 60_000;

/** `callMs`: the longest that one call to RunCloud may take. All other steps (DNS, a page, a handshake) end within half a minute. */
export const toBounds = (callMs: number): Bounds => ({
  stillMs: MINUTE_MS + 2 * callMs,
  wholeMs: 60 * MINUTE_MS,
  tickMs: 1_000,
  graceMs: 1_000,
});

export class StuckError extends TransientError {
  constructor(what: string) {
    super('job-stuck', messages.givenUp(what));
    this.mustAct = 'operator';
  }
}

/** What a job may wait for through no fault of its own. */
export interface Excuses {
  /** The longest that a call of this process has been waiting for the rate limiter, in milliseconds; 0: none waits. */
  readonly turnMs: () => number;
  /** Redis is away: all wait for it. */
  readonly isRedisAway: () => boolean;
}

export interface Bound {
  /** Aborts when the job is given up. */
  readonly signal: AbortSignal;
  /** Something has come back to the job. */
  moved(): void;
  /**
   * What `work` becomes. Rejects with StuckError where the job is given up, and a moment after `stopped` has aborted; what becomes of
   * `work` after that is nobody's business any more.
   */
  keep<T>(work: Promise<T>, stopped: AbortSignal): Promise<T>;
}

export function createBound(bounds: Bounds, excuses: Excuses): Bound {
  const { tickMs, graceMs } = bounds;
  const over = new AbortController();
  const { tick, moved } = createCount(bounds, excuses);
  return {
    signal: over.signal,
    moved,
    async keep(work, stopped) {
      work.catch(() => undefined);
      const { promise: end, reject: giveUp } = Promise.withResolvers<never>();
      const timers: NodeJS.Timeout[] = [];
      const afterGrace = (reason: Error): void => void timers.push(setTimeout(giveUp, graceMs, reason));
      const ticking = setInterval(() => {
        const stuck = tick();
        if (!stuck) return;
        clearInterval(ticking);
        over.abort(stuck);
        afterGrace(stuck);
      }, tickMs);
      const stop = (): void => afterGrace(new Error('The job was interrupted'));
      if (stopped.aborted) stop();
      else stopped.addEventListener('abort', stop, { once: true });
      try {
        return await Promise.race([work, end]);
      } catch (error) {
        // How it fails once it is given up is our own doing.
        throw over.signal.aborted ? over.signal.reason : error;
      } finally {
        clearInterval(ticking);
        timers.forEach(clearTimeout);
        stopped.removeEventListener('abort', stop);
      }
    },
  };
}

function createCount({ stillMs, wholeMs, tickMs }: Bounds, { turnMs, isRedisAway }: Excuses) {
  let still = 0;
  let whole = 0;
  return {
    moved(): void {
      still = 0;
    },
    tick(): StuckError | undefined {
      still = isRedisAway() ? 0 : still + tickMs;
      const longestTurnMs = turnMs();
      if (longestTurnMs === 0) whole += tickMs;
      // It may share the call of another job that waits for the rate limiter.
      if (still >= stillMs && longestTurnMs < stillMs / 2) return new StuckError(messages.noReply(stillMs));
      return whole >= wholeMs ? new StuckError(messages.ranTooLong(wholeMs)) : undefined;
    },
  };
}
