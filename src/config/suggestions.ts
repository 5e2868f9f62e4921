// Finds variables that look like ours and are not: typing errors that would otherwise be ignored in silence. Pure.

const smallest = (...numbers: number[]): number => Math.min(...numbers);

/** The next row of the Levenshtein table: distances from the letters so far plus `letter` to each start of `other`. */
function nextRow(previous: readonly number[], letter: string, other: string): number[] {
  const row = [(previous[0] ?? 0) + 1];
  for (let i = 1; i <= other.length; i += 1) {
    const changed = (previous[i - 1] ?? 0) + (other[i - 1] === letter ? 0 : 1);
    row.push(smallest((row[i - 1] ?? 0) + 1, (previous[i] ?? 0) + 1, changed));
  }
  return row;
}

/** How many letters must be added, dropped or changed to get from one word to the other. */
function editDistance(one: string, other: string): number {
  const start = Array.from({ length: other.length + 1 }, (_, i) => i);
  return [...one].reduce((row, letter) => nextRow(row, letter, other), start).at(-1) ?? 0;
}

function nearest(name: string, known: readonly string[]): { name: string; distance: number } | undefined {
  return known
    .map((candidate) => ({ name: candidate, distance: editDistance(name.toUpperCase(), candidate) }))
    .toSorted((a, b) => a.distance - b.distance)[0];
}

function suggest(name: string, known: readonly string[]): string | undefined {
  const ours = /^(?:WU_)?RUNCLOUD_/i.test(name);
  const near = nearest(name, known);
  // Names outside our own prefixes may belong to another program: only a near miss is worth a word.
  const isStart = near !== undefined && name.length >= 8 && near.name.startsWith(name.toUpperCase());
  const close = near !== undefined && (isStart || near.distance <= (ours ? 5 : 2));
  if (!close) return ours ? `${name} is not a setting of this program and has no effect` : undefined;
  return `${name} is not a setting of this program (did you mean ${near.name}?)`;
}

/**
 * One sentence for each name that was probably meant for us: any RUNCLOUD_* or WU_RUNCLOUD_* that we do not know,
 * and near misses of our other names. Such variables are never refused.
 */
export function suggestions(names: readonly string[], known: readonly string[]): string[] {
  return names.filter((name) => !known.includes(name)).flatMap((name) => suggest(name, known) ?? []);
}
