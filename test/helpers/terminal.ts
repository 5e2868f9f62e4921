// A terminal that remembers what was said to it.
import type { Terminal } from '../../src/cli/output/terminal.ts';

export interface RecordedTerminal extends Terminal {
  readonly lines: string[];
  readonly errors: string[];
  text(): string;
}

/** `columns`: how wide it is; undefined: it is none. */
export function recordedTerminal(columns?: number): RecordedTerminal {
  const [lines, errors]: [string[], string[]] = [[], []];
  return {
    lines,
    errors,
    now: Date.now,
    columns,
    out: (line) => void lines.push(line),
    err: (line) => void errors.push(line),
    text: () => lines.join('\n'),
  };
}
