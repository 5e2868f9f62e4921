// The sentences of the HTTP API: details of problems, what is wrong with a field, log lines. Pure.

export const noSuchRoute = 'No such route';

export const hostMissing = 'An HTTP/1.1 request needs a Host header';

export const tokenRateReached = 'This token has reached its rate limit (API_RATE_PER_MINUTE)';

export const networkRateReached =
  'This network has sent too many requests without a valid token (API_RATE_PER_MINUTE)';

export const tokenRequired = 'A valid token is required: Authorization: Bearer <token>';

export const roleRequired = (needed: string, name: string, role: string): string =>
  `This needs the role ${needed}. The token "${name}" has the role ${role}.`;

export const otherSite = 'A web page of another site sent this request';

export const notHttp = 'This is not an HTTP request, or it took too long';

export const unreadableRequest = 'The request cannot be read';

export const unreadableBody = (why: string): string => `The body cannot be read: ${why}`;

export const jsonOnly = 'This route accepts application/json only';

export const noBodyAllowed = 'This route accepts no body';

export const unknownField = 'is not a known field';

export const missingField = 'is missing';

export const notACursor = 'must be the nextCursor of a page';

export const keyFormat = 'must be 1 to 255 visible ASCII characters';

export const keyInFlight = 'A request with this Idempotency-Key is running';

export const keyMismatch = 'This Idempotency-Key was used for another request';

export const keyQuotaReached = 'The stored answers of this token have reached the daily limit (16 MiB)';

export const tooManyOpen = (max: number): string =>
  `This token has ${max} unfinished requests. Wait until some have finished, or remove domains that are no longer needed.`;

export const bug = (requestId: string): string =>
  `A bug. The server's log has it under the request id ${requestId}.`;

export const redisRejected = (reply: string): string => `Redis rejected the command: ${reply.slice(0, 200)}`;

export const redisTimeout = 'Redis did not answer in time';

export const tooManyLines = (max: number, lines: number): string =>
  `A batch has at most ${max} lines; this one has ${lines}`;

export const notJson = 'This line is not JSON';

export const batchTimeout = 'The time limit of the batch was reached before this line';

export const noCallbacks = 'This server has no callbacks. Set CALLBACK_URLS and CALLBACK_SECRETS.';

export const noJob = (id: string): string =>
  `No job has the id ${id.slice(0, 100)}, or its record was deleted`;

export const jobNotFailed = (state: string): string => `This job has not failed; its state is ${state}`;

export const pauseReasonRequired = 'is required; it is shown wherever a job waits';

export const notInFuture = 'must be in the future';

export const scopeFormat = 'must be kind=all, kind=app with serverId and appId, or kind=site with siteId';

export const wwwNameOf = (name: string, owner: string, appId: number): string =>
  `${name} is the www name of ${owner}: GET /v1/domains/${owner}?appId=${appId}`;

export const unknownDomain = (name: string): string => `Nobody has requested ${name}`;

/** `choice`: where it was searched. `places`: where it is. */
export const unknownDomainOn = (name: string, choice: string, places: string): string =>
  `Nobody has requested ${name} on ${choice}. It is on ${places}.`;

export const onSeveral = (name: string, count: number, places: string): string =>
  `${name} is on ${count} web applications: ${places}`;

export const connectionsRefused = 'Too many connections: new ones are rejected';

export const requestFailed = 'Unexpected error in a request';
