// The Lua behind ledger.ts: what may be ordered of Let's Encrypt, and what was; each script one atomic step.
//
// bucket: the theoretical arrival time of GCRA in milliseconds; a bucket that is full again has no key.
// set: when exactly these names were ordered last; its being there makes the next order of them a renewal.
// record: the last order of one certificate: set, names (JSON), orderedAt, failures (in a row, of this set), retryAt, failed
//         ('1': this order has failed), renewal ('1'), blamed:<name> (this order's failure of that name is counted),
//         nonce (of the call that took it), before (the record that this order replaced, as HGETALL gives it, JSON),
//         replaces (JSON: the certificate as RunCloud showed it before this order, '' for none), answered ('1': RunCloud took it),
//         issued (JSON: the names of the last order that is known to have succeeded), failingNames (JSON, failing-names.ts: names of this
//         order that may fail it, or may have failed it; '' for none).
//
// Each may run twice for one call: if the connection ends before the reply, ioredis sends the script again. The second run
// must change nothing, and answer as the first did: RESERVE knows the call by its nonce, RELEASE and FAILED the order by its time.

import { NOW } from '../redis/clock.ts';

// Let's Encrypt's limits are token buckets: a burst up to the capacity, then one token per `every`. That is GCRA with the
// tolerance (capacity - 1) * every: the arrival time says when all tokens would be back.
const BUCKETS = `
local function arrival(key, at) return math.max(tonumber(redis.call('GET', key)) or 0, at) end
local function freeAt(key, every, capacity, at) return arrival(key, at) - (capacity - 1) * every end
local function store(key, tat, at)
  if tat <= at then return redis.call('DEL', key) end
  redis.call('SET', key, string.format('%.0f', tat), 'PX', string.format('%.0f', tat - at))
end
-- An empty bucket cannot owe: what is spent beyond the last token is not paid for later.
local function spend(key, every, capacity, at)
  store(key, math.min(arrival(key, at), at + (capacity - 1) * every) + every, at)
end
local function giveBack(key, every, at) store(key, arrival(key, at) - every, at) end

-- Each key from KEYS[3] on is a bucket; three arguments from ARGV[first] on describe it.
-- use: 'new' (an order takes a token, unless it is a renewal), 'always', 'check' (it must not be empty).
local function bucket(i, first)
  local base = first + (i - 3) * 3
  return tonumber(ARGV[base]), tonumber(ARGV[base + 1]), ARGV[base + 2]
end
local function takes(use, isRenewal) return use == 'always' or (use == 'new' and not isRenewal) end
local function backoff(failures) return ({60000, 600000, 6000000})[failures] or 86400000 end
`;

// A name that joins a failed order joins its backoff, as long as a failing name is on it. Otherwise every new customer would start over.
// Only a smaller set, without one of them, may be ordered at once.
const FAILING_NAMES = `
local function decoded(text) if text and text ~= '' then return cjson.decode(text) end return {} end
local function toSet(names)
  local set = {}
  for _, name in ipairs(names) do set[name] = true end
  return set
end
-- Those of the failingNames that are among the names, and whether the names are fewer, without one of them.
local function amongFailing(failingNames, names, before)
  local desired, known, found, isSmaller = toSet(names), toSet(before), {}, true
  for _, failing in ipairs(failingNames) do
    if desired[failing.name] then found[#found + 1] = failing end
  end
  for _, name in ipairs(names) do
    if not known[name] then isSmaller = false end
  end
  return found, isSmaller and #found < #failingNames
end
local function joined(some, more)
  local known, all = {}, {}
  for _, list in ipairs({some, more}) do
    for _, failing in ipairs(list) do
      if not known[failing.name] then all[#all + 1] = failing end
      known[failing.name] = true
    end
  end
  if #all == 0 then return '' end
  return cjson.encode(all)
end
`;

// KEYS record, set, ...buckets
// ARGV set, names, changed ('1' or ''), cooldownMs, forgiveMs, rememberMs, nonce ('': only check), replaces, doubts (JSON or '': of
// these names nobody could say before the order that they are right), ...(everyMs, capacity, use)
// -> {'granted', orderedAt}, {'repeated', orderedAt} or {'refused', nextAt, bucket (0: the last order failed, or may have)}
// An order counts as issued if no failure is reported within forgiveMs. Until then its set keeps the
// failures before it, and with failingNames on it counts as failed for who comes after it: that is not known in time. Two orders of one
// certificate never have the same time, which is their name.
export const RESERVE = `${NOW}${BUCKETS}${FAILING_NAMES}
local set, names, changed, cooldown, forgive, remember, nonce, replaces, doubts = unpack(ARGV, 1, 9)
local at = now()
local last = redis.call('HMGET', KEYS[1], 'set', 'orderedAt', 'failures', 'retryAt', 'failed', 'nonce', 'names', 'failingNames', 'issued')
if nonce ~= '' and last[6] == nonce then return {'granted', tonumber(last[2])} end
local isSame, lastAt, retryAt = last[1] == set, tonumber(last[2]) or 0, tonumber(last[4]) or 0
local hasFailed, isForgiven = last[5] == '1', last[5] ~= '1' and at >= lastAt + forgive
local carried, isRelieved = {}, false
if not isForgiven then
  carried, isRelieved = amongFailing(decoded(last[8]), cjson.decode(names), decoded(last[7]))
end
local isDelayed = retryAt > at and ((isSame and hasFailed) or (not isSame and #carried > 0 and not isRelieved))
if isSame and not hasFailed and changed == '' and at < lastAt + cooldown then return {'repeated', lastAt} end

local isRenewal = redis.call('EXISTS', KEYS[2]) == 1
local worst, worstAt = 0, isDelayed and retryAt or at
for i = 3, #KEYS do
  local every, capacity, use = bucket(i, 10)
  if use == 'check' or takes(use, isRenewal) then
    local free = freeAt(KEYS[i], every, capacity, at)
    if free > worstAt then worst, worstAt = i - 2, free end
  end
end
if worst > 0 or isDelayed then return {'refused', worstAt, worst} end
if nonce == '' then return {'granted', at} end
for i = 3, #KEYS do
  local every, capacity, use = bucket(i, 10)
  if takes(use, isRenewal) then spend(KEYS[i], every, capacity, at) end
end

local failures = 0
if isSame and not isForgiven then failures = tonumber(last[3]) or 0
elseif #carried > 0 then failures = (tonumber(last[3]) or 0) + (hasFailed and 0 or 1) end
local failingNames = joined(carried, decoded(doubts))
local delayedUntil = failingNames == '' and 0 or at + backoff(failures + 1)
local issued = isForgiven and last[7] or last[9] or ''
local orderedAt = math.max(at, lastAt + 1)
local orderedText = string.format('%.0f', orderedAt)
redis.call('HDEL', KEYS[1], 'before')
local before = cjson.encode(redis.call('HGETALL', KEYS[1]))
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'set', set, 'names', names, 'orderedAt', orderedText, 'failures', failures,
  'retryAt', string.format('%.0f', delayedUntil), 'failingNames', failingNames, 'issued', issued, 'failed', '', 'renewal', isRenewal and '1' or '', 'nonce', nonce, 'before', before,
  'replaces', replaces)
redis.call('PEXPIRE', KEYS[1], remember)
redis.call('SET', KEYS[2], orderedText, 'PX', remember)
return {'granted', orderedAt}
`;

