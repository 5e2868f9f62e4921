// What happens in this process, counted for the metrics: the rate limiter, the ledger, the jobs. Part of the wiring (app.ts).

import type { Ledger } from '../certificates/ledger.ts';
import type { DomainKey } from '../domains/domain.ts';
import { states } from '../domains/states.ts';
import type { DomainStore } from '../domains/store.ts';
import { jobNames } from '../jobs/catalog.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { JobEnd, JobObserver } from '../queue/pipeline.ts';
import type { Verdict } from '../queue/verdict.ts';
import type { RateLimiter } from '../rate-limit/limiter.ts';
import type { CallLimiter } from '../runcloud/runcloud.ts';

export interface ObservedLimiter extends CallLimiter {
  /** The longest that a call has been waiting here for its turn, in milliseconds; 0: none waits. */
  turnMs(): number;
}

export function observedLimiter(limiter: RateLimiter, metrics: Metrics): ObservedLimiter {
  /** When each began to wait; the oldest first. */
  const waiting = new Map<symbol, number>();
  return {
    turnMs() {
      const [oldest] = waiting.values();
      return oldest === undefined ? 0 : performance.now() - oldest;
    },
    async acquire(fingerprint, signal, onUnavailable) {
      const startedAt = performance.now();
      const one = Symbol('waits');
      waiting.set(one, startedAt);
      try {
        await limiter.acquire(fingerprint, signal, onUnavailable);
      } finally {
        waiting.delete(one);
      }
      metrics.apiWaited(performance.now() - startedAt);
    },
    report(report) {
      if (report.result === 'throttled') metrics.throttled();
      if (report.remaining !== undefined) metrics.rateLimit(report.remaining);
      return limiter.report(report);
    },
  };
}

/** An order that failed may be reported by each of its domains: it counts once, and so many are remembered for that. */
const REMEMBERED = 1_000;

export function observedLedger(ledger: Ledger, metrics: Metrics): Ledger {
  const failed = new Set<string>();
  return {
    ...ledger,
    async reserve(order, changed, replaces) {
      const permit = await ledger.reserve(order, changed, replaces);
      metrics.ordered(permit.kind, permit.kind === 'refused' ? permit.limit : undefined);
      return permit;
    },
    // An order that `peek` refuses is not taken any more.
    async peek(order, changed) {
      const permit = await ledger.peek(order, changed);
      if (permit.kind !== 'granted')
        metrics.ordered(permit.kind, permit.kind === 'refused' ? permit.limit : undefined);
      return permit;
    },
    async release(order, orderedAt) {
      await ledger.release(order, orderedAt);
      metrics.ordered('released');
    },
    failed(order, orderedAt, doubts) {
      const { app, domain = '' } = order;
      const id = `${app.serverId}:${app.appId}:${domain}:${orderedAt}`;
      if (!failed.has(id)) metrics.ordered('failed');
      failed.add(id);
      for (const oldest of failed) if (failed.size > REMEMBERED) failed.delete(oldest);
      return ledger.failed(order, orderedAt, doubts);
    },
  };
}

/** What a worker is at, for its heartbeat. */
export interface Activity {
  readonly running: number;
  readonly lastEndedAt: number | undefined;
}

export interface ObservedJobs {
  readonly observer: JobObserver;
  activity(): Activity;
}

export function observedJobs(metrics: Metrics, store: Pick<DomainStore, 'history'>): ObservedJobs {
  let running = 0;
  let lastEndedAt: number | undefined;
  return {
    activity: () => ({ running, lastEndedAt }),
    observer: {
      started() {
        running += 1;
      },
      finished() {
        running -= 1;
        lastEndedAt = Date.now();
      },
      waits: (kind) => metrics.waited(kind === 'paused' ? kind : `unavailable-${kind}`),
      ended(end) {
        const { kind: outcome, code } = end.verdict;
        // An external producer may send any name.
        const name = jobNames.find((known) => known === end.name) ?? 'unknown';
        metrics.jobEnded({ name, outcome, code, durationMs: end.durationMs });
        if (outcome === 'waiting') metrics.waited(reasonOf(end.verdict));
        const state = outcome === 'done' ? end.verdict.report?.state : undefined;
        if (state && states[state].liveSeconds === 'end') void tellLive(end, metrics, store);
      },
    },
  };
}

const reasonOf = ({ report, code }: Verdict): string =>
  report?.state ?? code ?? report?.reasonCode ?? 'other';

// From the request in the domain's history: a repetition, or the reconcile loop, does not make it younger.
async function tellLive({ about }: JobEnd, metrics: Metrics, store: Pick<DomainStore, 'history'>) {
  try {
    const steps = await store.history(about as unknown as DomainKey);
    const live = steps.find(({ state }) => states[state].liveSeconds === 'end');
    const requested = steps.find(({ state }) => states[state].liveSeconds === 'start');
    if (live && requested && live.at >= requested.at) metrics.wentLive(live.at - requested.at);
  } catch {
    // Redis went away: a figure is lost, nothing else.
  }
}
