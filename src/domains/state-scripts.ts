// The Lua that moves a domain from state to state, and writes what callbacks are sent of it. What it knows of the states is
// generated from their table (states.ts).
import { DECODE_DESIRED } from './desired.ts';
import { WRITE_OUTBOX } from './outbox.ts';
import { type DomainState, states, statesThat } from './states.ts';

const quoted = (text: string): string => `'${text}'`;
const toLuaMap = (entries: readonly (readonly [string, string])[]): string =>
  `{ ${entries.map(([key, value]) => `['${key}'] = ${value}`).join(', ')} }`;
/** A set of texts, as a Lua table of `true`. */
const toLuaSet = (texts: readonly string[]): string => toLuaMap(texts.map((text) => [text, 'true'] as const));

const eventOf = (state: DomainState): string => states[state].event?.type ?? '';
const toLuaEvents = (when: 'always' | 'with-actor'): string =>
  toLuaMap(
    statesThat(({ event }) => event?.when === when).map((state) => [state, quoted(eventOf(state))] as const),
  );

/** `staysWhileRetried[state]` */
const STAYS = `local staysWhileRetried = ${toLuaSet(statesThat((facts) => facts.staysWhileRetried))}\n`;

/** `isProven[state]` */
export const PROVEN = `local isProven = ${toLuaSet(statesThat((facts) => facts.isProven))}\n`;

// The callback's entry in the outbox is written in the same step as the state: nothing comes between the two. `outbox` is nil if
// nobody listens, else its key and the keys of its MAC. One message per cause: `cause` is the last one that was sent. It outlives
// the requests that the program repeats, not a new one. A domain that was held, or waited, and is now being attached may be so
// again for another reason.
const EMIT = `${DECODE_DESIRED}${WRITE_OUTBOX}
local events = ${toLuaEvents('always')}
local eventsWithActor = ${toLuaEvents('with-actor')}
local recurs = ${toLuaSet(statesThat((facts) => facts.eventRecurs).map(eventOf))}
local endsCause = ${toLuaSet(statesThat((facts) => facts.endsCause))}
local function emit(recordKey, state, reason, reasonCode, mustAct, code, hasMoved, outbox, isExpiring)
  local event = events[state] or (mustAct ~= '' and eventsWithActor[state]) or nil
  if isExpiring == '1' then event = 'certificate.expiring' end
  local old = redis.call('HGET', recordKey, 'cause') or ''
  local oldEvent = string.match(old, '^%S*')
  if endsCause[state] and recurs[oldEvent] then redis.call('HDEL', recordKey, 'cause') end
  local cause = (event or '') .. ' ' .. mustAct .. ' ' .. code
  if not event or cause == old then return end
  -- A state that stays has a new cause only if the end of the certificate comes into it, or goes.
  if not hasMoved and isExpiring ~= '1' and oldEvent ~= 'certificate.expiring' then return end
  redis.call('HSET', recordKey, 'cause', cause)
  if not outbox then return end
  local serverId, appId, domain = string.match(recordKey, '^.*:domain:(%d+):(%d+):(.+)$')
  local record = redis.call('HMGET', recordKey, 'generation', 'stateAt', 'siteId', 'desired', 'dnsRecords')
  local dnsRecords = decodeDesired(record[4]).presence ~= 'absent' and record[5] or ''
  writeOutbox(outbox.key, outbox.macKeys, { 'type', event, 'at', now(), 'serverId', serverId, 'appId', appId, 'domain', domain,
    'generation', record[1] or '', 'since', record[2] or '', 'siteId', record[3] or '', 'state', state, 'reason', reason,
    'reasonCode', reasonCode, 'mustAct', mustAct, 'code', code, 'dnsRecords', dnsRecords or '' })
end
`;

// The state of a domain, and its history (50 steps). A step is a change of state, or of who must act.
export const MOVE_TO = `${EMIT}
local function moveTo(recordKey, historyKey, state, reason, reasonCode, mustAct, code, outbox, isExpiring, requester)
  if state == '' then return false end
  local old = redis.call('HMGET', recordKey, 'state', 'mustAct')
  local hasMoved = old[1] ~= state or (old[2] or '') ~= mustAct
  if hasMoved then
    redis.call('HSET', recordKey, 'state', state, 'stateAt', now(), 'mustAct', mustAct)
    local step = { at = now(), state = state, reason = reason }
    if reasonCode ~= '' then step.reasonCode = reasonCode end
    if mustAct ~= '' then step.mustAct = mustAct end
    if code ~= '' then step.code = code end
    if requester and requester.by ~= '' then step.by = requester.by end
    if requester and requester.behalf ~= '' then step['for'] = requester.behalf end
    redis.call('LPUSH', historyKey, cjson.encode(step))
    redis.call('LTRIM', historyKey, 0, 49)
  end
  emit(recordKey, state, reason, reasonCode, mustAct, code, hasMoved, outbox, isExpiring)
  return hasMoved
end
`;

// A write to RunCloud begins: lease/scripts.ts calls this in the step that takes the lease.
export const WRITE_BEGAN = `${STAYS}${MOVE_TO}
function began(record, history, kind, www)
  -- From now on the certificate has to follow, whoever finds that the write took effect. REQUEST_REDEPLOY clears it.
  redis.call('HSET', record, 'needsRedeployAfter', kind)
  redis.call('HDEL', record, 'attachedWww')
  -- A new domain has nothing that somebody else may have set. What a change did, only its reply or the next list says.
  if kind == 'attach' and www ~= '' then redis.call('HSET', record, 'setWww', www) end
  if kind == 'change' then redis.call('HSET', record, 'changesTo', www) end
  if kind == 'detach' then redis.call('HDEL', record, 'setWww', 'adopts') end
  if kind == 'attach' and not staysWhileRetried[redis.call('HGET', record, 'state') or ''] then
    moveTo(record, history, 'attaching', 'RunCloud is attaching it', 'attaching', '', '')
  end
end
`;
