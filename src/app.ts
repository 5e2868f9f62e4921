// The composition root: builds the parts from the configuration, and releases them last-in-first-out.
// The only file that knows them all.
import type { Redis } from 'ioredis';
import { createHandlers, createLedgerOf } from './app/handlers.ts';
import { createLookOf } from './app/look.ts';
import { createBrake, type Hold } from './brake/brake.ts';
import type { Config, RunCloudCredentials } from './config.ts';
import { createCredentialSource } from './credentials.ts';
import { examine, type Finding } from './doctor.ts';
import { PACE, type Pace } from './intent/pace.ts';
import { createLogger, type Logger, scrub } from './logger.ts';
import { createOperator, type Operator } from './queue/operator.ts';
import { createRequestQueue, type RequestQueue } from './queue/requests.ts';
import { createSuspects } from './queue/suspects.ts';
import { createSweeper, type SweepOptions } from './queue/sweep.ts';
import { createWatcher, type WatchOptions } from './queue/watch.ts';
import { createWorker, oncePerSecond, type Recovery } from './queue/worker.ts';
import { createRedis, judgeRedis, probeRights, readRedisFacts, untilReady, within } from './redis.ts';
import { createRunCloud } from './runcloud/client.ts';
import { createDirectory } from './runcloud/directory.ts';
import { createFacts } from './runcloud/facts.ts';

const PRODUCER_DEADLINE_MS = 1000;

export interface ProducerApp {
  readonly requests: RequestQueue;
  readonly operator: Operator;
  /** What the workers look at besides RunCloud, as far as this configuration says. */
  readonly looking: { readonly hasDnsGate: boolean; readonly watchIntervalMs: number | undefined };
  /** Throws CodedError `redis-unavailable` where Redis does not answer within a second. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** The parts that enqueue and inspect; needs Redis only, and gives up after a second without it. */
export function createProducerApp(config: Config): ProducerApp {
  const redis = createRedis(config.redisUrl, 'producer', () => undefined);
  const requests = createRequestQueue({ ...queueOptions(config), redis, deadlineMs: PRODUCER_DEADLINE_MS });
  const brake = createBrake({ ...brakeOptions(config), redis, key: requests.keyOf('brake') });
  const ledger = createLedgerOf({ config, redis });
  const operator = createOperator({ requests, defaults: defaultsOf(config), hold: brake.status, ledger });
  return {
    requests,
    operator,
    looking: toLooking(config),
    ready: () => untilReady(redis, PRODUCER_DEADLINE_MS),
    async close() {
      await within(requests.close(), 500, undefined);
      redis.disconnect();
    },
  };
}

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
}

/** The worker with everything it needs; `reload` reads the configuration anew. Throws ConfigError without credentials. */
export function createWorkerApp(
  config: Config,
  reload: () => Config = () => config,
  { recovery, pace = PACE }: Tuning = {},
): WorkerApp {
  const credentials = createCredentialSource(config, reload);
  const logger = createLogger({ ...config.log, secrets: credentials.secrets });
  const releases = new AsyncDisposableStack();

  // One line a second in all: while Redis is away, the connection and BullMQ both have their say.
  const tell = oncePerSecond(({ event, text }: { event: string; text: string }) =>
    logger.error({ event }, text),
  );
  const redis = createRedis(config.redisUrl, 'worker', ({ message }) =>
    tell({ event: 'redis-error', text: `Redis: ${message}` }),
  );
  releases.defer(() => redis.disconnect());
  const requests = createRequestQueue({ ...queueOptions(config), redis });
  releases.defer(() => within(requests.close(), 500, undefined));
  const brake = createBrake({ ...brakeOptions(config), redis, key: requests.keyOf('brake') });
  const runcloud = createRunCloud({ ...toRunCloudSettings(config, credentials.current), brake });
  releases.defer(() => runcloud.close());
  const directory = createDirectory({ runcloud, now: requests.intents.now });
  const facts = createFacts({ runcloud });
  const parts = { config, pace, redis, requests, runcloud, directory, facts };
  const look = createLookOf(parts);
  const hold = async (): Promise<Hold | undefined> => {
    const held = await brake.hold(runcloud.fingerprint());
    if (held?.kind !== 'refused' || !credentials.refresh()) return held;
    logger.info({ event: 'credentials-changed' }, 'the credentials have changed; trying the new ones');
    return brake.hold(runcloud.fingerprint());
  };

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
      suspects: createSuspects(redis, requests.keyOf('suspect')),
      onError: ({ message }) => tell({ event: 'worker-error', text: `worker: ${message}` }),
      scrub: (text) => scrub(text, credentials.secrets()),
    });
    releases.defer(() => worker.close(config.worker.shutdownTimeoutMs * 0.9));
    await worker.ready();
    startUpkeep({ ...parts, look, logger, releases, isHeld: async () => (await hold()) !== undefined });
  };
  return { logger, start, close: () => releases.disposeAsync() };
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
});
