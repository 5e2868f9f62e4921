// One call to the HTTP API: tried again, under one Idempotency-Key, while that can help and the deadline is not over. Node's own fetch.
import { type HttpError, notOurs, toHttpError, unavailable } from './http-error.ts';

export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below `url`, with its query: `/v1/domains`. */
  readonly path: string;
  /** JSON. */
  readonly body?: string | undefined;
  /** How long it may take, all tries together, in milliseconds. */
  readonly deadlineMs: number;
  /** How long one try may take, in milliseconds. */
  readonly tryMs: number;
}

export interface Connection {
  readonly url: string;
  readonly token: string | undefined;
  /** Ends what waits. */
  readonly closed: AbortSignal;
}

/** What one try came to: the answer, or an error and how soon to try again (undefined: that cannot help). */
type Result =
  | { readonly answer: unknown }
  | { readonly error: HttpError; readonly retryAfterMs: number | undefined };

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5_000;

/** Resolves with the answer as JSON. Rejects with HttpError. */
export async function call(connection: Connection, request: Call): Promise<unknown> {
  const deadline = performance.now() + request.deadlineMs;
  // Made once: every try says that it is the same request, so that the server carries it out once.
  let key: string | undefined = globalThis.crypto.randomUUID();
  for (let tries = 0; ; tries += 1) {
    if (connection.closed.aborted) throw closedError();
    const left = Math.max(1, deadline - performance.now());
    const result = await tryOnce(connection, request, key, Math.min(left, request.tryMs));
    if ('answer' in result) return result.answer;
    const { error, retryAfterMs } = result;
    // The server keeps no more answers for today. A repetition is coalesced all the same.
    if (error.code === 'idempotency-full' && key !== undefined) {
      key = undefined;
      continue;
    }
    if (retryAfterMs === undefined) throw error;
    const waitMs = Math.max(retryAfterMs, backoffMs(tries));
    if (performance.now() + waitMs >= deadline) throw error;
    await pause(waitMs, connection.closed);
  }
}

const closedError = (): HttpError => unavailable('this client was closed');

/** Doubles from try to try; up to half is taken away by chance, so that many clients do not come back at once. */
const backoffMs = (tries: number): number =>
  Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(tries, 10)) * (1 - Math.random() / 2);

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

async function tryOnce(
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
      // Somebody else's address must not get the token, nor a POST become a GET.
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

/** fetch says only "fetch failed"; what failed stands in the cause. */
function reasonOf(error: unknown): string {
  const { message = String(error), cause } = error as { message?: string; cause?: unknown };
  const { message: why, code } = (cause ?? {}) as { message?: string; code?: string };
  return why || code || message;
}

/** What may be over soon: the server is busy, without Redis or restarting; the same request is being carried out at this moment. */
const passing = [408, 425, 429, 502, 503, 504];

function judge({ status, headers }: Response, text: string): Result {
  const json = toJson(text);
  if (status >= 200 && status < 300 && typeof json === 'object' && json !== null) return { answer: json };
  const problem = toHttpError(json, status);
  const retryAfterMs = toRetryAfterMs(headers.get('retry-after'));
  if (problem) {
    const mayHelp = passing.includes(status) || problem.code === 'idempotency-in-flight';
    return { error: problem, retryAfterMs: mayHelp ? retryAfterMs : undefined };
  }
  // Of what stands in front of the server: a proxy whose server is away says 5xx with a page of its own.
  if (status >= 500 || passing.includes(status))
    return { error: unavailable(`HTTP ${status} from what stands in front of it`), retryAfterMs };
  if (status >= 300 && status < 400)
    return { error: notOurs(status, 'is a redirect'), retryAfterMs: undefined };
  return { error: notOurs(status, 'came without a problem document'), retryAfterMs: undefined };
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Seconds, or a date; 0 where neither stands there. */
function toRetryAfterMs(header: string | null): number {
  if (header === null) return 0;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return ms > 0 ? ms : 0;
}
