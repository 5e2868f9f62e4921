// Finds variables that resemble ours and are not: misspelt, renamed and removed names, which would have no effect. Pure.
import type { Entry } from './entry.ts';
import { removedName, similarName, unknownName } from './messages.ts';

/** The next row of the Levenshtein table: distances from the letters so far plus `letter` to each start of `other`. */
function nextRow(previous: readonly number[], letter: string, other: string): number[] {
  const row = [(previous[0] ?? 0) + 1];
  for (let i = 1; i <= other.length; i += 1) {
    const changed = (previous[i - 1] ?? 0) + (other[i - 1] === letter ? 0 : 1);
    row.push(Math.min((row[i - 1] ?? 0) + 1, (previous[i] ?? 0) + 1, changed));
  }
  return row;
}

/** How many letters must be added, dropped or changed to get from one word to the other. */
function editDistance(one: string, other: string): number {
  const start = Array.from({ length: other.length + 1 }, (_, i) => i);
  return [...one].reduce((row, letter) => nextRow(row, letter, other), start).at(-1) ?? 0;
}

const isOurs = (name: string): boolean => /^(?:WU_)?RUNCLOUD_/i.test(name);

/** Names outside our own prefixes may belong to another program: only a near miss counts. */
function isNear(name: string, known: string): boolean {
  const [short, long] = [name, known].sort((a, b) => a.length - b.length);
  if (short !== undefined && short.length >= 8 && long?.startsWith(short)) return true;
  return editDistance(name, known) <= (isOurs(name) ? 5 : 2);
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const near = known.filter((each) => isNear(name, each));
  return near.toSorted((a, b) => editDistance(name, a) - editDistance(name, b))[0];
}

/**
 * One sentence for each name that was probably meant for us: a former name, any unknown RUNCLOUD_* or WU_RUNCLOUD_*, a
 * near miss of another name. Such variables are no error.
 */
export function suggestions(
  names: readonly string[],
  entries: readonly Entry[],
  removed: readonly string[],
): string[] {
  const known = entries.flatMap(({ name, aliases }) => [name, ...aliases]);
  return names.flatMap((name) => {
    if (known.includes(name)) return [];
    if (removed.includes(name)) return [removedName(name)];
    const upper = name.toUpperCase();
    const near = entries.find(({ formerly }) => formerly.includes(upper))?.name ?? nearest(upper, known);
    if (near !== undefined) return [similarName(name, near)];
    return isOurs(name) ? [unknownName(name)] : [];
  });
}
