// Refused requests: problem documents (RFC 9457) with a code and a fix. Which error is which
// problem.

import { z } from 'zod';
import { type Place, places, toPlace } from '../api-records/applications.ts';
import { inOneLine } from '../domains/sentences.ts';
import { CodedError, codes, isReplyError, reasonOf } from '../errors.ts';
import { ElsewhereError } from '../queue/elsewhere.ts';
import { toMissingRight } from '../redis/connection.ts';
import { type HttpCode, httpCodes, isHttpCode, type ProblemCode, statusOf } from './http-codes.ts';
import { missingField, redisRejected, redisTimeout, unknownField, unreadableRequest } from './messages.ts';
import { withRoutesBelow } from './prefix.ts';

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

export const problemDocument = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    fix: z.string(),
    field: z.string().optional().meta({ description: 'The first wrong field' }),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
    applications: places.optional(),
  })
  .meta({ description: 'Why the request was refused (RFC 9457)' });

/** A problem document. */
export type Problem = z.output<typeof problemDocument>;

/** A refused request. */
export class Refusal extends Error {
  readonly code: ProblemCode;
  readonly errors: readonly FieldProblem[];
  readonly headers: Readonly<Record<string, string>>;
  readonly applications: readonly Place[];
  constructor(
    code: ProblemCode,
    detail: string,
    more: {
      errors?: readonly FieldProblem[];
      headers?: Readonly<Record<string, string>>;
      applications?: readonly Place[];
    } = {},
  ) {
    super(detail);
    this.code = code;
    this.errors = more.errors ?? [];
    this.headers = more.headers ?? {};
    this.applications = more.applications ?? [];
  }
}

export function problemOf(
  code: ProblemCode,
  detail: string,
  { errors = [], applications = [] }: Partial<Pick<Refusal, 'errors' | 'applications'>> = {},
  prefix = '',
): Problem {
  const status = statusOf(code);
  const [first] = errors;
  return {
    type: `urn:runcloud-domains:error:${code}`,
    title: titles[status] ?? 'Error',
    status,
    detail: withRoutesBelow(prefix, detail),
    code,
    fix: withRoutesBelow(prefix, fixOf(code)),
    ...(first && { field: first.field, errors: [...errors] }),
    ...(applications.length > 0 && { applications: [...applications] }),
  };
}

/** Callers of the API have its own documents, not those of the jobs. */
const fixOf = (code: ProblemCode): string =>
  code === 'invalid-payload'
    ? 'Correct the field that the detail names. GET /v1/docs lists all fields.'
    : isHttpCode(code)
      ? httpCodes[code].fix
      : codes[code].fix;

/** zod's issues, one per field. Fields are written as `filter.code`. */
export function refusalOf(issues: z.ZodError['issues']): Refusal {
  const errors = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.slice(0, 20).map((key) => toFieldProblem([...issue.path, key], unknownField))
      : [toFieldProblem(issue.path, toMessage(issue))],
  );
  const isDomain = errors.length > 0 && errors.every(({ field }) => field === 'domain');
  const detail = inOneLine(errors.map(({ field, message }) => `${field}: ${message}`));
  return new Refusal(isDomain ? 'invalid-domain' : 'invalid-payload', detail, { errors });
}

/** If a field is missing, zod's own message is about types. */
const toMessage = ({ message }: { readonly message: string }): string =>
  message.endsWith('received undefined') ? missingField : message;

const toFieldProblem = (path: readonly PropertyKey[], message: string): FieldProblem => ({
  field: path.map(String).join('.').slice(0, 100) || 'body',
  message,
});

/** Fastify's own refusals, by its codes. Other ones are bugs. */
const fastifyCodes: Readonly<Record<string, HttpCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload-too-large',
  FST_ERR_CTP_INVALID_JSON_BODY: 'bad-request',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'bad-request',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'bad-request',
  FST_ERR_BAD_URL: 'bad-request',
  FST_ERR_MAX_PARAM_LENGTH: 'not-found',
  FST_ERR_ASYNC_CONSTRAINT: 'not-found',
};

/** ioredis' errors if Redis is unreachable, too slow, or disconnected meanwhile. */
const isRedisError = (error: unknown): boolean =>
  error instanceof Error &&
  (/^(MaxRetriesPerRequest|Abort)Error$/.test(error.name) ||
    /^(Connection is closed|Command timed out|Stream isn't writeable|Command aborted)/.test(error.message));

/** What the schema accepts and the queue does not: only the domain is checked again. */
const toFields = ({ code, message }: CodedError): FieldProblem[] =>
  code === 'invalid-domain' ? [{ field: 'domain', message }] : [];

/** The fields to send, for each web application that may be meant. */
function toFieldsOf({ meant, applications }: ElsewhereError): string {
  const places = applications.map(({ serverId, appId }) =>
    serverId === meant.serverId ? `appId: ${appId}` : `serverId: ${serverId}, appId: ${appId}`,
  );
  const both = meant.name === 'add-domain' ? [`also: true (on ${meant.appId} as well)`] : [];
  return [...places, ...both].join(' or ');
}

/** Undefined: a bug, whose message stays inside. */
export function toRefusal(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof ElsewhereError)
    return new Refusal(error.code, `${error.message}: ${toFieldsOf(error)}`, {
      applications: error.applications.map(toPlace),
    });
  if (error instanceof CodedError) return new Refusal(error.code, error.message, { errors: toFields(error) });
  const missingRight = isReplyError(error) && toMissingRight(error);
  if (missingRight) return new Refusal(missingRight.code, missingRight.message);
  if (isReplyError(error)) return new Refusal('redis-unavailable', redisRejected(error.message));
  if (isRedisError(error)) return new Refusal('redis-unavailable', redisTimeout);
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  const known = typeof code === 'string' ? fastifyCodes[code] : undefined;
  if (known) return new Refusal(known, reasonOf(error));
  // Refused by Node or fastify: a body that was cut off, a header that is too long.
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return new Refusal('bad-request', unreadableRequest);
  return undefined;
}
