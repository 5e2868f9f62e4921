// The composition root: builds the parts from the configuration, and releases them last-in-first-out.
// The only file that knows them all.
import type { Redis } from 'ioredis';
import { createHandlers, createLedgerOf } from './app/handlers.ts';
import { createLookOf } from './app/look.ts';
import { createObservation, type Observation, version } from './app/observation.ts';
import { observedBrake, observedJobs, observedLedger } from './app/observed.ts';
import { createWorkerHealth } from './app/worker-health.ts';
import { type Audit, createAudit } from './audit.ts';
import { type Brake, createBrake, type Hold } from './brake/brake.ts';
import {
  type Callbacks,
  type CallbacksOptions,
  type CallbackTiming,
  createCallbacks,
} from './callbacks/callbacks.ts';
import { createDeliveries, type Deliveries } from './callbacks/deliveries.ts';
import { countDeliveries, createCallbackQueue } from './callbacks/queue.ts';
import { type Config, type RunCloudCredentials, secretsOf } from './config.ts';
import { type CredentialSource, createCredentialSource } from './credentials.ts';
import { examine, type Finding } from './doctor.ts';
import { createKeys } from './intent/keys.ts';
import { PACE, type Pace } from './intent/pace.ts';
import { createPauses, type Pauses } from './intent/pauses.ts';
import { QUEUE_NAME, type TargetDefaults } from './jobs/catalog.ts';
import { createLogger, type Logger, scrub } from './logger.ts';
import { createOperator, type Operator } from './queue/operator.ts';
import { createRequestQueue, type RequestQueue } from './queue/requests.ts';
import { createSuspects } from './queue/suspects.ts';
import { createSweeper, type SweepOptions } from './queue/sweep.ts';
import { createWatcher, type WatchOptions } from './queue/watch.ts';
import { createWorker, oncePerSecond, type Recovery } from './queue/worker.ts';
import { createRedis, judgeRedis, probeRights, readRedisFacts, untilReady, within } from './redis.ts';
import { createRunCloud, type RunCloudClient } from './runcloud/client.ts';
import { createDirectory } from './runcloud/directory.ts';
import { createFacts } from './runcloud/facts.ts';
import type { ApiCall } from './runcloud/runcloud.ts';
import { createTracing, type Tracing } from './tracing.ts';

const PRODUCER_DEADLINE_MS = 1000;

