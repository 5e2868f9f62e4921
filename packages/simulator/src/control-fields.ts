// Reads the fields of what a test or an operator hands to the simulator (options and control bodies), and
// names the bad one. Not for the RunCloud routes: their validation answers as RunCloud does.

export type JsonObject = Record<string, unknown>;

export class ControlError extends Error {
  readonly field: string;

  constructor(field: string, expectation: string) {
    super(`${field}: ${expectation}`);
    this.name = 'ControlError';
    this.field = field;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function readObject(value: unknown, field: string): JsonObject {
  if (!isObject(value)) throw new ControlError(field, 'must be an object');
  return value;
}

/** Puts the place in front of the field that an inner check complains about. */
export function within<T>(place: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    const field = error.field === '' ? place : `${place}.${error.field}`;
    throw new ControlError(field, error.message.slice(error.field.length + 2));
  }
}

export function rejectUnknownFields(body: JsonObject, known: readonly string[]): void {
  const stranger = Object.keys(body).find((field) => !known.includes(field));
  if (stranger !== undefined) throw new ControlError(stranger, `is not known; known are ${known.join(', ')}`);
}

export function readChoice<V extends string>(
  body: JsonObject,
  field: string,
  values: readonly V[],
): V | undefined {
  const value = body[field];
  if (value === undefined) return undefined;
  const found = values.find((candidate) => candidate === value);
  if (found === undefined) throw new ControlError(field, `must be one of ${values.join(', ')}`);
  return found;
}

export function readString(body: JsonObject, field: string): string | undefined {
  const value = body[field];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value === '') throw new ControlError(field, 'must be a non-empty string');
  return value;
}

export function readBoolean(body: JsonObject, field: string): boolean | undefined {
  const value = body[field];
  if (value === undefined) return undefined;
  if (typeof value !== 'boolean') throw new ControlError(field, 'must be true or false');
  return value;
}

export function readWhole(
  body: JsonObject,
  field: string,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {},
): number | undefined {
  const value = body[field];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new ControlError(field, `must be a whole number from ${min} to ${max}`);
  }
  return value;
}

export function readFraction(body: JsonObject, field: string): number | undefined {
  const value = body[field];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !(value >= 0 && value <= 1)) {
    throw new ControlError(field, 'must be a number from 0 to 1');
  }
  return value;
}

export function readList(body: JsonObject, field: string): unknown[] | undefined {
  const value = body[field];
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw new ControlError(field, 'must be a list');
  return value;
}

/** What was left out stays left out: no optional property is `undefined`. */
export function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const kept = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(kept) as { [K in keyof T]: Exclude<T[K], undefined> };
}
