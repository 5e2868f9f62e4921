// Who wants to know what becomes of jobs: metrics, heartbeat. Types only.
import type { Verdict } from './verdict.ts';

export interface JobEnd {
  readonly name: string;
  readonly verdict: Verdict;
  readonly durationMs: number;
  /** What the job was understood to be about, as its log lines have it; undefined where it was not understood. */
  readonly about: Readonly<Record<string, unknown>> | undefined;
}

/** Nothing that an observer does may throw. */
export interface JobObserver {
  /** A worker has taken a job, and is done with it. */
  started(): void;
  finished(): void;
  /** No job can run, and this one begins to wait; once per reason: `paused`, or as Unavailable has it. */
  waits(kind: string): void;
  ended(end: JobEnd): void;
}
