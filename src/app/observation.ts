// What operators see of this process and of the whole: health and metrics. Part of the wiring (app.ts).
import type { Redis } from 'ioredis';
import type { Ledger } from '../certificates/ledger.ts';
import type { Config } from '../config/load.ts';
import { within } from '../deadline.ts';
import { cached } from '../health/cached.ts';
import { takeCensus } from '../health/census.ts';
import { createHealth, type Health } from '../health/checks.ts';
import { createShared } from '../health/shared.ts';
import { type PauseInForce, readVitals } from '../health/vitals.ts';
import { createMetrics, type Metrics } from '../metrics/metrics.ts';
import type { RequestQueue } from '../queue/enqueue.ts';
import { pauseInForce } from '../queue/messages.ts';
import type { Operator } from '../queue/operator.ts';
import { describeScope, type Pauses } from '../queue/pauses.ts';
import { RECONCILE_INTERVAL_MS } from '../queue/reconcile.ts';
import type { Unavailable } from '../rate-limit/limiter.ts';
import { redisUnavailable } from '../redis/connection.ts';
import { version } from '../version.ts';

export interface Observation {
  readonly health: Health;
  readonly metrics: Metrics;
}

export interface ObservationParts {
  readonly config: Config;
  readonly redis: Redis;
  readonly requests: RequestQueue;
  readonly operator: Pick<Operator, 'counts'>;
  /** For readers without credentials (`limiter.status`). */
  readonly unavailable: () => Promise<Unavailable | undefined>;
  readonly ledger: Ledger;
  readonly pauses: Pick<Pauses, 'list'>;
  /** Deliveries of callbacks by state. */
  readonly callbacks?: (() => Promise<Readonly<Record<string, number>>>) | undefined;
}

/** A due job may wait so long for a worker before something is wrong. */
const OLDEST_DUE_MS = 300_000;
/** Probes and scrapes of one process share a value for so long. */
const SCRAPE_FRESH_MS = 5_000;
const PROBE_FRESH_MS = 1_000;
/** A scrape gets what this process knows, whatever Redis does: a frozen one keeps its connections open. */
const SCRAPE_DEADLINE_MS = 1_000;

export function createObservation(parts: ObservationParts): Observation {
  const { operator, pauses, redis } = parts;
  const onlyConnected = <T>(read: () => Promise<T>): Promise<T> =>
    redis.status === 'ready' ? read() : Promise.reject(redisUnavailable(undefined, PROBE_FRESH_MS, redis));
  const vitalsParts = { ...parts, counts: operator.counts, pauses: () => readPauses(pauses) };
  const vitals = cached(() => onlyConnected(() => readVitals(vitalsParts)), PROBE_FRESH_MS);
  const shared = createShared({
    redis,
    key: parts.requests.keyOf('census'),
    read: () => takeCensus(parts),
    freshMs: SCRAPE_FRESH_MS,
  });
  const census = () => onlyConnected(shared);
  const inTime =
    <T>(read: () => Promise<T>) =>
    async (): Promise<T> => {
      const answer = await within(
        read().then((value) => ({ value })),
        SCRAPE_DEADLINE_MS,
        undefined,
      );
      if (!answer) throw redisUnavailable(undefined, SCRAPE_DEADLINE_MS, redis);
      return answer.value;
    };
  const settings = { oldestDueMs: OLDEST_DUE_MS, reconcileIntervalMs: RECONCILE_INTERVAL_MS };
  return {
    health: createHealth({ version, vitals, settings }),
    metrics: createMetrics({ version, vitals: inTime(vitals), census: inTime(census), hasProcess: true }),
  };
}

async function readPauses(pauses: ObservationParts['pauses']): Promise<PauseInForce[]> {
  return (await pauses.list()).map((pause) => {
    const { scope, untilMs } = pause;
    const until = untilMs === undefined ? 'until it is resumed' : `until ${new Date(untilMs).toISOString()}`;
    return { scope: scope.kind, sentence: pauseInForce(describeScope(scope), pause, until) };
  });
}
