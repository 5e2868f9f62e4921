// The table as prom-client's instruments, in a registry of its own; the only importer of prom-client.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { fullName, type MetricName, metricNames, specOf, type table } from './table.ts';

type OfType<T extends string> = {
  [N in MetricName]: (typeof table)[N]['type'] extends T ? N : never;
}[MetricName];
type Labels = Readonly<Record<string, string>>;

export interface Instruments {
  count(metric: OfType<'counter'>, labels?: Labels): void;
  observe(metric: OfType<'histogram'>, seconds: number, labels?: Labels): void;
  /** Replaces all that the gauge shows; a series that is left out is absent. */
  set(metric: OfType<'gauge'>, series: readonly (readonly [number, Labels?])[]): void;
  readonly contentType: string;
  text(): Promise<string>;
}

/** `hasProcess`: Node's own figures (memory, CPU, event loop) besides ours. */
export function createInstruments(hasProcess: boolean): Instruments {
  const registry = new Registry();
  const made = new Map(metricNames.map((metric) => [metric, create(metric, registry)]));
  if (hasProcess) collectDefaultMetrics({ register: registry });
  const get = <T>(metric: MetricName): T => made.get(metric) as T;
  return {
    count: (metric, labels = {}) => get<Counter>(metric).inc(labels),
    observe: (metric, seconds, labels = {}) => get<Histogram>(metric).observe(labels, seconds),
    set(metric, series) {
      const gauge = get<Gauge>(metric);
      gauge.reset();
      // prom-client starts a gauge without labels at 0, which would be a statement.
      gauge.remove({});
      for (const [value, labels = {}] of series) gauge.set(labels, value);
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}

function create(metric: MetricName, registry: Registry): Counter | Gauge | Histogram {
  const { type, help, labels, buckets = [] } = specOf(metric);
  const options = {
    name: fullName(metric),
    help: help.replaceAll('`', ''),
    labelNames: Object.keys(labels),
    registers: [registry],
  };
  if (type === 'counter') return new Counter(options);
  return type === 'gauge' ? new Gauge(options) : new Histogram({ ...options, buckets: [...buckets] });
}
