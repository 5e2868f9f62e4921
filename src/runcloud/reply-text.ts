// Finds RunCloud's own words in the body of a refused call: `message`, and `errors` in the Laravel shape.
// Pure. It takes nothing else out of a body, since any other field may be a key.

import { type Redact, toLine } from '../untrusted/redact.ts';
import type { FieldErrors } from './errors.ts';

export interface ReplyText {
  /** RunCloud's message in one line, redacted and capped; undefined where it sent none. */
  readonly text: string | undefined;
  readonly fieldErrors: FieldErrors;
  /** `own`: JSON with a message, as RunCloud's documents have it. `none`: no body. `foreign`: anything else. */
  readonly from: 'own' | 'none' | 'foreign';
}

const MAX_FIELDS = 20;

type Row = Record<string, unknown>;
const isRow = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** JSON as a value; undefined where the text is none. The parser's own error quotes the body, so it is dropped. */
export function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function toTexts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

// [C] Laravel's shape: {"message":"…","errors":{"field":["text", …]}}; a bare list of texts is taken too.
function toFieldErrors(errors: unknown, clean: Redact): FieldErrors {
  const rows: [string, unknown][] = isRow(errors) ? Object.entries(errors) : [['', errors]];
  const pairs = rows
    .slice(0, MAX_FIELDS)
    .map(([field, value]) => [clean(field), toTexts(value).map(clean)] as const)
    .filter(([, texts]) => texts.length > 0);
  return Object.fromEntries(pairs);
}

function toMessage(body: Row): string {
  const candidates = [body.message, isRow(body.error) ? body.error.message : body.error];
  return candidates.find((text) => typeof text === 'string' && text.trim() !== '')?.toString() ?? '';
}

/** Message and field errors as one line, without saying anything twice. */
function join(message: string, fieldErrors: FieldErrors): string {
  const fields = Object.entries(fieldErrors).flatMap(([field, texts]) => {
    const added = texts.filter((text) => !message.includes(text)).join(' ');
    return added === '' ? [] : [field === '' ? added : `${field}: ${added}`];
  });
  if (fields.length === 0) return message;
  return message === '' ? fields.join('; ') : `${message} (${fields.join('; ')})`;
}

// [D] runcloud.io/docs/api/v3: "all replies JSON", and an error "may carry some message". Field errors are its other known form.
const isOwn = (value: unknown): boolean =>
  isRow(value) && (typeof value.message === 'string' || isRow(value.errors));

function fromJson(value: unknown, clean: Redact): { line: string; fieldErrors: FieldErrors } {
  if (typeof value === 'string') return { line: clean(value), fieldErrors: {} };
  if (!isRow(value)) return { line: '', fieldErrors: {} };
  const fieldErrors = toFieldErrors(value.errors, clean);
  return { line: join(clean(toMessage(value)), fieldErrors), fieldErrors };
}

/** A page's title stands at its beginning; a whole page may be megabytes. */
const MAX_LOOKED_AT = 64 * 1024;

/** Of a page that is not JSON: an HTML page's title, or the text itself. Never half a JSON document. */
function fromText(whole: string): string {
  const text = whole.slice(0, MAX_LOOKED_AT).trimStart();
  if (text.startsWith('[') || text.startsWith('{')) return '';
  if (!text.startsWith('<')) return text;
  // No `<` within the tag: else each `<title` of a row of them is read to the end of the row.
  return /<title[^<>]*>([^<]*)/i.exec(text)?.[1] ?? '';
}

export function toReplyText(body: string, redact: Redact): ReplyText {
  const clean: Redact = (text) => toLine(redact(text));
  const json = parseJson(body);
  const { line, fieldErrors } =
    json === undefined ? { line: clean(fromText(body)), fieldErrors: {} } : fromJson(json.value, clean);
  const from = body.trim() === '' ? 'none' : isOwn(json?.value) ? 'own' : 'foreign';
  return { text: line === '' ? undefined : toLine(line), fieldErrors, from };
}
