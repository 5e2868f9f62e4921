// The errors of the HTTP client: a problem from the server, or the reason why there was no answer.
// Pure.
import { DomainsError, type ErrorCode } from '../errors.ts';

/** The fields of a problem document besides its code and detail. */
export interface ProblemFields {
  /** The HTTP status; undefined: there was no answer. */
  readonly status?: number | undefined;
  /** What to do about the error. */
  readonly fix?: string | undefined;
  /** Which fields are wrong, and why. */
  readonly errors?: readonly { readonly field: string; readonly message: string }[] | undefined;
  /**
   * The web applications that have the domain (`on-another-application`, `several-applications`).
   */
  readonly applications?: readonly { readonly serverId: number; readonly appId: number }[] | undefined;
}

/** A request that the server refused, or did not answer. */
export class HttpError extends DomainsError {
  readonly status: number | undefined;
  readonly fix: string | undefined;
  readonly errors: NonNullable<ProblemFields['errors']>;
  readonly applications: NonNullable<ProblemFields['applications']>;
  constructor(code: ErrorCode, message: string, more: ProblemFields = {}, options?: ErrorOptions) {
    super(code, message, options);
    this.status = more.status;
    this.fix = more.fix;
    this.errors = more.errors ?? [];
    this.applications = more.applications ?? [];
  }
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const listOf = <T>(value: unknown): readonly T[] | undefined =>
  Array.isArray(value) ? (value as T[]) : undefined;

/** The error of a problem document; undefined: it is not one of ours. */
export function toHttpError(problem: unknown, status: number): HttpError | undefined {
  if (!isFields(problem)) return undefined;
  const [code, detail] = [textOf(problem.code), textOf(problem.detail)];
  if (code === undefined || detail === undefined) return undefined;
  return new HttpError(code, detail, {
    status,
    fix: textOf(problem.fix),
    errors: listOf(problem.errors),
    applications: listOf(problem.applications),
  });
}

/** No answer from the server within the deadline, or an answer from a proxy in front of it. */
export const unavailable = (why: string, cause?: unknown): HttpError =>
  new HttpError(
    'server-unavailable',
    `The runcloud-domains server did not answer (${why}). Sending the request again is harmless.`,
    { fix: 'Check that the server runs, and check `url`.' },
    { cause },
  );

/** The answer of another program. */
export const notOurs = (status: number, what: string): HttpError =>
  new HttpError('unexpected-answer', `HTTP ${status} (${what}): not the API of runcloud-domains`, {
    status,
    fix: 'Check `url`: the address of the server without /v1.',
  });
