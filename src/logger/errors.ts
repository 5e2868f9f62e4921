// Errors for log lines. Only the named properties: an HTTP error has its request, with the headers.

import { types } from 'node:util';

const maxCauses = 8;

/** An error's facts, with its chain of causes. */
export interface SerializedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string | number;
  readonly stack?: string;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

const codeOf = (error: Error): { code?: string | number } => {
  const code: unknown = 'code' in error ? error.code : undefined;
  return typeof code === 'string' || typeof code === 'number' ? { code } : {};
};

function toFacts(error: Error, depth: number): SerializedError {
  const { cause } = error;
  return {
    type: error.name,
    message: error.message,
    ...codeOf(error),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(cause === undefined ? {} : { cause: convert(cause, depth + 1) }),
    ...errorsOf(error, depth),
  };
}

/** The errors of an AggregateError. */
function errorsOf(error: Error, depth: number): { errors?: unknown[] } {
  const errors: unknown = 'errors' in error ? error.errors : undefined;
  return Array.isArray(errors) ? { errors: errors.map((each) => convert(each, depth + 1)) } : {};
}

// An error may come from another realm (node:vm), where `instanceof` says no; a DOMException is not
// a native error.
const isError = (value: object): value is Error => types.isNativeError(value) || value instanceof Error;

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || (typeof prototype === 'object' && Object.getPrototypeOf(prototype) === null);
}

/** Beyond the depth, and in objects of other classes, JSON writes nearly nothing of an error. */
function convert(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (isError(value)) return depth > maxCauses ? value.message : toFacts(value, depth);
  if (depth > maxCauses) return value;
  if (Array.isArray(value)) return value.map((each) => convert(each, depth + 1));
  return isPlain(value) ? convertFields(value, depth + 1) : value;
}

const convertFields = (fields: object, depth: number): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, convert(value, depth)]));

/**
 * `value` with every Error in it, at any depth, turned into type, message, code, stack and cause.
 */
export const serializeErrors = (value: unknown): unknown => convert(value, 0);

/** As `serializeErrors`, for the fields of one log line. */
export const serializeFields = (fields: object): Record<string, unknown> => convertFields(fields, 0);
