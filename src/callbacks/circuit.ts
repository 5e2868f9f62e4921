// The circuit breaker of one URL, shared by all workers. After five failed messages in a row only
// trials are sent, one at a time. The other messages wait in their order and spend no attempt.
import type { Redis } from 'ioredis';
import { NOW } from '../redis/clock.ts';

// The circuit is a hash. `failed:<delivery>`: one field for each that has failed since the last
// success. Once it is open: `until` (nothing is sent before), `trial` (the delivery that is being
// sent), `windows` (how many waits there were).
const CLOCK = `${NOW}
local now = now()
local until_ = tonumber(redis.call('HGET', KEYS[1], 'until') or '')
`;

// KEYS circuit  ARGV delivery, trialMs, recheckMs -> ms to wait; 0: send it.
// During a trial the wait is short (`recheckMs`), since the trial may succeed at any time.
const ENTER = `${CLOCK}
if not until_ then return 0 end
if until_ > now then
  local isTrial = redis.call('HGET', KEYS[1], 'trial') ~= ''
  return isTrial and math.min(until_ - now, tonumber(ARGV[3])) or until_ - now
end
redis.call('HSET', KEYS[1], 'trial', ARGV[1], 'until', now + ARGV[2])
return 0
`;

// KEYS circuit  ARGV delivery, most failures, firstMs, longestMs, keptMs
// -> {ms to wait, times in a row}
const FAILED = `${CLOCK}
if until_ and redis.call('HGET', KEYS[1], 'trial') ~= ARGV[1] then return {math.max(until_ - now, 0), 0} end
if not until_ then
  redis.call('HSET', KEYS[1], 'failed:' .. ARGV[1], now)
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
  if redis.call('HLEN', KEYS[1]) < tonumber(ARGV[2]) then return {0, 0} end
end
local windows = redis.call('HINCRBY', KEYS[1], 'windows', 1)
local wait = math.floor(math.min(ARGV[3] * 2 ^ math.min(windows - 1, 30), tonumber(ARGV[4])))
redis.call('HSET', KEYS[1], 'until', now + wait, 'trial', '')
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {wait, windows}
`;

// KEYS circuit -> 1 if it was open
const SUCCEEDED = `
local wasOpen = redis.call('HEXISTS', KEYS[1], 'until')
redis.call('DEL', KEYS[1])
return wasOpen
`;

export interface Circuit {
  /** Milliseconds that this delivery has to wait. 0: send it, then call `failed` or `succeeded`. */
  enter(deliveryId: string): Promise<number>;
  /**
   * For how many milliseconds nothing is sent, and the number of this wait (0: not because of
   * this one).
   */
  failed(deliveryId: string): Promise<{ readonly waitMs: number; readonly times: number }>;
  /** True if it was open. */
  succeeded(): Promise<boolean>;
}

export interface CircuitOptions {
  readonly redis: Redis;
  readonly key: string;
  /** Above the time limit of an attempt. After it a trial counts as lost with its worker. */
  readonly trialMs: number;
  /** Tests only: divides the waits. */
  readonly hurry?: number | undefined;
}

/** Different messages. One that the receiver never accepts does not open the circuit on its own. */
export const FAILURES = 5;
export const FIRST_WAIT_MS = 5_000;
export const LONGEST_WAIT_MS = 60_000;
const RECHECK_MS = 1_000;
/** After this time without an attempt nothing is known about the receiver. */
const KEPT_MS = 24 * 3_600_000;

export function createCircuit({ redis, key, trialMs, hurry = 1 }: CircuitOptions): Circuit {
  const waits = [Math.ceil(FIRST_WAIT_MS / hurry), Math.ceil(LONGEST_WAIT_MS / hurry)];
  return {
    async enter(deliveryId) {
      const recheckMs = Math.ceil(RECHECK_MS / hurry);
      return (await redis.eval(ENTER, 1, key, deliveryId, trialMs, recheckMs)) as number;
    },
    async failed(deliveryId) {
      const args = [deliveryId, FAILURES, ...waits, KEPT_MS];
      const [waitMs, times] = (await redis.eval(FAILED, 1, key, ...args)) as [number, number];
      return { waitMs, times };
    },
    succeeded: async () => (await redis.eval(SUCCEEDED, 1, key)) === 1,
  };
}
