// The Lua of the lease: at most one run may write for a domain or a certificate, for as long as it proves that it is alive.
// While a write may be running, `wroteAt` lies in the future, at the end of the lease. Nobody may conclude anything from a list
// that was read before that time, even if the writer never came back.

import { NOW } from '../redis/clock.ts';
import { EXPECT } from '../redis/run-script.ts';

// The running write, `flight`: its kind, and until when it may take effect if no reply comes. A write whose end nobody knows is
// added to what the record says of its kind (`attachLateUntil`, `changeLateUntil`, `detachLateUntil`).
const LATE = `
local function keepFlight(record)
  local kind, untilAt = string.match(redis.call('HGET', record, 'flight') or '', '^(%a+) (%d+)$')
  if kind then
    local old = tonumber(redis.call('HGET', record, kind .. 'LateUntil')) or 0
    if tonumber(untilAt) > old then redis.call('HSET', record, kind .. 'LateUntil', untilAt) end
    -- What shows up after an unanswered POST of ours is ours.
    if kind == 'attach' then redis.call('HSET', record, 'adopts', '1') end
  end
  redis.call('HDEL', record, 'flight')
end
-- RunCloud's list shows what RunCloud took once it has caught up. Until then nobody believes a list that says otherwise.
local function land(record, kind, lagMs)
  redis.call('HDEL', record, 'flight')
  if kind == 'order' then return end
  if kind ~= 'change' then redis.call('HDEL', record, 'attachShownBy', 'changeShownBy', 'detachShownBy') end
  redis.call('HSET', record, kind .. 'ShownBy', string.format('%.0f', now() + tonumber(lagMs)))
end
local function takeOff(record, kind, lateMs)
  if tonumber(lateMs) == 0 then return end
  redis.call('HSET', record, 'flight', kind .. ' ' .. string.format('%.0f', now() + tonumber(lateMs)))
end
`;

// KEYS record, lease, history (of a domain)
// ARGV jobId, holder, leaseMs, owner (the record's field that names the job which may write), kind ('attach', 'change', 'detach',
// 'order'), www ('1', '0', or '': nothing is said of it) -> 'acquired', 'superseded' or 'busy'
// `began`: Lua that may define `began(record, history, kind, www)`: what the owner of the record notes in the same step.
export const beginWrite = (began: string): string => `${NOW}${EXPECT}${LATE}
local began
${began}
expect('hash', 'string', 'list')
local jobId, holder, lease, owner, kind, www = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6]
if redis.call('HGET', KEYS[1], owner) ~= jobId then return 'superseded' end
if not redis.call('SET', KEYS[2], holder, 'NX', 'PX', lease) then return 'busy' end
if began then began(KEYS[1], KEYS[3], kind, www) end
keepFlight(KEYS[1])
redis.call('HSET', KEYS[1], 'wroteAt', now() + lease)
return 'acquired'
`;

// KEYS record, lease  ARGV holder, leaseMs, jobId or '', owner, kind, lateMs -> 1: the lease goes on
// With jobId, right before the write is sent: 0 also if a newer request has taken over.
export const RENEW_WRITE = `${NOW}${LATE}
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
if ARGV[3] ~= '' and redis.call('HGET', KEYS[1], ARGV[4]) ~= ARGV[3] then return 0 end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
if ARGV[3] ~= '' then takeOff(KEYS[1], ARGV[5], ARGV[6]) end
redis.call('HSET', KEYS[1], 'wroteAt', now() + tonumber(ARGV[2]))
return 1
`;

// KEYS record, lease  ARGV holder, attachedId or '', www of a change that was carried out ('1', '0') or '',
// fate ('done', 'refused', 'unknown'), kind, lagMs -> the time
export const END_WRITE = `${NOW}${EXPECT}${LATE}
expect('hash', 'string')
local at = now()
if redis.call('GET', KEYS[2]) == ARGV[1] then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'wroteAt', at)
  if ARGV[4] == 'unknown' then keepFlight(KEYS[1])
  elseif ARGV[4] == 'done' then land(KEYS[1], ARGV[5], ARGV[6])
  else redis.call('HDEL', KEYS[1], 'flight') end
  if ARGV[4] ~= 'refused' then redis.call('HSET', KEYS[1], 'touchedAt', at) end
  if ARGV[2] ~= '' then
    redis.call('HSET', KEYS[1], 'attachedId', ARGV[2])
    redis.call('HDEL', KEYS[1], 'adopts')
  elseif ARGV[4] == 'done' and ARGV[5] == 'attach' then redis.call('HSET', KEYS[1], 'adopts', '1') end
  if ARGV[3] ~= '' then
    redis.call('HSET', KEYS[1], 'setWww', ARGV[3])
    redis.call('HDEL', KEYS[1], 'changesTo')
  end
end
return at
`;
