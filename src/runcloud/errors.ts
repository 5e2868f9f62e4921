// One error class per cause of a failed RunCloud call, each one of the program's three ways to go wrong.
// Messages and causes never hold a secret: what enters here has been through redact.ts.
import { type Code, RateLimitedError, TransientError, UnavailableError } from '../errors.ts';
import { advancedMode } from './messages.ts';
import type { RunCloud } from './runcloud.ts';

export type Operation = keyof RunCloud;

/** What every error below keeps, beside the message. */
export interface Failure {
  /** The reply was RunCloud's own JSON with a message, and not a page of something in front of it. Default: it was not. */
  readonly isOwnWord?: boolean | undefined;
  readonly operation: Operation;
  /** Undefined where no reply came. */
  readonly status?: number | undefined;
  /** RunCloud's own message, redacted and capped; undefined where it sent none. */
  readonly reply?: string | undefined;
  readonly cause?: unknown;
}

/** RunCloud's messages by field of the request, as Laravel words them in a 422. */
export type FieldErrors = Readonly<Record<string, readonly string[]>>;

const toOptions = (failure: Failure): ErrorOptions =>
  failure.cause === undefined ? {} : { cause: failure.cause };

/** A failed call that may go well later. */
export class RunCloudTransientError extends TransientError {
  readonly operation: Operation;
  readonly status: number | undefined;
  readonly reply: string | undefined;
  constructor(code: Code, message: string, failure: Failure) {
    super(code, message, toOptions(failure));
    this.operation = failure.operation;
    this.status = failure.status;
    this.reply = failure.reply;
  }
}

/** HTTP 401. RunCloud also answers so to an address that is not on the IP allow-list. */
export class UnauthorizedError extends UnavailableError {
  readonly operation: Operation;
  readonly status: number | undefined;
  readonly reply: string | undefined;
  constructor(message: string, failure: Failure) {
    super('runcloud-unauthorized', message, toOptions(failure));
    this.operation = failure.operation;
    this.status = failure.status;
    this.reply = failure.reply;
  }
}

/**
 * HTTP 402, or 403 for every call of these credentials: the quota is used up, or the plan or the token lost its rights.
 * Speaks of the account and of no job, so the rate limiter holds all of them.
 */
export class AccountRefusedError extends UnavailableError {
  readonly operation: Operation;
  readonly status: number | undefined;
  readonly reply: string | undefined;
  constructor(message: string, failure: Failure) {
    super('runcloud-account-refused', message, toOptions(failure));
    this.operation = failure.operation;
    this.status = failure.status;
    this.reply = failure.reply;
  }
}

/** HTTP 403 for one route or one web application. Rights can be given, so it is tried again. */
export class ForbiddenError extends RunCloudTransientError {
  readonly isOwnWord: boolean;
  constructor(message: string, failure: Failure) {
    super('runcloud-forbidden', message, failure);
    this.isOwnWord = failure.isOwnWord ?? false;
    this.mustAct = 'operator';
  }
}

/** HTTP 404. It speaks of an id that was read or configured, not of a domain name, so it is tried again. */
export class NotFoundError extends RunCloudTransientError {
  readonly isOwnWord: boolean;
  /** Of a web application: how often in a row RunCloud has said so, to whomever, with a pause between; 1 where nobody counts. */
  answers = 1;
  /** It was shown that the web application is gone. */
  isGone = false;
  constructor(message: string, failure: Failure) {
    super('runcloud-not-found', message, failure);
    this.isOwnWord = failure.isOwnWord ?? false;
    this.mustAct = 'operator';
  }
}

/**
 * Something in front of RunCloud answered: a firewall's page, a proxy's, a redirect. It says nothing about what was asked, and
 * a write may have taken effect all the same.
 */
export class InterceptedError extends RunCloudTransientError {
  constructor(message: string, failure: Failure) {
    super('runcloud-intercepted', message, failure);
  }
}

