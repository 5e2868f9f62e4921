// The simulator's switches at the command line: `simulate --set`, and those that match what RunCloud answered. With simulate.ts the only
// files of the command line that know the simulator.
import { VARIANT_TABLE, type Variants } from '../simulator/index.ts';
import { toTable } from './output/layout.ts';

const TABLE: Readonly<Record<string, { readonly values: readonly string[]; readonly about: string }>> =
  VARIANT_TABLE;

/** Lines for people: what differs from the simulator's own answers comes first, then how to have it so. */
export function describeSwitches(switches: Readonly<Record<string, string>>, width?: number): string[] {
  const all = Object.entries(switches);
  const isUsual = ([name, value]: [string, string]): boolean => TABLE[name]?.values[0] === value;
  const differing = all.filter((one) => !isUsual(one));
  const rows = [
    ...differing.map(([name, value]) => [name, value, 'differs']),
    ...all.filter(isUsual).map(([name, value]) => [name, value]),
  ];
  const sets = differing.map(([name, value]) => ` --set ${name}=${value}`).join('');
  return [
    "The simulator's switches that answer as RunCloud did:",
    ...toTable(rows, width && width - 2).map((line) => `  ${line}`),
    `To have the simulator answer so: runcloud-domains simulate${sets}`,
  ];
}

/** `name=value`, as given with --set; a sentence where one is wrong. */
export function parseSwitches(texts: readonly string[]): Partial<Variants> | string {
  const pairs = texts.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]);
  for (const [name = '', value = ''] of pairs) {
    const values = Object.hasOwn(TABLE, name) ? TABLE[name]?.values : undefined;
    if (!values)
      return `--set ${name || texts.join(' ')}: there is no such switch; known are ${Object.keys(TABLE).join(', ')}`;
    if (!values.includes(value)) return `--set ${name}: must be one of ${values.join(', ')}`;
  }
  return Object.fromEntries(pairs) as Partial<Variants>;
}
