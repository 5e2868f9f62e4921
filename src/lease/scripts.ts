// The Lua of the fence: at most one run may write for a domain or a certificate, for as long as it can say that it is alive (fence.ts).
// While a write may be under way, `wroteAt` lies in the future, at the end of the lease: nobody may conclude anything from
// a reading that began before, even when the writer never came back.

import { MOVE_TO, NOW } from '../domains/scripts.ts';
import { EXPECT } from '../redis/run-script.ts';

// The write that is under way, `flight`: its kind and until when it may take effect where no reply comes. One whose end nobody
// knows is added to what the record says of its kind (`attachLateUntil`, `changeLateUntil`, `detachLateUntil`).
const LATE = `
local function keepFlight(record)
  local kind, untilAt = string.match(redis.call('HGET', record, 'flight') or '', '^(%a+) (%d+)$')
  if kind then
    local old = tonumber(redis.call('HGET', record, kind .. 'LateUntil')) or 0
    if tonumber(untilAt) > old then redis.call('HSET', record, kind .. 'LateUntil', untilAt) end
    -- What shows up after a POST of ours that nobody answered for is ours.
    if kind == 'attach' then redis.call('HSET', record, 'adopts', '1') end
  end
  redis.call('HDEL', record, 'flight')
end
-- What RunCloud took is shown by its list, once that has caught up; until then a list that says otherwise is believed by nobody.
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

// KEYS record, fence, history (of a domain)
// ARGV jobId, holder, leaseMs, owner (the record's field that names the job which may write), kind ('attach', 'change', 'detach', 'order'),
// www ('1', '0', or '': nothing is said of it)
// -> 'held', 'superseded' or 'busy'
export const BEGIN_WRITE = `${NOW}${EXPECT}${MOVE_TO}${LATE}
expect('hash', 'string', 'list')
local jobId, holder, lease, owner, kind, www = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6]
if redis.call('HGET', KEYS[1], owner) ~= jobId then return 'superseded' end
if not redis.call('SET', KEYS[2], holder, 'NX', 'PX', lease) then return 'busy' end
-- From now on the certificate has to follow, whoever finds that the write took effect (ASK_REDEPLOY clears it).
if kind ~= 'order' then
  redis.call('HSET', KEYS[1], 'uncovered', kind)
  redis.call('HDEL', KEYS[1], 'attachedWww')
end
-- Nothing is there yet that somebody else may have set; of a change only its reply, or the next look, tells what it did.
if kind == 'attach' and www ~= '' then redis.call('HSET', KEYS[1], 'setWww', www) end
if kind == 'change' then redis.call('HSET', KEYS[1], 'changesTo', www) end
if kind == 'detach' then redis.call('HDEL', KEYS[1], 'setWww', 'adopts') end
keepFlight(KEYS[1])
-- What has failed stays so while it is tried again.
if kind == 'attach' and redis.call('HGET', KEYS[1], 'state') ~= 'failed' then
  moveTo(KEYS[1], KEYS[3], 'attaching', 'RunCloud is asked to attach it', 'attaching', '', '')
end
redis.call('HSET', KEYS[1], 'wroteAt', now() + lease)
return 'held'
`;

// KEYS record, fence  ARGV holder, leaseMs, jobId or '', owner, kind, lateMs -> 1 where the lease goes on
// With jobId, right before the write is sent: 0 also where a newer request has taken over.
export const RENEW_WRITE = `${NOW}${LATE}
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
if ARGV[3] ~= '' and redis.call('HGET', KEYS[1], ARGV[4]) ~= ARGV[3] then return 0 end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
if ARGV[3] ~= '' then takeOff(KEYS[1], ARGV[5], ARGV[6]) end
redis.call('HSET', KEYS[1], 'wroteAt', now() + tonumber(ARGV[2]))
return 1
`;

// KEYS record, fence  ARGV holder, attachedId or '', www of a change that was carried out ('1', '0') or '',
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
