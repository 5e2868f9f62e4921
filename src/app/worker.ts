// A worker with everything it needs. Part of the wiring (app.ts).
import type { Redis } from 'ioredis';
import { type Callbacks, type CallbacksOptions, createCallbacks } from '../callbacks/callbacks.ts';
import { type CredentialSource, createCredentialSource } from '../config/credentials.ts';
import type { Config } from '../config/load.ts';
import { within } from '../deadline.ts';
import { BACKOFF } from '../domains/backoff.ts';
import { createLogger, type Logger, type Scrub, scrub } from '../logger/logger.ts';
import { toBounds } from '../queue/bound.ts';
import { createCrashedJobs } from '../queue/crashed-jobs.ts';
import { createRequestQueue, type RequestQueue } from '../queue/enqueue.ts';
import { createMonitor, type MonitorOptions } from '../queue/monitor.ts';
import { createReconciler, RECONCILE_INTERVAL_MS, type ReconcileOptions } from '../queue/reconcile.ts';
import { retryPolicyFor } from '../queue/retry-policy.ts';
import { createWorker, oncePerSecond } from '../queue/worker.ts';
import type { RateLimiter, Unavailable } from '../rate-limit/limiter.ts';
import {
  createRedis,
  judgeRedis,
  probeRights,
  readRedisFacts,
  toRedisReason,
  untilReady,
} from '../redis/connection.ts';
import { createRunCloud, type RunCloudClient } from '../runcloud/client.ts';
import type { ApiCall } from '../runcloud/runcloud.ts';
import { createTracing, type Tracing } from '../tracing.ts';
import { version } from '../version.ts';
import { createAdmin } from './admin.ts';
import { createCaches } from './caches.ts';
import { auditExternalRequests } from './external-requests.ts';
import { changesWwwOf, createHandlers } from './handlers.ts';
import { type ObservedLimiter, observedJobs, observedLedger, observedLimiter } from './observed.ts';
import { createProbesOf } from './probes.ts';
import { keysOf, queueOptions, redisOf, toRunCloudSettings } from './settings.ts';
import type { Tuning } from './tuning.ts';
import { createWorkerHealth } from './worker-health.ts';

export interface WorkerApp {
  readonly logger: Logger;
  /** Resolves when the worker takes jobs. Throws CodedError where Redis cannot be used. */
  start(): Promise<void>;
  /** Safe to call twice; never takes longer than SHUTDOWN_TIMEOUT. */
  close(): Promise<void>;
}

/** The worker with everything it needs; `reload` reads the configuration again. Throws ConfigError without credentials. */
export function createWorkerApp(
  config: Config,
  reload: () => Config = () => config,
  tuning: Tuning = {},
): WorkerApp {
  const { recovery, backoff = BACKOFF, callbacks: timing } = tuning;
  const credentials = createCredentialSource(config, reload);
  const logger = createLogger({ ...config.log, secrets: credentials.secrets });
  const releases = new AsyncDisposableStack();

  const complaint = createComplaints(logger);
  const redis = createRedis(redisOf(config), 'worker', complaint('redis-error', 'Redis'));
  releases.defer(() => redis.disconnect());
  const clean = (text: string): string => scrub(text, credentials.secrets());
  const tracing = createTracingOf(config, clean, releases);
  const requests = createRequestQueue({ ...queueOptions(config), redis, telemetry: tracing?.telemetry });
  releases.defer(() => within(requests.close(), 500, undefined));
  const shared = { config, redis, requests, logger, scrub: clean, releases };
  const { limiter, turns, pauses, ledger, observation, jobs, hearers } = createObserved({
    ...shared,
    tuning,
  });
  const runcloud = createRunCloud({
    ...toRunCloudSettings(config, credentials.current),
    limiter: turns,
    onCall: tellAll(observation.metrics.apiCall, tracing?.apiCall),
  });
  releases.defer(() => runcloud.close());
  const caches = createCaches({ config, backoff, redis, requests, runcloud, logger });
  const parts = { config, backoff, redis, requests, runcloud, ledger, ...caches };
  const probes = createProbesOf(parts);
  const unavailable = createUnavailable(limiter, runcloud, credentials, logger);
  const onError = complaint('worker-error', 'worker');

  const start = async (): Promise<void> => {
    await checkRedis(redis, requests, logger);
    const worker = createWorker({
      ...queueOptions(config),
      ...shared,
      unavailable,
      handlers: createHandlers({ ...parts, ...probes }),
      concurrency: config.worker.concurrency,
      recovery,
      ...limitsOf(config, redis, turns, tuning),
      pauses,
      onError,
      ...hearers,
      telemetry: tracing?.telemetry,
    });
    const health = createWorkerHealth({ ...shared, observation, jobs });
    const onForged = observation.metrics.callbackForged;
    const callbacks = createCallbacksOf({ ...shared, onError, onForged, timing });
    releases.defer(() => closeWorkers([worker, callbacks], config.worker.shutdownTimeoutMs * 0.9));
    await worker.ready();
    await callbacks?.start();
    await health.start();
    startLoops({ ...parts, ...probes, logger, releases, unavailable, tuning });
  };
  return { logger, start, close: () => releases.disposeAsync() };
}

interface Connected {
  readonly config: Config;
  readonly redis: Redis;
  readonly requests: RequestQueue;
  readonly releases: AsyncDisposableStack;
}

