// Error codes that only HTTP has, and the status of every code. Codes are API: once published, a
// code keeps its meaning. docs/reference/http-api.md lists them.
import type { Code, CodeEntry } from '../errors.ts';

interface HttpCodeEntry extends Pick<CodeEntry, 'meaning' | 'fix'> {
  readonly status: number;
}

export const httpCodes = {
  'bad-request': {
    status: 400,
    meaning: 'The request cannot be read: it is not HTTP, or its path or body is broken.',
    fix: 'Correct the request. The detail says what cannot be read.',
  },
  unauthorized: {
    status: 401,
    meaning: 'The request has no token, or an unknown one.',
    fix: 'Send `Authorization: Bearer <token>`. Create a token with `runcloud-domains token create`, add it to API_TOKENS and restart the server.',
  },
  forbidden: {
    status: 403,
    meaning: 'The role of the token does not allow this request.',
    fix: 'Use a token with the role that the detail names.',
  },
  'cross-site': {
    status: 403,
    meaning: 'A web page of another site sent the request through a browser.',
    fix: 'Call the API from a program, not from a web page.',
  },
  'not-found': {
    status: 404,
    meaning: 'There is no such route, domain, job or delivery.',
    fix: 'Check the path, and the name or id in it. GET /v1/docs lists all routes.',
  },
  'not-configured': {
    status: 404,
    meaning: 'The server runs without this feature.',
    fix: 'Configure it (docs/reference/configuration.md), then restart the server.',
  },
  'several-applications': {
    status: 409,
    meaning: 'Several web applications have the domain, and the request names none of them.',
    fix: 'Add the serverId and appId of the one that you mean. `applications` lists them.',
  },
  'not-failed': {
    status: 409,
    meaning: 'The job cannot be retried: it has not failed, or a newer request replaces it.',
    fix: 'If a newer request is pending, there is nothing to do. GET /v1/domains/{domain} shows it.',
  },
  'not-replayable': {
    status: 409,
    meaning: 'The callback cannot be sent again: it is pending, or its URL is no longer configured.',
    fix: 'If it is pending, there is nothing to do. Otherwise add its URL to CALLBACK_URLS again.',
  },
  'idempotency-in-flight': {
    status: 409,
    meaning: 'A request with the same Idempotency-Key is running.',
    fix: 'Send it again after the seconds in Retry-After.',
  },
  'payload-too-large': {
    status: 413,
    meaning: 'The body is larger than 1 MiB, or a batch has more than 1000 lines.',
    fix: 'Send it in several parts.',
  },
  'unsupported-media-type': {
    status: 415,
    meaning: 'The route does not accept this content type.',
    fix: 'Send `Content-Type: application/json`, or `application/x-ndjson` for a batch.',
  },
  'idempotency-mismatch': {
    status: 422,
    meaning: 'The Idempotency-Key was used for another request in the last 24 hours.',
    fix: 'Use a new key for each new request.',
  },
  'idempotency-full': {
    status: 429,
    meaning: 'The stored answers of this token have reached the daily limit (16 MiB).',
    fix: 'Send the request without an Idempotency-Key, or after the seconds in Retry-After.',
  },
  'too-many-requests': {
    status: 429,
    meaning:
      'The rate limit is reached (API_RATE_PER_MINUTE): of the token, or of the network if there is no valid token. Each line of a batch counts.',
    fix: 'Wait for the seconds in Retry-After.',
  },
  'too-many-open': {
    status: 429,
    meaning: 'The token has 10,000 unfinished requests.',
    fix: 'Wait until some have finished, or remove domains that are no longer needed. GET /v1/domains?mustAct=customer lists the domains that wait for DNS.',
  },
} as const satisfies Record<string, HttpCodeEntry>;

export type HttpCode = keyof typeof httpCodes;
export type ProblemCode = Code | HttpCode;

export const isHttpCode = (code: string): code is HttpCode => Object.hasOwn(httpCodes, code);

/** The HTTP status of the codes that jobs and commands have too. */
const statusOfCode: Readonly<Partial<Record<Code, number>>> = {
  'invalid-domain': 400,
  'invalid-payload': 400,
  'no-web-application': 400,
  'host-name-taken': 409,
  'on-another-application': 409,
  'redis-unavailable': 503,
  'redis-no-permission': 500,
};

export const statusOf = (code: ProblemCode): number =>
  isHttpCode(code) ? httpCodes[code].status : (statusOfCode[code] ?? 500);
