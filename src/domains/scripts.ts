// The Lua behind store.ts: each is one atomic step in Redis. The certificates' is in certificate-scripts.ts, the fence's in
// fence-scripts.ts.
// All times come from Redis' own TIME, since app servers' and workers' clocks differ.

import { NOW } from '../redis/clock.ts';
import { EXPECT } from '../redis/run-script.ts';
import { ONE_OWNER } from './owner-scripts.ts';
import { MOVE_TO, PROVEN } from './state-scripts.ts';

// A job that BullMQ has given up (a stall limit, an operator's removal) leaves the record pending behind its back, so
// "unfinished" is read from the queue itself.
export const UNFINISHED = `
local function jobState(queue, id, stem)
  if id == false or id == '' then return 'none' end
  if redis.call('EXISTS', queue .. id) == 0 then
    -- BullMQ refuses a foreign client's number as an id that we choose: such a job comes back as one of ours.
    local isOurs = stem and string.sub(id, 1, #stem) == stem and string.find(string.sub(id, #stem + 1), '^%d+$')
    return isOurs and 'missing' or 'none'
  end
  if redis.call('ZSCORE', queue .. 'failed', id) or redis.call('ZSCORE', queue .. 'completed', id) then
    return 'finished'
  end
  return 'unfinished'
end
`;

// The first state of a request, with who made it.
const REQUESTED = `
-- Who asks is ours to say, and stands first; behalf is the caller's own text, quoted so that it cannot look like ours.
local function askedFor(recordKey, historyKey, desired, by, behalf, renewedBy, isWithoutTwin)
  local state, reason, reasonCode = 'requested', 'asked for', 'requested'
  if desired == 'absent' then
    state, reason, reasonCode = 'removing', 'its removal was asked for', 'removal-requested'
  end
  local who = by ~= '' and ' by ' .. by or ''
  if behalf ~= '' then who = who .. ' for "' .. string.gsub(behalf, '["%c]', ' ') .. '"' end
  if renewedBy then
    reason = reason .. ' again by ' .. renewedBy
    if who ~= '' then who = ' (first' .. who .. ')' end
  end
  if isWithoutTwin then who = who .. ', without www, which was asked for by itself' end
  moveTo(recordKey, historyKey, state, reason .. who, reasonCode, '', '', nil, nil, { by = renewedBy or by, behalf = behalf })
end
`;

// Starts a new generation of a record. `attachedId`, `attachedWww`, `setWww`, `wroteAt` and `needsRedeployAfter` belong to RunCloud's side and stay.
// `own`: a job's own generation, which a record that was lost takes over, so that the other jobs keep their order.
const RENEW = `
local function renew(recordKey, allKey, generationKey, appsKey, member, fields, own)
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
// ARGV queue, member, onlyGeneration or '', jobIdStem, desired, siteId, by, for, renewedBy, quiet ('1': nobody
// asks, we look again) -> {fate, jobId, '1' where www gave way}
// fate: 'new' (add the job), 'missing' (its job was never added or is gone: add it under the same id), 'coalesced',
// 'superseded' (onlyGeneration was given and is no longer the newest: nothing was changed), 'taken' (another record has the host
// name, 'bare' or 'twin' in place of the jobId: nothing was changed; a renewal takes nothing that the record has not already).
export const REQUEST = `${NOW}${UNFINISHED}${MOVE_TO}${REQUESTED}${RENEW}${ONE_OWNER}
local queue, member, only, stem, asked, siteId, by, behalf, renewedBy, quiet = unpack(ARGV)
local old = redis.call('HMGET', KEYS[1], 'request', 'desired', 'jobId', 'generation')
if only ~= '' and old[4] ~= only then return {'superseded', old[3] or ''} end
local desired, owner, isWithoutTwin = decideOwner(KEYS[1], KEYS[6], KEYS[7], asked)
if owner and only == '' then return {'taken', owner} end
local gaveWay = isWithoutTwin and '1' or ''
-- Foreign jobs up to here are older, later ones are newer.
local place = tonumber(redis.call('GET', queue .. 'id')) or 0
if old[1] == 'pending' and old[2] == desired then
  local state = jobState(queue, old[3], stem)
  if state == 'unfinished' or state == 'missing' then
    -- The repetition counts as asked now: it beats what a bare client asked for in between, and wants a fresh look.
    if only == '' then redis.call('HSET', KEYS[1], 'requestedAt', now(), 'place', place, 'by', by, 'for', behalf) end
    if state == 'unfinished' then return {'coalesced', old[3], gaveWay} end
    return {'missing', old[3], gaveWay}
  end
