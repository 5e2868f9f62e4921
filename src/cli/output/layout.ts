// Layout for a terminal: tables that fit, and wrapped lines. Without a terminal a program reads the
// text, and nothing is cut or wrapped (width Infinity).
import type { Terminal } from './terminal.ts';

/**
 * In characters: the width that the last column gets, and the least width of the first, which is a
 * name. The first entry reads well, the second is still readable. After that all columns shrink.
 */
const SHARES = [
  { last: 40, first: 28 },
  { last: 14, first: 16 },
] as const;
const LEAST = 8;
const GAP = 2;

/** Cuts the middle: the beginning and the end of a name identify it. */
export function cutMiddle(text: string, width: number): string {
  if (text.length <= width) return text;
  const kept = Math.max(0, width - 1);
  return `${text.slice(0, Math.ceil(kept / 2))}…${kept > 1 ? text.slice(-Math.floor(kept / 2)) : ''}`;
}

export const cutEnd = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, Math.max(0, width - 1)).trimEnd()}…` : text;

/** The width of each column without a limit. */
function naturalWidths(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return widths;
}

const sum = (widths: readonly number[]): number => widths.reduce((total, each) => total + each, 0);

/** The width of each column when all must fit into `width`. */
function fittingWidths(rows: readonly (readonly string[])[], width: number): number[] {
  const natural = naturalWidths(rows);
  const [others, last] = [natural.slice(0, -1), natural.at(-1) ?? 0];
  const left = width - GAP * others.length;
  const excess = (share: number): number => sum(others) - (left - Math.min(last, share));
  const shrink = (i: number, least: number, share: number): void => {
    const wide = others[i] ?? 0;
    if (wide > least && excess(share) > 0) others[i] = Math.max(least, wide - excess(share));
  };
  for (const share of SHARES) shrink(0, share.first, share.last);
  for (const i of others.keys()) shrink(others.length - 1 - i, LEAST, LEAST);
  return [...others, Math.min(last, Math.max(1, left - sum(others)))];
}

/** A line break in a cell would start a new row. */
const toRows = (given: readonly (readonly string[])[]): string[][] =>
  given.map((row) => row.map((cell) => cell.replace(/[\r\n]+/g, ' ')));

/**
 * Aligned columns, two spaces apart. When they do not fit, the first is cut in the middle, the last
 * at its end.
 */
export function toTable(given: readonly (readonly string[])[], width = Number.POSITIVE_INFINITY): string[] {
  const rows = toRows(given);
  const widths = fittingWidths(rows, width);
  const fit = (cell: string, i: number): string =>
    i === widths.length - 1
      ? cutEnd(cell, widths[i] ?? 0)
      : cutMiddle(cell, widths[i] ?? 0).padEnd(widths[i] ?? 0);
  return rows.map((row) => row.map(fit).join(' '.repeat(GAP)).trimEnd());
}

/**
 * A table whose cells are never cut. When it does not fit, each row becomes a paragraph: the first
 * cell on top, the others below, each with its column's name.
 */
export function toWholeTable(
  [head = [], ...given]: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): string[] {
  const rows = toRows(given);
  const natural = naturalWidths([head, ...rows]);
  if (sum(natural) + GAP * (natural.length - 1) <= width) return toTable([head, ...rows]);
  return rows.flatMap(([first = '', ...others]) => {
    const labelled = others.flatMap((cell, i) =>
      cell === '' ? [] : [`  ${head[i + 1]?.toLowerCase()}: ${cell}`],
    );
    return [first, ...labelled].flatMap((line) => wrap(line, width));
  });
}

/**
 * Lines of at most `width`. The next lines are indented by `under` (default: two more than the
 * first). Breaks long words.
 */
export function wrap(line: string, width = Number.POSITIVE_INFINITY, under?: number): string[] {
  if (line.length <= width) return [line];
  const indent = /^ */.exec(line)?.[0] ?? '';
  const hanging = ' '.repeat(Math.min(under ?? indent.length + 2, Math.floor(width / 2)));
  const lines: string[] = [];
  let rest = line;
  while (rest.length > width) {
    const start = lines.length === 0 ? indent.length : hanging.length;
    const space = rest.lastIndexOf(' ', width);
    const end = space > start ? space : width;
    lines.push(rest.slice(0, end).trimEnd());
    rest = `${hanging}${rest.slice(end).trimStart()}`;
  }
  return rest.trim() === '' ? lines : [...lines, rest];
}

/** `wrap` for a text of several lines. */
export const wrapAll = (text: string, width?: number): string =>
  text
    .split('\n')
    .flatMap((line) => wrap(line, width))
    .join('\n');

/** Prints lines, wrapped to the width of the terminal. */
export function say(
  { out, columns }: Pick<Terminal, 'out' | 'columns'>,
  lines: readonly string[],
  under?: number,
): void {
  for (const line of lines) for (const part of wrap(line, columns, under)) out(part);
}

/** The reason without the name of the domain beside it. */
export function withoutName(reason: string, domain: string): string {
  const name = domain.replaceAll('.', '\\.');
  const here = new RegExp(`(?<![\\w.-])(www\\.)?${name}(?![\\w-]|\\.\\w)`, 'g');
  // A line of a job's log begins with its time and its outcome.
  const begins = new RegExp(`^((?:[\\dTZ:.-]+ )?(?:[a-z-]+: )?)${name} `);
  const rest = reason.replace(begins, '$1');
  return rest.replace(here, (_, www: string | undefined) => (www ? 'www' : 'it'));
}
