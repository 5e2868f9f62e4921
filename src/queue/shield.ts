// BullMQ's scripts run with our rights in Redis, and take names of keys from the hashes of jobs. An external producer may
// write those hashes, and must not make us write where it may not. Each script reads a job without them, in a readable form.
import type { Redis } from 'ioredis';

// Stands before BullMQ's own Lua, whose every `redis.call` goes through it.
// other: fields that name keys, or a job under another id: of a flow, of a scheduler, and the same in what waits for a deduplicated job
// to end. We use none of them, nor `progress` and the old name of `atm`. `opts` is encoded again: what Lua takes for JSON is
// JSON. A count that is no number starts again. A wrong value leaves Redis when a worker takes the job: BullMQ counts that in
// `ats`, and reads the job then. Reading alone changes nothing.
const SHIELD = `
local redis = setmetatable({}, { __index = redis })
do
  local send, trySend = redis.call, redis.pcall
  local other = { id = 1, parent = 1, parentKey = 1, rjk = 1, pk = 1, pd = 1, pdk = 1, progress = 1, attemptsMade = 1 }
  local taken
  local function options(text)
    local isRead, value = pcall(cjson.decode, text)
    if not isRead or type(value) ~= 'table' then return '{}', true end
    local isWritten, again = pcall(cjson.encode, value)
    if not isWritten then return '{}', true end
    return again, false
  end
  local commands = {
    HGET = function(key, field)
      local value = send('HGET', key, field)
      -- One that is no number would fail the sorting of all jobs.
      local isPriority = field == 'priority' and value and not (#value < 8 and string.find(value, '^%d+$'))
      if other[field] or isPriority then return false end
      return value
    end,
    HMGET = function(key, ...)
      local values = send('HMGET', key, ...)
      for i, field in ipairs({...}) do
        if other[field] then values[i] = false end
        if field == 'opts' and values[i] then values[i] = options(values[i]) end
      end
      return values
    end,
    HGETALL = function(key)
      local all, kept = send('HGETALL', key), {}
      for i = 1, #all, 2 do
        local field, value = all[i], all[i + 1]
        if other[field] then
          if key == taken then send('HDEL', key, field) end
        else
          if field == 'opts' then
            local text, isBroken = options(value)
            if isBroken and key == taken then send('HSET', key, 'opts', text) end
            value = text
          end
          kept[#kept + 1] = field
          kept[#kept + 1] = value
        end
      end
      return kept
    end,
    HINCRBY = function(key, field, by)
      if field == 'ats' then taken = key end
      local count = trySend('HINCRBY', key, field, by)
      if type(count) ~= 'table' then return count end
      send('HDEL', key, field)
      return send('HINCRBY', key, field, by)
    end,
  }
  redis.call = function(command, ...)
    local mine = commands[string.upper(command)]
    if mine then return mine(...) end
    return send(command, ...)
  end
end
`;

const shielded = new WeakSet<Redis>();

/** Must be called before BullMQ gets the connection, which it loads its scripts into. */
export function shieldScripts(redis: Redis): void {
  if (shielded.has(redis)) return;
  shielded.add(redis);
  const define = redis.defineCommand.bind(redis);
  redis.defineCommand = (name, definition) =>
    define(name, { ...definition, lua: `${SHIELD}${definition.lua}` });
}