end
local renewals = 0
-- Counted is what was settled and undone, not what failed or was lost.
if only ~= '' then
  renewals = (tonumber(redis.call('HGET', KEYS[1], 'renewals')) or 0) + (old[1] == 'settled' and 1 or 0)
end
local generation = renew(KEYS[1], KEYS[2], KEYS[3], KEYS[5], member, {
  'desired', desired, 'siteId', siteId, 'by', by, 'for', behalf, 'requestedAt', now(), 'place', place,
  'renewals', renewals })
-- BullMQ takes no job under an id that it still holds: where the counter was lost, such ids are passed over.
while redis.call('EXISTS', queue .. stem .. generation) == 1 do generation = redis.call('INCR', KEYS[3]) end
local jobId = stem .. generation
redis.call('HSET', KEYS[1], 'jobId', jobId, 'generation', generation)
if only == '' then redis.call('HDEL', KEYS[1], 'cause') end
if quiet ~= '1' then redis.call('HDEL', KEYS[1], 'checks') end
-- What has failed stays so, for people, until a look finds it otherwise.
if quiet ~= '1' or old[1] ~= 'failed' then
  askedFor(KEYS[1], KEYS[4], desired, by, behalf, only ~= '' and renewedBy or nil, isWithoutTwin)
end
return {'new', jobId, gaveWay}
`;

// KEYS record, all, generation, history, apps, bare, twin (see ONE_OWNER), fence
// ARGV member, jobId, generation or '', place or '', addedAt, again ('1': not its first run), desired, siteId, by, for
// -> {fate, ...HGETALL}
// fate: 'current', 'superseded', or 'busy': another run still holds the right to write for this domain. A job of ours carries its generation in its id; a job added by a foreign BullMQ
// client has none and counts as a request at its place in the queue's order (BullMQ's id counter), or, where its id is
// not that counter, at its timestamp. {'taken', 'bare' or 'twin'}: another record has the host name, and nothing was changed.
export const CLAIM = `${NOW}${EXPECT}${MOVE_TO}${REQUESTED}${RENEW}${ONE_OWNER}
expect('hash', 'zset', 'string', 'list', 'set', 'hash', 'hash', 'string')
local member, jobId, generation, place, addedAt, again, asked, siteId, by, behalf = unpack(ARGV)
local old = redis.call('HMGET', KEYS[1], 'jobId', 'generation', 'place', 'requestedAt')
if old[1] and old[1] ~= jobId then
  local newer
  if generation ~= '' then newer = tonumber(old[2]) > tonumber(generation)
  elseif place ~= '' then newer = tonumber(old[3]) >= tonumber(place)
  else newer = tonumber(old[4]) > tonumber(addedAt) or (again == '1' and old[4] == addedAt) end
  if newer then return {'superseded', unpack(redis.call('HGETALL', KEYS[1]))} end
end
if old[1] ~= jobId then
  local desired, owner, isWithoutTwin = decideOwner(KEYS[1], KEYS[6], KEYS[7], asked)
  if owner then return {'taken', owner} end
  if place == '' then place = (tonumber(old[3]) or 0) end
  local at = math.min(now(), tonumber(addedAt))
  renew(KEYS[1], KEYS[2], KEYS[3], KEYS[5], member, {
    'desired', desired, 'siteId', siteId, 'by', by, 'for', behalf, 'requestedAt', at, 'place', place, 'jobId', jobId,
    'renewals', 0 },
    tonumber(generation))
  redis.call('HDEL', KEYS[1], 'cause')
  askedFor(KEYS[1], KEYS[4], desired, by, behalf, nil, isWithoutTwin)
end
if redis.call('EXISTS', KEYS[8]) == 1 then return {'busy', unpack(redis.call('HGETALL', KEYS[1]))} end
return {'current', unpack(redis.call('HGETALL', KEYS[1]))}
`;

// When what has failed is looked at again: after `first`, then after twice as long, and so on; '' where it is not.
export const NEXT_CHECK = `
local function nextCheck(record, first, longest)
  if first == '' then return '' end
  local checks = math.min(redis.call('HINCRBY', record, 'checks', 1), 30)
  return string.format('%.0f', now() + math.min(first * 2 ^ (checks - 1), tonumber(longest)))
end
`;

// A run that has lost BullMQ's lock records nothing: another run of the same job speaks for it.
export const LOCKED = `
local function isLocked(queue, jobId, token)
  return token == '' or redis.call('GET', queue .. jobId .. ':lock') == token
