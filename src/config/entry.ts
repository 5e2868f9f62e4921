// One variable of the environment: its name, its kind and what people read about it.
import type { Kind } from './kinds.ts';

interface Facts {
  readonly description: string;
  /** A value that parses. Default: the default. */
  readonly example?: string;
  /** Other names that are read if the variable itself is not set. */
  readonly aliases?: readonly string[];
  /** Whoever sets one of these names gets a warning that names the variable. */
  readonly formerly?: readonly string[];
  /** The value appears nowhere. Its example is refused, because everybody knows it. */
  readonly secret?: true;
  /** What applies if the variable is not set, in words. */
  readonly unset?: string;
}

export interface Entry<T = unknown> {
  readonly name: string;
  readonly kind: Kind<T>;
  /** What counts if the variable is not set. */
  readonly absent: T;
  readonly description: string;
  readonly example: string;
  /** A value; '' if there is none. */
  readonly default: string;
  readonly unset: string;
  readonly aliases: readonly string[];
  readonly formerly: readonly string[];
  readonly secret: boolean;
}

const entry = <T>(name: string, kind: Kind<T>, absent: T, facts: Facts & { default?: string }): Entry<T> => ({
  ...{ name, kind, absent, default: '', unset: '', aliases: [], formerly: [], secret: false },
  ...{ example: facts.default ?? '', ...facts },
});

/** A variable with a default, which passes through the same kind as a value. */
export function variable<T>(name: string, kind: Kind<T>, facts: Facts & { default: string }): Entry<T> {
  const parsed = kind.parse(facts.default);
  if ('complaint' in parsed) throw new Error(`the default of ${name} ${parsed.complaint}`);
  return entry(name, kind, parsed.value, facts);
}

/** A variable that may be undefined. */
export const optional = <T>(name: string, kind: Kind<T>, facts: Facts): Entry<T | undefined> =>
  entry<T | undefined>(name, kind, undefined, facts);

/** A list that is empty if the variable is not set. */
export const list = <T>(name: string, kind: Kind<readonly T[]>, facts: Facts): Entry<readonly T[]> =>
  entry(name, kind, [], facts);

/** Entries, alone or in the groups of the configuration that they fill. */
export interface Schema {
  readonly [field: string]: Entry | Schema;
}

/** The settings that a schema describes. */
export type SettingsOf<S> =
  S extends Entry<infer T> ? T : { readonly [field in keyof S]: SettingsOf<S[field]> };

const isEntry = (part: Entry | Schema): part is Entry => 'kind' in part;

/** In the order of the schema. */
export const entriesOf = (schema: Schema): Entry[] =>
  Object.values(schema).flatMap((part) => (isEntry(part) ? [part] : entriesOf(part)));

/** The settings, with each entry's value from `toValue`. */
export const fill = <S extends Schema>(schema: S, toValue: (entry: Entry) => unknown): SettingsOf<S> =>
  Object.fromEntries(
    Object.entries(schema).map(([field, part]) => [
      field,
      isEntry(part) ? toValue(part) : fill(part, toValue),
    ]),
  ) as SettingsOf<S>;

/** The values of the entries that `fits`, out of settings. */
export const pick = (schema: Schema, settings: object, fits: (entry: Entry) => boolean): unknown[] =>
  Object.entries(schema).flatMap(([field, part]) => {
    const value = settings[field as keyof typeof settings] as unknown;
    if (isEntry(part)) return fits(part) ? [value] : [];
    return typeof value === 'object' && value !== null ? pick(part, value, fits) : [];
  });
