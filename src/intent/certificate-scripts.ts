// The Lua behind certificates.ts: what is asked of one web application's certificate, each script one atomic step.
//
// asks: sorted set of domain names to cover ('*': all), scored by when each was asked for last.
// record: jobId (the job that will redeploy next), since (when that job's first ask came), atOnce (a person waits),
//         running (the job that redeploys now), startedAt, all (it covers all names), coveredAt (start of the last
//         successful redeploy of all names), state (pending, done, failed), outcome, code, outcomeAt,
//         inTheWay (JSON: domains that shall be taken off; since when their DNS is wrong, and when it was seen so last),
//         reinstalling ('1': it was removed, or is about to be, so that it is installed anew).

import { LOCKED, NEXT_CHECK, NOW, UNFINISHED } from './scripts.ts';

const DUE = `
local function due(record, asks, delay)
  if redis.call('HGET', record, 'atOnce') == '1' then return 0 end
  local newest = redis.call('ZRANGE', asks, -1, -1, 'WITHSCORES')[2]
  local since = redis.call('HGET', record, 'since')
  if not newest or not since then return 0 end
  return math.min(newest + delay, since + 3 * delay)
end
`;

// KEYS record, asks, generation, intent (or record)
// ARGV queue, domain, '*' or '' (only what waits already), delayMs, atOnce ('1' or ''), jobIdStem
// -> {fate, jobId, delayMs}; fates as in REQUEST
// A job that redeploys at this moment may have begun too early for this ask: it gets a later one. An explicit redeploy
// (atOnce) takes over from a job that still waits for its delay. The intent's certificate counts as asked for.
export const ASK_REDEPLOY = `${NOW}${UNFINISHED}${DUE}
local queue, domain, delay, atOnce, stem = unpack(ARGV)
if domain ~= '' then redis.call('ZADD', KEYS[2], now(), domain) end
if KEYS[4] ~= KEYS[1] then redis.call('HSET', KEYS[4], 'uncovered', '') end
local old = redis.call('HMGET', KEYS[1], 'jobId', 'atOnce', 'running')
local state = jobState(queue, old[1])
local waits = state == 'unfinished' and old[3] ~= old[1]
local fate, jobId = 'new', nil
if waits and (atOnce == '' or old[2] == '1') then fate, jobId = 'coalesced', old[1]
elseif state == 'missing' then
  fate, jobId = 'missing', old[1]
  if atOnce == '1' then redis.call('HSET', KEYS[1], 'atOnce', '1') end
else
  repeat jobId = stem .. redis.call('INCR', KEYS[3]) until redis.call('EXISTS', queue .. jobId) == 0
  redis.call('HSET', KEYS[1], 'jobId', jobId, 'since', now(), 'atOnce', atOnce, 'state', 'pending', 'mustAct', '')
end
local at = math.max(now(), due(KEYS[1], KEYS[2], tonumber(delay)))
redis.call('HSET', KEYS[1], 'nextRunAt', at)
return {fate, jobId, at - now()}
`;

// KEYS record, asks
// ARGV queue, jobId, own ('1': this job was made by ASK_REDEPLOY), addedAt, domain or '*', delayMs -> {fate, ms, atOnce, asks with scores}
// fate: 'run' (ms: now), 'superseded', 'early' (ms to wait), 'busy' (another redeploy of this web application runs).
// A foreign job for all names is superseded by a redeploy of all names that began after it was added.
export const BEGIN_REDEPLOY = `${NOW}${UNFINISHED}${DUE}
local queue, jobId, own, addedAt, domain, delay = unpack(ARGV)
local record = redis.call('HMGET', KEYS[1], 'jobId', 'running', 'coveredAt')
if record[1] ~= jobId then
  if own == '1' and record[1] and record[1] ~= '' then return {'superseded', 0} end
  if domain == '*' and (tonumber(record[3]) or 0) > tonumber(addedAt) then return {'superseded', 0} end
  redis.call('ZADD', KEYS[2], now(), domain)
  redis.call('HSET', KEYS[1], 'jobId', jobId, 'since', now(), 'atOnce', '1', 'state', 'pending')
end
if record[2] and record[2] ~= '' and record[2] ~= jobId and jobState(queue, record[2]) == 'unfinished' then
  return {'busy', 0}
end
local wait = due(KEYS[1], KEYS[2], tonumber(delay)) - now()
if wait > 0 then return {'early', wait} end
local asks = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
local atOnce = redis.call('HGET', KEYS[1], 'atOnce') or ''
local all = ''
if redis.call('ZSCORE', KEYS[2], '*') then all = '1' end
redis.call('HSET', KEYS[1], 'running', jobId, 'startedAt', now(), 'all', all)
-- Nested: Lua's unpack() takes some thousands only.
return {'run', now(), atOnce, asks}
`;

// KEYS asks  ARGV ...names: what was asked of all names is asked of each, so that one by one can be done with.
export const SPREAD = `
local score = redis.call('ZSCORE', KEYS[1], '*')
if not score then return 0 end
for _, name in ipairs(ARGV) do redis.call('ZADD', KEYS[1], 'NX', score, name) end
return redis.call('ZREM', KEYS[1], '*')
`;

// KEYS asks  ARGV domain, startedAt: this name is covered by the redeploy that began at startedAt
export const COVERED = `
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if score and tonumber(score) <= tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
return 1
`;

// KEYS record, asks
// ARGV queue, jobId, token or '', result ('done', 'failed' or 'pending'), outcome, code, nextRunAt,
// mustAct, firstCheckMs or '', longestCheckMs -> 1 where recorded
// 'done' drops the asks that were made before the redeploy began; what was asked for since has a later job.
export const END_REDEPLOY = `${NOW}${LOCKED}${NEXT_CHECK}
local queue, jobId, token, result, outcome, code, nextRunAt, mustAct, firstCheck, longestCheck = unpack(ARGV)
local record = redis.call('HMGET', KEYS[1], 'jobId', 'running', 'startedAt', 'all')
if not isLocked(queue, jobId, token) then return 0 end
if record[1] ~= jobId and record[2] ~= jobId then return 0 end
if result == 'failed' then nextRunAt = nextCheck(KEYS[1], firstCheck, longestCheck) end
if result == 'done' then redis.call('HDEL', KEYS[1], 'checks') end
redis.call('HSET', KEYS[1], 'outcome', outcome, 'code', code, 'outcomeAt', now(), 'nextRunAt', nextRunAt,
  'mustAct', mustAct)
if record[2] == jobId then
  redis.call('HSET', KEYS[1], 'running', '')
  if result == 'done' then
    redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', record[3])
    -- It went without: nobody is in the way any more.
    redis.call('HDEL', KEYS[1], 'inTheWay')
  end
  if result == 'done' and record[4] == '1' then redis.call('HSET', KEYS[1], 'coveredAt', record[3]) end
end
if record[1] == jobId then redis.call('HSET', KEYS[1], 'state', result) end
if record[1] == jobId and result == 'done' then redis.call('HSET', KEYS[1], 'jobId', '') end
return 1
`;
