// What we make of a Redis server: which facts are read from INFO, and which of them stop a worker.
import { describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { createRedis, judgeRedis, type RedisFacts, readRedisFacts } from '../../src/redis/connection.ts';
import { type TestRedis, testRedis } from '../helpers/redis.ts';
import { until } from '../helpers/until.ts';

const good: RedisFacts = { version: '7.2.4', maxMemory: 0, evictionPolicy: 'noeviction', appendOnly: true };
const levelsOf = (facts: Partial<RedisFacts>): string =>
  judgeRedis({ ...good, ...facts })
    .map(({ level }) => level)
    .join(' ');

describe('judging a server', () => {
  test.each([
    ['all is well with a recent one that evicts nothing and keeps a log', {}, 'ok ok ok'],
    ['6.2 is new enough', { version: '6.2.0' }, 'ok ok ok'],
    ['8 is new enough', { version: '8.0.1' }, 'ok ok ok'],
    ['6.0 is too old', { version: '6.0.16' }, 'fail ok ok'],
    ['5 is too old', { version: '5.0.7' }, 'fail ok ok'],
    ['an untold version is only doubtful', { version: undefined }, 'warn ok ok'],
    ['eviction without a memory limit is a warning', { evictionPolicy: 'allkeys-lru' }, 'ok warn ok'],
    [
      'eviction with a memory limit loses jobs',
      { evictionPolicy: 'volatile-lru', maxMemory: 1_000_000 },
      'ok fail ok',
    ],
    ['an untold eviction policy is only doubtful', { evictionPolicy: undefined }, 'ok warn ok'],
    ['no append-only file is a warning', { appendOnly: false }, 'ok ok warn'],
  ] as const)('%s', (_, facts, levels) => {
    expect(levelsOf(facts)).toBe(levels);
  });

  test('of the append-only file it says what it cannot see', () => {
    expect(judgeRedis(good).at(-1)?.sentence).toMatch(/`appendfsync always`.*does not report/);
  });

  test('every finding that is not ok says how to repair it', () => {
    const findings = judgeRedis({ version: '5.0.7', maxMemory: 1, evictionPolicy: 'x', appendOnly: false });
    for (const { sentence } of findings) expect(sentence).toMatch(/install|set `/i);
  });
});

test.each(['redis://u:1%hunter2@r', 'redis://u:hunter2@r:x'])(
  'an address that cannot be read is refused without a word of it: %s',
  (url) => {
    const open = () => createRedis({ url }, 'producer', () => undefined);
    expect(open).toThrow('the address of Redis cannot be read: percent-encode');
    expect(open).not.toThrow(/hunter2/);
  },
);

describe('reading the facts', () => {
  // Disconnected once: at a second time ioredis waits 2 s for a connection that has ended, and jest for ioredis.
  const connect = ({ url }: TestRedis): Disposable & { redis: Redis } => {
    const redis = createRedis({ url }, 'worker', () => undefined);
    return { redis, [Symbol.dispose]: () => redis.disconnect() };
  };

  test('finds them in what the server of the suite says of itself', async () => {
    await using corner = await testRedis();
    using connection = connect(corner);
    const facts = await readRedisFacts(connection.redis);
    expect(facts.version).toMatch(/^\d+\.\d+/);
    expect(facts.evictionPolicy).toMatch(/^[a-z-]+$/);
    expect(typeof facts.appendOnly).toBe('boolean');
    expect(typeof facts.maxMemory).toBe('number');
  });

  test('names the permission that is missing where INFO is refused', async () => {
    await using corner = await testRedis();
    using connection = connect(corner);
    const { redis } = connection;
    await until(() => redis.status === 'ready', 'Redis is ready');
    const user = new URL(corner.url).username;
    await redis.call('ACL', 'SETUSER', user, '-info');
    await expect(readRedisFacts(redis)).rejects.toMatchObject({
      code: 'redis-unavailable',
      message: expect.stringContaining('+info'),
    });
  });
});
