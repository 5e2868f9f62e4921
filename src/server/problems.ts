// What is answered where a request is refused: problem documents (RFC 9457) that carry our codes. One table of codes and statuses.

import { z } from 'zod';
import { type Place, places, toPlace } from '../api-records/applications.ts';
import { inOneLine } from '../domains/sentences.ts';
import { type Code, CodedError, type CodeEntry, codes, isReplyError, reasonOf } from '../errors.ts';
import { ElsewhereError } from '../queue/elsewhere.ts';
import { toMissingRight } from '../redis/connection.ts';
import { withRoutesBelow } from './prefix.ts';

/** The HTTP status of each code that jobs and commands know too. */
const statusOfCode: Readonly<Partial<Record<Code, number>>> = {
  'invalid-domain': 400,
  'invalid-payload': 400,
  'no-web-application': 400,
  'host-name-taken': 409,
  'on-another-application': 409,
  'redis-unavailable': 503,
  'redis-no-permission': 500,
};

interface HttpCodeEntry extends Pick<CodeEntry, 'meaning' | 'fix'> {
  readonly status: number;
}

/** Codes that only HTTP has. Codes are API: once published, a code keeps its meaning. docs/reference/http-api.md lists them. */
export const httpCodes = {
  'bad-request': {
    status: 400,
    meaning: 'The request is not HTTP, its path or its body cannot be read.',
    fix: 'Correct the request; the detail says what cannot be read.',
  },
  unauthorized: {
    status: 401,
    meaning: 'The request carries no token, or one that is not known.',
    fix: 'Send `Authorization: Bearer <token>`; `runcloud-domains token create` makes one for API_TOKENS, which the server reads when it starts.',
  },
  forbidden: {
    status: 403,
    meaning: 'The token is known, but its role does not allow this.',
    fix: 'Use a token with the role that the detail names.',
  },
  'cross-site': {
    status: 403,
    meaning: 'A web page of another site sent the request through a browser.',
    fix: 'Call the API from a program, not from a page.',
  },
  'not-found': {
    status: 404,
    meaning: 'There is no such route, or nothing by that name.',
    fix: 'Check the path, and the name or id in it; GET /v1/docs lists all routes.',
  },
  'not-configured': {
    status: 404,
    meaning: 'This server runs without the part that the route belongs to.',
    fix: 'Configure it (docs/reference/configuration.md), then start the server anew.',
  },
  'several-applications': {
    status: 409,
    meaning: 'Several web applications have the domain, and the request names none of them.',
    fix: 'Name the one that you mean: serverId and appId, as `applications` lists them.',
  },
  'not-failed': {
    status: 409,
    meaning: 'The job cannot be retried: it has not failed, or a newer request counts.',
    fix: 'Nothing, where a newer request is on its way; GET /v1/domains/{domain} shows it.',
  },
  'not-replayable': {
    status: 409,
    meaning:
      'The callback cannot be sent again: it is on its way already, or its URL is no longer configured.',
    fix: 'Nothing, where it is on its way; else put the URL back into CALLBACK_URLS.',
  },
  'idempotency-in-flight': {
    status: 409,
    meaning: 'A request with the same Idempotency-Key is being carried out at this moment.',
    fix: 'Send it again after the seconds in Retry-After.',
  },
  'payload-too-large': {
    status: 413,
    meaning: 'The body is larger than 1 MiB, or a batch has more than 1000 lines.',
    fix: 'Send it in several parts.',
  },
  'unsupported-media-type': {
    status: 415,
    meaning: 'The body has a content type that the route does not take.',
    fix: 'Send `Content-Type: application/json` (or, for a batch, `application/x-ndjson`).',
  },
  'idempotency-mismatch': {
    status: 422,
    meaning: 'The Idempotency-Key was used for another request in the last 24 hours.',
    fix: 'Use a new key for each new request.',
  },
  'idempotency-full': {
    status: 429,
    meaning: 'The token has had as many answers kept under an Idempotency-Key as a day allows.',
    fix: 'Send it without an Idempotency-Key, or after the seconds in Retry-After.',
  },
  'too-many-requests': {
    status: 429,
    meaning:
      'The token has made more requests in a minute than API_RATE_PER_MINUTE allows, each line of a batch counted; or so has everybody without a token on your network.',
    fix: 'Wait for the seconds in Retry-After.',
  },
  'too-many-open': {
    status: 429,
    meaning: 'The token has 10,000 requests whose jobs are not finished.',
    fix: 'Wait until some are; GET /v1/domains?mustAct=customer lists domains that wait for their DNS. A removal of what is still being added is always taken.',
  },
} as const satisfies Record<string, HttpCodeEntry>;

