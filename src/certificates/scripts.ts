// The Lua behind certificates.ts: the redeploys of one web application's certificate, each script one atomic step.
//
// pending: sorted set of the names that wait ('*': all), scored by the last request for each.
// record: jobId (the job that redeploys next), since (the first request for that job), atOnce (a person waits),
//         running (the job that redeploys now), startedAt, all (it covers all names), coveredAt (start of the last
//         successful redeploy of all names), state (pending, done, failed), outcome, code, outcomeAt,
//         blockedBy (JSON: domains to be detached; since when their DNS is wrong, and when that was observed last),
//         reinstalling ('1': it was removed, or is about to be, and is installed again), unsteady (JSON) and
//         sidelined:<domain> (JSON; notes.ts).
//         It describes the newest job, for operators: it may name any domain.
// own: hash, for each domain (or '*') the result of its last redeploy: JSON of at, state, outcome, code, mustAct. It names no other
//      domain. A request drops the result before it.

import { LOCKED, NEXT_CHECK, UNFINISHED } from '../domains/queue-scripts.ts';
import { NOW } from '../redis/clock.ts';
import { EXPECT } from '../redis/run-script.ts';

const DUE = `
local function due(record, pending, delay)
  if redis.call('HGET', record, 'atOnce') == '1' then return 0 end
  local newest = redis.call('ZRANGE', pending, -1, -1, 'WITHSCORES')[2]
  local since = redis.call('HGET', record, 'since')
  if not newest or not since then return 0 end
  return math.min(newest + delay, since + 3 * delay)
end
`;

const DROP_STATUS = `
local function dropStatus(own, domain)
  if domain == '*' then redis.call('DEL', own) elseif domain ~= '' then redis.call('HDEL', own, domain) end
end
`;

// KEYS record, pending, own, generation, record (or record)
// ARGV queue, domain, '*' or '' (only what waits already), atOnce ('1' or ''), jobIdStem -> {fate, jobId}; fates as in REQUEST
// A job that redeploys at this moment may have begun too early for this request: it gets a later one. An explicit redeploy
// (atOnce) takes over from a job that still waits for its delay. The redeploy counts as requested.
export const REQUEST_REDEPLOY = `${NOW}${UNFINISHED}${DROP_STATUS}
local queue, domain, atOnce, stem = unpack(ARGV)
if domain ~= '' then redis.call('ZADD', KEYS[2], now(), domain) end
dropStatus(KEYS[3], domain)
if KEYS[5] ~= KEYS[1] then redis.call('HSET', KEYS[5], 'needsRedeployAfter', '') end
local old = redis.call('HMGET', KEYS[1], 'jobId', 'atOnce', 'running')
local state = jobState(queue, old[1], stem)
local waits = state == 'unfinished' and old[3] ~= old[1]
local fate, jobId = 'new', nil
if waits and (atOnce == '' or old[2] == '1') then fate, jobId = 'coalesced', old[1]
elseif state == 'missing' then
  fate, jobId = 'missing', old[1]
  if atOnce == '1' then redis.call('HSET', KEYS[1], 'atOnce', '1') end
else
  repeat jobId = stem .. redis.call('INCR', KEYS[4]) until redis.call('EXISTS', queue .. jobId) == 0
  redis.call('HSET', KEYS[1], 'jobId', jobId, 'since', now(), 'atOnce', atOnce, 'state', 'pending', 'mustAct', '')
end
if fate ~= 'coalesced' then redis.call('HSET', KEYS[1], 'nextRunAt', now()) end
return {fate, jobId}
`;

// The worker alone knows the delay: it counts from the newest request, and lasts at most three times as long in all.
//
// KEYS record, pending, own
// ARGV queue, jobId, own ('1': this job was made by REQUEST_REDEPLOY), addedAt, domain or '*', delayMs -> {fate, ms, atOnce, pending with scores}
// fate: 'run' (ms: now), 'superseded', 'early' (ms to wait), 'busy' (another redeploy of this web application runs).
// An external job for all names is superseded by a redeploy of all names that began after it was added.
export const BEGIN_REDEPLOY = `${EXPECT}${NOW}${UNFINISHED}${DUE}${DROP_STATUS}
expect('hash', 'zset', 'hash')
local queue, jobId, own, addedAt, domain, delay = unpack(ARGV)
local record = redis.call('HMGET', KEYS[1], 'jobId', 'running', 'coveredAt')
if record[1] ~= jobId then
  if own == '1' and record[1] and record[1] ~= '' then return {'superseded', 0} end
  if domain == '*' and (tonumber(record[3]) or 0) > tonumber(addedAt) then return {'superseded', 0} end
  redis.call('ZADD', KEYS[2], now(), domain)
  dropStatus(KEYS[3], domain)
  redis.call('HSET', KEYS[1], 'jobId', jobId, 'since', now(), 'atOnce', '1', 'state', 'pending')
end
if record[2] and record[2] ~= '' and record[2] ~= jobId and jobState(queue, record[2]) == 'unfinished' then
  return {'busy', 0}
end
local wait = due(KEYS[1], KEYS[2], tonumber(delay)) - now()
if wait > 0 then return {'early', wait} end
local pending = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
local atOnce = redis.call('HGET', KEYS[1], 'atOnce') or ''
local all = ''
if redis.call('ZSCORE', KEYS[2], '*') then all = '1' end
redis.call('HSET', KEYS[1], 'running', jobId, 'startedAt', now(), 'all', all)
-- Nested: Lua's unpack() takes some thousands only.
return {'run', now(), atOnce, pending}
`;

