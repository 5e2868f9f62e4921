// What people read about a variable, and how it is tied to the schema that checks it. The tables of variables build on it.
import * as z from 'zod';
import type { Kind } from './kinds.ts';

/** What people read about a variable. */
export interface Variable {
  readonly description: string;
  /** Completes "must be ...". */
  readonly accepts: string;
  /** A value that parses (a secret's does not: it is refused as the documentation's example). */
  readonly example: string;
  /** As shown to people; empty where there is none. */
  readonly default: string;
  /** What a production set-up is advised to have; empty where the default will do. */
  readonly production: string;
  /** True where the whole value is printed as `***`. */
  readonly secret: boolean;
  /** Other names that are read where the variable itself is not set. */
  readonly aliases: readonly string[];
}

interface Facts extends Pick<Variable, 'description' | 'example'> {
  readonly production?: string;
  readonly secret?: true;
  readonly aliases?: readonly string[];
}

export const facts = z.registry<Variable>();

const toVariable = (kind: Kind<unknown>, given: Facts, shownDefault: string): Variable => ({
  accepts: kind.accepts,
  default: shownDefault,
  production: '',
  secret: false,
  aliases: [],
  ...given,
});

/** A variable whose default is a value like any other; it passes through the same schema. */
export const withDefault = <T>(kind: Kind<T>, value: string, given: Facts) =>
  kind.schema.prefault(value).register(facts, toVariable(kind, given, value));

/** A variable that may be absent; `shownDefault` says what then applies, if anything does. */
export const optional = <T>(kind: Kind<T>, given: Facts, shownDefault = '') =>
  kind.schema.optional().register(facts, toVariable(kind, given, shownDefault));

export const secret = <T>(kind: (example: string) => Kind<T>, given: Facts) =>
  optional(kind(given.example), { ...given, secret: true });
