// The lines of a .env file, as Node's parseEnv reads them: what of them it drops, or overrules by another, without a word. Pure.

interface Line {
  /** Counted from 1. */
  readonly number: number;
  /** Undefined where the line sets no variable. */
  readonly name: string | undefined;
  /** What of the value does not count. */
  readonly lost: Lost | undefined;
}

type Lost = 'behind-quote' | 'behind-hash';

interface Value {
  /** How many more lines it takes. */
  readonly more: number;
  readonly lost: Lost | undefined;
}

const NAME = /^(?:export\s+)?([A-Za-z_][\w.-]*)\s*$/;

/** `text` stands behind the `=`. A quote ends where the same character comes again; what follows it there is dropped. */
function readValue(text: string, rest: readonly string[]): Value {
  const value = text.trim();
  const quote = /^["'`]/.exec(value)?.[0];
  // A remark behind a space is meant as one.
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

const losses: Readonly<Record<Lost, string>> = {
  'behind-quote':
    'what stands behind the closing quote has no effect: remove it, or put the quotes around all of the value',
  'behind-hash': 'what stands from the # on has no effect: put the value between quotes',
};

/** A warning for each line that sets nothing, that sets a part only, or that sets a name again. No warning holds a value. */
export function judgeEnvFile(text: string): string[] {
  const seen = new Map<string, number>();
  return linesOf(text).flatMap(({ number, name, lost }) => {
    if (name === undefined) return [`line ${number} of .env has no effect: write NAME=value`];
    const before = seen.get(name);
    seen.set(name, number);
    const again = `line ${number} of .env sets ${name} again, so that line ${before} has no effect: remove one of them`;
    const partly = lost && `line ${number} of .env sets ${name}, but ${losses[lost]}`;
    return [...(partly ? [partly] : []), ...(before === undefined ? [] : [again])];
  });
}
