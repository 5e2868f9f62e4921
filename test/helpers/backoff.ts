// Lets the time after a failed issuance pass: the ledger's backoff, and the redeploys that wait for it.
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

/** Has the redeploys that wait run now; returns how many there were. */
export async function promoteRedeploys(queue: Queue): Promise<number> {
  const waiting = (await queue.getDelayed()).filter((job) => job?.name === 'redeploy-ssl');
  for (const job of waiting) await job.promote().catch(() => undefined);
  return waiting.length;
}
