// A stage for tests of the whole: the simulator, a corner of Redis, a bare BullMQ client, our own door to the queue, and
// any number of workers in this process, with short real delays from the configuration. Disposes everything it made.
import { type Job, Queue } from 'bullmq';
import { Redis } from 'ioredis';
import {
  type Call,
  createSimulator,
  type FaultRule,
  type Operation,
  type Simulator,
  type SimulatorOptions,
} from '../../packages/simulator/src/index.ts';
import { createProducerApp, type ProducerApp } from '../../src/app/app.ts';
import type { Tuning } from '../../src/app/tuning.ts';
import { createWorkerApp, type WorkerApp } from '../../src/app/worker.ts';
import { type Config, parseConfig } from '../../src/config/load.ts';
import { BACKOFF, type Backoff } from '../../src/domains/backoff.ts';
import type { RetryPolicy } from '../../src/queue/retry-policy.ts';
import { endDelays, promoteRedeploys } from './backoff.ts';
import { PATIENT } from './patient.ts';
import { testRedis } from './redis.ts';
import { UNLIMITED, UNPROVEN } from './unproven.ts';
import { until } from './until.ts';

export const APP = { serverId: 1903, appId: 646 } as const;
export const PRIMARY = 'network.example.org';

type Env = Readonly<Record<string, string>>;

export interface StageOptions {
  readonly version?: 'v2' | 'v3';
  /** What differs from the usual; may depend on the simulator that was made. */
  readonly env?: Env | ((simulator: Simulator) => Promise<Env>);
  /** Default: PROMPT. */
  readonly backoff?: Backoff;
  /** What differs from RETRIES. */
  readonly retries?: Partial<RetryPolicy>;
  /** Limits of Let's Encrypt that differ from the configured ones. Default: UNLIMITED. */
  readonly limits?: Tuning['limits'];
  readonly simulator?: SimulatorOptions;
  /** How many workers to start; default 1. */
  readonly workers?: number;
}

export interface Stage extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
  readonly config: Config;
  readonly retryPolicy: RetryPolicy;
  readonly simulator: Simulator;
  /** What any BullMQ client has: no code of ours. */
  readonly queue: Queue;
  readonly redis: Redis;
  readonly producer: ProducerApp;
  startWorker(env?: Readonly<Record<string, string>>): Promise<WorkerApp>;
  /** Adds a job as a bare BullMQ client does, and resolves with its id. */
  add(name: string, data: unknown): Promise<string>;
  job(id: string): Promise<Job>;
  /** Resolves when the job has completed or failed. */
  ended(id: string): Promise<Job>;
  /** Resolves when so many jobs have completed. */
  completed(count: number): Promise<void>;
  /** Resolves when no job is waiting, delayed or at work. */
  idle(): Promise<void>;
  /** The same, and a redeploy that waits for its turn, which it looks for every 5 s, looks at once. */
  idleSoon(): Promise<void>;
  /** As if the delay of a redeploy were over (LONG_DELAY). */
  passDelay(): Promise<void>;
  calls(operation: Operation): Call[];
  /** The next call of this operation takes effect, and is not answered until the returned function is called. */
  keepWaiting(operation: Operation, more?: Partial<FaultRule>): () => void;
  names(): string[];
  /** Every sentence that a job wrote into its own log. */
  logs(id: string): Promise<string>;
}

const envOf = (version: 'v2' | 'v3', simulator: Simulator): Record<string, string> => {
  const { token, key, secret } = simulator.credentials;
  return {
    RUNCLOUD_API_URL: `${simulator.url}/api/${version}`,
    ...(version === 'v3'
      ? { RUNCLOUD_API_TOKEN: token }
      : { RUNCLOUD_API_KEY: key, RUNCLOUD_API_SECRET: secret }),
    RUNCLOUD_SERVER_ID: String(APP.serverId),
    RUNCLOUD_APP_ID: String(APP.appId),
    RUNCLOUD_TIMEOUT: '10s',
    RUNCLOUD_RATE_PER_MINUTE: '6000',
    ...UNPROVEN,
    SSL_REDEPLOY_DELAY: '100ms',
    SHUTDOWN_TIMEOUT: '10s',
    LOG_LEVEL: 'silent',
  };
};

/** How the workers retry failed attempts. */
export const RETRIES: RetryPolicy = { attempts: 5, backoffMs: 20, backoffMaxMs: 100 };

/** In the simulator a write takes effect at once, or when a test says so; and its list shows at once what it took of us. */
export const PROMPT: Backoff = {
  ...BACKOFF,
  checkMs: 300,
  lateTimeouts: 0,
  lateMs: 300,
  lagMs: 0,
  missingMs: 5,
};

