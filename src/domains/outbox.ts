// The proof that a worker wrote an entry of the outbox: the script that writes it adds a MAC over all its fields, and the reader
// checks it. The keys are made of CALLBACK_SECRETS, which Redis does not have.
import { createHash } from 'node:crypto';
import { deriveKey, isSameSecret, seal } from '../secrets.ts';

// macKeys: as `toOutboxKeys` makes them. entry: names and values by turns.
// A keyed hash within a keyed hash, as HMAC is: Redis' Lua has SHA-1 and nothing newer, and no flaw of SHA-1 touches this use of it.
export const WRITE_OUTBOX = `
local function writeOutbox(outbox, macKeys, entry)
  local parts = {}
  for i, value in ipairs(entry) do
    if type(value) == 'number' then entry[i] = string.format('%.0f', value) end
    parts[i] = #entry[i] .. ':' .. entry[i]
  end
  local text = table.concat(parts)
  local macs = {}
  for inner, outer in string.gmatch(macKeys, '(%x+)%.(%x+)') do
    table.insert(macs, redis.sha1hex(outer .. redis.sha1hex(inner .. text)))
  end
  table.insert(entry, 'mac')
  table.insert(entry, table.concat(macs, ' '))
  redis.call('XADD', outbox, '*', unpack(entry))
end
`;

const derive = (secret: string, use: string): string => deriveKey(secret, use).toString('hex');

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex');

/** Each part with its length before it: no two lists of parts are the same text. */
const toText = (parts: readonly string[]): string =>
  parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join('');

/** For the script that writes: two keys for each secret. */
export const toOutboxKeys = (secrets: readonly string[]): string =>
  secrets.map((secret) => `${derive(secret, 'outbox inner')}.${derive(secret, 'outbox outer')}`).join(' ');

/**
 * An entry is genuine if it was written under one of the known secrets: a secret can be changed while workers run.
 */
export interface Seals {
  /** Whether the entry, names and values by turns as Redis gives it, was written by a worker, and for this very text. */
  isGenuine(entry: readonly string[]): boolean;
  /** The MAC of what these parts say. */
  seal(parts: readonly string[]): string;
  matches(seal: string, parts: readonly string[]): boolean;
}

export function createSeals(secrets: readonly string[]): Seals {
  const pairs = secrets.map((secret) => toOutboxKeys([secret]).split('.') as [inner: string, outer: string]);
  const keys = secrets.map((secret) => derive(secret, 'delivery'));
  const sealsOf = (parts: readonly string[]): string[] =>
    keys.map((key) => seal(key, toText(parts)).toString('hex'));
  return {
    isGenuine(entry) {
      const [name, macs = ''] = entry.slice(-2);
      const text = toText(entry.slice(0, -2));
      const own = pairs.map(([inner, outer]) => sha1(outer + sha1(inner + text)));
      return name === 'mac' && isAmong(macs, own);
    },
    seal: (parts) => sealsOf(parts).join(' '),
    matches: (seal, parts) => isAmong(seal, sealsOf(parts)),
  };
}

/** Far more than there can be secrets; what was forged may be as long as it likes. */
const MAX_MACS = 100;

/** Compared in constant time, each with each. */
function isAmong(given: string, own: readonly string[]): boolean {
  const macs = given.split(' ', MAX_MACS).filter((mac) => /^[\da-f]{40,64}$/.test(mac));
  return macs.some((mac) => own.some((one) => isSameSecret(mac, one)));
}
