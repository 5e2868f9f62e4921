// A worker in this process that can die: it reaches Redis and RunCloud by lines that can be cut. What the world would do while
// time passes after a death (locks, leases and the rate limiter's dates run out) is done to Redis at once.
import type { Redis } from 'ioredis';
import type { Simulator } from '../../packages/simulator/src/index.ts';
import { createWorkerApp, type WorkerApp } from '../../src/app/worker.ts';
import { parseConfig } from '../../src/config/load.ts';
import { BACKOFF, type Backoff } from '../../src/domains/backoff.ts';
import { createLine, type Line } from './line.ts';
import { UNLIMITED, UNPROVEN } from './unproven.ts';
import { until } from './until.ts';

export const RATE = 6000;
/** What is waited for after a write without a reply, and between two looks, in a hurry. */
const HURRIED: Backoff = { ...BACKOFF, lateMs: 300, lagMs: 250, checkMs: 50, heldMs: 1_000 };

const RETRIES = { attempts: 1_000, backoffMs: 5, backoffMaxMs: 20 };

export interface Worker {
  readonly app: WorkerApp;
  readonly redisLine: Line;
  readonly httpLine: Line;
}

export const envOf = (simulator: Simulator, redisUrl: string, prefix: string): Record<string, string> => ({
  RUNCLOUD_API_URL: `${simulator.url}/api/v3`,
  RUNCLOUD_API_TOKEN: simulator.credentials.token,
  RUNCLOUD_SERVER_ID: '1903',
  RUNCLOUD_APP_ID: '646',
  RUNCLOUD_TIMEOUT: '100ms',
  RUNCLOUD_RATE_PER_MINUTE: String(RATE),
  REDIS_URL: redisUrl,
  QUEUE_PREFIX: prefix,
  WORKER_CONCURRENCY: '3',
  ...UNPROVEN,
  SSL_REDEPLOY_DELAY: '30ms',
  SHUTDOWN_TIMEOUT: '10s',
  LOG_LEVEL: 'silent',
});

export async function startWorker(env: Record<string, string>, simulator: Simulator): Promise<Worker> {
  const url = new URL(env.REDIS_URL ?? '');
  const redisLine = await createLine({ host: url.hostname, port: Number(url.port) });
  const httpLine = await createLine({ host: '127.0.0.1', port: simulator.port });
  url.host = `127.0.0.1:${redisLine.port}`;
  const runcloud = `http://127.0.0.1:${httpLine.port}/api/v3`;
  const app = createWorkerApp(
    parseConfig({ ...env, REDIS_URL: url.href, RUNCLOUD_API_URL: runcloud }).config,
    undefined,
    { backoff: HURRIED, retryPolicy: RETRIES, limits: UNLIMITED, throttledMs: 1_000 },
  );
  await app.start();
  return { app, redisLine, httpLine };
}

/** What becomes of the dead: their locks and their rights to write run out, BullMQ takes their jobs for stalled. */
export async function bury(dead: readonly Worker[], redis: Redis, prefix: string): Promise<void> {
  const isDead = (holder: string): boolean => dead.some(({ redisLine }) => redisLine.hasCarried(holder));
  if (dead.length > 0) await buryHolders(redis, prefix, isDead);
}

/** The same by who holds them; default: everybody is dead. */
export async function buryHolders(
  redis: Redis,
  prefix: string,
  isDead: (holder: string) => boolean = () => true,
): Promise<void> {
  const base = `${prefix}:runcloud-domains`;
  const wasTheirs = async (key: string): Promise<boolean> => {
    const holder = await redis.get(key);
    return holder !== null && isDead(holder);
  };
  for (const key of await redis.keys(`${base}:*:lock`)) {
    if (!(await wasTheirs(key))) continue;
    await redis.del(key);
    await redis.sadd(`${base}:stalled`, key.slice(base.length + 1, -':lock'.length));
  }
  const leases = `${base}-internal:lease:`;
  for (const key of await redis.keys(`${leases}*`)) {
    if (!(await wasTheirs(key))) continue;
    await redis.hset(`${base}-records:domain:${key.slice(leases.length)}`, 'wroteAt', Date.now());
    await redis.del(key);
  }
  // The next worker that starts looks for stalled jobs at once.
  await redis.del(`${base}:stalled-check`);
}

/** The waits that the rate limiter has set are over. */
export async function openLimiter(redis: Redis, prefix: string): Promise<void> {
  const key = `${prefix}:runcloud-domains-internal:rate-limit`;
  for (const field of ['throttledUntil', 'trialAt', 'refusedTrialAt'])
    if (Number(await redis.hget(key, field)) > 0) await redis.hset(key, field, 0);
}

export async function end({ app, redisLine, httpLine }: Worker): Promise<void> {
  await app.close();
  await redisLine[Symbol.asyncDispose]();
  await httpLine[Symbol.asyncDispose]();
}

/** Takes a dead worker out of this process. BullMQ's worker lets go only once both its connections are back. */
export async function dispose(worker: Worker): Promise<void> {
  worker.redisLine.mend();
  await until(() => worker.redisLine.connections() >= 2, 'a dead worker has found Redis again');
  await end(worker);
}
