// Runs our Lua in Redis by its digest: the text is sent only where Redis does not have it (any more), since it is thousands of
// bytes long, and each request would send it.
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { reasonOf } from '../errors.ts';

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
