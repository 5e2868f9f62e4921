// How text is laid out for a terminal of so many columns: tables that fit, and lines that are wrapped. Pure. Where there is no terminal
// nothing is cut or wrapped, since programs read it (width Infinity).

/** The last column's least width, and that of a column that had to give. */
const LEAST_LAST = 24;
const LEAST = 8;
const GAP = 2;

/** The middle goes: a name's beginning tells which, its end whose. */
export function cutMiddle(text: string, width: number): string {
  if (text.length <= width) return text;
  const kept = Math.max(0, width - 1);
  return `${text.slice(0, Math.ceil(kept / 2))}…${kept > 1 ? text.slice(-Math.floor(kept / 2)) : ''}`;
}

export const cutEnd = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, Math.max(0, width - 1)).trimEnd()}…` : text;

/** How wide each column may be so that all fit into `width`: the widest give first, the last keeps what is left. */
function widthsOf(rows: readonly (readonly string[])[], width: number): number[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  const last = widths.length - 1;
  const room = width - GAP * last - Math.min(widths[last] ?? 0, LEAST_LAST);
  const others = (): number => widths.slice(0, last).reduce((sum, each) => sum + each, 0);
  while (others() > room) {
    const widest = Math.max(...widths.slice(0, last));
    if (widest <= LEAST) break;
    widths[widths.indexOf(widest)] = Math.max(LEAST, widest - (others() - room));
  }
  widths[last] = Math.min(widths[last] ?? 0, Math.max(1, width - GAP * last - others()));
  return widths;
}

/** Columns, aligned, two spaces apart. Where they do not fit, names are cut in the middle and the last column at its end. */
export function toTable(given: readonly (readonly string[])[], width = Number.POSITIVE_INFINITY): string[] {
  // A cell with a line break would make a row of its own.
  const rows = given.map((row) => row.map((cell) => cell.replace(/[\r\n]+/g, ' ')));
  const widths = widthsOf(rows, width);
  const fit = (cell: string, i: number): string =>
    i === widths.length - 1
      ? cutEnd(cell, widths[i] ?? 0)
      : cutMiddle(cell, widths[i] ?? 0).padEnd(widths[i] ?? 0);
  return rows.map((row) => row.map(fit).join(' '.repeat(GAP)).trimEnd());
}

/** Lines of at most `width`; what follows the first is indented two more than it. A word that is too long is broken. */
export function wrap(line: string, width = Number.POSITIVE_INFINITY): string[] {
  if (line.length <= width) return [line];
  const indent = /^ */.exec(line)?.[0] ?? '';
  const hanging = `${indent}  `;
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

/** A reason beside its domain's name need not repeat it. */
export function withoutName(reason: string, domain: string): string {
  const name = domain.replaceAll('.', '\\.');
  const here = new RegExp(`(?<![\\w.-])(www\\.)?${name}(?![\\w-]|\\.\\w)`, 'g');
  const rest = reason.startsWith(`${domain} `) ? reason.slice(domain.length + 1) : reason;
  return rest.replace(here, (_, www: string | undefined) => (www ? 'www' : 'it'));
}
