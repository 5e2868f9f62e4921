// The Lua behind store.ts and certificates.ts: each is one atomic step in Redis. No other file of ours speaks Lua.
// All times come from Redis' own TIME, since app servers' and workers' clocks differ.

const NOW = `
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
`;

// A job that BullMQ has given up (a stall limit, an operator's removal) leaves the intent pending behind its back, so
// "unfinished" is read from the queue itself.
const UNFINISHED = `
local function jobState(queue, id)
  if id == false or id == '' then return 'none' end
  if redis.call('EXISTS', queue .. id) == 0 then return 'missing' end
  if redis.call('ZSCORE', queue .. 'failed', id) or redis.call('ZSCORE', queue .. 'completed', id) then
    return 'finished'
  end
  return 'unfinished'
end
`;

// Starts a new generation of an intent. \`attachedId\`, \`wroteAt\` and \`wroteGeneration\` belong to RunCloud's side and stay.
// \`own\`: a job's own generation, which a record that was lost takes over, so that the other jobs keep their order.
const RENEW = `
local function renew(intentKey, allKey, generationKey, member, fields, own)
  local least = tonumber(redis.call('HGET', intentKey, 'generation')) or 0
  local generation = own
  if not own or own <= least then generation = math.max(redis.call('INCR', generationKey), least + 1) end
  if generation > (tonumber(redis.call('GET', generationKey)) or 0) then
    redis.call('SET', generationKey, string.format('%.0f', generation))
  end
  redis.call('HDEL', intentKey, 'outcome', 'code', 'outcomeAt', 'nextRunAt')
  redis.call('HSET', intentKey, 'generation', generation, 'state', 'pending', unpack(fields))
  redis.call('ZADD', allKey, now(), member)
  return generation
end
`;

// KEYS intent, all, generation
// ARGV queue, member, onlyGeneration or '', jobIdStem, wish, siteId, requestedBy -> {fate, jobId}
// fate: 'new' (add the job), 'missing' (its job was never added or is gone: add it under the same id), 'coalesced',
// 'superseded' (onlyGeneration was given and is no longer the newest: nothing was changed).
export const REQUEST = `${NOW}${UNFINISHED}${RENEW}
local queue, member, only, stem, wish, siteId, requestedBy = unpack(ARGV)
local old = redis.call('HMGET', KEYS[1], 'state', 'wish', 'jobId', 'generation')
if only ~= '' and old[4] ~= only then return {'superseded', old[3] or ''} end
local place = (tonumber(redis.call('GET', queue .. 'id')) or 0) + 1
if old[1] == 'pending' and old[2] == wish then
  local state = jobState(queue, old[3])
  -- BullMQ refuses a foreign client's number as an id that we choose: such a job comes back as one of ours.
  if state == 'missing' and not string.find(old[3], '~%d+$') then state = 'finished' end
  if state ~= 'finished' then
    -- A repetition, too, was asked last: a foreign job that was added in between is older.
    if only == '' then redis.call('HSET', KEYS[1], 'requestedAt', now(), 'place', place) end
    return {state == 'missing' and 'missing' or 'coalesced', old[3]}
  end
end
local generation = renew(KEYS[1], KEYS[2], KEYS[3], member, {
  'wish', wish, 'siteId', siteId, 'requestedBy', requestedBy, 'requestedAt', now(), 'place', place })
-- BullMQ takes no job under an id that it still holds: where the counter was lost, such ids are passed over.
while redis.call('EXISTS', queue .. stem .. generation) == 1 do generation = redis.call('INCR', KEYS[3]) end
local jobId = stem .. generation
redis.call('HSET', KEYS[1], 'jobId', jobId, 'generation', generation)
return {'new', jobId}
`;

