// Facts about web applications, in Redis: one worker reads them for all, and all judge by the same.
import type { Redis } from 'ioredis';
import { readClock } from '../redis/clock.ts';
import type { Keys } from '../redis/keys.ts';
import { createRunScript } from '../redis/run-script.ts';
import type { FactsMemo, Known } from '../runcloud/facts-memo.ts';

// KEYS fact  ARGV value, at: an older value than the stored one is dropped
const PUT = `
if tonumber(ARGV[2]) < (tonumber(redis.call('HGET', KEYS[1], 'at')) or 0) then return 0 end
redis.call('HSET', KEYS[1], 'value', ARGV[1], 'at', ARGV[2])
return 1
`;

export function createFactsMemo({ redis, keys }: { redis: Redis; keys: Pick<Keys, 'own'> }): FactsMemo {
  const run = createRunScript(redis);
  const keyOf = (key: string): string => keys.own(`facts:${key}`);
  const now = (): Promise<number> => readClock(redis);
  return {
    now,
    async get(names) {
      const [at, ...found] = await Promise.all([
        now(),
        ...names.map((key) => redis.hmget(keyOf(key), 'value', 'at')),
      ]);
      const known = found.flatMap(([value, when], i): [string, Known][] =>
        value && when ? [[names[i] ?? '', { value: JSON.parse(value), at: Number(when) }]] : [],
      );
      return { now: at, known: new Map(known) };
    },
    async put(key, { value, at }) {
      await run(PUT, [keyOf(key)], [JSON.stringify(value), at]);
    },
    async lockRefresh(key, ms) {
      const turn = keyOf(`${key}:turn`);
      if ((await redis.set(turn, '1', 'PX', ms, 'NX')) === 'OK') return 0;
      return Math.max(1, ms - (await redis.pttl(turn)));
    },
  };
}
