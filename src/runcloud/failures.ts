// Turns a refused reply or a broken exchange into one of errors.ts. Pure. The only place that
// decides whether a call was refused, never sent, or of unknown effect.
import { type Redact, toLine } from '../untrusted/redact.ts';
import {
  AccountRefusedError,
  CallAbortedError,
  type Failure,
  ForbiddenError,
  InterceptedError,
  NotFoundError,
  type Operation,
  RejectedError,
  TooManyRequestsError,
  UnauthorizedError,
  UnknownResultError,
  UnreachableError,
} from './errors.ts';
import * as messages from './messages.ts';
import { type ReplyText, toReplyText } from './reply-text.ts';

export interface RefusedReply {
  readonly operation: Operation;
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | undefined;
  readonly redact: Redact;
  readonly nowMs: number;
}

function toRefusal(reply: RefusedReply, { text, fieldErrors }: ReplyText, failure: Failure): Error {
  switch (reply.status) {
    case 401:
      return new UnauthorizedError(messages.refused('credentials', reply, text), failure);
    case 402:
      return new AccountRefusedError(messages.refused('payment', reply, text), failure);
    case 403:
      // A ping needs no right but that of calling the API.
      return reply.operation === 'ping'
        ? new AccountRefusedError(messages.refused('account', reply, text), failure)
        : new ForbiddenError(messages.refused('forbidden', reply, text), failure);
    case 404:
      return new NotFoundError(messages.refused('not-found', reply, text ?? messages.checkIds), failure);
    case 429: {
      const retryAfterMs = toRetryAfterMs(reply.retryAfter, reply.nowMs);
      return new TooManyRequestsError(messages.refused('throttled', reply, text), failure, retryAfterMs);
    }
    default:
      return new RejectedError(messages.refused('rejected', reply, text), failure, fieldErrors);
  }
}

// 408 and 425 mean "not handled now". A proxy may send them after the request went through.
const isUnclear = (status: number): boolean => status >= 500 || status === 408 || status === 425;

// An empty reply means what its status means. 429 means "slow down", whoever sends it.
const isExternal = ({ from }: ReplyText, status: number): boolean => from === 'external' && status !== 429;

/**
 * Any status that is not 2xx. Status table: [D] runcloud.io/docs/api/v3 (401, 403, 404, 422, 429,
 * 50x).
 */
export function toReplyError(reply: RefusedReply): Error {
  const { operation, status } = reply;
  const words = toReplyText(reply.body, reply.redact);
  const failure: Failure = { operation, status, reply: words.text, isOwnWord: words.from === 'own' };
  if (isUnclear(status))
    return new UnknownResultError(messages.refused('unclear', reply, words.text), failure);
  // [C] the v2 SDK meets redirects when Accept is missing; a login page is the other known one.
  if (status < 400)
    return new InterceptedError(messages.refused('intercepted', reply, messages.redirected), failure);
  if (isExternal(words, status))
    return new InterceptedError(messages.refused('intercepted', reply, words.text), failure);
  return toRefusal(reply, words, failure);
}

/** A 2xx whose body is not what the call needs. `fault`: one of messages.ts. */
export const toUnusableReply = (operation: Operation, status: number | undefined, fault: string): Error =>
  new UnknownResultError(messages.unusableReply(operation, fault), { operation, status });

export interface BrokenExchange {
  readonly operation: Operation;
  /** The connection was open, so bytes of the request may have left. */
  readonly sent: boolean;
  /** Set if the reply began but did not end. */
  readonly status: number | undefined;
  readonly aborted: boolean;
  readonly tooLong: boolean;
  readonly error: unknown;
  readonly redact: Redact;
}

const toText = (value: unknown): string => (typeof value === 'string' ? value : '');

/**
 * The reason in words. Node leaves `message` empty if it tried several addresses and all refused.
 */
function toReason(error: unknown): { reason: string; code: string } {
  if (!(error instanceof Error)) return { reason: 'unknown error', code: '' };
  const code = 'code' in error ? toText(error.code) : '';
  const inner = error.cause instanceof AggregateError ? error.cause.errors[0] : undefined;
  const innerMessage = inner instanceof Error ? inner.message : '';
  return { reason: error.message || innerMessage || code || error.name, code };
}

/**
 * got's own error is never kept: it has the request's options, and with them the Authorization
 * header.
 */
function toCause(reason: string, code: string): Error {
  return Object.assign(new Error(reason), code === '' ? {} : { code });
}

/** A call without a whole reply. */
export function toExchangeError(broken: BrokenExchange): Error {
  const { operation, sent, status, redact } = broken;
  const { reason: raw, code } = toReason(broken.error);
  const reason = toLine(redact(raw));
  const failure: Failure = { operation, status, cause: toCause(reason, code) };
  if (broken.aborted) return new CallAbortedError(messages.stopped(operation, 'while'), failure, sent);
  if (broken.tooLong) return new UnknownResultError(messages.tooLong(operation), failure);
  // Node refuses to send a header with a line break in it: the credentials were pasted wrongly.
  if (code === 'ERR_INVALID_CHAR') return new UnauthorizedError(messages.badCredentials, failure);
  if (sent) return new UnknownResultError(messages.noAnswer(operation, reason), failure);
  return new UnreachableError(messages.unreachable(operation, reason), failure);
}

// The three date formats of RFC 9110, 5.6.7. Date.parse alone takes nearly any text ('2', 'job 7')
// for a date.
const httpDates = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
];
const asctime = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;

function toMoment(value: string): number {
  if (asctime.test(value)) return Date.parse(`${value} GMT`);
  return httpDates.some((format) => format.test(value)) ? Date.parse(value) : Number.NaN;
}

/**
 * A Retry-After header in milliseconds, unclamped. 0: it names the past. Undefined: missing or
 * garbage. No RunCloud document promises this header.
 */
export function toRetryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  const value = header?.trim() ?? '';
  const ms = /^-?\d+$/.test(value) ? Number(value) * 1000 : toMoment(value) - nowMs;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
