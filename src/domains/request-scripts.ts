// The Lua of a request: recorded by whoever makes it (REQUEST), and claimed by the job that carries it (CLAIM). Each is one atomic
// step, with all times by Redis' clock.
import { NOW } from '../redis/clock.ts';
import { EXPECT } from '../redis/run-script.ts';
import { ONE_OWNER } from './owner-scripts.ts';
import { UNFINISHED } from './queue-scripts.ts';
import { MOVE_TO } from './state-scripts.ts';

// The first state of a request. Its reason names who made it: `by` is ours and stands first; `behalf` is the caller's own text,
// in quotes, so that it cannot pass for ours. Needs MOVE_TO and ONE_OWNER.
const REQUESTED = `
local function noteRequest(recordKey, historyKey, desired, by, behalf, repeatedBy, isWithoutWww)
  local state, reason, reasonCode = 'requested', 'requested', 'requested'
  if decodeDesired(desired).presence == 'absent' then
    state, reason, reasonCode = 'removing', 'removal requested', 'removal-requested'
  end
  local who = by ~= '' and ' by ' .. by or ''
  if behalf ~= '' then who = who .. ' for "' .. string.gsub(behalf, '["%c]', ' ') .. '"' end
  if repeatedBy then
    reason = reason .. ' again by ' .. repeatedBy
    if who ~= '' then who = ' (first' .. who .. ')' end
  end
  if isWithoutWww then who = who .. ', without www: the www name was requested as a domain of its own' end
  moveTo(recordKey, historyKey, state, reason .. who, reasonCode, '', '', nil, nil, { by = repeatedBy or by, behalf = behalf })
end
`;

// Starts a new generation of a record. `attachedId`, `attachedWww`, `setWww`, `wroteAt` and `needsRedeployAfter` belong to RunCloud's
// side and stay. `own`: a job's own generation. A lost record takes it over, so that the other jobs keep their order.
const NEW_GENERATION = `
local function newGeneration(recordKey, allKey, generationKey, appsKey, member, fields, own)
  local least = tonumber(redis.call('HGET', recordKey, 'generation')) or 0
  local generation = own
  if not own or own <= least then generation = math.max(redis.call('INCR', generationKey), least + 1) end
  if generation > (tonumber(redis.call('GET', generationKey)) or 0) then
    redis.call('SET', generationKey, string.format('%.0f', generation))
  end
  redis.call('HDEL', recordKey, 'outcome', 'reasonCode', 'code', 'outcomeAt', 'nextRunAt')
  redis.call('HSET', recordKey, 'generation', generation, 'request', 'pending', 'attachedAt', 0, 'observedAt', 0, unpack(fields))
  redis.call('ZADD', allKey, now(), member)
  redis.call('SADD', appsKey, string.match(member, '^%d+:%d+'))
  return generation
end
`;

