// The Lua behind brake.ts: one hash in Redis that every worker asks before each call. Times by Redis' own clock.
//
// Fields: tat (theoretical arrival time of the rate), limit (as RunCloud's header said), closedUntil and why (429),
//         failures, downSince, probeAt, probeMs (RunCloud down), refused, refusedAt, refusedWhy (credentials),
//         corrected ('1': other credentials have been accepted since), account ('1': the account is refused, not the
//         credentials), refusedMs (how long until the next probe of a refused account).

import { NOW } from '../redis/clock.ts';

const AT = `${NOW}
local now = now()
`;

// KEYS brake  ARGV ratePerMinute, fingerprint, take ('1': take a slot) -> {kind, waitMs, why}
// kind: 'go', 'rate', 'closed', 'down', 'refused', 'account'. Fingerprint '*' asks how things stand, whoever probes next.
// The rate is GCRA: b calls at once, the rest spaced so that no window of 60 s holds more than the rate:
// with spacing T = 60 s / (rate - b) and tolerance (b - 1) T, a window holds at most (60 s + (b - 1) T) / T + 1 = rate.
export const ENTER = `${AT}
local rate, fingerprint, take = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local h = redis.call('HMGET', KEYS[1], 'tat', 'limit', 'closedUntil', 'why', 'downSince', 'probeAt', 'probeMs',
  'refused', 'refusedAt', 'refusedWhy', 'corrected', 'account', 'refusedMs')
local refusal = h[12] == '1' and 'account' or 'refused'
local closedUntil = tonumber(h[3]) or 0
if closedUntil > now then return {'closed', closedUntil - now, h[4] or ''} end
if fingerprint == '*' then
  local function left(at) return math.max(0, (tonumber(at) or now) - now) end
  if h[8] and h[8] ~= '' and h[11] ~= '1' then return {refusal, left(h[9]), h[10] or ''} end
  if h[5] and h[5] ~= '' then return {'down', left(h[6]), h[5]} end
  return {'go', 0, ''}
end
local isRefused = h[8] and h[8] == fingerprint
local isDown = not isRefused and h[5] and h[5] ~= ''
if isRefused and tonumber(h[9]) > now then return {refusal, tonumber(h[9]) - now, h[10] or ''} end
if isDown and tonumber(h[6]) > now then return {'down', tonumber(h[6]) - now, h[5]} end
if take ~= '1' then return {'go', 0, ''} end
local limit = tonumber(h[2])
if limit and limit > 0 and limit < rate then rate = limit end
local burst = math.max(1, math.floor(rate / 6))
local spacing = 60000 / math.max(1, rate - burst)
if rate == 1 then spacing = 60000 end
local tat = math.max(tonumber(h[1]) or 0, now)
local wait = tat - (burst - 1) * spacing - now
if wait > 0 then return {'rate', math.ceil(wait), ''} end
-- Only a call that goes out uses a probe up.
if isRefused then
  local refusedMs = math.min(2 * (tonumber(h[13]) or 60000), refusal == 'account' and 600000 or 60000)
  redis.call('HSET', KEYS[1], 'refusedAt', now + refusedMs, 'refusedMs', refusedMs)
end
if isDown then
  local probeMs = math.min(tonumber(h[7]) * 2, 60000)
  redis.call('HSET', KEYS[1], 'probeAt', now + probeMs, 'probeMs', probeMs)
end
redis.call('HSET', KEYS[1], 'tat', tostring(tat + spacing))
return {'go', 0, ''}
`;

// KEYS brake  ARGV result, fingerprint, ratePerMinute, closeMs, why, limit, remaining, failuresToTrip, firstProbeMs -> state
// result: 'ok' (RunCloud answered), 'down' (5xx, no answer, no connection), 'closed' (429), 'refused' (credentials),
// 'account' (402, or 403 for every call). state: 'open', 'closed', 'down', 'refused', 'account'.
export const REPORT = `${AT}
local result, fingerprint, rate, closeMs, why, limit, remaining, trip, firstProbe = unpack(ARGV)
rate, closeMs = tonumber(rate), tonumber(closeMs)
if limit ~= '' then redis.call('HSET', KEYS[1], 'limit', limit) end
if result == 'down' then
  local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
  local since = redis.call('HGET', KEYS[1], 'downSince')
  if since and since ~= '' then return 'down' end
  if failures < tonumber(trip) then return 'open' end
  redis.call('HSET', KEYS[1], 'downSince', now, 'probeAt', now + tonumber(firstProbe), 'probeMs', firstProbe)
  return 'down'
end
redis.call('HSET', KEYS[1], 'failures', 0, 'downSince', '')
if result == 'refused' or result == 'account' then
  local old = redis.call('HMGET', KEYS[1], 'refused', 'refusedMs', 'refusedAt', 'account')
  local account = result == 'account' and '1' or ''
  -- Of an account that stays refused the probes grow rarer (ENTER doubles the pause); several calls at once are one refusal.
  if old[1] == fingerprint and old[4] == account then
    redis.call('HSET', KEYS[1], 'refusedWhy', why, 'corrected', '')
  else
    local pause = account == '1' and firstProbe or '60000'
    redis.call('HSET', KEYS[1], 'refused', fingerprint, 'refusedAt', now + tonumber(pause), 'refusedMs', pause, 'refusedWhy', why,
      'corrected', '', 'account', account)
  end
  return result
end
-- A worker that still has the refused ones goes on waiting; for onlookers they are corrected.
if redis.call('HGET', KEYS[1], 'refused') == fingerprint then redis.call('HSET', KEYS[1], 'refused', '')
elseif result == 'ok' then redis.call('HSET', KEYS[1], 'corrected', '1') end
local burst = math.max(1, math.floor(rate / 6))
local spacing = 60000 / math.max(1, rate - burst)
if result == 'closed' then
  local closedUntil = math.max(now + closeMs, tonumber(redis.call('HGET', KEYS[1], 'closedUntil')) or 0)
  -- An empty bucket when the gate opens: whoever waited goes on one by one.
  redis.call('HSET', KEYS[1], 'closedUntil', closedUntil, 'why', why, 'tat', tostring(closedUntil + (burst - 1) * spacing))
  return 'closed'
end
-- The last calls of RunCloud's own window go out one by one.
if remaining ~= '' and tonumber(remaining) <= burst then
  local tat = math.max(tonumber(redis.call('HGET', KEYS[1], 'tat')) or 0, now + burst * spacing)
  redis.call('HSET', KEYS[1], 'tat', tostring(tat))
end
return 'open'
`;
