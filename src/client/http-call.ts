// One call to the HTTP API, by Node's own fetch. It is retried under one Idempotency-Key, while a
// retry can help and until the deadline.
import { type HttpError, notOurs, toHttpError, unavailable } from './http-error.ts';

export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below `url`, with the query: `/v1/domains`. */
  readonly path: string;
  /** JSON. */
  readonly body?: string | undefined;
  /** For all attempts together, in milliseconds. */
  readonly deadlineMs: number;
  /** For one attempt, in milliseconds. */
  readonly attemptMs: number;
}

export interface Connection {
  readonly url: string;
  readonly token: string | undefined;
  /** Ends all calls. */
  readonly closed: AbortSignal;
}

/**
 * The result of one attempt: the answer, or an error and the wait before a retry (undefined: no
 * retry helps).
 */
type Result =
  | { readonly answer: unknown }
  | { readonly error: HttpError; readonly retryAfterMs: number | undefined };

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5_000;

/** Resolves with the answer as JSON. Rejects with HttpError. */
export async function call(connection: Connection, request: Call): Promise<unknown> {
  const deadline = performance.now() + request.deadlineMs;
  // The same key for all attempts: the server runs the request once.
  let key: string | undefined = globalThis.crypto.randomUUID();
  for (let attempts = 0; ; attempts += 1) {
    if (connection.closed.aborted) throw closedError();
    const left = Math.max(1, deadline - performance.now());
    const result = await attempt(connection, request, key, Math.min(left, request.attemptMs));
    if ('answer' in result) return result.answer;
    const { error, retryAfterMs } = result;
    // The server stores no more answers today. It coalesces a repetition even without a key.
    if (error.code === 'idempotency-full' && key !== undefined) {
      key = undefined;
      continue;
    }
    if (retryAfterMs === undefined) throw error;
    const waitMs = Math.max(retryAfterMs, backoffMs(attempts));
    if (performance.now() + waitMs >= deadline) throw error;
    await pause(waitMs, connection.closed);
  }
}

const closedError = (): HttpError => unavailable('this client was closed');

/** Doubles with each attempt, minus up to half by chance: many clients do not come back at once. */
const backoffMs = (attempts: number): number =>
  Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempts, 10)) * (1 - Math.random() / 2);

function pause(ms: number, closed: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      closed.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    closed.addEventListener('abort', end);
  });
}

async function attempt(
  connection: Connection,
  request: Call,
  key: string | undefined,
  ms: number,
): Promise<Result> {
  const { url, token, closed } = connection;
  const { method, path, body } = request;
  const timeout = new AbortController();
  const stop = (): void => timeout.abort();
  const timer = setTimeout(stop, ms);
  closed.addEventListener('abort', stop);
  const headers = {
    accept: 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(method !== 'GET' && key !== undefined && { 'idempotency-key': key }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
  };
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      headers,
      ...(body !== undefined && { body }),
      // Another address must not get the token, and a POST must not become a GET.
      redirect: 'manual',
      signal: timeout.signal,
    });
    return judge(response, await response.text());
  } catch (error) {
    if (closed.aborted) return { error: closedError(), retryAfterMs: undefined };
    const why = timeout.signal.aborted ? `no answer within ${Math.round(ms)} ms` : reasonOf(error);
    return { error: unavailable(why, error), retryAfterMs: 0 };
  } finally {
    clearTimeout(timer);
    closed.removeEventListener('abort', stop);
  }
}

/** fetch's own message is "fetch failed"; the cause has the details. */
function reasonOf(error: unknown): string {
  const { message = String(error), cause } = error as { message?: string; cause?: unknown };
  const { message: why, code } = (cause ?? {}) as { message?: string; code?: string };
  return why || code || message;
}

/**
 * Temporary errors: the server is busy, without Redis, or restarting; the same request is still
 * running.
 */
const temporary = [408, 425, 429, 502, 503, 504];

function judge({ status, headers }: Response, text: string): Result {
  const json = toJson(text);
  if (status >= 200 && status < 300 && typeof json === 'object' && json !== null) return { answer: json };
  const problem = toHttpError(json, status);
  const retryAfterMs = toRetryAfterMs(headers.get('retry-after'));
  if (problem) {
    const mayHelp = temporary.includes(status) || problem.code === 'idempotency-in-flight';
    return { error: problem, retryAfterMs: mayHelp ? retryAfterMs : undefined };
  }
  // From something in front of the server: a proxy without its server answers 5xx with a page of
  // its own.
  if (status >= 500 || temporary.includes(status))
    return { error: unavailable(`HTTP ${status} from a proxy in front of it`), retryAfterMs };
  if (status >= 300 && status < 400) return { error: notOurs(status, 'redirect'), retryAfterMs: undefined };
  return { error: notOurs(status, 'without a problem document'), retryAfterMs: undefined };
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Seconds, or a date; 0 if it is neither. */
function toRetryAfterMs(header: string | null): number {
  if (header === null) return 0;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return ms > 0 ? ms : 0;
}
