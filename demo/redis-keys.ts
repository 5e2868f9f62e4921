// Deletes what the demo has written into a Redis that it does not own: the keys below its own prefix, nothing else.
import { Redis } from 'ioredis';

export async function deleteKeys(url: string, prefix: string): Promise<void> {
  const redis = new Redis(url, { retryStrategy: () => null, maxRetriesPerRequest: 0 });
  redis.on('error', () => undefined);
  try {
    for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 500 }))
      if (keys.length > 0) await redis.unlink(...keys);
  } finally {
    redis.disconnect();
  }
}
