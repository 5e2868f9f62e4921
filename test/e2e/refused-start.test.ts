// Proves that a worker which could not use its Redis says so, with the fix, and ends: it neither spins nor waits silently.
// That a Redis older than 6.2 is refused is proven with judgeRedis alone (test/unit/redis-facts.test.ts): none is at hand.
import { expect, test } from '@jest/globals';
import { until } from '../helpers/until.ts';
import { spawnWorker } from './processes.ts';
import { createWorld } from './world.ts';

const HANG_MS = 300_000;

test.concurrent.each([
  ['may not ask INFO', ['~*', '-info'], 3, /Redis rejected INFO .*give its user the INFO command/],
  ['may not touch our keys', ['~other:*'], 3, /QUEUE_PREFIX/],
] as const)(
  'scenario 22: a worker whose Redis user %s says so and exits',
  async (_, rules, code, sentence) => {
    await using world = await createWorld();
    await world.redis.call('ACL', 'SETUSER', 'limited', 'on', '>secret-enough', '&*', '+@all', ...rules);
    const url = new URL(world.server.url);
    Object.assign(url, { username: 'limited', password: 'secret-enough' });
    await using worker = spawnWorker({ env: { ...world.env, REDIS_URL: url.href } });
    await until(() => !worker.isAlive(), 'it has ended');
    const ended = await worker.ended;
    expect(ended).toMatchObject({ code, signal: null });
    expect(ended.err).toMatch(sentence);
    expect(ended.err).not.toContain('secret-enough');
    expect(worker.lines('ready')).toEqual([]);
  },
  HANG_MS,
);

test.concurrent(
  'scenario 22: a worker whose Redis would evict jobs says so, with the fix, and exits',
  async () => {
    const redisArgs = ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'];
    await using world = await createWorld({ redisArgs });
    await using worker = spawnWorker({ env: world.env });
    const ended = await worker.ended;
    expect(ended).toMatchObject({ code: 1, signal: null });
    expect(ended.err).toMatch(/maxmemory-policy is allkeys-lru.*set `maxmemory-policy noeviction`/);
  },
  HANG_MS,
);
