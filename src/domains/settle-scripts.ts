// The Lua of what a run found or did: the end of a run, and what was observed of the domain. Each is one atomic step.
import { NOW } from '../redis/clock.ts';
import { EXPECT } from '../redis/run-script.ts';
import { LOCKED, NEXT_CHECK } from './queue-scripts.ts';
import { MOVE_TO, PROVEN } from './state-scripts.ts';

// KEYS record, history, outbox (if callbacks are configured)
// ARGV queue, jobId, token or '', request, outcome, code, nextRunAt, requestedAt or '', firstCheckMs or '', longestCheckMs,
// state or '', reasonCode, mustAct, evidence or '', dnsRecords (with the evidence), macKeys -> result
// result: 'recorded'; 'superseded': a newer request or run has taken over; 'again': the same was requested once more after
// requestedAt, so this run's list may be too old to settle it.
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
// An unanswered change of ours is found to be carried out. What we attached without getting its id is found to be ours.
export const NOTE_OBSERVED = `
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

// KEYS record  ARGV jobId: RunCloud may have lost it, so the next run reads the list.
export const FORGET_OBSERVED = `
if redis.call('HGET', KEYS[1], 'jobId') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'observedAt', 0)
return 1
`;

// KEYS record, history, outbox (if callbacks are configured)
// ARGV jobId, reason, isExpiring ('1' or ''), state, reasonCode, mustAct, evidence or '' (it stays), dnsRecords, macKeys
// -> 1: the state has changed
// What the monitor found of a settled domain. The time of the settlement stays: the reconcile loop counts from it.
export const NOTE_MONITORED = `${NOW}${EXPECT}${MOVE_TO}
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
