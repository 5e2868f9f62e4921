// The lines of a .env file, as Node's parseEnv reads them: which of them it drops, or overrules by another, without a word. Pure.

interface Line {
  /** Counted from 1. */
  readonly number: number;
  /** Undefined where the line sets no variable. */
  readonly name: string | undefined;
}

const NAME = /^(?:export\s+)?([A-Za-z_][\w.-]*)\s*$/;

/** How many more lines the value takes that begins with `value`: a quote ends where the same character comes again. */
function linesMore(value: string, rest: readonly string[]): number {
  const quote = /^["'`]/.exec(value)?.[0];
  if (quote === undefined || value.includes(quote, 1)) return 0;
  return rest.findIndex((line) => line.includes(quote)) + 1;
}

function linesOf(text: string): Line[] {
  const all = text.split('\n').map((line) => line.trim());
  const found: Line[] = [];
  for (let i = 0; i < all.length; i += 1) {
    const line = all[i] ?? '';
    if (line === '' || line.startsWith('#')) continue;
    const equals = line.indexOf('=');
    const name = NAME.exec(line.slice(0, Math.max(0, equals)))?.[1];
    found.push({ number: i + 1, name });
    if (equals >= 0) i += linesMore(line.slice(equals + 1).trim(), all.slice(i + 1));
  }
  return found;
}

/** A warning for each line that sets nothing, and for each that sets a name again. No warning holds a value. */
export function judgeEnvFile(text: string): string[] {
  const seen = new Map<string, number>();
  return linesOf(text).flatMap(({ number, name }) => {
    if (name === undefined) return [`line ${number} of .env has no effect: write NAME=value`];
    const before = seen.get(name);
    seen.set(name, number);
    return before === undefined
      ? []
      : [
          `line ${number} of .env sets ${name} again, so that line ${before} has no effect: remove one of them`,
        ];
  });
}
