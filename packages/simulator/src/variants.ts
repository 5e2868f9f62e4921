// The switches of one simulator: their type, their defaults, every case, and the check of a change to them.
// The rows themselves are in variant-table.ts; what a switch does is in the file of the route it changes.
import { readChoice, readObject, rejectUnknownFields } from './control-fields.ts';
import { VARIANT_TABLE } from './variant-table.ts';

export type VariantName = keyof typeof VARIANT_TABLE;
export type Variants = { [N in VariantName]: (typeof VARIANT_TABLE)[N]['values'][number] };
export type VariantCase = { [N in VariantName]: { name: N; value: Variants[N] } }[VariantName];

export const VARIANT_NAMES = Object.keys(VARIANT_TABLE) as VariantName[];

/** Every value of every switch, defaults included: what a contract suite iterates over. */
export const VARIANT_CASES: readonly VariantCase[] = VARIANT_NAMES.flatMap((name) =>
  VARIANT_TABLE[name].values.map((value) => ({ name, value }) as VariantCase),
);

export function defaultVariants(): Variants {
  return Object.fromEntries(VARIANT_NAMES.map((name) => [name, VARIANT_TABLE[name].values[0]])) as Variants;
}

/** Throws a ControlError that names the first unknown switch or value. */
export function parseVariants(input: unknown): Partial<Variants> {
  const body = readObject(input, 'variants');
  rejectUnknownFields(body, VARIANT_NAMES);
  for (const name of Object.keys(body) as VariantName[]) readChoice(body, name, VARIANT_TABLE[name].values);
  return body as Partial<Variants>;
}
