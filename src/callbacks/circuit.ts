// The circuit of one URL, shared by all workers: where five messages in a row did not get through, single probes test the receiver, and
// the others wait in their order without spending an attempt.
import type { Redis } from 'ioredis';

// The circuit is a hash: `failed:<delivery>` for each that has failed since the last success; where they are enough: `until` (nothing
// is sent before), `probe` (the delivery that may be sent now), `windows` (how often it was closed to the others).
const CLOCK = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local until_ = tonumber(redis.call('HGET', KEYS[1], 'until') or '')
`;

// KEYS circuit  ARGV delivery, probeMs, lookMs -> ms to wait; 0: send it. Beside a probe only `lookMs`: it may end well any time.
const ENTER = `${CLOCK}
if not until_ then return 0 end
if until_ > now then
  local isProbed = redis.call('HGET', KEYS[1], 'probe') ~= ''
  return isProbed and math.min(until_ - now, tonumber(ARGV[3])) or until_ - now
end
redis.call('HSET', KEYS[1], 'probe', ARGV[1], 'until', now + ARGV[2])
return 0
`;

// KEYS circuit  ARGV delivery, most failures, firstMs, longestMs, keptMs -> {ms to wait, times in a row}
const FAILED = `${CLOCK}
if until_ and redis.call('HGET', KEYS[1], 'probe') ~= ARGV[1] then return {math.max(until_ - now, 0), 0} end
if not until_ then
  redis.call('HSET', KEYS[1], 'failed:' .. ARGV[1], now)
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
  if redis.call('HLEN', KEYS[1]) < tonumber(ARGV[2]) then return {0, 0} end
end
local windows = redis.call('HINCRBY', KEYS[1], 'windows', 1)
local wait = math.floor(math.min(ARGV[3] * 2 ^ math.min(windows - 1, 30), tonumber(ARGV[4])))
redis.call('HSET', KEYS[1], 'until', now + wait, 'probe', '')
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {wait, windows}
`;

// KEYS circuit -> 1 where it was open
const SUCCEEDED = `
local wasOpen = redis.call('HEXISTS', KEYS[1], 'until')
redis.call('DEL', KEYS[1])
return wasOpen
`;

export interface Circuit {
  /** Milliseconds that this delivery has to wait; 0: send it, and say what came of it. */
  enter(deliveryId: string): Promise<number>;
  /** Milliseconds in which nothing else is sent, and for the how manieth time in a row (0: not on account of this one). */
  failed(deliveryId: string): Promise<{ readonly waitMs: number; readonly times: number }>;
  /** True where it was open. */
  succeeded(): Promise<boolean>;
}

export interface CircuitOptions {
  readonly redis: Redis;
  readonly key: string;
  /** Above the time limit of an attempt: then a probe counts as lost with its worker. */
  readonly probeMs: number;
  /** Tests only: divides the waits. */
  readonly hurry?: number | undefined;
}

/** So many different messages: one that the receiver never takes opens nothing by itself. */
export const FAILURES = 5;
export const FIRST_WAIT_MS = 5_000;
export const LONGEST_WAIT_MS = 60_000;
const LOOK_MS = 1_000;
/** After so long without an attempt nothing is known of the receiver. */
const KEPT_MS = 24 * 3_600_000;

export function createCircuit({ redis, key, probeMs, hurry = 1 }: CircuitOptions): Circuit {
  const waits = [Math.ceil(FIRST_WAIT_MS / hurry), Math.ceil(LONGEST_WAIT_MS / hurry)];
  return {
    async enter(deliveryId) {
      const lookMs = Math.ceil(LOOK_MS / hurry);
      return (await redis.eval(ENTER, 1, key, deliveryId, probeMs, lookMs)) as number;
    },
    async failed(deliveryId) {
      const args = [deliveryId, FAILURES, ...waits, KEPT_MS];
      const [waitMs, times] = (await redis.eval(FAILED, 1, key, ...args)) as [number, number];
      return { waitMs, times };
    },
    succeeded: async () => (await redis.eval(SUCCEEDED, 1, key)) === 1,
  };
}
