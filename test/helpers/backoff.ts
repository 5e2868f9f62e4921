// Lets the time pass that redeploys wait for: their delay after the changes behind them, and the ledger's backoff after a failed
// issuance. So a test decides when, however long the machine takes for what comes before.
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';

/** Ends the ledger's backoffs; returns how many there were. */
export async function endBackoffs(redis: Redis, prefix: string): Promise<number> {
  let ended = 0;
  for (const key of await redis.keys(`${prefix}:*:ledger:order:*`)) {
    if (Number(await redis.hget(key, 'retryAt')) <= 1) continue;
    await redis.hset(key, 'retryAt', 1);
    ended += 1;
  }
  return ended;
}

/** As if the last orders were an hour older: their cool-downs are over. */
export async function endCooldowns(redis: Redis, prefix: string): Promise<void> {
  for (const key of await redis.keys(`${prefix}:*:ledger:order:*`))
    await redis.hincrby(key, 'orderedAt', -3_600_000);
}

/** Ends the delays after the first ask; returns how many there were. */
export async function endDelays(redis: Redis, prefix: string): Promise<number> {
  let ended = 0;
  for (const key of await redis.keys(`${prefix}:*:certificate:*`)) {
    if (Number(await redis.hget(key, 'since')) <= 1) continue;
    await redis.hset(key, 'since', 1);
    ended += 1;
  }
  return ended;
}

/** Has the redeploys that wait run now; returns how many there were. */
export async function promoteRedeploys(queue: Queue): Promise<number> {
  const waiting = (await queue.getDelayed()).filter((job) => job?.name === 'redeploy-ssl');
  for (const job of waiting) await job.promote().catch(() => undefined);
  return waiting.length;
}
