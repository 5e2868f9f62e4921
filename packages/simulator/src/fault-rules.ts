// What a fault rule may say, and the check of one that comes from a test or over HTTP. Choosing and playing
// faults is elsewhere.

import type { JsonObject } from './control-fields.ts';
import {
  ControlError,
  readBoolean,
  readChoice,
  readFraction,
  readObject,
  readString,
  readWhole,
  rejectUnknownFields,
  withoutUndefined,
} from './control-fields.ts';
import type { Operation } from './routes.ts';
import { OPERATIONS } from './routes.ts';

/** Each kind, and whether the request still does its work (a write takes effect). */
export const APPLIES_WRITE = {
  /** A JSON answer with `status` (default 500) and `body` (default a message). */
  status: false,
  /** A page of HTML with `status` (default 503; 200 is a proxy's "one moment please"). */
  html: false,
  /** Something in front of the API refuses on its own: a page of HTML with `status` (default 403) for a person's browser (section 13). */
  firewall: false,
  /** The right answer, cut in half; Content-Length is that of the half. */
  'truncated-json': true,
  /** The right answer after `delayMs`, or when the rule is removed. With appliesWrite false the work, too, is done only then. */
  slow: true,
  /** The connection is closed without an answer, before or after the work. */
  'drop-before': false,
  'drop-after': true,
  /** As drop-before, with a TCP reset; appliesWrite true makes it one after the work. */
  reset: false,
  /** No answer; the connection stays open until somebody closes it. */
  'never-answer': false,
} as const;

export type FaultKind = keyof typeof APPLIES_WRITE;
export const FAULT_KINDS = Object.keys(APPLIES_WRITE) as FaultKind[];

export interface FaultRule {
  kind: FaultKind;
  operation?: Operation;
  method?: string;
  /** The whole path, /api/v3/..., without the query; `*` stands for any text. */
  path?: string;
  /** Only requests that concern this domain name. */
  domain?: string;
  /** Default 1; with a probability 'always'. */
  times?: number | 'always';
  /** Let that many matching requests through first. */
  skip?: number;
  /** From 0 to 1, drawn with the simulator's seeded generator. */
  probability?: number;
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  delayMs?: number;
  /** Overrides what the kind does: status 500 with true is a write that worked but says it did not. */
  appliesWrite?: boolean;
}

const FIELDS = [
  ...['kind', 'operation', 'method', 'path', 'domain', 'times', 'skip', 'probability'],
  ...['status', 'body', 'headers', 'delayMs', 'appliesWrite'],
];

/** Throws a ControlError that names the bad field. */
export function parseFaultRule(input: unknown): FaultRule {
  const body = readObject(input, 'fault');
  rejectUnknownFields(body, FIELDS);
  const kind = readChoice(body, 'kind', FAULT_KINDS);
  if (kind === undefined) throw new ControlError('kind', `must be one of ${FAULT_KINDS.join(', ')}`);
  rejectContradiction(kind, body);
  return withoutUndefined({ kind, ...readTarget(body), ...readEffect(body) });
}

function readTarget(body: JsonObject): Omit<{ [K in keyof FaultRule]: FaultRule[K] | undefined }, 'kind'> {
  return {
    operation: readChoice(body, 'operation', OPERATIONS),
    method: readString(body, 'method'),
    path: readString(body, 'path'),
    domain: readString(body, 'domain'),
    times: body.times === 'always' ? 'always' : readWhole(body, 'times', { min: 1 }),
    skip: readWhole(body, 'skip'),
    probability: readFraction(body, 'probability'),
  };
}

function readEffect(body: JsonObject): Omit<{ [K in keyof FaultRule]: FaultRule[K] | undefined }, 'kind'> {
  return {
    status: readWhole(body, 'status', { min: 200, max: 599 }),
    body: body.body,
    headers: readHeaders(body),
    delayMs: readWhole(body, 'delayMs'),
    appliesWrite: readBoolean(body, 'appliesWrite'),
  };
}

function readHeaders(body: JsonObject): Record<string, string> | undefined {
  if (body.headers === undefined) return undefined;
  const headers = readObject(body.headers, 'headers');
  const isText = (value: unknown): value is string => typeof value === 'string';
  const entries = Object.entries(headers).map(([name, value]): [string, string] => {
    if (!isText(value)) throw new ControlError(`headers.${name}`, 'must be a string');
    return [name, value];
  });
  return Object.fromEntries(entries);
}

function rejectContradiction(kind: FaultKind, { delayMs, appliesWrite }: JsonObject): void {
  if (kind === 'slow' && delayMs === undefined) throw new ControlError('delayMs', 'is needed for slow');
  if (kind === 'drop-before' && appliesWrite === true) {
    throw new ControlError('appliesWrite', 'contradicts drop-before; use drop-after');
  }
  if (kind === 'drop-after' && appliesWrite === false) {
    throw new ControlError('appliesWrite', 'contradicts drop-after; use drop-before');
  }
  if (kind === 'truncated-json' && appliesWrite === false) {
    throw new ControlError('appliesWrite', 'must be true for truncated-json: there is an answer to cut');
  }
}
