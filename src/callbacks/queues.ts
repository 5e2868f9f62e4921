// The queues of deliveries, one per URL. Each has its own slots in every worker: no receiver can
// delay another receiver's deliveries.
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { countDeliveries, type DeliveryCounts, toQueueName } from './queue.ts';
import { isTargetId } from './targets.ts';

/** URLs go by their ids (targets.ts). */
export interface DeliveryQueues {
  of(target: string): Queue;
  /**
   * All that may have deliveries: the configured ones, and those of any worker until they are
   * forgotten.
   */
  known(): Promise<string[]>;
  /** A worker has these URLs now. */
  markUsed(targets: readonly string[]): Promise<void>;
  /** Those that no worker has had for `ms`. */
  unusedFor(ms: number): Promise<string[]>;
  /** Deletes an empty queue. Rejects if it is not empty. */
  forget(target: string): Promise<void>;
  /** Of all queues together. */
  counts(): Promise<DeliveryCounts>;
  close(): Promise<void>;
}

export interface DeliveryQueuesOptions {
  readonly redis: Redis;
  readonly queuePrefix: string;
  readonly keyOf: (name: string) => string;
  /** Ids of the configured URLs. */
  readonly targets: readonly string[];
}

const NOTHING: DeliveryCounts = { waiting: 0, active: 0, delayed: 0, failed: 0, completed: 0 };

export function createDeliveryQueues(options: DeliveryQueuesOptions): DeliveryQueues {
  const { redis, queuePrefix, keyOf, targets } = options;
  // Sorted set: the ids, by when a worker last had them.
  const urls = keyOf('callback-urls');
  const open = new Map<string, Queue>();
  const queues: DeliveryQueues = {
    of(target) {
      const queue = open.get(target) ?? createQueue(target, redis, queuePrefix);
      open.set(target, queue);
      return queue;
    },
    async known() {
      const noted = await redis.zrangebyscore(urls, '-inf', '+inf');
      return [...new Set([...targets, ...noted.filter(isTargetId)])];
    },
    async markUsed(used) {
      if (used.length > 0) await redis.zadd(urls, ...used.flatMap((target) => [String(Date.now()), target]));
    },
    async unusedFor(ms) {
      return (await redis.zrangebyscore(urls, '-inf', Date.now() - ms)).filter(isTargetId);
    },
    async forget(target) {
      await queues.of(target).obliterate();
      await redis.zrem(urls, target);
    },
    async counts() {
      const all = (await queues.known()).map((target) => countDeliveries(queues.of(target)));
      return (await Promise.all(all)).reduce(added, NOTHING);
    },
    async close() {
      await Promise.all([...open.values()].map((queue) => queue.close()));
    },
  };
  return queues;
}

const added = (a: DeliveryCounts, b: DeliveryCounts): DeliveryCounts => ({
  waiting: a.waiting + b.waiting,
  active: a.active + b.active,
  delayed: a.delayed + b.delayed,
  failed: a.failed + b.failed,
  completed: a.completed + b.completed,
});

function createQueue(target: string, redis: Redis, queuePrefix: string): Queue {
  const queue = new Queue(toQueueName(target), {
    connection: redis,
    prefix: queuePrefix,
    // As for the jobs' own queue (queue/enqueue.ts).
    skipWaitingForReady: true,
    skipVersionCheck: true,
    // Without callbacks nothing is written.
    skipMetasUpdate: true,
  });
  queue.on('error', () => undefined); // the connection's own listener reports
  return queue;
}
