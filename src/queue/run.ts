// One run of one job, as a value: its signal, its calls, its log.
import type { Job } from 'bullmq';
import { withoutOthers } from '../domains/other-names.ts';
import type { Logger } from '../logger/logger.ts';
import type { ApiCall, CallOptions } from '../runcloud/runcloud.ts';
import * as messages from './messages.ts';

export interface Run {
  readonly job: Job;
  readonly token: string;
  /** Aborts when the job is no longer this run's: the worker stops, another one has it, or it was given up (bound.ts). */
  readonly signal: AbortSignal;
  /** 1 for the first try. */
  readonly attempt: number;
  readonly startedAt: number;
  /** Handed to RunCloud's client: how to stop, and the counting of calls. */
  readonly calls: CallOptions;
  apiCalls(): number;
  /** Adds fields to every later line: the domain, the requester. */
  about(fields: object): void;
  /** Writes a sentence into the job's log, which the board shows, and into the process's. */
  log(level: 'debug' | 'info' | 'warn' | 'error', sentence: string, fields?: object): void;
  /** Resolves when all sentences are in Redis. A lost sentence fails no job. */
  logged(): Promise<void>;
}

interface RunOptions {
  readonly job: Job;
  readonly token: string;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly scrub: (text: string) => string;
  /** Aborts when the worker stops: no more waiting, but what is under way goes on. */
  readonly draining: AbortSignal;
  /** Called when a call to RunCloud has come back. */
  readonly moved?: (() => void) | undefined;
}

/** An external producer may have chosen any. */
const MAX_SHOWN_ID = 300;

export function createRun({ job, token, signal, logger, scrub, draining, moved }: RunOptions): Run {
  const attempt = job.attemptsMade + 1;
  let lines = logger.child({ job: job.name, jobId: job.id?.slice(0, MAX_SHOWN_ID), attempt });
  const writes: Promise<unknown>[] = [];
  let apiCalls = 0;

  const log: Run['log'] = (level, sentence, fields = {}) => {
    const text = scrub(sentence);
    lines[level](fields, text);
    writes.push(job.log(`${new Date().toISOString()} ${text}`).catch(() => undefined));
  };
  const onCall = (call: ApiCall): void => {
    apiCalls += 1;
    moved?.();
    const ended = call.status === undefined ? 'no reply' : String(call.status);
    log('debug', `${call.method} ${call.path} -> ${ended} (${Math.round(call.durationMs)} ms)`, { call });
  };

  const onUnavailable: CallOptions['onUnavailable'] = ({ kind, sentence }) =>
    log('warn', messages.waitingFor(withoutOthers(sentence)), { event: 'unavailable', kind });

  return {
    job,
    token,
    signal,
    attempt,
    startedAt: performance.now(),
    calls: { signal, onCall, onUnavailable, onProgress: moved, waitSignal: draining },
    apiCalls: () => apiCalls,
    about(fields) {
      lines = lines.child(fields);
    },
    log,
    async logged() {
      await Promise.all(writes);
    },
  };
}