end
`;

// KEYS record, history, outbox (where callbacks are configured)
// ARGV queue, jobId, token or '', request, outcome, code, nextRunAt, requestedAt or '', firstCheckMs or '', longestCheckMs,
// state or '', reasonCode, mustAct, evidence or '', dnsRecords (with the evidence), macKeys -> fate
// fate: 'recorded'; 'superseded': a newer request or run has taken over; 'again': the same was asked for once more after
// requestedAt, so that this run's look may be too old to settle it.
export const SETTLE = `${NOW}${EXPECT}${MOVE_TO}${LOCKED}${NEXT_CHECK}${PROVEN}
expect('hash', 'list', 'stream')
local queue, jobId, token, request, outcome, code, nextRunAt, requestedAt = unpack(ARGV, 1, 8)
local firstCheck, longestCheck, state, reasonCode, mustAct, evidence, dnsRecords, macKeys = unpack(ARGV, 9, 16)
if redis.call('HGET', KEYS[1], 'jobId') ~= jobId or not isLocked(queue, jobId, token) then return 'superseded' end
if request == 'settled' and requestedAt ~= '' then
  if tonumber(redis.call('HGET', KEYS[1], 'requestedAt')) > tonumber(requestedAt) then return 'again' end
end
if request == 'settled' then redis.call('HDEL', KEYS[1], 'checks') end
if request == 'failed' then nextRunAt = nextCheck(KEYS[1], firstCheck, longestCheck) end
redis.call('HSET', KEYS[1], 'request', request, 'outcome', outcome, 'reasonCode', reasonCode, 'code', code, 'outcomeAt', now(), 'nextRunAt', nextRunAt)
if evidence ~= '' then redis.call('HSET', KEYS[1], 'evidence', evidence, 'dnsRecords', dnsRecords) end
if isProven[state] then redis.call('HSET', KEYS[1], 'needsRedeployAfter', '') end
moveTo(KEYS[1], KEYS[2], state, outcome, reasonCode, mustAct, code, KEYS[3] and { key = KEYS[3], macKeys = macKeys })
return 'recorded'
`;

// KEYS record  ARGV jobId, observedAt, attachedAt, attachedWww ('1', '0', or '': not known), id -> {attachedId, setWww}
// A change of ours whose reply was lost is seen to have been carried out, and what we attached without being told its id is seen to be ours.
export const NOTE_SEEN = `
if redis.call('HGET', KEYS[1], 'jobId') ~= ARGV[1] then return {} end
redis.call('HSET', KEYS[1], 'observedAt', ARGV[2], 'attachedAt', ARGV[3], 'attachedWww', ARGV[4])
if ARGV[4] ~= '' and redis.call('HGET', KEYS[1], 'changesTo') == ARGV[4] then
  redis.call('HSET', KEYS[1], 'setWww', ARGV[4])
  redis.call('HDEL', KEYS[1], 'changesTo')
end
local isFlight = string.find(redis.call('HGET', KEYS[1], 'flight') or '', 'attach ', 1, true) == 1
if isFlight or redis.call('HGET', KEYS[1], 'adopts') == '1' then
  redis.call('HSET', KEYS[1], 'attachedId', ARGV[5])
  redis.call('HDEL', KEYS[1], 'adopts')
end
local known = redis.call('HMGET', KEYS[1], 'attachedId', 'setWww')
return {known[1] or '', known[2] or ''}
`;

// KEYS record  ARGV jobId: RunCloud may have lost it, the next run looks
export const FORGET_SEEN = `
if redis.call('HGET', KEYS[1], 'jobId') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'observedAt', 0)
return 1
`;

// KEYS record, history, outbox (where callbacks are configured)
// ARGV jobId, reason, isExpiring ('1' or ''), state, reasonCode, mustAct, evidence or '' (it stays), dnsRecords, macKeys -> 1 where the state has changed
// A later look at what was settled; when it was settled stays as it is, since the sweep counts from there.
export const NOTE_WATCHED = `${NOW}${EXPECT}${MOVE_TO}
expect('hash', 'list', 'stream')
local jobId, reason, isExpiring, state, reasonCode, mustAct, evidence, dnsRecords, macKeys = unpack(ARGV)
local outbox = KEYS[3] and { key = KEYS[3], macKeys = macKeys }
local old = redis.call('HMGET', KEYS[1], 'jobId', 'request')
if old[1] ~= jobId or old[2] ~= 'settled' then return 0 end
redis.call('HSET', KEYS[1], 'outcome', reason, 'reasonCode', reasonCode)
if evidence ~= '' then redis.call('HSET', KEYS[1], 'evidence', evidence, 'dnsRecords', dnsRecords) end
if not moveTo(KEYS[1], KEYS[2], state, reason, reasonCode, mustAct, '', outbox, isExpiring) then return 0 end
return 1
`;
