// Finds RunCloud's own message in the body of a refused call: `message`, and `errors` in the
// Laravel shape. Pure. Reads nothing else of a body, since any other field may be a key.

import { type Redact, toLine } from '../untrusted/redact.ts';
import type { FieldErrors } from './errors.ts';

export interface ReplyText {
  /** RunCloud's message in one line, redacted and short. Undefined: it sent none. */
  readonly text: string | undefined;
  readonly fieldErrors: FieldErrors;
  /**
   * `own`: JSON with a message, as RunCloud's documents have it. `none`: no body. `external`:
   * anything else.
   */
  readonly from: 'own' | 'none' | 'external';
}

const MAX_FIELDS = 20;

type Row = Record<string, unknown>;
const isRow = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * JSON as a value. Undefined: the text is no JSON. The parser's own error quotes the body, so it is
 * dropped.
 */
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

// [C] Laravel's shape: {"message":"…","errors":{"field":["text", …]}}; a bare list of texts counts
// too.
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

/** Message and field errors as one line, without repetition. */
function join(message: string, fieldErrors: FieldErrors): string {
  const fields = Object.entries(fieldErrors).flatMap(([field, texts]) => {
    const added = texts.filter((text) => !message.includes(text)).join(' ');
    return added === '' ? [] : [field === '' ? added : `${field}: ${added}`];
  });
  if (fields.length === 0) return message;
  return message === '' ? fields.join('; ') : `${message} (${fields.join('; ')})`;
}

// [D] runcloud.io/docs/api/v3: "all replies JSON", and an error "may carry some message". Field
// errors are its other known form.
const isOwn = (value: unknown): boolean =>
  isRow(value) && (typeof value.message === 'string' || isRow(value.errors));

function fromJson(value: unknown, clean: Redact): { line: string; fieldErrors: FieldErrors } {
  if (typeof value === 'string') return { line: clean(value), fieldErrors: {} };
  if (!isRow(value)) return { line: '', fieldErrors: {} };
  const fieldErrors = toFieldErrors(value.errors, clean);
  return { line: join(clean(toMessage(value)), fieldErrors), fieldErrors };
}

/** A page's title is at its beginning. A whole page may be megabytes. */
const MAX_READ_CHARS = 64 * 1024;

/**
 * Of a page that is not JSON: an HTML page's title, or the text itself. Never half a JSON document.
 */
function fromText(whole: string): string {
  const text = whole.slice(0, MAX_READ_CHARS).trimStart();
  if (text.startsWith('[') || text.startsWith('{')) return '';
  if (!text.startsWith('<')) return text;
  // No `<` within the tag: else a row of `<title` takes quadratic time.
  return /<title[^<>]*>([^<]*)/i.exec(text)?.[1] ?? '';
}

export function toReplyText(body: string, redact: Redact): ReplyText {
  const clean: Redact = (text) => toLine(redact(text));
  const json = parseJson(body);
  const { line, fieldErrors } =
    json === undefined ? { line: clean(fromText(body)), fieldErrors: {} } : fromJson(json.value, clean);
  const from = body.trim() === '' ? 'none' : isOwn(json?.value) ? 'own' : 'external';
  return { text: line === '' ? undefined : toLine(line), fieldErrors, from };
}
