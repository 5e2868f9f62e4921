// Traces of jobs and of calls to RunCloud, by OpenTelemetry over HTTP. Without an endpoint nothing of it is loaded.
import { createRequire } from 'node:module';
import type { Attributes } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { BullMQOtel } from 'bullmq-otel';
import { within } from './deadline.ts';
import type { ApiCall } from './runcloud/runcloud.ts';

export interface Tracing {
  /** For BullMQ's `telemetry` option, of workers and of queues. */
  readonly telemetry: BullMQOtel;
  /** A call that has ended becomes a span below the job that made it. */
  apiCall(call: ApiCall): void;
  /** Sends what is left; never takes longer than `withinMs`, nor than two seconds. */
  close(withinMs?: number): Promise<void>;
}

export interface TracingOptions {
  /** `http://collector:4318`, or the whole address of the traces. */
  readonly endpoint: string | undefined;
  readonly version: string;
  readonly role: 'worker' | 'server' | 'producer';
  readonly scrub: (text: string) => string;
}

const NAME = 'runcloud-domains';
const FLUSH_MS = 2_000;

/** Undefined without an endpoint. OpenTelemetry's own API is global: where the process has a tracer already, it stays. */
export function createTracing({ endpoint, version, role, scrub }: TracingOptions): Tracing | undefined {
  if (endpoint === undefined) return undefined;
  const { trace, context, propagation, sdk, exporter, otel, resources } = load();
  const batch = new sdk.BatchSpanProcessor(
    new exporter.OTLPTraceExporter({ url: toUrl(endpoint), timeoutMillis: FLUSH_MS }),
    { scheduledDelayMillis: 1_000, exportTimeoutMillis: FLUSH_MS },
  );
  const provider = new sdk.NodeTracerProvider({
    resource: resources.resourceFromAttributes({
      'service.name': `${NAME}-${role}`,
      'service.version': version,
    }),
    spanProcessors: [withoutSecrets(batch, scrub)],
  });
  provider.register();
  const tracer = trace.getTracer(NAME, version);
  return {
    telemetry: new otel.BullMQOtel({ tracerName: NAME, version }),
    apiCall({ operation, method, path, status, durationMs }) {
      const endTime = Date.now();
      const attributes = {
        'http.request.method': method,
        'url.path': path,
        ...(status !== undefined && { 'http.response.status_code': status }),
      };
      const options = { startTime: endTime - durationMs, attributes, kind: CLIENT };
      const span = tracer.startSpan(`runcloud ${operation}`, options, context.active());
      if (status === undefined || status >= 400) span.setStatus({ code: ERROR });
      span.end(endTime);
    },
    async close(withinMs = FLUSH_MS) {
      await within(
        provider.shutdown().catch(() => undefined),
        Math.min(FLUSH_MS, withinMs),
        undefined,
      );
      for (const api of [trace, context, propagation]) api.disable();
    },
  };
}

/** SpanKind.CLIENT and SpanStatusCode.ERROR of the API, which is loaded only where it is needed. */
const CLIENT = 2;
const ERROR = 2;

// A synchronous, late `require`: BullMQ needs its telemetry when a queue is made, which is no asynchronous step.
function load() {
  const require = createRequire(import.meta.url);
  const api = require('@opentelemetry/api') as typeof import('@opentelemetry/api');
  return {
    trace: api.trace,
    context: api.context,
    propagation: api.propagation,
    sdk: require('@opentelemetry/sdk-trace-node') as typeof import('@opentelemetry/sdk-trace-node'),
    exporter:
      require('@opentelemetry/exporter-trace-otlp-http') as typeof import('@opentelemetry/exporter-trace-otlp-http'),
    resources: require('@opentelemetry/resources') as typeof import('@opentelemetry/resources'),
    otel: require('bullmq-otel') as typeof import('bullmq-otel'),
  };
}

/** OTLP over HTTP has its traces below /v1/traces. */
const toUrl = (endpoint: string): string =>
  endpoint.endsWith('/v1/traces') ? endpoint : `${endpoint.replace(/\/+$/, '')}/v1/traces`;

/** BullMQ puts results and messages of errors into spans; ours are clean already, and this is the net below. */
function withoutSecrets(next: SpanProcessor, scrub: (text: string) => string): SpanProcessor {
  return {
    onStart: (span, parent) => next.onStart(span, parent),
    onEnd(span) {
      clean(span, scrub);
      next.onEnd(span);
    },
    forceFlush: () => next.forceFlush(),
    shutdown: () => next.shutdown(),
  };
}

function clean({ attributes, events, status }: ReadableSpan, scrub: (text: string) => string): void {
  const cleanAll = (values: Attributes): void => {
    for (const [name, value] of Object.entries(values))
      if (typeof value === 'string') values[name] = scrub(value);
  };
  cleanAll(attributes);
  for (const { attributes: own } of events) if (own) cleanAll(own);
  if (status.message !== undefined) status.message = scrub(status.message);
}
