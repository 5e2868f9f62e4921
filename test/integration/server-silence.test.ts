// A client that connects and says nothing has no longer than one that says too little.
import { expect, test } from '@jest/globals';
import { startServer } from '../helpers/http-server.ts';
import { connectTo } from '../helpers/raw-client.ts';
import { testRedis } from '../helpers/redis.ts';

test('a connection over which nothing comes ends at the deadline of a request, not at that of silence', async () => {
  await using corner = await testRedis();
  await using server = await startServer({
    REDIS_URL: corner.url,
    QUEUE_PREFIX: corner.prefix,
    LOG_LEVEL: 'silent',
  });
  const startedAt = performance.now();
  const clients = await Promise.all(Array.from({ length: 50 }, () => connectTo(server.url)));
  const said = await Promise.all(clients.map(({ ended }) => ended));
  expect(performance.now() - startedAt).toBeLessThan(45_000);
  for (const text of said) expect(text).toMatch(/^HTTP\/1\.1 400 /);
  for (const client of clients) client[Symbol.dispose]();
}, 120_000);