export type HttpCode = keyof typeof httpCodes;
export type ProblemCode = Code | HttpCode;

const isHttpCode = (code: string): code is HttpCode => Object.hasOwn(httpCodes, code);

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
    field: z.string().optional().meta({ description: 'The first field that is wrong' }),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
    applications: places.optional(),
  })
  .meta({ description: 'Why a request was refused (RFC 9457)' });

/** A problem document. */
export type Problem = z.output<typeof problemDocument>;

/** A refusal of the HTTP layer's own. */
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

export const statusOf = (code: ProblemCode): number =>
  isHttpCode(code) ? httpCodes[code].status : (statusOfCode[code] ?? 500);

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

/** Whoever calls the API looks at its own page, not at the payloads of jobs. */
const fixOf = (code: ProblemCode): string =>
  code === 'invalid-payload'
    ? 'Correct the request: the detail names the field; GET /v1/docs has all fields.'
    : isHttpCode(code)
      ? httpCodes[code].fix
      : codes[code].fix;

/** What zod found wrong, field by field; the fields are named as a person writes them: `filter.code`. */
export function refusalOf(issues: z.ZodError['issues']): Refusal {
  const errors = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.slice(0, 20).map((key) => toFieldProblem([...issue.path, key], 'is not known here'))
      : [toFieldProblem(issue.path, toMessage(issue))],
  );
  const isDomain = errors.length > 0 && errors.every(({ field }) => field === 'domain');
  const detail = inOneLine(errors.map(({ field, message }) => `${field}: ${message}`));
  return new Refusal(isDomain ? 'invalid-domain' : 'invalid-payload', detail, { errors });
}

/** zod's own words for what is not there at all are about types. */
const toMessage = ({ message }: { readonly message: string }): string =>
  message.endsWith('received undefined') ? 'is missing' : message;

const toFieldProblem = (path: readonly PropertyKey[], message: string): FieldProblem => ({
  field: path.map(String).join('.').slice(0, 100) || 'body',
  message,
});

/** Fastify's own refusals, by its codes; what is not in here is a bug of ours or of a part that was plugged in. */
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

/** What ioredis says where Redis is away, too slow, or went away meanwhile. */
const isRedisError = (error: unknown): boolean =>
  error instanceof Error &&
  (/^(MaxRetriesPerRequest|Abort)Error$/.test(error.name) ||
    /^(Connection is closed|Command timed out|Stream isn't writeable|Command aborted)/.test(error.message));

/** What the schema let pass and the door did not: only the domain is looked at once more. */
const toFields = ({ code, message }: CodedError): FieldProblem[] =>
  code === 'invalid-domain' ? [{ field: 'domain', message }] : [];

/** What to send, for each web application that may be meant. */
function toFieldsOf({ meant, applications }: ElsewhereError): string {
  const places = applications.map(({ serverId, appId }) =>
    serverId === meant.serverId ? `appId: ${appId}` : `serverId: ${serverId}, appId: ${appId}`,
  );
  const both = meant.name === 'add-domain' ? [`also: true (on ${meant.appId} as well)`] : [];
  return [...places, ...both].join(' or ');
}

/** The refusal that an error stands for; undefined: a bug, whose message nobody outside may read. */
export function toRefusal(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof ElsewhereError)
    return new Refusal(error.code, `${error.message}: ${toFieldsOf(error)}`, {
      applications: error.applications.map(toPlace),
    });
  if (error instanceof CodedError) return new Refusal(error.code, error.message, { errors: toFields(error) });
  const missingRight = isReplyError(error) && toMissingRight(error);
  if (missingRight) return new Refusal(missingRight.code, missingRight.message);
  if (isReplyError(error))
    return new Refusal('redis-unavailable', `Redis refused it: ${error.message.slice(0, 200)}`);
  if (isRedisError(error)) return new Refusal('redis-unavailable', 'Redis did not answer in time');
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  const known = typeof code === 'string' ? fastifyCodes[code] : undefined;
  if (known) return new Refusal(known, reasonOf(error));
  // What Node and fastify refuse by themselves: a body that was cut off, a header that is too long.
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return new Refusal('bad-request', 'the request cannot be read');
  return undefined;
}
