// One world per test: a Redis of its own with an append-only file, the simulator, worker processes; and the invariants that
// must hold when the dust has settled.
import { expect } from '@jest/globals';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import {
  type Call,
  createSimulator,
  DEFAULT_PRIMARY_DOMAIN,
  type Operation,
  type Simulator,
  type SimulatorOptions,
} from '../../packages/simulator/src/index.ts';
import { type RedisServer, startRedisServer } from '../../scripts/redis-server.ts';
import { createProducerApp, type ProducerApp } from '../../src/app/app.ts';
import type { Tuning } from '../../src/app/tuning.ts';
import { type Config, parseConfig } from '../../src/config/load.ts';
import type { DomainRecord } from '../../src/domains/domain.ts';
import { createDomainStore } from '../../src/domains/store.ts';
import { createKeys } from '../../src/redis/keys.ts';
import { patient } from '../helpers/patient.ts';
import { UNLIMITED, UNPROVEN } from '../helpers/unproven.ts';
import { until } from '../helpers/until.ts';
import { tellUnfinished } from '../helpers/worker.ts';
import {
  PATIENCE_MS,
  spawnWorker,
  untilReady,
  type WorkerProcess,
  type WorkerProcessOptions,
} from './processes.ts';

export const APP = { serverId: 1903, appId: 646 } as const;
export const PRIMARY = DEFAULT_PRIMARY_DOMAIN;

export type Env = Readonly<Record<string, string>>;

export interface World extends AsyncDisposable {
  readonly env: Env;
  readonly config: Config;
  readonly server: RedisServer;
  readonly simulator: Simulator;
  readonly redis: Redis;
  /** What any BullMQ client has. */
  readonly queue: Queue;
  readonly producer: ProducerApp;
  startWorker(env?: Env, options?: Omit<WorkerProcessOptions, 'env'>): Promise<WorkerProcess>;
  /**
   * Asks for a domain through our own door, and remembers it as the last accepted request. Resolves with the job's id.
   * On another web application than APP's it is one that must fail.
   */
  add(domain: string, appId?: number): Promise<string>;
  remove(domain: string): Promise<string>;
  /** For requests that were accepted elsewhere. */
  desired(domain: string, presence: 'present' | 'absent'): void;
  record(domain: string, appId?: number): Promise<DomainRecord | undefined>;
  calls(operation: Operation, domain?: string): Call[];
  names(): string[];
  /** Resolves when no job is waiting, delayed or at work. */
  idle(): Promise<void>;
  /** Waits until all is quiet, then asserts I1 to I4 and I7. */
  verify(): Promise<void>;
}

/** How the workers retry failed attempts. */
const RETRIES = { attempts: 40, backoffMs: 50, backoffMaxMs: 500 };

export interface WorldOptions {
  /** For its workers, besides RETRIES. */
  readonly tuning?: Tuning;
  readonly env?: Env;
  readonly simulator?: SimulatorOptions;
  readonly redisArgs?: readonly string[];
}

const UNFINISHED = ['waiting', 'prioritized', 'active', 'delayed'] as const;

const envOf = (server: RedisServer, simulator: Simulator): Record<string, string> => ({
  REDIS_URL: server.url,
  RUNCLOUD_API_URL: `${simulator.url}/api/v3`,
  RUNCLOUD_API_TOKEN: simulator.credentials.token,
  RUNCLOUD_SERVER_ID: String(APP.serverId),
  RUNCLOUD_APP_ID: String(APP.appId),
  RUNCLOUD_RATE_PER_MINUTE: '6000',
  // What RunCloud did not tell of is waited for so much longer.
  RUNCLOUD_TIMEOUT: '5s',
  ...UNPROVEN,
  SSL_REDEPLOY_DELAY: '100ms',
  LOG_LEVEL: 'debug',
  LOG_FORMAT: 'json',
});

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startRedisServer({ aof: true, args: options.redisArgs ?? [] }));
  const simulator = stack.use(await createSimulator({ rateLimit: 0, ...options.simulator }));
  const env = { ...envOf(server, simulator), ...options.env };
  const { config } = parseConfig(env);
  const redis = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  redis.on('error', () => undefined);
  stack.defer(() => redis.disconnect());
  const queue = new Queue('runcloud-domains', { connection: redis, skipVersionCheck: true });
  queue.on('error', () => undefined);
  const producer = createProducerApp(config);
  const asking = patient(producer);
  stack.defer(() => producer.close());
  await asking.ready();

  // On the connection that waits for Redis, unlike the producer's.
  const store = createDomainStore({ redis, keys: createKeys(config.queuePrefix, 'runcloud-domains') });
  const desiredOnes = new Map<string, 'present' | 'absent'>();
  const hopeless = new Map<string, number>();
  const record: World['record'] = (domain, appId = APP.appId) =>
    store.get({ ...APP, appId, domain: domain as DomainRecord['domain'] });
  const names = (): string[] => simulator.state.domains().map(({ name }) => name);
  const idle = async (): Promise<void> => {
    const isIdle = async (): Promise<boolean> =>
      Object.values(await queue.getJobCounts(...UNFINISHED)).every((count) => count === 0);
    await until(isIdle, 'no job is unfinished', PATIENCE_MS).catch((error) => tellUnfinished(queue, error));
  };
  const releases = stack.move();

  return {
    env,
    config,
    server,
    simulator,
    redis,
    queue,
    producer,
    async startWorker(more = {}, { tuning, ...how } = {}) {
      const tuned = { retryPolicy: RETRIES, limits: UNLIMITED, ...options.tuning, ...tuning };
      return await untilReady(releases.use(spawnWorker({ env: { ...env, ...more }, tuning: tuned, ...how })));
    },
    async add(domain, appId = APP.appId) {
      const { jobId } = await asking.requests.enqueue('add-domain', { domain, appId });
      if (appId === APP.appId) desiredOnes.set(domain, 'present');
      else hopeless.set(domain, appId);
      return jobId;
    },
    async remove(domain) {
      const { jobId } = await asking.requests.enqueue('remove-domain', { domain });
      desiredOnes.set(domain, 'absent');
      return jobId;
    },
    desired: (domain, presence) => void desiredOnes.set(domain, presence),
    record,
    calls: (operation, domain) =>
      simulator.state.calls.filter(
        (call) => call.operation === operation && (domain === undefined || call.domain === domain),
      ),
    names,
    idle,
    async verify() {
      await idle();
      for (const [domain, presence] of desiredOnes) {
        const found = await record(domain);
        expect([domain, verdictOf(found)]).toEqual([domain, `${presence} settled`]);
      }
      for (const [domain, appId] of hopeless)
        expect(await record(domain, appId)).toMatchObject({ request: 'failed', code: expect.any(String) });
      const desired = [...desiredOnes]
        .filter(([, presence]) => presence === 'present')
        .map(([domain]) => domain);
      expect(names().sort()).toEqual([PRIMARY, ...desired].sort());
      expect(simulator.state.overlappingWrites()).toEqual([]);
      expect((await queue.getFailed()).filter((job) => !job.failedReason)).toEqual([]);
    },
    [Symbol.asyncDispose]: () => releases.disposeAsync(),
  };
}

const verdictOf = (record: DomainRecord | undefined): string =>
  record
    ? `${record.desired.presence} ${record.request}${record.code ? ` (${record.code})` : ''}`
    : 'nothing';

/** Resolves when the producer's own connection is back, with the id of the job. */
export const addAgain = (world: World, domain: string): Promise<string> =>
  until(() => world.add(domain).catch(() => undefined), `${domain} is accepted`, PATIENCE_MS);
