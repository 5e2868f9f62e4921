// What the HTTP client rejects with: the problem that the server named, or why there was no answer of it. Pure.
import { DomainsError, type ErrorCode } from '../errors.ts';

/** What a problem document says besides its code and detail. */
export interface ProblemFields {
  /** The HTTP status; undefined where no answer came. */
  readonly status?: number | undefined;
  /** What to do about it. */
  readonly fix?: string | undefined;
  /** Which fields are wrong, and why. */
  readonly errors?: readonly { readonly field: string; readonly message: string }[] | undefined;
  /** On which web applications the domain is (`on-another-application`, `several-applications`). */
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

/** The error that a problem document stands for; undefined where it is none of ours. */
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

/** No answer of the server within the deadline, or one of something in front of it. */
export const unavailable = (why: string, cause?: unknown): HttpError =>
  new HttpError(
    'server-unavailable',
    `the server of runcloud-domains did not answer (${why}); send it again, which is harmless`,
    { fix: 'Check that the server runs and that `url` leads to it.' },
    { cause },
  );

/** Something answered that is not our server. */
export const notOurs = (status: number, what: string): HttpError =>
  new HttpError('unexpected-answer', `HTTP ${status} ${what}, not from the API of runcloud-domains`, {
    status,
    fix: 'Check `url`: it is the address under which the server answers /v1/openapi.json, without /v1.',
  });