// KEYS record, all, generation, history, apps, bare, twin (see ONE_OWNER)
// ARGV queue, member, onlyGeneration or '', jobIdStem, desired, the same without www, siteId, by, for, repeatedBy,
// quiet ('1': nobody requests it, a check repeats it) -> {result, jobId, '1' if www gave way}
// result: 'new' (add the job), 'missing' (its job was never added or is gone: add it under the same id), 'coalesced',
// 'superseded' (onlyGeneration was given and is no longer the newest: nothing was changed), 'taken' (another record has the host
// name, 'bare' or 'twin' in place of the jobId: nothing was changed; a repetition takes no name that the record has not already).
export const REQUEST = `${NOW}${UNFINISHED}${MOVE_TO}${ONE_OWNER}${REQUESTED}${NEW_GENERATION}
local queue, member, only, stem, requested, withoutWww, siteId, by, behalf, repeatedBy, quiet = unpack(ARGV)
local old = redis.call('HMGET', KEYS[1], 'request', 'desired', 'jobId', 'generation')
if only ~= '' and old[4] ~= only then return {'superseded', old[3] or ''} end
local desired, owner, isWithoutWww = decideOwner(KEYS[1], KEYS[6], KEYS[7], requested, withoutWww)
if owner and only == '' then return {'taken', owner} end
local gaveWay = isWithoutWww and '1' or ''
-- Jobs of external producers up to here are older, later ones are newer.
local place = tonumber(redis.call('GET', queue .. 'id')) or 0
if old[1] == 'pending' and old[2] == desired then
  local state = jobState(queue, old[3], stem)
  if state == 'unfinished' or state == 'missing' then
    -- The repetition counts as requested now: it beats an external producer's request in between, and needs a fresh list.
    if only == '' then redis.call('HSET', KEYS[1], 'requestedAt', now(), 'place', place, 'by', by, 'for', behalf) end
    if state == 'unfinished' then return {'coalesced', old[3], gaveWay} end
    return {'missing', old[3], gaveWay}
  end
end
local renewals = 0
-- What was settled and undone counts, not what failed or was lost.
if only ~= '' then
  renewals = (tonumber(redis.call('HGET', KEYS[1], 'renewals')) or 0) + (old[1] == 'settled' and 1 or 0)
end
local generation = newGeneration(KEYS[1], KEYS[2], KEYS[3], KEYS[5], member, {
  'desired', desired, 'siteId', siteId, 'by', by, 'for', behalf, 'requestedAt', now(), 'place', place,
  'renewals', renewals })
-- BullMQ takes no job under an id that it still has. If the counter was lost, such ids are passed over.
while redis.call('EXISTS', queue .. stem .. generation) == 1 do generation = redis.call('INCR', KEYS[3]) end
local jobId = stem .. generation
redis.call('HSET', KEYS[1], 'jobId', jobId, 'generation', generation)
if only == '' then redis.call('HDEL', KEYS[1], 'cause') end
if quiet ~= '1' then redis.call('HDEL', KEYS[1], 'checks') end
-- A failed domain stays failed, for people, until a check finds it otherwise.
if quiet ~= '1' or old[1] ~= 'failed' then
  noteRequest(KEYS[1], KEYS[4], desired, by, behalf, only ~= '' and repeatedBy or nil, isWithoutWww)
end
return {'new', jobId, gaveWay}
`;

// KEYS record, all, generation, history, apps, bare, twin (see ONE_OWNER), lease
// ARGV member, jobId, generation or '', place or '', addedAt, again ('1': not its first run), desired, the same without www,
// siteId, by, for -> {result, ...HGETALL}
// result: 'current', 'superseded', or 'busy': another run still has the lease of this domain. A job of ours carries its
// generation in its id. The job of an external producer has none. It counts as a request at its place in the queue's order
// (BullMQ's id counter), or, if its id is not that counter, at its timestamp. {'taken', 'bare' or 'twin'}: another record has
// the host name, and nothing was changed.
export const CLAIM = `${NOW}${EXPECT}${MOVE_TO}${ONE_OWNER}${REQUESTED}${NEW_GENERATION}
expect('hash', 'zset', 'string', 'list', 'set', 'hash', 'hash', 'string')
local member, jobId, generation, place, addedAt, again, requested, withoutWww, siteId, by, behalf = unpack(ARGV)
local old = redis.call('HMGET', KEYS[1], 'jobId', 'generation', 'place', 'requestedAt')
if old[1] and old[1] ~= jobId then
  local newer
  if generation ~= '' then newer = tonumber(old[2]) > tonumber(generation)
  elseif place ~= '' then newer = tonumber(old[3]) >= tonumber(place)
  else newer = tonumber(old[4]) > tonumber(addedAt) or (again == '1' and old[4] == addedAt) end
  if newer then return {'superseded', unpack(redis.call('HGETALL', KEYS[1]))} end
end
if old[1] ~= jobId then
  local desired, owner, isWithoutWww = decideOwner(KEYS[1], KEYS[6], KEYS[7], requested, withoutWww)
  if owner then return {'taken', owner} end
  if place == '' then place = (tonumber(old[3]) or 0) end
  local at = math.min(now(), tonumber(addedAt))
  newGeneration(KEYS[1], KEYS[2], KEYS[3], KEYS[5], member, {
    'desired', desired, 'siteId', siteId, 'by', by, 'for', behalf, 'requestedAt', at, 'place', place, 'jobId', jobId,
    'renewals', 0 },
    tonumber(generation))
  redis.call('HDEL', KEYS[1], 'cause')
  noteRequest(KEYS[1], KEYS[4], desired, by, behalf, nil, isWithoutWww)
end
if redis.call('EXISTS', KEYS[8]) == 1 then return {'busy', unpack(redis.call('HGETALL', KEYS[1]))} end
return {'current', unpack(redis.call('HGETALL', KEYS[1]))}
`;