// KEYS intent, all, generation, fence
// ARGV member, jobId, generation or '', place or '', addedAt, again ('1': not its first run), wish, siteId, requestedBy
// -> {fate, ...HGETALL}
// fate: 'current', 'superseded', or 'busy': another run still holds the right to write for this domain. A job of ours carries its generation in its id; a job added by a foreign BullMQ
// client has none and counts as a request at its place in the queue's order (BullMQ's id counter), or, where its id is
// not that counter, at its timestamp.
export const CLAIM = `${NOW}${RENEW}
local member, jobId, generation, place, addedAt, again, wish, siteId, requestedBy = unpack(ARGV)
local old = redis.call('HMGET', KEYS[1], 'jobId', 'generation', 'place', 'requestedAt')
if old[1] and old[1] ~= jobId then
  local newer
  if generation ~= '' then newer = tonumber(old[2]) > tonumber(generation)
  elseif place ~= '' then newer = tonumber(old[3]) >= tonumber(place)
  else newer = tonumber(old[4]) > tonumber(addedAt) or (again == '1' and old[4] == addedAt) end
  if newer then return {'superseded', unpack(redis.call('HGETALL', KEYS[1]))} end
end
if old[1] ~= jobId then
  if place == '' then place = (tonumber(old[3]) or 0) end
  local at = math.min(now(), tonumber(addedAt))
  renew(KEYS[1], KEYS[2], KEYS[3], member, {
    'wish', wish, 'siteId', siteId, 'requestedBy', requestedBy, 'requestedAt', at, 'place', place, 'jobId', jobId },
    tonumber(generation))
end
if redis.call('EXISTS', KEYS[4]) == 1 then return {'busy', unpack(redis.call('HGETALL', KEYS[1]))} end
return {'current', unpack(redis.call('HGETALL', KEYS[1]))}
`;

// ---- the fence: at most one run may write for a domain or a certificate, for as long as it can say that it is alive (fence.ts).
// While a write may be under way, \`wroteAt\` lies in the future, at the end of the lease: nobody may conclude anything from
// a reading that began before, even when the writer never came back.

// KEYS record, fence  ARGV jobId, holder, leaseMs, owner (the record's field that names the job which may write)
// -> 'held', 'superseded' or 'busy'
export const BEGIN_WRITE = `${NOW}
local jobId, holder, lease, owner = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
if redis.call('HGET', KEYS[1], owner) ~= jobId then return 'superseded' end
if not redis.call('SET', KEYS[2], holder, 'NX', 'PX', lease) then return 'busy' end
redis.call('HSET', KEYS[1], 'wroteAt', now() + lease, 'wroteGeneration', redis.call('HGET', KEYS[1], 'generation') or 0)
return 'held'
`;

// KEYS record, fence  ARGV holder, leaseMs -> 1 where the lease goes on
export const RENEW_WRITE = `${NOW}
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('HSET', KEYS[1], 'wroteAt', now() + tonumber(ARGV[2]))
return 1
`;

// KEYS record, fence  ARGV holder, attachedId or '' -> the time
export const END_WRITE = `${NOW}
local at = now()
if redis.call('GET', KEYS[2]) == ARGV[1] then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'wroteAt', at)
  if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'attachedId', ARGV[2]) end
end
return at
`;

// KEYS intent  ARGV jobId, state, outcome, code, nextRunAt -> 1 where recorded, 0 where a newer request has taken over
export const SETTLE = `${NOW}
if redis.call('HGET', KEYS[1], 'jobId') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[2], 'outcome', ARGV[3], 'code', ARGV[4], 'outcomeAt', now(), 'nextRunAt', ARGV[5])
return 1
`;

// ---- the certificate of one web application (certificates.ts)
// asks: sorted set of domain names to cover ('*': all), scored by when each was asked for last.
// record: jobId (the job that will redeploy next), since (when that job's first ask came), running, startedAt,
//         coveredAt (start of the last successful redeploy), outcome, code, outcomeAt.

const DUE = `
local function due(record, asks, delay)
  if redis.call('HGET', record, 'atOnce') == '1' then return 0 end
  local newest = redis.call('ZRANGE', asks, -1, -1, 'WITHSCORES')[2]
  local since = redis.call('HGET', record, 'since')
  if not newest or not since then return 0 end
  return math.min(newest + delay, since + 3 * delay)
end
`;

