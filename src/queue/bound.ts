// No job keeps its place in a worker for ever: one to which nothing comes back any more is given up, and tried again later. What its
// handler still does is cut off from RunCloud (run.signal) and from the fence. Time is counted in looks: a process that was
// suspended has not waited.
import { TransientError } from '../errors.ts';

export interface Bounds {
  /** For so long nothing has come back to the job: longer than any one step may take. */
  readonly stillMs: number;
  /** For so long it has been at work, whatever came back; waiting for a turn at the brake does not count. */
  readonly wholeMs: number;
  readonly lookMs: number;
  /** What heeds its signal has this long to end what it is at, and to give the fence back. */
  readonly graceMs: number;
}

const MINUTE_MS = 60_000;

/** `callMs`: the longest that one call to RunCloud may take. All other steps (DNS, a page, a handshake) end within half a minute. */
export const toBounds = (callMs: number): Bounds => ({
  stillMs: MINUTE_MS + 2 * callMs,
  wholeMs: 60 * MINUTE_MS,
  lookMs: 1_000,
  graceMs: 1_000,
});

export class StuckError extends TransientError {
  constructor(what: string) {
    const sentence = `${what}, so it was given up; its place in the worker is free, and it is tried again`;
    super('job-stuck', sentence);
    this.mustAct = 'operator';
  }
}

/** What a job may wait for through no fault of its own. */
export interface Excuses {
  /** The longest that a call of this process has been waiting for its turn at the brake, in milliseconds; 0: none waits. */
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
  const { lookMs, graceMs } = bounds;
  const over = new AbortController();
  const { look, moved } = createCount(bounds, excuses);
  return {
    signal: over.signal,
    moved,
    async keep(work, stopped) {
      work.catch(() => undefined);
      const { promise: end, reject: giveUp } = Promise.withResolvers<never>();
      const timers: NodeJS.Timeout[] = [];
      const afterGrace = (reason: Error): void => void timers.push(setTimeout(giveUp, graceMs, reason));
      const looking = setInterval(() => {
        const stuck = look();
        if (!stuck) return;
        clearInterval(looking);
        over.abort(stuck);
        afterGrace(stuck);
      }, lookMs);
      const stop = (): void => afterGrace(new Error('the job was interrupted'));
      if (stopped.aborted) stop();
      else stopped.addEventListener('abort', stop, { once: true });
      try {
        return await Promise.race([work, end]);
      } catch (error) {
        // How it fails once it is given up is our own doing.
        throw over.signal.aborted ? over.signal.reason : error;
      } finally {
        clearInterval(looking);
        timers.forEach(clearTimeout);
        stopped.removeEventListener('abort', stop);
      }
    },
  };
}

function createCount({ stillMs, wholeMs, lookMs }: Bounds, { turnMs, isRedisAway }: Excuses) {
  let still = 0;
  let whole = 0;
  return {
    moved(): void {
      still = 0;
    },
    look(): StuckError | undefined {
      still = isRedisAway() ? 0 : still + lookMs;
      const longestTurnMs = turnMs();
      if (longestTurnMs === 0) whole += lookMs;
      // It may share the reading of another job that waits for its turn.
      if (still >= stillMs && longestTurnMs < stillMs / 2)
        return new StuckError(`nothing came back to this job for ${toText(stillMs)}`);
      return whole >= wholeMs ? new StuckError(`this job was at work for ${toText(wholeMs)}`) : undefined;
    },
  };
}

const toText = (ms: number): string =>
  ms < MINUTE_MS ? `${ms / 1000} s` : `${Math.round(ms / MINUTE_MS)} min`;
