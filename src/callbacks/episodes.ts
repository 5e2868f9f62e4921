// Events about all workers at once: one message per episode. One script reads the circuit breakers
// (rate-limit/scripts.ts) and writes the message. So many workers write one message.
import type { Redis } from 'ioredis';
import { WRITE_OUTBOX } from '../domains/outbox.ts';
import { NOW } from '../redis/clock.ts';
import { accountRefused, credentialsRefused, noRefusalText, runcloudDown } from './messages.ts';

// KEYS limiter, episodes, outbox
// ARGV quietMs, macKeys, then sentences: no refusal text, credentials, account, down.
// An episode ends after `quietMs` without errors. A flapping error, or one worker with the old
// credentials, is one episode.
const NOTE = `${NOW}${WRITE_OUTBOX}
local now = now()
local quiet = tonumber(ARGV[1])
local h = redis.call('HMGET', KEYS[1], 'outageSince', 'refused', 'refusedWhy', 'corrected', 'account')
local function is(text) return text and text ~= '' end
local function note(kind, isOn, since, state, reason, mustAct, reasonCode, code)
  local well = kind .. ':well'
  if isOn then
    redis.call('HDEL', KEYS[2], well)
    if redis.call('HSETNX', KEYS[2], kind, since) == 1 then
      writeOutbox(KEYS[3], ARGV[2], { 'type', kind, 'at', now, 'since', since, 'state', state, 'reason', reason,
        'reasonCode', reasonCode, 'mustAct', mustAct, 'code', code })
    end
  elseif redis.call('HEXISTS', KEYS[2], kind) == 1 then
    redis.call('HSETNX', KEYS[2], well, now)
    if now - redis.call('HGET', KEYS[2], well) >= quiet then redis.call('HDEL', KEYS[2], kind, well) end
  end
end
local isAccount = h[5] == '1'
local why = ARGV[3]
if is(h[3]) then why = h[3] end
local refusal = isAccount and 'runcloud-account-refused' or 'runcloud-unauthorized'
note('worker.auth_refused', is(h[2]) and h[4] ~= '1', now, 'refused', why .. (isAccount and ARGV[5] or ARGV[4]),
  'operator', refusal, refusal)
note('worker.degraded', is(h[1]), h[1], 'down', ARGV[6], 'runcloud', 'runcloud-outage', '')
`;
const SENTENCES = [noRefusalText, credentialsRefused, accountRefused, runcloudDown];

const QUIET_MS = 5 * 60_000;

export interface Episodes {
  /** Writes the episodes that have begun since the last call into the outbox. */
  record(): Promise<void>;
}

export interface EpisodesOptions {
  readonly redis: Redis;
  readonly keyOf: (name: string) => string;
  /** Keys of the MAC that proves an entry of the outbox (outbox.ts). */
  readonly outboxKeys: string;
  readonly quietMs?: number | undefined;
}

export function createEpisodes({ redis, keyOf, outboxKeys, quietMs = QUIET_MS }: EpisodesOptions): Episodes {
  const keys = [keyOf('rate-limit'), keyOf('callback-episodes'), keyOf('outbox')];
  return {
    async record() {
      await redis.eval(NOTE, keys.length, ...keys, quietMs, outboxKeys, ...SENTENCES);
    },
  };
}
