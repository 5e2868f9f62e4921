// One activation of one job, as a value: parsed, with its calls counted and its story told. No BullMQ decisions here.
import type { Job } from 'bullmq';
import { withoutOthers } from '../domains/other-names.ts';
import type { Logger } from '../logger/logger.ts';
import type { ApiCall, CallOptions } from '../runcloud/runcloud.ts';

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
  /** Adds fields to every later line: which domain, who asked. */
  about(fields: object): void;
  /** Writes a sentence for the operator: into the job's log, which the board shows, and into the process's. */
  say(level: 'debug' | 'info' | 'warn' | 'error', sentence: string, fields?: object): void;
  /** Resolves when all sentences are in Redis; a lost sentence is no reason to fail a job. */
  told(): Promise<void>;
}

interface RunOptions {
  readonly job: Job;
  readonly token: string;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly scrub: (text: string) => string;
  /** Aborts when the worker stops: no more waiting, but what is under way goes on. */
  readonly draining: AbortSignal;
  /** Told when a call to RunCloud has come back. */
  readonly moved?: (() => void) | undefined;
}

/** A bare client may have chosen any. */
const MAX_SHOWN_ID = 300;

export function createRun({ job, token, signal, logger, scrub, draining, moved }: RunOptions): Run {
  const attempt = job.attemptsMade + 1;
  let log = logger.child({ job: job.name, jobId: job.id?.slice(0, MAX_SHOWN_ID), attempt });
  const writes: Promise<unknown>[] = [];
  let apiCalls = 0;

  const say: Run['say'] = (level, sentence, fields = {}) => {
    const text = scrub(sentence);
    log[level](fields, text);
    writes.push(job.log(`${new Date().toISOString()} ${text}`).catch(() => undefined));
  };
  const onCall = (call: ApiCall): void => {
    apiCalls += 1;
    moved?.();
    const ended = call.status === undefined ? 'no reply' : String(call.status);
    say('debug', `${call.method} ${call.path} -> ${ended} (${Math.round(call.durationMs)} ms)`, { call });
  };

  const onUnavailable: CallOptions['onUnavailable'] = ({ kind, sentence }) =>
    say('warn', `waiting: ${withoutOthers(sentence)}`, { event: 'unavailable', kind });

  return {
    job,
    token,
    signal,
    attempt,
    startedAt: performance.now(),
    calls: { signal, onCall, onUnavailable, onProgress: moved, waitSignal: draining },
    apiCalls: () => apiCalls,
    about(fields) {
      log = log.child(fields);
    },
    say,
    async told() {
      await Promise.all(writes);
    },
  };
}
