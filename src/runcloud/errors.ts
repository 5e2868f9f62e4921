// One error class per cause of a failed RunCloud call. Each is one of the three ways a job can fail
// (errors.ts in src/). Messages and causes never have a secret: failures.ts redacts them.
import { type Code, RateLimitedError, TransientError, UnavailableError } from '../errors.ts';
import { advancedMode } from './messages.ts';
import type { RunCloud } from './runcloud.ts';

export type Operation = keyof RunCloud;

/** The facts of every error below, beside the message. */
export interface Failure {
  /**
   * The reply was RunCloud's own JSON with a message, not a page of something in front of it.
   * Default: false.
   */
  readonly isOwnWord?: boolean | undefined;
  readonly operation: Operation;
  /** Undefined: no reply came. */
  readonly status?: number | undefined;
  /** RunCloud's own message, redacted and short. Undefined: it sent none. */
  readonly reply?: string | undefined;
  readonly cause?: unknown;
}

/** RunCloud's messages by field of the request, as in Laravel's 422. */
export type FieldErrors = Readonly<Record<string, readonly string[]>>;

const toOptions = (failure: Failure): ErrorOptions =>
  failure.cause === undefined ? {} : { cause: failure.cause };

/** A failed call that may succeed later. */
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

/** HTTP 401. Also for an address that is not on the IP allow-list. */
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
 * HTTP 402, or 403 for every call of these credentials: the quota is used up, or the plan or the
 * token lost its rights. It concerns the account, so all jobs wait.
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

/** HTTP 403 for one route or one web application. Rights may change, so it is retried. */
export class ForbiddenError extends RunCloudTransientError {
  readonly isOwnWord: boolean;
  constructor(message: string, failure: Failure) {
    super('runcloud-forbidden', message, failure);
    this.isOwnWord = failure.isOwnWord ?? false;
    this.mustAct = 'operator';
  }
}

/** HTTP 404. It concerns an id that was read or configured, not a domain name, so it is retried. */
export class NotFoundError extends RunCloudTransientError {
  readonly isOwnWord: boolean;
  /**
   * Of a web application: how often in a row RunCloud has answered so, with a pause between. 1: not
   * counted.
   */
  answers = 1;
  /** The web application is proven to be gone. */
  isGone = false;
  constructor(message: string, failure: Failure) {
    super('runcloud-not-found', message, failure);
    this.isOwnWord = failure.isOwnWord ?? false;
    this.mustAct = 'operator';
  }
}

/**
 * Something in front of RunCloud answered: a firewall's page, a proxy's, a redirect. It says
 * nothing about the request, and a write may have taken effect.
 */
export class InterceptedError extends RunCloudTransientError {
  constructor(message: string, failure: Failure) {
    super('runcloud-intercepted', message, failure);
  }
}

// The texts of RunCloud's refusals are not documented (docs/reference/runcloud-api.md). One client
// has "already exists" and "Domain already" ([C] id 52475437251), and Laravel names the field.
const ABOUT_DOMAIN = /\b(?:domain|name|hostname)s?\b|already exists|\btaken\b/i;

/**
 * HTTP 400, 409, 422 and every other 4xx without a class of its own, in RunCloud's own words. The
 * job decides whether it is final for a domain.
 */
export class RejectedError extends RunCloudTransientError {
  readonly fieldErrors: FieldErrors;
  readonly isOwnWord: boolean;
  /** RunCloud's message concerns the domain or its name, not the server, the plan or the moment. */
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

/**
 * `GET {app}/ssl` names different certificates: one per domain (advanced SSL), whatever
 * `ssl/advanced` said. Nothing was written.
 */
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

/** The request left, but no usable answer came. Check RunCloud before the next write. */
export class UnknownResultError extends RunCloudTransientError {
  constructor(message: string, failure: Failure) {
    super('runcloud-unknown-result', message, failure);
  }
}

/** The caller's own signal ended the call. If `sent`, a write may have taken effect. */
export class CallAbortedError extends RunCloudTransientError {
  readonly sent: boolean;
  constructor(message: string, failure: Failure, sent: boolean) {
    super('runcloud-unknown-result', message, failure);
    this.sent = sent;
    this.attemptSpent = sent;
  }
}

/** HTTP 429. `retryAfterMs`: as RunCloud sent it, however long. */
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
 * Whether a write may have reached RunCloud. False only if it provably did not leave: there was no
 * connection, this program stopped it before (the signal, `mayWrite`, the wait for the rate
 * limiter), or its credentials fit no header. True for all else, also for refusals and other
 * errors: Redis may fail after a write was done.
 */
export function wasSent(error: unknown): boolean {
  if (error instanceof CallAbortedError) return error.sent;
  // A 401 has a status. Only credentials that Node would not send have none.
  if (error instanceof UnauthorizedError) return error.status !== undefined;
  return !(error instanceof UnreachableError);
}

/** Whether a write certainly had no effect: it did not leave, or RunCloud rejected it. */
export const hadNoEffect = (error: unknown): boolean =>
  !wasSent(error) ||
  error instanceof RejectedError ||
  error instanceof ForbiddenError ||
  error instanceof NotFoundError ||
  error instanceof UnavailableError;
