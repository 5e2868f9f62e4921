// Redis' clock: the only one that all processes share. App servers' and workers' clocks differ.
import type { Redis } from 'ioredis';

/** Lua: `now()` in milliseconds since the epoch. It stays the same for the whole script. */
export const NOW = `
local stepTime
local function now()
  if not stepTime then
    local t = redis.call('TIME')
    stepTime = t[1] * 1000 + math.floor(t[2] / 1000)
  end
  return stepTime
end
`;

/** Milliseconds since the epoch. */
export async function readClock(redis: Redis): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}
