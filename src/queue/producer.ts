// A program's own way into the queue: a connection that gives up after a second, and the requests on it. Every producer has this one:
// the client (src/client/queue.ts), the command line and the server.
import type { Redis } from 'ioredis';
import { within } from '../deadline.ts';
import { createRedis, PRODUCER_DEADLINE_MS, type RedisAddress, untilReady } from '../redis/connection.ts';
import { createRequestQueue, type RequestQueue, type RequestQueueOptions } from './enqueue.ts';

export interface ProducerConnectionOptions extends Omit<RequestQueueOptions, 'redis'> {
  readonly address: RedisAddress;
}

export interface ProducerConnection {
  readonly redis: Redis;
  readonly requests: RequestQueue;
  /** Throws CodedError `redis-unavailable` where Redis does not answer in time. */
  ready(): Promise<void>;
  /** `others` are closed with it. Never takes longer than half a second. */
  close(...others: readonly { close(): Promise<unknown> }[]): Promise<void>;
}

const CLOSE_MS = 500;

export function openProducerConnection({
  address,
  deadlineMs = PRODUCER_DEADLINE_MS,
  ...options
}: ProducerConnectionOptions): ProducerConnection {
  const redis = createRedis(address, 'producer', () => undefined, deadlineMs);
  const requests = createRequestQueue({ ...options, redis, deadlineMs });
  return {
    redis,
    requests,
    ready: () => untilReady(redis, deadlineMs),
    async close(...others) {
      await within(Promise.all([requests, ...others].map((part) => part.close())), CLOSE_MS, undefined);
      redis.disconnect();
    },
  };
}