// The texts of RunCloud's refusals are not documented (docs/reference/runcloud-api.md). One client knows "already exists" and "Domain already"
// ([C] id 52475437251), Laravel names the field.
const ABOUT_DOMAIN = /\b(?:domain|name|hostname)s?\b|already exists|\btaken\b/i;

/**
 * HTTP 400, 409, 422 and every other 4xx that has no class of its own, in RunCloud's own words. Whether it is the last word
 * about a domain is for the job to say, which knows what else was seen.
 */
export class RejectedError extends RunCloudTransientError {
  readonly fieldErrors: FieldErrors;
  readonly isOwnWord: boolean;
  /** RunCloud's words speak of the domain or its name, and not of the server, the plan or the moment. */
  readonly isAboutDomain: boolean;
  constructor(message: string, failure: Failure, fieldErrors: FieldErrors = {}) {
    super('runcloud-rejected', message, failure);
    this.isOwnWord = failure.isOwnWord ?? false;
    const words = [failure.reply ?? '', ...Object.keys(fieldErrors)];
    this.isAboutDomain = this.isOwnWord && words.some((text) => ABOUT_DOMAIN.test(text));
    this.fieldErrors = fieldErrors;
    this.mustAct = 'operator';
  }
}

/** `GET {app}/ssl` names different certificates: one per domain (advanced SSL), whatever `ssl/advanced` said. Nothing was written. */
export class AdvancedModeError extends RunCloudTransientError {
  constructor(appId: number, failure: Failure) {
    super('runcloud-unknown-result', advancedMode(appId), failure);
  }
}

/** The request never left: nothing has changed at RunCloud. */
export class UnreachableError extends RunCloudTransientError {
  constructor(message: string, failure: Failure) {
    super('runcloud-unreachable', message, failure);
  }
}

/** The request left, but what came back (if anything) does not say what it did: look before writing again. */
export class UnknownResultError extends RunCloudTransientError {
  constructor(message: string, failure: Failure) {
    super('runcloud-unknown-result', message, failure);
  }
}

/** The caller's own signal ended the call. Where `sent` is true, a write may have taken effect. */
export class CallAbortedError extends RunCloudTransientError {
  readonly sent: boolean;
  constructor(message: string, failure: Failure, sent: boolean) {
    super('runcloud-unknown-result', message, failure);
    this.sent = sent;
    this.attemptSpent = sent;
  }
}

/** HTTP 429. `retryAfterMs` is as RunCloud sent it, however long: the caller decides what to believe. */
export class TooManyRequestsError extends RateLimitedError {
  readonly operation: Operation;
  readonly status: number | undefined;
  readonly reply: string | undefined;
  constructor(message: string, failure: Failure, retryAfterMs: number | undefined) {
    super(message, retryAfterMs, toOptions(failure));
    this.operation = failure.operation;
    this.status = failure.status;
    this.reply = failure.reply;
  }
}

/** RunCloud's own message of a failed call, whatever its class. */
export function toReply(error: unknown): string | undefined {
  const isOurs =
    error instanceof RunCloudTransientError ||
    error instanceof TooManyRequestsError ||
    error instanceof AccountRefusedError;
  return isOurs ? error.reply : undefined;
}

/**
 * Whether a write may have reached RunCloud. False only where it provably did not leave: no connection stood, we
 * stopped it before (our signal, `mayWrite`, the waiting at the brake), or its credentials fit no header. True for all
 * else, refusals included: an error that is not ours (Redis away when the brake is told) may follow a write that was done.
 */
export function wasSent(error: unknown): boolean {
  if (error instanceof CallAbortedError) return error.sent;
  // A 401 has a status; only the credentials that Node would not send are without.
  if (error instanceof UnauthorizedError) return error.status !== undefined;
  return !(error instanceof UnreachableError);
}

/** Whether a write had no effect, for certain: it did not leave, or RunCloud said no. */
export const hadNoEffect = (error: unknown): boolean =>
  !wasSent(error) ||
  error instanceof RejectedError ||
  error instanceof ForbiddenError ||
  error instanceof NotFoundError ||
  error instanceof UnavailableError;
