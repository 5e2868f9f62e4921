// What the person sees: lines in three columns (when, who, what), and on a terminal a line at the bottom that says what
// comes next. Knows how to write, not what.
import { styleText } from 'node:util';

export type Tone = 'good' | 'careful' | 'bad' | 'quiet' | 'requester';

export interface Entry {
  /** Milliseconds since the epoch; default: now. */
  readonly at?: number;
  readonly actor: string;
  /** First word of `text`, painted in `tone`; without it the whole text is. */
  readonly lead?: string | undefined;
  readonly text: string;
  readonly tone?: Tone | undefined;
  /** Aligned by hand: shortened where it does not fit, never wrapped. */
  readonly fixed?: boolean;
}

export interface Screen {
  readonly isTty: boolean;
  /** How many characters fit behind the columns of an entry. */
  readonly room: () => number;
  blank(): void;
  heading(text: string): void;
  /** Prose. */
  text(line: string): void;
  /** Aligned by hand: written as it is, whatever the width. */
  row(line: string): void;
  /** Something to copy, never broken, and what it is for. */
  pair(left: string, leftWidth: number, right: string): void;
  entry(entry: Entry): void;
  /** A finding of the summary: kept or not. */
  verdict(isKept: boolean, sentence: string): void;
  /** The line at the bottom; only on a terminal. `undefined` takes it away. */
  status(text: string | undefined): void;
}

const formats = {
  good: 'green',
  careful: 'yellow',
  bad: 'red',
  quiet: 'dim',
  requester: 'cyan',
} as const;

const ACTOR_WIDTH = 12;
const WHEN_WIDTH = 7;
const INDENT = WHEN_WIDTH + 2 + ACTOR_WIDTH + 2;

export function createScreen(out: NodeJS.WriteStream, startedAt: number): Screen {
  const paint = (tone: Tone | 'bold', text: string): string =>
    styleText(tone === 'bold' ? 'bold' : formats[tone], text, { stream: out });
  const columns = (): number => (out.isTTY ? Math.min(Math.max(out.getWindowSize()[0] || 80, 60), 110) : 100);
  const bottom = createBottom(out);
  const write = (lines: readonly string[]): void => bottom.above(lines.map((line) => `${line}\n`).join(''));

  return {
    isTty: out.isTTY === true,
    room: () => columns() - INDENT - 1,
    blank: () => write(['']),
    heading: (text) => write(['', ...wrap(text, columns() - 1).map((row) => paint('bold', row))]),
    text: (line) => write(wrap(line, columns() - 1)),
    row: (line) => write([line]),
    pair: (left, leftWidth, right) => {
      const [first = '', ...rest] = wrap(right, columns() - leftWidth - 5);
      write([`  ${left.padEnd(leftWidth)}  ${first}`, ...rest.map((row) => ' '.repeat(leftWidth + 4) + row)]);
    },
    entry: (entry) => write(toRows(entry, { startedAt, room: columns() - INDENT - 1, paint })),
    verdict: (isKept, sentence) => {
      const mark = isKept ? paint('good', 'ok') : paint('bad', 'NO');
      const [first = '', ...rest] = wrap(sentence, columns() - 7);
      write([`  ${mark}  ${first}`, ...rest.map((row) => `      ${row}`)]);
    },
    status: (text) => bottom.show(text === undefined ? undefined : paint('quiet', cut(text, columns() - 1))),
  };
}

interface Bottom {
  above(text: string): void;
  show(line: string | undefined): void;
}

function createBottom(out: NodeJS.WriteStream): Bottom {
  let shown: string | undefined;
  const clear = (): string => (shown === undefined ? '' : '\r\u001b[K');
  return {
    above: (text) => void out.write(`${clear()}${text}${shown ?? ''}`),
    show: (line) => {
      if (!out.isTTY || line === shown) return;
      out.write(`${clear()}${line ?? ''}`);
      shown = line;
    },
  };
}

interface Layout {
  readonly startedAt: number;
  readonly room: number;
  readonly paint: (tone: Tone, text: string) => string;
}

function toRows({ at, actor, lead, text, tone, fixed }: Entry, { startedAt, room, paint }: Layout): string[] {
  const [first = '', ...rest] = fixed ? [cut(text, room)] : wrap(text, room);
  const when = `+${(((at ?? Date.now()) - startedAt) / 1000).toFixed(1)} s`.padStart(WHEN_WIDTH);
  const who = actor.padEnd(ACTOR_WIDTH);
  const painted = (row: string): string => (tone === undefined ? row : paint(tone, row));
  const said = lead === undefined ? painted(first) : painted(lead) + first.slice(lead.length);
  const shownWho = tone === 'quiet' || tone === 'requester' ? painted(who) : who;
  return [
    `${paint('quiet', when)}  ${shownWho}  ${tone === 'requester' ? first : said}`,
    ...rest.map(
      (row) => ' '.repeat(INDENT) + (lead === undefined && tone !== 'requester' ? painted(row) : row),
    ),
  ];
}

const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, width - 1)}…`;

const UNBROKEN = '\u00a0';

/** Rows of at most `width` characters, broken at spaces but not before a unit; a longer word stands alone. */
function wrap(text: string, width: number): string[] {
  const rows: string[] = [];
  let row = '';
  for (const word of text.replace(/(\d) (s|ms)\b/g, `$1${UNBROKEN}$2`).split(' ')) {
    const longer = row === '' ? word : `${row} ${word}`;
    if (row !== '' && longer.length > width) {
      rows.push(row);
      row = word;
    } else row = longer;
  }
  return [...rows, row].map((whole) => whole.replaceAll(UNBROKEN, ' '));
}
