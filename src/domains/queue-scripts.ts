// The Lua that reads BullMQ's own keys in the same step as ours.

// BullMQ may drop a job (a stall limit, an operator's removal) and leave its record pending. So "unfinished" is read from the queue.
export const UNFINISHED = `
local function jobState(queue, id, stem)
  if id == false or id == '' then return 'none' end
  if redis.call('EXISTS', queue .. id) == 0 then
    -- BullMQ takes no plain number as an id that we choose: the job of an external producer comes back as one of ours.
    local isOurs = stem and string.sub(id, 1, #stem) == stem and string.find(string.sub(id, #stem + 1), '^%d+$')
    return isOurs and 'missing' or 'none'
  end
  if redis.call('ZSCORE', queue .. 'failed', id) or redis.call('ZSCORE', queue .. 'completed', id) then
    return 'finished'
  end
  return 'unfinished'
end
`;

// A run that has lost BullMQ's lock records nothing: another run of the same job speaks for it.
export const LOCKED = `
local function isLocked(queue, jobId, token)
  return token == '' or redis.call('GET', queue .. jobId .. ':lock') == token
end
`;

// When a failed job is checked again: after `first`, then after twice as long, and so on; '' if never. Needs NOW.
export const NEXT_CHECK = `
local function nextCheck(record, first, longest)
  if first == '' then return '' end
  local checks = math.min(redis.call('HINCRBY', record, 'checks', 1), 30)
  return string.format('%.0f', now() + math.min(first * 2 ^ (checks - 1), tonumber(longest)))
end
`;
