// The lines of a .env file, as Node's parseEnv reads them: which of them, or which parts, have no effect. Pure.

import { type Lost, lineWithoutEffect, partlyLost, setAgain } from './messages.ts';

interface Line {
  /** Counted from 1. */
  readonly number: number;
  /** Undefined if the line sets no variable. */
  readonly name: string | undefined;
  /** The part of the value that does not count. */
  readonly lost: Lost | undefined;
}

interface Value {
  /** How many more lines it takes. */
  readonly more: number;
  readonly lost: Lost | undefined;
}

const NAME = /^(?:export\s+)?([A-Za-z_][\w.-]*)\s*$/;

/** `text` follows the `=`. A quoted value ends at the next such quote; parseEnv drops what follows it. */
function readValue(text: string, rest: readonly string[]): Value {
  const value = text.trim();
  const quote = /^["'`]/.exec(value)?.[0];
  // After a space, a `#` begins a comment that is meant as one.
  if (quote === undefined)
    return { more: 0, lost: /^[^#]*[^\s#]#\S/.test(`=${text}`) ? 'behind-hash' : undefined };
  const lines = [value.slice(1), ...rest];
  const end = lines.findIndex((line) => line.includes(quote));
  if (end < 0) return { more: 0, lost: undefined };
  const last = lines[end] ?? '';
  const behind = last.slice(last.indexOf(quote) + 1).trim();
  return { more: end, lost: behind === '' || behind.startsWith('#') ? undefined : 'behind-quote' };
}

function linesOf(text: string): Line[] {
  const all = text.split('\n').map((line) => line.trim());
  const found: Line[] = [];
  for (let i = 0; i < all.length; i += 1) {
    const line = all[i] ?? '';
    if (line === '' || line.startsWith('#')) continue;
    const equals = line.indexOf('=');
    const name = NAME.exec(line.slice(0, Math.max(0, equals)))?.[1];
    const { more, lost } =
      equals < 0 ? { more: 0, lost: undefined } : readValue(line.slice(equals + 1), all.slice(i + 1));
    found.push({ number: i + 1, name, lost });
    i += more;
  }
  return found;
}

/** A warning for each line that sets nothing, sets only a part, or sets a name again. No warning contains a value. */
export function judgeEnvFile(text: string): string[] {
  const lineOf = new Map<string, number>();
  return linesOf(text).flatMap(({ number, name, lost }) => {
    if (name === undefined) return [lineWithoutEffect(number)];
    const before = lineOf.get(name);
    lineOf.set(name, number);
    const partly = lost && partlyLost(number, name, lost);
    return [...(partly ? [partly] : []), ...(before === undefined ? [] : [setAgain(number, name, before)])];
  });
}
