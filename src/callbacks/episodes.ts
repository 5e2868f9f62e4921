// What is wrong with all workers at once, told once per episode. The brake's two breakers (rate-limit/scripts.ts) are read and the
// message is written in one step, so that any number of workers that look tell it once.
import type { Redis } from 'ioredis';
import { WRITE_OUTBOX } from '../domains/outbox.ts';

// KEYS brake, episodes, outbox  ARGV quietMs, macKeys
// An episode is over when all has been well for \`quietMs\`: what flaps, or one worker that still has the old credentials, is
// one episode.
const NOTE = `${WRITE_OUTBOX}
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local quiet = tonumber(ARGV[1])
local h = redis.call('HMGET', KEYS[1], 'downSince', 'refused', 'refusedWhy', 'corrected', 'account')
local function is(text) return text and text ~= '' end
local function note(kind, isOn, since, state, reason, mustAct, code)
  local well = kind .. ':well'
  if isOn then
    redis.call('HDEL', KEYS[2], well)
    if redis.call('HSETNX', KEYS[2], kind, since) == 1 then
      writeOutbox(KEYS[3], ARGV[2], { 'type', kind, 'at', now, 'since', since, 'state', state, 'reason', reason,
        'reasonCode', code, 'mustAct', mustAct, 'code', code })
    end
  elseif redis.call('HEXISTS', KEYS[2], kind) == 1 then
    redis.call('HSETNX', KEYS[2], well, now)
    if now - redis.call('HGET', KEYS[2], well) >= quiet then redis.call('HDEL', KEYS[2], kind, well) end
  end
end
local isAccount = h[5] == '1'
local why = 'RunCloud refuses the credentials'
if is(h[3]) then why = h[3] end
local ending = '; all jobs wait until the credentials are corrected'
if isAccount then ending = '; all jobs wait until RunCloud answers again: look at the quota and the plan' end
note('worker.auth_refused', is(h[2]) and h[4] ~= '1', now, 'refused', why .. ending, 'operator',
  isAccount and 'runcloud-account-refused' or 'runcloud-unauthorized')
note('worker.degraded', is(h[1]), h[1], 'down',
  'RunCloud does not answer, or answers with errors only; all jobs wait and lose nothing', 'runcloud', '')
`;

const QUIET_MS = 5 * 60_000;

export interface Episodes {
  /** Writes into the outbox what has begun since the last look. */
  note(): Promise<void>;
}

export interface EpisodesOptions {
  readonly redis: Redis;
  readonly keyOf: (name: string) => string;
  /** Of what proves that an entry of the outbox is ours (outbox.ts). */
  readonly outboxKeys: string;
  readonly quietMs?: number | undefined;
}

export function createEpisodes({ redis, keyOf, outboxKeys, quietMs = QUIET_MS }: EpisodesOptions): Episodes {
  const keys = [keyOf('brake'), keyOf('callback-episodes'), keyOf('outbox')];
  return {
    async note() {
      await redis.eval(NOTE, keys.length, ...keys, quietMs, outboxKeys);
    },
  };
}
