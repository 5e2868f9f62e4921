// Runs our Lua in Redis by its digest: the text is sent only where Redis does not have it (any more), since it is thousands of
// bytes long, and each request would send it.
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { reasonOf } from '../errors.ts';

// Redis undoes nothing of a script that fails halfway: what would fail a later write is found before the first one. The types of KEYS, in
// their order; a key that is not there has any.
export const EXPECT = `
local function expect(...)
  for i, expected in ipairs({...}) do
    local found = KEYS[i] and redis.call('TYPE', KEYS[i]).ok
    if found and found ~= 'none' and found ~= expected then
      error(KEYS[i] .. ' is a ' .. found .. ' in Redis, and must be a ' .. expected .. ': delete it', 0)
    end
  end
end
`;

/** One atomic step. Rejects with what Redis answers. */
export type RunScript = <T>(
  script: string,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<T>;

export function createRunScript(redis: Redis): RunScript {
  const digests = new Map<string, string>();
  const digestOf = (script: string): string => {
    const known = digests.get(script) ?? createHash('sha1').update(script).digest('hex');
    digests.set(script, known);
    return known;
  };
  return async <T>(script: string, keys: readonly string[], args: readonly (string | number)[]) => {
    const rest = [keys.length, ...keys, ...args] as const;
    try {
      return (await redis.evalsha(digestOf(script), ...rest)) as T;
    } catch (error) {
      if (!reasonOf(error).startsWith('NOSCRIPT')) throw error;
      return (await redis.eval(script, ...rest)) as T;
    }
  };
}
