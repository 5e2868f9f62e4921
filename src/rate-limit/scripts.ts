// The Lua behind limiter.ts: one hash in Redis, read before each call of any worker. Times by Redis' own clock.
//
// Fields: tat (theoretical arrival time of the rate), limit (from RunCloud's header),
//         throttledUntil and why (429),
//         failures, outageSince, trialAt, trialMs (outage; a trial is the breaker's test call),
//         refused (a fingerprint), refusedWhy, refusedTrialAt, refusedTrialMs (credentials or account),
//         corrected ('1': RunCloud has accepted other credentials since),
//         account ('1': RunCloud refuses the account, not the credentials).

import { NOW } from '../redis/clock.ts';

const AT = `${NOW}
local now = now()
`;

// KEYS limiter  ARGV ratePerMinute, fingerprint, take ('1': take a slot) -> {kind, waitMs, why}
// kind: 'go', or as Unavailable has it. Fingerprint '*' reads the status, whoever makes the next trial.
// The rate is GCRA: b calls at once, the rest spaced so that no window of 60 s has more than the rate:
// with spacing T = 60 s / (rate - b) and tolerance (b - 1) T, a window has at most (60 s + (b - 1) T) / T + 1 = rate.
export const ENTER = `${AT}
local rate, fingerprint, take = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local h = redis.call('HMGET', KEYS[1], 'tat', 'limit', 'throttledUntil', 'why', 'outageSince', 'trialAt', 'trialMs',
  'refused', 'refusedTrialAt', 'refusedWhy', 'corrected', 'account', 'refusedTrialMs')
local refusal = h[12] == '1' and 'account' or 'credentials'
local throttledUntil = tonumber(h[3]) or 0
if throttledUntil > now then return {'throttled', throttledUntil - now, h[4] or ''} end
if fingerprint == '*' then
  local function left(at) return math.max(0, (tonumber(at) or now) - now) end
  if h[8] and h[8] ~= '' and h[11] ~= '1' then return {refusal, left(h[9]), h[10] or ''} end
  if h[5] and h[5] ~= '' then return {'outage', left(h[6]), h[5]} end
  return {'go', 0, ''}
end
local isRefused = h[8] and h[8] == fingerprint
local isOutage = not isRefused and h[5] and h[5] ~= ''
if isRefused and tonumber(h[9]) > now then return {refusal, tonumber(h[9]) - now, h[10] or ''} end
if isOutage and tonumber(h[6]) > now then return {'outage', tonumber(h[6]) - now, h[5]} end
if take ~= '1' then return {'go', 0, ''} end
local limit = tonumber(h[2])
if limit and limit > 0 and limit < rate then rate = limit end
local burst = math.max(1, math.floor(rate / 6))
local spacing = 60000 / math.max(1, rate - burst)
if rate == 1 then spacing = 60000 end
local tat = math.max(tonumber(h[1]) or 0, now)
local wait = tat - (burst - 1) * spacing - now
if wait > 0 then return {'rate', math.ceil(wait), ''} end
-- Only a call that goes out is a trial.
if isRefused then
  local refusedTrialMs = math.min(2 * (tonumber(h[13]) or 60000), refusal == 'account' and 600000 or 60000)
  redis.call('HSET', KEYS[1], 'refusedTrialAt', now + refusedTrialMs, 'refusedTrialMs', refusedTrialMs)
end
if isOutage then
  local trialMs = math.min(tonumber(h[7]) * 2, 60000)
  redis.call('HSET', KEYS[1], 'trialAt', now + trialMs, 'trialMs', trialMs)
end
redis.call('HSET', KEYS[1], 'tat', tostring(tat + spacing))
return {'go', 0, ''}
`;

// KEYS limiter  ARGV result, fingerprint, ratePerMinute, throttleMs, why, limit, remaining, failuresToTrip, firstTrialMs
// -> state. result: 'ok' (RunCloud answered), 'outage' (5xx, no answer, no connection), 'throttled' (429), 'credentials',
// 'account' (402, or 403 for every call). state: the same after this call.
export const REPORT = `${AT}
local result, fingerprint, rate, throttleMs, why, limit, remaining, trip, firstTrial = unpack(ARGV)
rate, throttleMs = tonumber(rate), tonumber(throttleMs)
if limit ~= '' then redis.call('HSET', KEYS[1], 'limit', limit) end
if result == 'outage' then
  local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
  local since = redis.call('HGET', KEYS[1], 'outageSince')
  if since and since ~= '' then return 'outage' end
  if failures < tonumber(trip) then return 'ok' end
  redis.call('HSET', KEYS[1], 'outageSince', now, 'trialAt', now + tonumber(firstTrial), 'trialMs', firstTrial)
  return 'outage'
end
redis.call('HSET', KEYS[1], 'failures', 0, 'outageSince', '')
if result == 'credentials' or result == 'account' then
  local old = redis.call('HMGET', KEYS[1], 'refused', 'refusedTrialMs', 'refusedTrialAt', 'account')
  local account = result == 'account' and '1' or ''
  -- Of an account that stays refused the trials grow rarer (ENTER doubles the wait); several calls at once are one refusal.
  if old[1] == fingerprint and old[4] == account then
    redis.call('HSET', KEYS[1], 'refusedWhy', why, 'corrected', '')
  else
    local wait = account == '1' and firstTrial or '60000'
    redis.call('HSET', KEYS[1], 'refused', fingerprint, 'refusedTrialAt', now + tonumber(wait), 'refusedTrialMs', wait, 'refusedWhy', why,
      'corrected', '', 'account', account)
  end
  return result
end
-- A worker that still has the refused ones waits on; for other readers they are corrected.
if redis.call('HGET', KEYS[1], 'refused') == fingerprint then redis.call('HSET', KEYS[1], 'refused', '')
elseif result == 'ok' then redis.call('HSET', KEYS[1], 'corrected', '1') end
local burst = math.max(1, math.floor(rate / 6))
local spacing = 60000 / math.max(1, rate - burst)
if result == 'throttled' then
  local throttledUntil = math.max(now + throttleMs, tonumber(redis.call('HGET', KEYS[1], 'throttledUntil')) or 0)
  -- An empty bucket when calls resume: what waited goes out one by one.
  redis.call('HSET', KEYS[1], 'throttledUntil', throttledUntil, 'why', why, 'tat', tostring(throttledUntil + (burst - 1) * spacing))
  return 'throttled'
end
-- The last calls of RunCloud's own window go out one by one.
if remaining ~= '' and tonumber(remaining) <= burst then
  local tat = math.max(tonumber(redis.call('HGET', KEYS[1], 'tat')) or 0, now + burst * spacing)
  redis.call('HSET', KEYS[1], 'tat', tostring(tat))
end
return 'ok'
`;
