// One exchange under the rate limiter: acquires before, reports after, and marks failures that no
// job caused.
import { createHash } from 'node:crypto';
import type { Response } from 'got';
import { TransientError } from '../errors.ts';
import {
  AccountRefusedError,
  CallAbortedError,
  InterceptedError,
  type Operation,
  TooManyRequestsError,
  toReply as toRunCloudsMessage,
  UnauthorizedError,
  UnknownResultError,
  UnreachableError,
} from './errors.ts';
import { stopped } from './messages.ts';
import type { CallLimiter, CallOptions, CallReport } from './runcloud.ts';

/** A response, and its meaning. `toReply` throws for everything but a usable 2xx. */
export interface Exchanged<T> {
  readonly response: Response<string>;
  readonly toReply: () => T;
}

interface Call {
  readonly operation: Operation;
  readonly options: CallOptions | undefined;
}

/** Identifies credentials without revealing them. Corrected credentials have another one. */
export const toFingerprint = (authorization: string): string =>
  createHash('sha256').update(authorization).digest('hex').slice(0, 12);

export async function rateLimited<T>(
  limiter: CallLimiter,
  fingerprint: string,
  { operation, options }: Call,
  call: () => Promise<Exchanged<T>>,
): Promise<T> {
  await acquire(limiter, fingerprint, { operation, options });
  let headers: Pick<CallReport, 'limit' | 'remaining'> = {};
  try {
    const { response, toReply } = await call();
    headers = toRateLimit(response);
    const reply = toReply();
    await limiter.report({ result: 'ok', fingerprint, ...headers });
    return reply;
  } catch (error) {
    const report = toReport(error);
    const state = report && (await limiter.report({ ...report, fingerprint, ...headers }));
    if (state === 'outage' && error instanceof TransientError) error.attemptSpent = false;
    throw error;
  }
}

async function acquire(
  limiter: CallLimiter,
  fingerprint: string,
  { operation, options }: Call,
): Promise<void> {
  const ends = [options?.signal, options?.waitSignal].filter((signal) => signal !== undefined);
  const signal = AbortSignal.any(ends);
  try {
    signal.throwIfAborted();
    await limiter.acquire(fingerprint, signal, options?.onUnavailable);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new CallAbortedError(stopped(operation, 'before'), { operation }, false);
  }
}

/** Undefined: this program stopped the call, which says nothing about RunCloud. */
function toReport(error: unknown): Omit<CallReport, 'fingerprint'> | undefined {
  if (error instanceof CallAbortedError) return undefined;
  if (error instanceof TooManyRequestsError)
    return { result: 'throttled', retryAfterMs: error.retryAfterMs, why: toRunCloudsMessage(error) };
  if (error instanceof UnauthorizedError) return { result: 'credentials', why: error.message };
  if (error instanceof AccountRefusedError) return { result: 'account', why: error.message };
  const isOutage =
    error instanceof UnreachableError ||
    error instanceof UnknownResultError ||
    error instanceof InterceptedError;
  return { result: isOutage ? 'outage' : 'ok' };
}

function toRateLimit({ headers }: Response<string>): Pick<CallReport, 'limit' | 'remaining'> {
  return {
    limit: toCount(headers['x-ratelimit-limit']),
    remaining: toCount(headers['x-ratelimit-remaining']),
  };
}

function toCount(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}
