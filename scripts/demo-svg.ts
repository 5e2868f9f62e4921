// The animated picture of the README: the life of one domain, in the words of the demo's own output (docs/start/demo.md). Pure.
import { type TerminalLine, toTerminalSvg } from './terminal-svg.ts';

/** The domain whose DNS comes late: the story that the README's first screen tells. */
const STAR = 'studio.mia.example';
const ROWS = 10;
const MS_PER_LINE = 900;

interface Entry {
  readonly rows: readonly string[];
}

const BEGINS = /^ ?\+ ?\d+\.\d s {2}/;

/** What stands between the markers, as entries: a line with its time, and the lines that it was wrapped into. */
function toEntries(page: string): Entry[] {
  const block = page.split('<!-- demo:start -->')[1]?.split('<!-- demo:end -->')[0] ?? '';
  const entries: string[][] = [];
  for (const line of block.split('\n')) {
    if (BEGINS.test(line)) entries.push([line]);
    else if (/^ {23}\S/.test(line)) entries.at(-1)?.push(line);
  }
  return entries.map((rows) => ({ rows }));
}

const textOf = ({ rows }: Entry): string => rows.map((row) => row.trim()).join(' ');

/** What happens to the star, and the order of its certificate, which names nobody. */
const isShown = (entry: Entry, all: readonly Entry[]): boolean => {
  const text = textOf(entry);
  if (text.includes(STAR)) return true;
  const attached = all.findIndex((other) => textOf(other).includes(`POST`) && textOf(other).includes(STAR));
  return /PUT .*\/ssl\//.test(text) && all.indexOf(entry) > attached;
};

const toneOf = (row: string): TerminalLine['tone'] => {
  if (/ {2}done: /.test(row)) return 'good';
  if (/ {2}(waiting|retry): /.test(row)) return 'careful';
  return / {2}runcloud {2}/.test(row) ? 'quiet' : undefined;
};

function toLines({ rows }: Entry): TerminalLine[] {
  const tone = toneOf(rows[0] ?? '');
  return rows.map((text) => ({ text, tone, isWhole: tone !== undefined }));
}

/** The SVG for the text of docs/start/demo.md; undefined if it contains no run. */
export function demoSvg(page: string): string | undefined {
  const all = toEntries(page);
  const shown = all.filter((entry) => isShown(entry, all));
  if (shown.length === 0) return undefined;
  const command: TerminalLine = { text: '$ npm run demo', tone: 'command', isWhole: true };
  return toTerminalSvg({
    title: 'npm run demo',
    lines: [command, ...shown.flatMap(toLines)],
    rows: ROWS,
    msPerLine: MS_PER_LINE,
  });
}
