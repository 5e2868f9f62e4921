// What a process counts, and what /metrics returns. One object per process, no singletons. What stands in Redis is read for
// each scrape, so any process can serve it.
import type { Census } from '../health/census.ts';
import type { Known } from '../health/shared.ts';
import type { Vitals } from '../health/vitals.ts';
import type { ApiCall } from '../runcloud/runcloud.ts';
import { createInstruments, type Instruments } from './registry.ts';

export interface JobFigures {
  readonly name: string;
  readonly outcome: string;
  readonly code?: string | undefined;
  readonly durationMs: number;
}

export interface Metrics {
  jobEnded(job: JobFigures): void;
  /** A job begins to wait. */
  waited(reason: string): void;
  wentLive(afterMs: number): void;
  apiCall(call: Pick<ApiCall, 'operation' | 'status' | 'durationMs'>): void;
  /** A call waited for the rate limiter. */
  apiWaited(ms: number): void;
  rateLimit(remaining: number): void;
  throttled(): void;
  /** A callback delivery was refused: no worker wrote it. */
  callbackForged(): void;
  /** `limit`: of an order that was refused. */
  ordered(result: 'granted' | 'repeated' | 'refused' | 'released' | 'failed', limit?: string): void;
  readonly contentType: string;
  /** Prometheus' text format. Never throws: without Redis its figures are left out. */
  text(): Promise<string>;
}

export interface MetricsOptions {
  readonly version: string;
  /** What stands in Redis; both reject if it does not answer. */
  readonly vitals?: () => Promise<Vitals>;
  /** The last one; undefined before the first. */
  readonly census?: () => Promise<Known<Census> | undefined>;
  /** Node's own figures besides ours. */
  readonly hasProcess?: boolean;
}

export function createMetrics({ version, vitals, census, hasProcess = false }: MetricsOptions): Metrics {
  const instruments = createInstruments(hasProcess);
  const { count, observe, set } = instruments;
  set('build_info', [[1, { version }]]);
  set('api_ratelimit_remaining', []);
  return {
    jobEnded({ name, outcome, code, durationMs }) {
      count('jobs_total', { name, outcome });
      if (code !== undefined) count('job_errors_total', { name, code });
      observe('job_duration_seconds', durationMs / 1000, { name });
    },
    waited: (reason) => count('waits_total', { reason }),
    wentLive: (afterMs) => observe('live_seconds', afterMs / 1000),
    apiCall({ operation, status, durationMs }) {
      count('api_calls_total', { operation, status: status === undefined ? 'none' : String(status) });
      observe('api_call_duration_seconds', durationMs / 1000, { operation });
    },
    apiWaited: (ms) => observe('api_wait_seconds', ms / 1000),
    rateLimit: (remaining) => set('api_ratelimit_remaining', [[remaining]]),
    throttled: () => count('api_throttled_total'),
    callbackForged: () => count('callbacks_forged_total'),
    ordered: (result, limit = '') => count('certificate_orders_total', { result, limit }),
    contentType: instruments.contentType,
    async text() {
      const [found, counted] = await Promise.all([orNothing(vitals), orNothing(census)]);
      set('redis_up', [[found ? 1 : 0]]);
      showVitals(instruments, found);
      showCensus(instruments, counted);
      return instruments.text();
    },
  };
}

const orNothing = async <T>(read: (() => Promise<T>) | undefined): Promise<T | undefined> =>
  read?.().catch(() => undefined);

const kinds = ['throttled', 'outage', 'credentials', 'account'] as const;
const scopes = ['all', 'app', 'site'] as const;

function showVitals({ set }: Instruments, found: Vitals | undefined): void {
  const by = (counts: object = {}, label: string) =>
    Object.entries(counts).map(([value, n]) => [n as number, { [label]: value }] as const);
  set('queue_jobs', by(found?.counts, 'state'));
  set('callback_deliveries', by(found?.callbacks, 'state'));
  set('queue_oldest_due_seconds', found ? [[found.oldestDueMs / 1000]] : []);
  set('workers', found ? [[found.workers.length]] : []);
  const kind = found?.unavailable?.kind;
  set('api_unavailable', found ? kinds.map((reason) => [kind === reason ? 1 : 0, { reason }] as const) : []);
  const inForce = (scope: string) => found?.pauses.filter((pause) => pause.scope === scope).length ?? 0;
  set('pauses', found ? scopes.map((scope) => [inForce(scope), { scope }] as const) : []);
  const loops = Object.entries(found?.lastSuccess ?? {}).filter(([, at]) => at !== undefined);
  set(
    'last_success_timestamp_seconds',
    loops.map(([loop, at]) => [Number(at) / 1000, { loop }] as const),
  );
}

const DAY_MS = 86_400_000;

function showCensus({ set }: Instruments, counted: Known<Census> | undefined): void {
  const { domains = [], budgets = [], nearestExpiry, leastLeft, at = 0 } = counted?.value ?? {};
  set('census_age_seconds', counted ? [[counted.ageMs / 1000]] : []);
  set(
    'domains',
    domains.map(({ state, mustAct, count }) => [count, { state, must_act: mustAct }] as const),
  );
  const now = at + (counted?.ageMs ?? 0);
  set('certificate_expiry_days', nearestExpiry === undefined ? [] : [[(nearestExpiry - now) / DAY_MS]]);
  set('certificate_lifetime_left_ratio', leastLeft === undefined ? [] : [[leastLeft]]);
  set(
    'certificate_budget_left',
    budgets.map(({ limit, left }) => [left, { limit }] as const),
  );
  set(
    'certificate_budget_limit',
    budgets.map(({ limit, of }) => [of, { limit }] as const),
  );
}