// KEYS record  ARGV orderedAt: a handshake shows what this order brought, late or not. It did not fail, and no name is failing.
export const ISSUED = `
local record = redis.call('HMGET', KEYS[1], 'orderedAt', 'names')
if record[1] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'issued', record[2], 'answered', '1', 'failed', '', 'failures', 0, 'retryAt', 0, 'failingNames', '')
return 1
`;

// KEYS record  ARGV orderedAt: what was wrong with the failingNames of this failed order is over, so that it need not back off longer
export const CLEARED = `
local record = redis.call('HMGET', KEYS[1], 'orderedAt', 'failed')
if record[1] ~= ARGV[1] or record[2] ~= '1' then return 0 end
redis.call('HSET', KEYS[1], 'retryAt', 0, 'failingNames', '')
return 1
`;

// KEYS record  ARGV orderedAt: RunCloud took this order
export const ANSWERED = `
if redis.call('HGET', KEYS[1], 'orderedAt') == ARGV[1] then redis.call('HSET', KEYS[1], 'answered', '1') end
return 1
`;

// KEYS record, set, ...buckets  ARGV set, orderedAt, rememberMs, ...(everyMs, capacity, use) -> 1: it was undone
// An order that failed was sent; one that is not the last any more is not undone: rather a token too few than one too many.
export const RELEASE = `${NOW}${BUCKETS}
local set, orderedAt, remember = unpack(ARGV, 1, 3)
local at = now()
local record = redis.call('HMGET', KEYS[1], 'set', 'orderedAt', 'failed', 'renewal', 'before')
if record[1] ~= set or record[2] ~= orderedAt or record[3] == '1' then return 0 end
local isRenewal = record[4] == '1'
for i = 3, #KEYS do
  local every, _, use = bucket(i, 4)
  if takes(use, isRenewal) then giveBack(KEYS[i], every, at) end
end
if not isRenewal and redis.call('GET', KEYS[2]) == orderedAt then redis.call('DEL', KEYS[2]) end
redis.call('DEL', KEYS[1])
local before = record[5] and cjson.decode(record[5]) or {}
for i = 1, #before, 2 do redis.call('HSET', KEYS[1], before[i], before[i + 1]) end
if #before > 0 then redis.call('PEXPIRE', KEYS[1], remember) end
return 1
`;

// KEYS record, set, ...buckets of the failingNames  ARGV set, orderedAt, everyMs, capacity, failingNames (JSON or ''), ...their names -> retryAt
// Each domain on a certificate may report: the order is counted once, and so is each name that it failed for.
// What failed the first time was never issued, so the next order of the same names is no renewal.
export const FAILED = `${NOW}${BUCKETS}
local set, orderedAt, every, capacity = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local at = now()
local record = redis.call('HMGET', KEYS[1], 'set', 'orderedAt', 'failures', 'retryAt', 'failed', 'renewal')
if record[1] ~= set then return at end
if record[2] ~= orderedAt then return math.max(at, tonumber(record[4])) end
for i = 3, #KEYS do
  if redis.call('HSETNX', KEYS[1], 'blamed:' .. ARGV[i + 3], '1') == 1 then spend(KEYS[i], every, capacity, at) end
end
if record[5] == '1' then return tonumber(record[4]) end
local failures = tonumber(record[3]) + 1
local retryAt = at + backoff(failures)
redis.call('HSET', KEYS[1], 'failed', '1', 'failures', failures, 'retryAt', string.format('%.0f', retryAt), 'failingNames', ARGV[5])
if record[6] ~= '1' and redis.call('GET', KEYS[2]) == orderedAt then redis.call('DEL', KEYS[2]) end
return retryAt
`;

// KEYS ...buckets  ARGV ...(everyMs, capacity) -> how many tokens each has left
export const LEFT = `${NOW}${BUCKETS}
local at = now()
local left = {}
for i, key in ipairs(KEYS) do
  local every, capacity = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  left[i] = math.max(0, math.floor(capacity - (arrival(key, at) - at) / every))
end
return left
`;
