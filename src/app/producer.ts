// The parts that enqueue, inspect and steer: they need Redis only. Part of the wiring (app.ts).
import { type Audit, createAudit, type OnAuditLost } from '../audit/audit.ts';
import { createDeliveries, type Deliveries } from '../callbacks/deliveries.ts';
import type { DeliveryQueues } from '../callbacks/queues.ts';
import { type Config, secretsOf } from '../config/load.ts';
import type { TargetDefaults } from '../jobs/catalog.ts';
import { scrub } from '../logger/logger.ts';
import type { RequestQueue } from '../queue/enqueue.ts';
import type { Operator } from '../queue/operator.ts';
import type { Pauses } from '../queue/pauses.ts';
import { openProducerConnection } from '../queue/producer.ts';
import type { Tracing } from '../tracing.ts';
import { createAdmin } from './admin.ts';
import type { Observation } from './observation.ts';
import { defaultsOf, keysOf, queueOptions, redisOf } from './settings.ts';

export interface ProducerApp {
  readonly requests: RequestQueue;
  readonly operator: Operator;
  /** Webhook deliveries, and sending them again. */
  readonly deliveries: Deliveries;
  /** The deliveries' own queues, one for each URL. */
  readonly deliveryQueues: DeliveryQueues;
  readonly pauses: Pauses;
  readonly audit: Audit;
  /** Health and metrics; made at the first call. */
  observe(): Observation;
  /** The web application that is meant where none is named. */
  readonly defaults: TargetDefaults;
  /** What the workers probe besides RunCloud, by this configuration. */
  readonly checkSettings: { readonly hasDnsGate: boolean; readonly monitorIntervalMs: number | undefined };
  /** Throws CodedError `redis-unavailable` where Redis does not answer within a second. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

export interface ProducerOptions {
  readonly telemetry?: Tracing['telemetry'] | undefined;
  /** Default: it is lost. For who steers. */
  readonly onAuditLost?: OnAuditLost | undefined;
  /** Default: a second. Tests of something else wait longer, on a machine as slow as it may be. */
  readonly deadlineMs?: number | undefined;
}

/** The parts that enqueue and inspect; needs Redis only, and gives up after a second without it. */
export function createProducerApp(
  config: Config,
  { telemetry, onAuditLost = () => undefined, deadlineMs }: ProducerOptions = {},
): ProducerApp {
  const connection = openProducerConnection({
    ...queueOptions(config),
    address: redisOf(config),
    telemetry,
    deadlineMs,
  });
  const { redis, requests } = connection;
  const { operator, pauses, deliveryQueues, observe } = createAdmin({ config, redis, requests });
  return {
    requests,
    operator,
    observe,
    deliveryQueues,
    deliveries: createDeliveries({ queues: deliveryQueues, urls: config.callbacks.urls }),
    pauses,
    audit: createAudit({
      redis,
      keys: keysOf(config),
      scrub: (text) => scrub(text, secretsOf(config)),
      onLost: onAuditLost,
    }),
    defaults: defaultsOf(config),
    checkSettings: toCheckSettings(config),
    ready: connection.ready,
    close: () => connection.close(deliveryQueues),
  };
}

const toCheckSettings = ({ dns, tls, monitor }: Config): ProducerApp['checkSettings'] => ({
  hasDnsGate: dns.gate !== 'off',
  monitorIntervalMs: dns.gate === 'off' && !tls.probe ? undefined : monitor.intervalMs,
});