// KEYS record, asks, generation
// ARGV queue, domain or '*', delayMs, atOnce ('1' or ''), jobIdStem -> {fate, jobId, delayMs}; fates as in REQUEST
// An explicit redeploy (atOnce) takes over from a job that still waits for its delay.
export const ASK_REDEPLOY = `${NOW}${UNFINISHED}${DUE}
local queue, domain, delay, atOnce, stem = unpack(ARGV)
redis.call('ZADD', KEYS[2], now(), domain)
local old = redis.call('HMGET', KEYS[1], 'jobId', 'atOnce')
local state = jobState(queue, old[1])
local fate, jobId = 'new', nil
if state == 'unfinished' and (atOnce == '' or old[2] == '1') then fate, jobId = 'coalesced', old[1]
elseif state == 'missing' then
  fate, jobId = 'missing', old[1]
  if atOnce == '1' then redis.call('HSET', KEYS[1], 'atOnce', '1') end
else
  repeat jobId = stem .. redis.call('INCR', KEYS[3]) until redis.call('EXISTS', queue .. jobId) == 0
  redis.call('HSET', KEYS[1], 'jobId', jobId, 'since', now(), 'atOnce', atOnce)
end
return {fate, jobId, math.max(0, due(KEYS[1], KEYS[2], tonumber(delay)) - now())}
`;

// KEYS record, asks
// ARGV queue, jobId, own ('1': this job was made by ASK_REDEPLOY), addedAt, domain or '*', delayMs -> {fate, ms, ...asks}
// fate: 'run' (ms: now), 'superseded', 'early' (ms to wait), 'busy' (another redeploy of this web application runs).
export const BEGIN_REDEPLOY = `${NOW}${UNFINISHED}${DUE}
local queue, jobId, own, addedAt, domain, delay = unpack(ARGV)
local record = redis.call('HMGET', KEYS[1], 'jobId', 'running', 'coveredAt')
if record[1] ~= jobId then
  if own == '1' and record[1] and record[1] ~= '' then return {'superseded', 0} end
  if record[3] and tonumber(record[3]) > tonumber(addedAt) then return {'superseded', 0} end
  redis.call('ZADD', KEYS[2], now(), domain)
  redis.call('HSET', KEYS[1], 'jobId', jobId, 'since', now(), 'atOnce', '1')
end
if record[2] and record[2] ~= '' and record[2] ~= jobId and jobState(queue, record[2]) == 'unfinished' then
  return {'busy', 0}
end
local wait = due(KEYS[1], KEYS[2], tonumber(delay)) - now()
if wait > 0 then return {'early', wait} end
redis.call('HSET', KEYS[1], 'running', jobId, 'startedAt', now(), 'atOnce', '1')
return {'run', now(), unpack(redis.call('ZRANGE', KEYS[2], 0, -1))}
`;

// KEYS record, asks  ARGV domain, startedAt: this name is covered by the redeploy that began at startedAt
export const COVERED = `
local score = redis.call('ZSCORE', KEYS[2], ARGV[1])
if score and tonumber(score) <= tonumber(ARGV[2]) then redis.call('ZREM', KEYS[2], ARGV[1]) end
redis.call('HSET', KEYS[1], 'coveredAt', ARGV[2])
return 1
`;

// KEYS record, asks, generation
// ARGV jobId, result ('done', 'failed' or 'retry'), outcome, code, delayMs, jobIdStem, nextRunAt -> {jobId or '', delayMs}
// 'done' drops the asks that were made before the redeploy began; what was asked for while it ran gets a later job, also
// where this one has failed for good: the names that failed it need not be those that came later.
export const END_REDEPLOY = `${NOW}${DUE}
local jobId, result, outcome, code, delay, stem, nextRunAt = unpack(ARGV)
local record = redis.call('HMGET', KEYS[1], 'jobId', 'running', 'startedAt')
redis.call('HSET', KEYS[1], 'outcome', outcome, 'code', code, 'outcomeAt', now(), 'nextRunAt', nextRunAt)
if record[2] == jobId then redis.call('HSET', KEYS[1], 'running', '') end
if result == 'retry' or record[2] ~= jobId then return {'', 0} end
if result == 'done' then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', record[3])
  redis.call('HSET', KEYS[1], 'coveredAt', record[3])
end
if record[1] ~= jobId then return {'', 0} end
local oldest = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. record[3], '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
if not oldest then
  if result == 'done' then redis.call('HSET', KEYS[1], 'jobId', '') end
  return {'', 0}
end
local nextId = stem .. redis.call('INCR', KEYS[3])
redis.call('HSET', KEYS[1], 'jobId', nextId, 'since', oldest, 'atOnce', '')
return {nextId, math.max(0, due(KEYS[1], KEYS[2], tonumber(delay)) - now())}
`;
