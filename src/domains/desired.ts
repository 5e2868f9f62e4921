// What is requested of a domain, as Redis keeps it: JSON, encoded and decoded here only.
import type { Desired } from './domain.ts';

/** What a field means that is left out. A new field gets the value here that older records have without naming it. */
const defaults = { www: false, redirection: 'none' } as const;

/**
 * Two requests for the same have the same text: keys in their order, without defaults. So a new field does not make requests new
 * that were stored before it.
 */
export function encodeDesired(desired: Desired): string {
  const isDefault = ([key, value]: [string, unknown]): boolean =>
    (defaults as Record<string, unknown>)[key] === value;
  const fields = Object.entries(desired).filter((field) => !isDefault(field));
  return JSON.stringify(Object.fromEntries(fields.toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

export function decodeDesired(text: string): Desired {
  const fields = JSON.parse(text) as Desired;
  return fields.presence === 'absent' ? { presence: 'absent' } : { ...defaults, ...fields };
}

/** The same request without its www name: a www name that has a record of its own is left out of `www: auto`. */
export const withoutWww = (desired: Desired): Desired =>
  desired.presence === 'absent' ? desired : { ...desired, www: false, redirection: 'none' };

// Lua: the fields of such a text; none if there is no text. `www` is nil (no), true, or 'auto'.
export const DECODE_DESIRED = `
local function decodeDesired(text) return text and text ~= '' and cjson.decode(text) or {} end
`;
