// The registry against the table: each metric as the table has it, and nothing else with our prefix.
import { describe, expect, test } from '@jest/globals';
import { createObservation, type ObservationParts } from '../../src/app/observation.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { Census } from '../../src/health/census.ts';
import type { Vitals } from '../../src/health/vitals.ts';
import { createMetrics, type Metrics } from '../../src/metrics/metrics.ts';
import { fullName, metricNames, PREFIX, specOf } from '../../src/metrics/table.ts';
import { helpAndTypes, labelsIn, samples } from '../helpers/metrics.ts';

const vitals: Vitals = {
  at: 1_000_000,
  counts: { waiting: 3, active: 1, delayed: 2, failed: 4, completed: 5 },
  oldestDueMs: 12_500,
  unavailable: { kind: 'outage', waitMs: 1, sentence: '' },
  lastSuccess: { reconcile: 900_000, monitor: 800_000 },
  workers: [{ id: 'a', host: 'h', pid: 1, version: '1', startedAt: 1, running: 0, concurrency: 5 }],
  pauses: [{ scope: 'site', sentence: '' }],
  callbacks: { waiting: 7 },
};
const DAY_MS = 86_400_000;
const census: Census = {
  at: 1_000_000,
  domains: [
    { state: 'live', mustAct: '', count: 8 },
    { state: 'held', mustAct: 'customer', count: 2 },
  ],
  nearestExpiry: 1_000_000 + 10 * DAY_MS,
  leastLeft: 0.11,
  budgets: [{ limit: 'orders-per-3-hours', left: 290, of: 300 }],
};

/** Everything that can happen, once. */
function playAll(metrics: Metrics): void {
  metrics.jobEnded({ name: 'add-domain', outcome: 'failed', code: 'runcloud-rejected', durationMs: 1500 });
  metrics.waited('waiting-for-dns');
  metrics.wentLive(42_000);
  metrics.apiCall({ operation: 'listDomains', status: undefined, durationMs: 80 });
  metrics.apiWaited(20);
  metrics.rateLimit(57);
  metrics.throttled();
  metrics.ordered('refused', 'orders-per-3-hours');
}

const played = async (): Promise<string> => {
  const metrics = createMetrics({
    version: '1.2.3',
    vitals: async () => vitals,
    census: async () => ({ value: census, ageMs: 0 }),
  });
  playAll(metrics);
  return metrics.text();
};

describe('the table and /metrics', () => {
  test('agree: every metric appears with its type and help, and nothing else has our prefix', async () => {
    const text = await played();
    const found = helpAndTypes(text).filter(({ name }) => name.startsWith(PREFIX));
    const desired = metricNames.map((metric) => {
      const { type, help } = specOf(metric);
      return { name: fullName(metric), type, help: help.replaceAll('`', '') };
    });
    expect(found).toEqual(desired);
  });

  test.each(metricNames)('%s has a sample with exactly its labels', async (metric) => {
    const own = samples(await played(), fullName(metric));
    expect(own).not.toEqual([]);
    const desired = Object.keys(specOf(metric).labels).toSorted();
    for (const { labels } of own)
      expect(
        labelsIn(labels)
          .filter((label) => label !== 'le')
          .toSorted(),
      ).toEqual(desired);
  });

  test('histograms have the table’s buckets, growing', async () => {
    const text = await played();
    for (const metric of metricNames) {
      const { buckets } = specOf(metric);
      if (!buckets) continue;
      expect(buckets.toSorted((a, b) => a - b)).toEqual(buckets);
      const les = samples(text, fullName(metric)).flatMap(
        ({ labels }) => /le="([^"]+)"/.exec(labels)?.[1] ?? [],
      );
      expect(les).toEqual([...buckets.map(String), '+Inf']);
    }
  });
});

describe('createMetrics', () => {
  test('shows what it was told', async () => {
    const text = await played();
    for (const line of [
      'build_info{version="1.2.3"} 1',
      'jobs_total{name="add-domain",outcome="failed"} 1',
      'job_errors_total{name="add-domain",code="runcloud-rejected"} 1',
      'waits_total{reason="waiting-for-dns"} 1',
      'live_seconds_sum 42',
      'api_calls_total{operation="listDomains",status="none"} 1',
      'api_ratelimit_remaining 57',
      'api_throttled_total 1',
      'certificate_orders_total{result="refused",limit="orders-per-3-hours"} 1',
      'redis_up 1',
      'queue_jobs{state="failed"} 4',
      'queue_oldest_due_seconds 12.5',
      'workers 1',
      'api_unavailable{reason="outage"} 1',
      'api_unavailable{reason="credentials"} 0',
      'pauses{scope="all"} 0',
      'pauses{scope="site"} 1',
      'last_success_timestamp_seconds{loop="reconcile"} 900',
      'callback_deliveries{state="waiting"} 7',
      'domains{state="held",must_act="customer"} 2',
      'certificate_expiry_days 10',
      'certificate_budget_left{limit="orders-per-3-hours"} 290',
      'certificate_budget_limit{limit="orders-per-3-hours"} 300',
    ])
      expect(text).toContain(`\n${PREFIX}${line}\n`);
  });

  test('says that Redis is away, and nothing of what stands in it, instead of old figures', async () => {
    let isAway = false;
    const orAway = async <T>(value: T): Promise<T> => {
      if (isAway) throw new Error('away');
      return value;
    };
    const metrics = createMetrics({
      version: '1',
      vitals: () => orAway(vitals),
      census: () => orAway({ value: census, ageMs: 0 }),
    });
    playAll(metrics);
    await metrics.text();
    isAway = true;
    const text = await metrics.text();
    expect(text).toContain(`\n${PREFIX}redis_up 0\n`);
    expect(text).toContain(`\n${PREFIX}jobs_total{`);
    for (const metric of metricNames.filter((name) => specOf(name).of === 'redis'))
      expect(samples(text, fullName(metric))).toEqual([]);
  });

  test('knows nothing of RunCloud’s rate limit before a reply, and of an expiry that nobody saw', async () => {
    const unseen = { ...census, nearestExpiry: undefined, leastLeft: undefined };
    const metrics = createMetrics({
      version: '1',
      vitals: async () => vitals,
      census: async () => ({ value: unseen, ageMs: 0 }),
    });
    const text = await metrics.text();
    expect(samples(text, fullName('api_ratelimit_remaining'))).toEqual([]);
    expect(samples(text, fullName('certificate_expiry_days'))).toEqual([]);
  });

  test('has a registry of its own each time', async () => {
    const [one, other] = [createMetrics({ version: '1' }), createMetrics({ version: '1' })];
    one.throttled();
    expect(await one.text()).toContain('api_throttled_total 1');
    expect(await other.text()).toContain('api_throttled_total 0');
  });
});

test('a Redis that never answers keeps nobody waiting: what the process counted is told, and that Redis is silent', async () => {
  const silent = () => new Promise<never>(() => undefined);
  const redis = new Proxy({}, { get: (_, name) => (name === 'status' ? 'ready' : silent) });
  const { config } = parseConfig({ REDIS_URL: 'redis://127.0.0.1:1' });
  const requests = { store: { now: silent }, keyOf: (name: string) => name };
  const parts = { config, redis, requests, operator: {}, unavailable: silent, ledger: {}, pauses: {} };
  const { metrics } = createObservation(parts as unknown as ObservationParts);
  metrics.throttled();
  const text = await metrics.text();
  expect(text).toContain(`${fullName('redis_up')} 0`);
  expect(text).toContain(`${fullName('api_throttled_total')} 1`);
});
