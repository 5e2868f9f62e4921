// The vocabulary of answers: what a handler returns, and how the general switches (errors, wrapping, numbers,
// booleans) turn it into what goes over the wire. Knows no route.
import { isObject } from './control-fields.ts';
import type { Variants } from './variants.ts';

export interface Reply {
  status: number;
  /** JSON; left out: an empty body. */
  body?: unknown;
  html?: string;
  headers?: Record<string, string>;
  /** Keep the answer back this long: a redeploy that answers only when it is done. */
  issuanceMs?: number;
  /** A write that changed something. */
  applied?: boolean;
}

export type FieldErrors = Record<string, string[]>;

export const ok = (body: unknown): Reply => ({ status: 200, body });

export const htmlPage = (title: string): string =>
  `<!DOCTYPE html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`;

/**
 * The body of 403, 404 and 5xx is not known (Unknown, line 10); of all others it is a message (section 7). All replies of RunCloud's
 * own are JSON ([D] runcloud.io/docs/api/v3), so a page of HTML is for the 5xx of what stands before it; a firewall's 403 is a fault.
 */
export function failure(status: number, message: string, variants: Variants): Reply {
  const isOpen = status === 403 || status === 404 || status >= 500;
  if (isOpen && variants.errorBody === 'empty') return { status };
  if (status >= 500 && variants.errorBody === 'html')
    return { status, html: htmlPage(`${status} ${message}`) };
  return { status, body: { message } };
}

/** Laravel's shape (section 7, id 43692542731); the texts are not known. */
export const unprocessable = (errors: FieldErrors): Reply => ({
  status: 422,
  body: { message: 'The given data was invalid.', errors },
});

export function single(object: unknown, variants: Variants): unknown {
  return variants.singleObjects === 'wrapped' ? { data: object } : object;
}

/** The four things a write may answer: the object, {}, a message, or 204 without a body. */
export function writeReply(
  style: 'ssl' | 'empty' | 'message' | '204',
  options: { status: number; object: unknown; message: string; variants: Variants },
): Reply {
  const { status, object, message, variants } = options;
  if (style === '204') return { status: 204, applied: true };
  if (style === 'empty') return { status, body: {}, applied: true };
  if (style === 'message') return { status, body: { message }, applied: true };
  return { status, body: single(object, variants), applied: true };
}

export const createdStatus = (variants: Variants): number => Number(variants.createStatus);

/** `YYYY-MM-DD HH:MM:SS`, no zone (section 4 [D]). */
export const toSqlDate = (at: number): string => new Date(at).toISOString().slice(0, 19).replace('T', ' ');

/** Last step of every JSON body: the switches that change how a value is written, not which. */
export function toWire(value: unknown, variants: Variants): unknown {
  if (typeof value === 'boolean' && variants.booleans === 'numbers') return toWire(Number(value), variants);
  if (typeof value === 'number' && variants.numbers === 'strings') return String(value);
  if (Array.isArray(value)) return value.map((item) => toWire(item, variants));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toWire(item, variants)]));
}
