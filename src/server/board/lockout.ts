// A limit for guessed passwords: after too many failures there is a wait, longer each time. Kept in
// Redis, for all servers together.
import type { Redis } from 'ioredis';
import { networkOf } from '../../listening/network.ts';
import { NOW } from '../../redis/clock.ts';
import { digest } from './sessions.ts';

export interface Lockout {
  /**
   * Counts an attempt before it is made: many at once count too. Resolves with the wait in ms; 0:
   * continue.
   */
  attempt(name: string, address: string): Promise<number>;
  /** The password was right. */
  succeeded(name: string, address: string): Promise<void>;
}

export interface LockoutOptions {
  readonly redis: Redis;
  readonly keyOf: (name: string) => string;
}

/**
 * Failures without a wait. `pair`: one name from one network. `network`: one network with many
 * names. `name`: one name from many networks, far higher, since otherwise anybody could lock a
 * known user out. For the same reason one network adds at most its own free failures to `name`.
 */
const FREE_FAILURES = { pair: 5, network: 20, name: 50 } as const;
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 15 * 60_000;
const FORGOTTEN_AFTER_MS = 24 * 60 * 60_000;

// KEYS: pair, network, name. ARGV: first wait, longest wait, time to forget, and the free failures
// of each counter.
const ATTEMPT = `${NOW}
local now = now()
local wait = 0
for i = 1, #KEYS do
  wait = math.max(wait, tonumber(redis.call('HGET', KEYS[i], 'until') or 0) - now)
end
if wait > 0 then return wait end
local ofPair = redis.call('HINCRBY', KEYS[1], 'failures', 1)
for i = 1, #KEYS do
  if i == 3 and ofPair > tonumber(ARGV[4]) then break end
  local failures = i == 1 and ofPair or redis.call('HINCRBY', KEYS[i], 'failures', 1)
  local over = failures - tonumber(ARGV[3 + i])
  if over >= 0 then
    local pause = math.min(tonumber(ARGV[2]), tonumber(ARGV[1]) * 2 ^ math.min(over, 20))
    redis.call('HSET', KEYS[i], 'until', string.format('%.0f', now + pause))
  end
  redis.call('PEXPIRE', KEYS[i], ARGV[3])
end
return 0`;

// KEYS: pair, network, name. The network keeps what it owes for other names.
const SUCCEEDED = `
redis.call('DEL', KEYS[1], KEYS[3])
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HINCRBY', KEYS[2], 'failures', -1)
  redis.call('HDEL', KEYS[2], 'until')
end
return 0`;

export function createLockout({ redis, keyOf }: LockoutOptions): Lockout {
  // Hashed: what was typed as a name may be a password.
  const keysOf = (name: string, network: string): string[] => [
    keyOf(`board:failures:pair:${digest(`${name}\n${network}`)}`),
    keyOf(`board:failures:network:${digest(network)}`),
    keyOf(`board:failures:name:${digest(name)}`),
  ];
  const { pair, network: perNetwork, name: perName } = FREE_FAILURES;
  const limits = [FIRST_WAIT_MS, LONGEST_WAIT_MS, FORGOTTEN_AFTER_MS, pair, perNetwork, perName];
  return {
    attempt: async (name, address) =>
      Number(await redis.eval(ATTEMPT, 3, ...keysOf(name, networkOf(address)), ...limits)),
    async succeeded(name, address) {
      await redis.eval(SUCCEEDED, 3, ...keysOf(name, networkOf(address)));
    },
  };
}