// KEYS pending  ARGV ...names: a request for all names becomes one for each, so that each can be done on its own.
export const EXPAND_ALL = `
local score = redis.call('ZSCORE', KEYS[1], '*')
if not score then return 0 end
for _, name in ipairs(ARGV) do redis.call('ZADD', KEYS[1], 'NX', score, name) end
return redis.call('ZREM', KEYS[1], '*')
`;

// KEYS record, pending, own  ARGV jobId, domain, startedAt, status (JSON without at), isDone ('1' or '')
// The result for this domain alone, while others may still be pending. A request that came after the redeploy began is not answered.
export const END_DOMAIN = `${EXPECT}${NOW}
expect('hash', 'zset', 'hash')
local jobId, domain, startedAt, status, isDone = unpack(ARGV)
if redis.call('HGET', KEYS[1], 'running') ~= jobId then return 0 end
local requestedAt = redis.call('ZSCORE', KEYS[2], domain)
if requestedAt and tonumber(requestedAt) > tonumber(startedAt) then return 0 end
local entry = cjson.decode(status)
entry.at = now()
redis.call('HSET', KEYS[3], domain, cjson.encode(entry))
if isDone == '1' then redis.call('ZREM', KEYS[2], domain) end
return 1
`;

// KEYS record, pending, own
// ARGV queue, jobId, token or '', result ('done', 'failed' or 'pending'), outcome, reasonCode, code, nextRunAt, mustAct,
// status (JSON without at: the same for the domains, naming none), firstCheckMs or '', longestCheckMs -> 1: recorded
// 'done' drops the names that were pending before the redeploy began; later requests have a later job. The end of a job that a
// newer one has followed changes nothing of the newer one: it is stored for the domains that it was for, and no more.
export const END_REDEPLOY = `${EXPECT}${NOW}${LOCKED}${NEXT_CHECK}
expect('hash', 'zset', 'hash')
local queue, jobId, token, result, outcome, reasonCode, code, nextRunAt, mustAct, status, firstCheck, longestCheck = unpack(ARGV)
local record = redis.call('HMGET', KEYS[1], 'jobId', 'running', 'startedAt', 'all')
if not isLocked(queue, jobId, token) then return 0 end
local isNewest = record[1] == jobId
if not isNewest and record[2] ~= jobId then return 0 end
if isNewest or not record[1] or record[1] == '' then
  if result == 'failed' then nextRunAt = nextCheck(KEYS[1], firstCheck, longestCheck) end
  if result == 'done' then redis.call('HDEL', KEYS[1], 'checks') end
  redis.call('HSET', KEYS[1], 'state', result, 'outcome', outcome, 'reasonCode', reasonCode, 'code', code, 'outcomeAt', now(), 'nextRunAt', nextRunAt,
    'mustAct', mustAct)
end
if record[2] == jobId then
  redis.call('HSET', KEYS[1], 'running', '')
  local entry = cjson.decode(status)
  entry.at = now()
  local text = cjson.encode(entry)
  for _, domain in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', record[3])) do
    local old = redis.call('HGET', KEYS[3], domain)
    local own = old and cjson.decode(old)
    if not own or own.at < tonumber(record[3]) then redis.call('HSET', KEYS[3], domain, text)
    elseif result == 'failed' and own.code then
      -- Its attempt failed, and nothing tries again automatically.
      own.state = 'failed'
      redis.call('HSET', KEYS[3], domain, cjson.encode(own))
    end
  end
  if result == 'done' then
    redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', record[3])
    -- It went without: no name blocks it any more.
    redis.call('HDEL', KEYS[1], 'blockedBy')
  end
  if result == 'done' and record[4] == '1' then redis.call('HSET', KEYS[1], 'coveredAt', record[3]) end
end
if isNewest and result == 'done' then redis.call('HSET', KEYS[1], 'jobId', '') end
return 1
`;
