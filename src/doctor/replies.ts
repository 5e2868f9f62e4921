// Rows, objects and messages of raw replies. Pure, and tolerant of everything.
import type { RawReply } from '../runcloud/raw-calls.ts';
import { isRow } from './shape.ts';

export type Row = Record<string, unknown>;

/** Replies by the name of the call. Undefined: it was not sent, or no whole reply came. */
export type Replies = Readonly<Record<string, RawReply | undefined>>;

export const isOk = (reply: RawReply | undefined): boolean =>
  reply !== undefined && reply.status >= 200 && reply.status < 300;

export const jsonOf = (reply: RawReply | undefined): unknown =>
  reply?.body.kind === 'json' ? reply.body.value : undefined;

/** The rows of a list, bare or under `data`. Undefined: the reply is no list. */
export function rowsOf(reply: RawReply | undefined): readonly Row[] | undefined {
  const body = jsonOf(reply);
  const rows = Array.isArray(body) ? body : isRow(body) ? body.data : undefined;
  return isOk(reply) && Array.isArray(rows) ? rows.filter(isRow) : undefined;
}

/** The object of a reply, and whether it is under `data`. */
export function objectOf(
  reply: RawReply | undefined,
): { readonly row: Row; readonly isWrapped: boolean } | undefined {
  const body = jsonOf(reply);
  if (!isOk(reply) || !isRow(body)) return undefined;
  return isRow(body.data) ? { row: body.data, isWrapped: true } : { row: body, isWrapped: false };
}

export const messageOf = (reply: RawReply | undefined): string | undefined => {
  const body = jsonOf(reply);
  return isRow(body) && typeof body.message === 'string' ? body.message : undefined;
};

/** A whole number, which may come as digits. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

export const isNumeric = (value: unknown): boolean => numberOf(value) !== undefined;

/** Only the values that are known for certain. */
export function known<T extends string>(
  found: Readonly<Record<string, T | undefined>>,
): Readonly<Record<string, T>> {
  return Object.fromEntries(
    Object.entries(found).filter((entry): entry is [string, T] => entry[1] !== undefined),
  );
}
