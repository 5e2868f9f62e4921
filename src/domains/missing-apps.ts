// Web applications that RunCloud does not know, remembered in Redis for all their domains. While the answer counts, nobody calls
// RunCloud. Then one job calls, and the old answer counts for the others until the new one is there.
import type { Redis } from 'ioredis';
import { NOW } from '../redis/clock.ts';
import type { Keys } from '../redis/keys.ts';
import { createRunScript } from '../redis/run-script.ts';
import type { MissingApps } from '../runcloud/directory.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import { toMinute } from './times.ts';

export interface MissingAppsOptions {
  readonly redis: Redis;
  readonly keys: Pick<Keys, 'own'>;
  /** How long the first answer counts; each further one twice as long, up to four times. */
  readonly standsMs: number;
}

/** Longer than any call takes: if the job that may call dies, the next one calls after this. */
const TURN_MS = 60_000;
/** Longer than the longest backoff, so that the answers to one job count together. */
const REMEMBERED_MS = 7_200_000;
const LONGEST = 4;

// KEYS missing  ARGV turnMs -> {sentence, at, answers, gone} or {}
const RECALL = `${NOW}
local known = redis.call('HMGET', KEYS[1], 'sentence', 'at', 'answers', 'gone', 'nextAt')
if not known[1] then return {} end
if now() >= tonumber(known[5]) then
  redis.call('HSET', KEYS[1], 'nextAt', string.format('%.0f', now() + tonumber(ARGV[1])))
  return {}
end
return {known[1], known[2], known[3], known[4] or ''}
`;

// KEYS missing  ARGV sentence, standsMs, longest, rememberedMs -> {answers, gone}
const NOTE = `${NOW}
local answers = redis.call('HINCRBY', KEYS[1], 'answers', 1)
local stands = tonumber(ARGV[2]) * math.min(2 ^ (answers - 1), tonumber(ARGV[3]))
redis.call('HSET', KEYS[1], 'sentence', ARGV[1], 'at', string.format('%.0f', now()),
  'nextAt', string.format('%.0f', now() + stands))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {answers, redis.call('HGET', KEYS[1], 'gone') or ''}
`;

const NOTE_GONE = `if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'gone', '1') end`;

export function createMissingApps({ redis, keys, standsMs }: MissingAppsOptions): MissingApps {
  const run = createRunScript(redis);
  const keyOf = ({ serverId, appId }: WebApplication): string => keys.own(`missing:${serverId}:${appId}`);
  return {
    async recall(app) {
      const [sentence, at, answers, gone] = await run<string[]>(RECALL, [keyOf(app)], [TURN_MS]);
      if (sentence === undefined) return undefined;
      const remark = `answered at ${toMinute(Number(at))} for all domains of web application ${app.appId}; the next call is soon`;
      return { sentence: `${sentence} (${remark})`, answers: Number(answers), isGone: gone === '1' };
    },
    async note(app, sentence) {
      const args = [sentence, standsMs, LONGEST, REMEMBERED_MS];
      const [answers, gone] = await run<[number, string]>(NOTE, [keyOf(app)], args);
      return { answers, isGone: gone === '1' };
    },
    async noteGone(app) {
      await run(NOTE_GONE, [keyOf(app)], []);
    },
    async forget(app) {
      await redis.del(keyOf(app));
    },
  };
}