/** What steers and shows, with who counts what becomes of orders and jobs. */
function createObserved({
  releases,
  logger,
  scrub: clean,
  ...parts
}: Connected & { readonly logger: Logger; readonly scrub: Scrub; readonly tuning: Tuning }) {
  const { deliveryQueues, observe, ledger, ...admin } = createAdmin(parts);
  releases.defer(() => within(deliveryQueues.close(), 500, undefined));
  const observation = observe();
  const { metrics } = observation;
  const jobs = observedJobs(metrics, parts.requests.store);
  const onExternalRequest = auditExternalRequests({ ...parts, logger, scrub: clean, releases });
  const hearers = { observer: jobs.observer, onExternalRequest };
  const turns = observedLimiter(admin.limiter, metrics);
  return { ...admin, turns, observation, ledger: observedLedger(ledger, metrics), jobs, hearers };
}

/** What a job may wait for, and when it is given up. */
const limitsOf = (
  config: Config,
  redis: Redis,
  { turnMs }: ObservedLimiter,
  { retryPolicy = retryPolicyFor(config.jobs.retryForMs) }: Tuning,
) => ({
  retryPolicy,
  redeployDelayMs: config.ssl.redeployDelayMs,
  bounds: toBounds(config.runcloud.timeoutMs),
  excuses: { turnMs, isRedisAway: () => redis.status !== 'ready' },
  crashedJobs: createCrashedJobs(redis, keysOf(config).own('crashed-job')),
});

function createTracingOf(
  { otlpEndpoint: endpoint, worker }: Config,
  clean: (text: string) => string,
  releases: AsyncDisposableStack,
): Tracing | undefined {
  const tracing = createTracing({ endpoint, version, role: 'worker', scrub: clean });
  releases.defer(() => tracing?.close(worker.shutdownTimeoutMs * 0.05));
  return tracing;
}

const tellAll =
  (...hearers: readonly (((call: ApiCall) => void) | undefined)[]) =>
  (call: ApiCall): void => {
    for (const hear of hearers) hear?.(call);
  };

/** Why all jobs wait here. Refused credentials are read again from the configuration. */
const createUnavailable =
  (limiter: RateLimiter, runcloud: RunCloudClient, credentials: CredentialSource, logger: Logger) =>
  async (): Promise<Unavailable | undefined> => {
    const found = await limiter.unavailable(runcloud.fingerprint());
    const mayBeCorrected = found?.kind === 'credentials' || found?.kind === 'account';
    if (!mayBeCorrected || !credentials.refresh()) return found;
    logger.info({ event: 'credentials-changed' }, 'the credentials have changed; trying the new ones');
    return limiter.unavailable(runcloud.fingerprint());
  };

/** One line a second in all: while Redis is away, the connection and BullMQ both have their say. */
function createComplaints(logger: Logger): (event: string, who: string) => (error: Error) => void {
  const tell = oncePerSecond(({ event, text }: { event: string; text: string }) =>
    logger.error({ event }, text),
  );
  return (event, who) => (error) => tell({ event, text: `${who}: ${toRedisReason(error)}` });
}

/** Undefined without callbacks. */
function createCallbacksOf({
  config: { callbacks, queuePrefix },
  requests: { keyOf },
  ...parts
}: Pick<CallbacksOptions, 'redis' | 'logger' | 'scrub' | 'onError' | 'onForged' | 'timing'> & {
  readonly config: Config;
  readonly requests: RequestQueue;
}): Callbacks | undefined {
  if (callbacks.urls.length === 0) return undefined;
  return createCallbacks({ ...parts, ...callbacks, queuePrefix, keyOf });
}

/** At the same time: they share one deadline. */
async function closeWorkers(
  workers: readonly ({ close(timeoutMs: number): Promise<void> } | undefined)[],
  timeoutMs: number,
): Promise<void> {
  await Promise.all(workers.map((worker) => worker?.close(timeoutMs)));
}

/** The loops of a worker beside its jobs; of all workers, one at a time runs each. */
function startLoops({
  config,
  releases,
  unavailable,
  tuning: { reconcileIntervalMs = RECONCILE_INTERVAL_MS },
  ...parts
}: Omit<MonitorOptions & ReconcileOptions, 'intervalMs' | 'repair' | 'changesWww' | 'isUnavailable'> & {
  readonly config: Config;
  readonly releases: AsyncDisposableStack;
  readonly unavailable: () => Promise<Unavailable | undefined>;
  readonly tuning: Tuning;
}): void {
  const shared = { ...parts, isUnavailable: async () => (await unavailable()) !== undefined };
  const loops = [
    createReconciler({ ...shared, intervalMs: reconcileIntervalMs }),
    createMonitor({ ...shared, ...config.monitor, changesWww: changesWwwOf(config) }),
  ];
  for (const loop of loops) {
    releases.defer(() => within(loop.stop(), 500, undefined));
    loop.start();
  }
}

/** Throws CodedError `redis-unavailable` where Redis does not answer, Error where it would lose jobs. */
async function checkRedis(redis: Redis, { queue, keyOf }: RequestQueue, logger: Logger): Promise<void> {
  await untilReady(redis, 10_000);
  for (const { level, sentence } of judgeRedis(await readRedisFacts(redis))) {
    if (level === 'fail') throw new Error(sentence);
    if (level === 'warn') logger.warn({ event: 'redis-check' }, sentence);
  }
  for (const key of [queue.toKey('probe'), keyOf('probe')]) await probeRights(redis, key);
}
