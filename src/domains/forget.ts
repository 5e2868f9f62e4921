// Removes finished records from Redis: that of a removal, with its history and its places in the indexes. The counter of the
// generations is shared by all domains and never goes back, so a new record begins above its old one.
import type { Redis } from 'ioredis';
import { type Keys, toMember } from '../redis/keys.ts';
import type { RunScript } from '../redis/run-script.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import { DECODE_DESIRED } from './desired.ts';
import type { DomainRecord } from './domain.ts';

export interface Forgetting {
  /** Drops a removal's record, unless it has changed since `record` was read; true if it was dropped. */
  forget(record: DomainRecord): Promise<boolean>;
  /** Drops web applications of which no record is left: neither in `kept` (`server:application`), nor of a request since `since`. */
  forgetApps(kept: ReadonlySet<string>, since: number): Promise<void>;
}

// KEYS record, all, history, lease, pendingNames, domainRedeploys  ARGV member, domain, jobId, generation -> 1: it was dropped
const FORGET = `${DECODE_DESIRED}
local member, domain, jobId, generation = unpack(ARGV)
local record = redis.call('HMGET', KEYS[1], 'jobId', 'generation', 'request', 'desired', 'needsRedeployAfter')
if record[1] ~= jobId or record[2] ~= generation or record[3] ~= 'settled' then return 0 end
if decodeDesired(record[4]).presence ~= 'absent' then return 0 end
-- A redeploy has to follow, or another run still writes.
if (record[5] or '') ~= '' or redis.call('ZSCORE', KEYS[5], domain) or redis.call('EXISTS', KEYS[4]) == 1 then return 0 end
redis.call('DEL', KEYS[1], KEYS[3])
redis.call('ZREM', KEYS[2], member)
redis.call('HDEL', KEYS[6], domain)
return 1
`;

// KEYS apps, all  ARGV since, ...web applications
const FORGET_APPS = `
local isRequested = {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], ARGV[1], '+inf')) do
  isRequested[string.match(member, '^%d+:%d+')] = true
end
for i = 2, #ARGV do
  if not isRequested[ARGV[i]] then redis.call('SREM', KEYS[1], ARGV[i]) end
end
`;

/** Of one step. */
const APPS_AT_ONCE = 500;

export function createForgetting(redis: Redis, keys: Keys, run: RunScript): Forgetting {
  return {
    async forget(record) {
      const { domain, jobId, generation } = record;
      const app: WebApplication = record;
      const own = [keys.record(record), keys.all, keys.history(record), keys.lease(record)];
      const names = [...own, keys.pendingNames(app), keys.domainRedeploys(app)];
      return (await run<number>(FORGET, names, [toMember(record), domain, jobId, generation])) === 1;
    },
    async forgetApps(kept, since) {
      const gone = (await redis.smembers(keys.apps)).filter((app) => !kept.has(app));
      for (let at = 0; at < gone.length; at += APPS_AT_ONCE)
        await run(FORGET_APPS, [keys.apps, keys.all], [since, ...gone.slice(at, at + APPS_AT_ONCE)]);
    },
  };
}
