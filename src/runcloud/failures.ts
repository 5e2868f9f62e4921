// Turns a refused reply or a broken exchange into one of errors.ts. Pure, and the only place that decides
// whether a call was refused, never sent, or of unknown effect.

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
import { type ReplyText, toReplyText } from './reply-text.ts';
import { toRetryAfterMs } from './retry-after.ts';

const phrases: Record<Operation, string> = {
  ping: 'checking the credentials',
  getServer: 'reading the server',
  getWebApplication: 'reading the web application',
  listDomains: 'listing the domains',
  attachDomain: 'attaching the domain',
  changeDomain: 'changing the domain',
  detachDomain: 'removing the domain',
  readLog: 'reading the log',
  getSslMode: 'reading the SSL mode',
  getCertificate: 'reading the certificate',
  listCertificates: 'listing the certificates',
  installCertificate: 'installing the certificate',
  redeployCertificate: 'redeploying the certificate',
  removeCertificate: 'removing the certificate',
  getDomainCertificate: "reading the domain's certificate",
  installDomainCertificate: "installing the domain's certificate",
  redeployDomainCertificate: "redeploying the domain's certificate",
  removeDomainCertificate: "removing the domain's certificate",
  switchDomainToHttp01: "switching the domain's certificate to http-01",
};

/** The operation in words that fit behind "when". */
export const toPhrase = (operation: Operation): string => phrases[operation];

export interface RefusedReply {
  readonly operation: Operation;
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | undefined;
  readonly redact: Redact;
  readonly nowMs: number;
}

/** `… (HTTP 422): The name has already been taken.` */
function toSentence(start: string, { operation, status }: RefusedReply, text: string | undefined): string {
  return `${start} when ${toPhrase(operation)} (HTTP ${status})${text === undefined ? '' : `: ${text}`}`;
}

function toRefusal(reply: RefusedReply, { text, fieldErrors }: ReplyText, failure: Failure): Error {
  switch (reply.status) {
    case 401:
      return new UnauthorizedError(toSentence('RunCloud refused the credentials', reply, text), failure);
    case 402:
      return new AccountRefusedError(toSentence('RunCloud wants to be paid first', reply, text), failure);
    case 403:
      // Nothing is asked of ping but that the account may call at all.
      return reply.operation === 'ping'
        ? new AccountRefusedError(toSentence('RunCloud forbids every call', reply, text), failure)
        : new ForbiddenError(toSentence('RunCloud forbids it', reply, text), failure);
    case 404:
      return new NotFoundError(toSentence('RunCloud knows no such thing', reply, text), failure);
    case 429: {
      const retryAfterMs = toRetryAfterMs(reply.retryAfter, reply.nowMs);
      return new TooManyRequestsError(
        toSentence('RunCloud says slow down', reply, text),
        failure,
        retryAfterMs,
      );
    }
    default:
      return new RejectedError(toSentence('RunCloud refused', reply, text), failure, fieldErrors);
  }
}

// 408 and 425 say "not handled now", which a proxy may say after the request went through.
const isUnclear = (status: number): boolean => status >= 500 || status === 408 || status === 425;
// [C] the v2 SDK meets redirects when Accept is missing; a login page is the other known one.
const REDIRECT_HINT = 'its API never redirects, so check RUNCLOUD_API_URL and the credentials';
const INTERCEPTED = 'Something in front of RunCloud answered in its place';

// An empty reply says what its status says. 429 means "slow down", whoever says so.
const isExternal = ({ from }: ReplyText, status: number): boolean => from === 'foreign' && status !== 429;

/** Any status that is not 2xx. Status table: [D] runcloud.io/docs/api/v3 (401, 403, 404, 422, 429, 50x). */
export function toReplyError(reply: RefusedReply): Error {
  const { operation, status } = reply;
  const words = toReplyText(reply.body, reply.redact);
  const failure: Failure = { operation, status, reply: words.text, isOwnWord: words.from === 'own' };
  if (isUnclear(status)) {
    return new UnknownResultError(toSentence('RunCloud gave no usable answer', reply, words.text), failure);
  }
  if (status < 400) return new InterceptedError(toSentence(INTERCEPTED, reply, REDIRECT_HINT), failure);
  if (isExternal(words, status))
    return new InterceptedError(toSentence(INTERCEPTED, reply, words.text), failure);
  return toRefusal(reply, words, failure);
}

/** A 2xx whose body is not what the call needs; `lacks` completes "the reply …". */
export function toUnusableReply(operation: Operation, status: number | undefined, lacks: string): Error {
  const message = `RunCloud's reply when ${toPhrase(operation)} ${lacks}`;
  return new UnknownResultError(message, { operation, status });
}

export interface BrokenExchange {
  readonly operation: Operation;
  /** Whether the connection stood, so that bytes of the request may have left. */
  readonly sent: boolean;
  /** Set where the reply began but did not end. */
  readonly status: number | undefined;
  readonly aborted: boolean;
  readonly tooLong: boolean;
  readonly error: unknown;
  readonly redact: Redact;
}

const toText = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The reason in words: Node leaves `message` empty where it tried several addresses and all refused. */
function toReason(error: unknown): { reason: string; code: string } {
  if (!(error instanceof Error)) return { reason: 'unknown error', code: '' };
  const code = 'code' in error ? toText(error.code) : '';
  const inner = error.cause instanceof AggregateError ? error.cause.errors[0] : undefined;
  const innerMessage = inner instanceof Error ? inner.message : '';
  return { reason: error.message || innerMessage || code || error.name, code };
}

/** got's own error is never kept: it carries the request's options, and with them the Authorization header. */
function toCause(reason: string, code: string): Error {
  return Object.assign(new Error(reason), code === '' ? {} : { code });
}

/** A call for which no whole reply came. */
export function toExchangeError(broken: BrokenExchange): Error {
  const { operation, sent, status, redact } = broken;
  const { reason: raw, code } = toReason(broken.error);
  const reason = toLine(redact(raw));
  const failure: Failure = { operation, status, cause: toCause(reason, code) };
  const when = `when ${toPhrase(operation)}`;
  if (broken.aborted) return new CallAbortedError(`The call was stopped by us ${when}`, failure, sent);
  if (broken.tooLong)
    return new UnknownResultError(`RunCloud's reply ${when} is too long to be one`, failure);
  // Node refuses to send a header with a line break in it: the credentials were pasted wrongly.
  if (code === 'ERR_INVALID_CHAR') {
    return new UnauthorizedError(`The credentials hold a character that no HTTP header may carry`, failure);
  }
  if (sent) return new UnknownResultError(`RunCloud's answer did not arrive ${when}: ${reason}`, failure);
  return new UnreachableError(`RunCloud was not reached ${when}: ${reason}`, failure);
}