const HOUR_MS = 3_600_000;
/** Longer than any test: the redeploy comes by `passDelay`, and not before. */
export const LONG_DELAY = { SSL_REDEPLOY_DELAY: '1h' } as const;

const UNFINISHED = ['waiting', 'prioritized', 'active', 'delayed'] as const;

/** What each unfinished job said last. */
export async function tellUnfinished(queue: Queue, error: Error): Promise<never> {
  const lines = (await queue.getJobs([...UNFINISHED])).map(async ({ id = '' }) => {
    const { logs } = await queue.getJobLogs(id);
    return `${id} (${await queue.getJobState(id)}): ${logs.at(-1)}`;
  });
  throw new Error([error.message, ...(await Promise.all(lines))].join('\n'));
}

export async function createStage({
  version = 'v3',
  env: given = {},
  backoff = PROMPT,
  retries = {},
  limits = UNLIMITED,
  simulator: simulatorOptions = {},
  workers = 1,
}: StageOptions = {}): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const corner = stack.use(await testRedis());
  const simulator = stack.use(await createSimulator({ rateLimit: 0, ...simulatorOptions }));
  const env = {
    ...envOf(version, simulator),
    REDIS_URL: corner.url,
    QUEUE_PREFIX: corner.prefix,
    ...(typeof given === 'function' ? await given(simulator) : given),
  };
  const { config } = parseConfig(env);
  const retryPolicy = { ...RETRIES, ...retries };
  const tuning = { backoff, retryPolicy, limits, throttledMs: 1_000 };

  const redis = new Redis(config.redisUrl, { maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  stack.defer(() => redis.disconnect());
  const queue = new Queue('runcloud-domains', { connection: redis, prefix: config.queuePrefix });
  queue.on('error', () => undefined);
  stack.defer(() => queue.close());
  const producer = createProducerApp(config, PATIENT);
  stack.defer(() => producer.close());
  await producer.ready();

  const startWorker = async (more: Readonly<Record<string, string>> = {}): Promise<WorkerApp> => {
    const app = createWorkerApp(parseConfig({ ...env, ...more }).config, undefined, tuning);
    releases.defer(() => app.close());
    await app.start();
    return app;
  };
  const job = async (id: string): Promise<Job> => {
    const found: Job | undefined = await queue.getJob(id);
    if (!found) throw new Error(`there is no job ${id}`);
    return found;
  };

  const isIdle = async (): Promise<boolean> => {
    const counts = await queue.getJobCounts(...UNFINISHED);
    return Object.values(counts).every((count) => count === 0);
  };

  const releases = stack.move();
  try {
    for (let i = 0; i < workers; i += 1) await startWorker();
  } catch (error) {
    await releases.disposeAsync();
    throw error;
  }
  return {
    env,
    config,
    retryPolicy,
    simulator,
    queue,
    redis,
    producer,
    startWorker,
    async add(name, data) {
      const { id } = await queue.add(name, data);
      return id ?? '';
    },
    job,
    async ended(id) {
      return await until(async () => {
        // The state first: a record read before the job ended would lack its result.
        const state = await queue.getJobState(id);
        return state === 'completed' || state === 'failed' ? job(id) : undefined;
      }, `job ${id} has ended`);
    },
    async completed(count) {
      await until(async () => (await queue.getCompletedCount()) >= count, `${count} jobs are done`);
    },
    async passDelay() {
      let ended = 0;
      await until(async () => {
        ended += await endDelays(redis, config.queuePrefix);
        if ((await promoteRedeploys(queue)) > 0) return true;
        // Its first run may have found the delay over already.
        const open = await queue.getJobs(['waiting', 'prioritized', 'active', 'delayed']);
        return ended > 0 && !open.some((job) => job?.name === 'redeploy-ssl');
      }, 'a redeploy waits, or is done');
    },
    async idle() {
      await until(isIdle, 'no job is unfinished').catch((error) => tellUnfinished(queue, error));
    },
    async idleSoon() {
      const isOver = async () => (await promoteRedeploys(queue)) === 0 && isIdle();
      await until(isOver, 'no job is unfinished').catch((error) => tellUnfinished(queue, error));
    },
    keepWaiting(operation, more = {}) {
      const { id } = simulator.addFault({ kind: 'slow', delayMs: HOUR_MS, operation, ...more });
      return () => simulator.removeFault(id);
    },
    calls: (operation) => simulator.state.calls.filter((call) => call.operation === operation),
    names: () => simulator.state.domains().map(({ name }) => name),
    logs: async (id) => (await queue.getJobLogs(id)).logs.join('\n'),
    [Symbol.asyncDispose]: () => releases.disposeAsync(),
  };
}