export interface ProducerApp {
  readonly requests: RequestQueue;
  readonly operator: Operator;
  /** What the outside was told, and telling it again. */
  readonly deliveries: Deliveries;
  readonly pauses: Pauses;
  readonly audit: Audit;
  /** Health and metrics, for who serves them; made when first asked for. */
  observe(): Observation;
  /** The web application that is meant where none is named. */
  readonly defaults: TargetDefaults;
  /** What the workers look at besides RunCloud, as far as this configuration says. */
  readonly looking: { readonly hasDnsGate: boolean; readonly watchIntervalMs: number | undefined };
  /** Throws CodedError `redis-unavailable` where Redis does not answer within a second. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** The parts that enqueue and inspect; needs Redis only, and gives up after a second without it. */
export function createProducerApp(
  config: Config,
  { telemetry }: { readonly telemetry?: Tracing['telemetry'] | undefined } = {},
): ProducerApp {
  const redis = createRedis(config.redisUrl, 'producer', () => undefined);
  const requests = createRequestQueue({
    ...queueOptions(config),
    redis,
    telemetry,
    deadlineMs: PRODUCER_DEADLINE_MS,
  });
  const brake = createBrake({ ...brakeOptions(config), redis, key: requests.keyOf('brake') });
  const ledger = createLedgerOf({ config, redis });
  const operator = createOperator({ requests, defaults: defaultsOf(config), hold: brake.status, ledger });
  const callbackQueue = createCallbackQueue(redis, config.queuePrefix);
  const pauses = createPauses({ redis, keys: keysOf(config) });
  const callbacks = countsOf(config, callbackQueue);
  const observed = { config, redis, requests, operator, hold: brake.status, ledger, pauses, callbacks };
  let observation: Observation | undefined;
  return {
    requests,
    operator,
    observe() {
      observation ??= createObservation(observed);
      return observation;
    },
    deliveries: createDeliveries({ queue: callbackQueue, urls: config.callbacks.urls }),
    pauses,
    audit: createAudit({ redis, keys: keysOf(config), scrub: (text) => scrub(text, secretsOf(config)) }),
    defaults: defaultsOf(config),
    looking: toLooking(config),
    ready: () => untilReady(redis, PRODUCER_DEADLINE_MS),
    async close() {
      await within(Promise.all([requests.close(), callbackQueue.close()]), 500, undefined);
      redis.disconnect();
    },
  };
}

/** Deliveries by state, where anybody is to be told. */
const countsOf = ({ callbacks: { urls } }: Config, queue: ReturnType<typeof createCallbackQueue>) =>
  urls.length === 0 ? undefined : () => countDeliveries(queue);

const toLooking = ({ dns, tls, watch }: Config): ProducerApp['looking'] => ({
  hasDnsGate: dns.gate !== 'off',
  watchIntervalMs: dns.gate === 'off' && !tls.probe ? undefined : watch.intervalMs,
});

export interface WorkerApp {
  readonly logger: Logger;
  /** Resolves when the worker takes jobs. Throws CodedError where Redis cannot be used. */
  start(): Promise<void>;
  /** Safe to call twice; never takes longer than SHUTDOWN_TIMEOUT_MS. */
  close(): Promise<void>;
}

/** Tests and the demo only: the same in a hurry. */
export interface Tuning {
  readonly recovery?: Recovery;
  readonly pace?: Pace;
  readonly callbacks?: CallbackTiming;
}

/** The worker with everything it needs; `reload` reads the configuration anew. Throws ConfigError without credentials. */
export function createWorkerApp(
  config: Config,
  reload: () => Config = () => config,
  { recovery, pace = PACE, callbacks: timing }: Tuning = {},
): WorkerApp {
  const credentials = createCredentialSource(config, reload);
  const logger = createLogger({ ...config.log, secrets: credentials.secrets });
  const releases = new AsyncDisposableStack();

  const complaint = createComplaints(logger);
  const redis = createRedis(config.redisUrl, 'worker', complaint('redis-error', 'Redis'));
  releases.defer(() => redis.disconnect());
  const clean = (text: string): string => scrub(text, credentials.secrets());
  const tracing = createTracingOf(config, clean, releases);
  const telemetry = tracing?.telemetry;
  const requests = createRequestQueue({ ...queueOptions(config), redis, telemetry });
  releases.defer(() => within(requests.close(), 500, undefined));
  const { brake, ledger, observation, jobs } = createObserved({ config, redis, requests, releases });
  const runcloud = createRunCloud({
    ...toRunCloudSettings(config, credentials.current),
    brake: observedBrake(brake, observation.metrics),
    onCall: tellAll(observation.metrics.apiCall, tracing?.apiCall),
  });
  releases.defer(() => runcloud.close());
  const directory = createDirectory({ runcloud, now: requests.intents.now });
  const facts = createFacts({ runcloud });
  const parts = { config, pace, redis, requests, runcloud, directory, facts, ledger };
  const look = createLookOf(parts);
  const hold = createHold(brake, runcloud, credentials, logger);
  const onError = complaint('worker-error', 'worker');

  const start = async (): Promise<void> => {
    await checkRedis(redis, requests, logger);
    const worker = createWorker({
      ...queueOptions(config),
      redis,
      requests,
      logger,
      hold,
      handlers: createHandlers({ ...parts, look }),
      concurrency: config.worker.concurrency,
      retryPolicy: config.jobs,
      recovery,
      ...createGates(config, redis),
      onError,
      scrub: clean,
      observer: jobs.observer,
      telemetry,
    });
    const health = createWorkerHealth({ config, redis, requests, logger, observation, jobs, releases });
    const callbacks = createCallbacksOf({ config, redis, requests, logger, scrub: clean, onError, timing });
    releases.defer(() => closeWorkers([worker, callbacks], config.worker.shutdownTimeoutMs * 0.9));
    await worker.ready();
    await callbacks?.start();
    await health.start();
    startUpkeep({ ...parts, look, logger, releases, isHeld: async () => (await hold()) !== undefined });
  };
  return { logger, start, close: () => releases.disposeAsync() };
}

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

/** What holds all jobs here; credentials that were refused are read anew. */
const createHold =
  (brake: Brake, runcloud: RunCloudClient, credentials: CredentialSource, logger: Logger) =>
  async (): Promise<Hold | undefined> => {
    const held = await brake.hold(runcloud.fingerprint());
    if (held?.kind !== 'refused' || !credentials.refresh()) return held;
    logger.info({ event: 'credentials-changed' }, 'the credentials have changed; trying the new ones');
    return brake.hold(runcloud.fingerprint());
  };

/** The brake, the ledger and the jobs, with who counts what becomes of them. */
function createObserved({
  config,
  redis,
  requests,
  releases,
}: {
  readonly config: Config;
  readonly redis: Redis;
  readonly requests: RequestQueue;
  readonly releases: AsyncDisposableStack;
}) {
  const brake = createBrake({ ...brakeOptions(config), redis, key: requests.keyOf('brake') });
  const ledger = createLedgerOf({ config, redis });
  const hold = brake.status;
  const operator = createOperator({ requests, defaults: defaultsOf(config), hold, ledger });
  const callbackQueue = createCallbackQueue(redis, config.queuePrefix);
  releases.defer(() => within(callbackQueue.close(), 500, undefined));
  const callbacks = countsOf(config, callbackQueue);
  const pauses = createPauses({ redis, keys: keysOf(config) });
  const observation = createObservation({
    config,
    redis,
    requests,
    operator,
    hold,
    ledger,
    pauses,
    callbacks,
  });
  return {
    brake,
    ledger: observedLedger(ledger, observation.metrics),
    observation,
    jobs: observedJobs(observation.metrics, requests.intents),
  };
}

/** One line a second in all: while Redis is away, the connection and BullMQ both have their say. */
function createComplaints(logger: Logger): (event: string, who: string) => (error: Error) => void {
  const tell = oncePerSecond(({ event, text }: { event: string; text: string }) =>
    logger.error({ event }, text),
  );
  return (event, who) =>
    ({ message }) =>
      tell({ event, text: `${who}: ${message}` });
}

/** Undefined where nobody is to be told. */
function createCallbacksOf({
  config: { callbacks, queuePrefix },
  requests: { keyOf },
  ...parts
}: Pick<CallbacksOptions, 'redis' | 'logger' | 'scrub' | 'onError' | 'timing'> & {
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

/** What a worker looks at besides its jobs. */
function startUpkeep({
  config,
  releases,
  ...parts
}: Omit<WatchOptions & SweepOptions, 'intervalMs' | 'repair'> & {
  readonly config: Config;
  readonly releases: AsyncDisposableStack;
}): void {
  const sweeper = createSweeper({ ...parts, intervalMs: config.worker.sweepIntervalMs });
  const watcher = createWatcher({ ...parts, ...config.watch });
  for (const turns of [sweeper, watcher]) {
    releases.defer(() => within(turns.stop(), 500, undefined));
    turns.start();
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

/** The parts of `doctor`; works with whatever is configured. */
export function createDoctor(config: Config): {
  examine(scope: 'all' | 'redis'): AsyncGenerator<Finding>;
  close(): Promise<void>;
} {
  const redis = createRedis(config.redisUrl, 'producer', () => undefined);
  const { credentials } = config.runcloud;
  const runcloud = credentials && createRunCloud(toRunCloudSettings(config, credentials));
  const checkRedis = async () => {
    await untilReady(redis, 2000);
    return judgeRedis(await readRedisFacts(redis));
  };
  return {
    examine: (scope) => examine({ checkRedis, runcloud, app: defaultsOf(config) }, scope),
    async close() {
      runcloud?.close();
      redis.disconnect();
    },
  };
}

/** What a job passes before it is performed. */
const createGates = (config: Config, redis: Redis) => ({
  pauses: createPauses({ redis, keys: keysOf(config) }),
  suspects: createSuspects(redis, keysOf(config).own('suspect')),
});

const keysOf = ({ queuePrefix }: Config) => createKeys(queuePrefix, QUEUE_NAME);

const brakeOptions = ({ runcloud: { ratePerMinute, pauseMs } }: Config) => ({
  ratePerMinute,
  defaultCloseMs: pauseMs,
});

const toRunCloudSettings = (
  { runcloud: { url, version, timeoutMs } }: Config,
  credentials: RunCloudCredentials | (() => RunCloudCredentials),
) => ({
  url,
  version: version === 2 ? ('v2' as const) : ('v3' as const),
  timeoutMs,
  credentials,
});

const defaultsOf = ({ runcloud: { serverId, appId } }: Config) => ({
  ...(serverId !== undefined && { serverId }),
  ...(appId !== undefined && { appId }),
});

const queueOptions = (config: Config) => ({
  queuePrefix: config.queuePrefix,
  defaults: defaultsOf(config),
  redeployDelayMs: config.ssl.redeployDelayMs,
  hasCallbacks: config.callbacks.urls.length > 0,
});
