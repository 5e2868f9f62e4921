// One attempt: a signed POST to one configured URL, by the Standard Webhooks specification.
// Redirects are not followed. Each attempt opens a connection and resolves the name: a connection
// that is kept alive may be dead, and then nobody knows whether the message has arrived.
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { unlessAborted } from '../deadline.ts';
import { reasonOf } from '../errors.ts';
import { boundReply } from '../untrusted/bounded-reply.ts';
import type { Attempt, FailedAttempt } from './judge.ts';
import { lookUp } from './lookup.ts';
import { connectionClosed, noConnection, stopping, timedOut } from './messages.ts';

export const TIMEOUT_MS = 15_000;
/** Nobody reads the reply. It is received up to these limits. */
const MAX_REPLY_BYTES = 64 * 1024;
const MAX_REPLY_MS = 1_000;

export interface Sending {
  readonly url: string;
  readonly messageId: string;
  readonly body: string;
  /** Each of them signs: the receiver may know the old secret or the new one. */
  readonly secrets: readonly string[];
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
  /** Tests only: another name server. */
  readonly lookup?: LookupFunction | undefined;
}

export async function send({ url, signal, timeoutMs = TIMEOUT_MS, ...sending }: Sending): Promise<Attempt> {
  const late = AbortSignal.timeout(timeoutMs);
  const over = AbortSignal.any([signal, late]);
  try {
    // One deadline for the name, the connection, the request and the status.
    return await unlessAborted(post(new URL(url), toHeaders(sending), sending, over), over);
  } catch (error) {
    if (late.aborted) return { reasonCode: 'receiver-timeout', error: timedOut(timeoutMs) };
    if (signal.aborted) return { reasonCode: 'worker-stopping', error: stopping };
    return unreachable(error);
  }
}

export function toHeaders({
  messageId,
  body,
  secrets,
}: Pick<Sending, 'messageId' | 'body' | 'secrets'>): Record<string, string> {
  const at = new Date();
  return {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': 'runcloud-domains',
    'webhook-id': messageId,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(messageId, at, body)).join(' '),
  };
}

function post(
  url: URL,
  headers: Record<string, string>,
  { body, lookup = lookUp }: Pick<Sending, 'body' | 'lookup'>,
  signal: AbortSignal,
): Promise<Attempt> {
  const open = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const request = open(url, { method: 'POST', headers, signal, lookup, agent: false }, (response) => {
      const { statusCode: status = 0, headers: answered } = response;
      resolve({ status, retryAfter: answered['retry-after'] });
      discard(response);
    });
    boundReply(request, 4 * MAX_REPLY_BYTES);
    // 101 is neither an answer nor an error to Node.
    request.on('upgrade', ({ statusCode: status = 0 }, socket) => {
      socket.destroy();
      resolve({ status });
    });
    request.on('error', reject);
    request.on('close', () => reject(new Error(connectionClosed)));
    request.end(body);
  });
}

/**
 * Only the status counts. The rest of the reply is received for a moment, then the connection is
 * closed.
 */
function discard(response: IncomingMessage): void {
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_REPLY_BYTES) response.destroy();
  });
  response.on('error', () => undefined);
  const timer = setTimeout(() => response.destroy(), MAX_REPLY_MS);
  response.once('close', () => clearTimeout(timer));
}

/** A connection that failed at several addresses has a code and no message. */
export function unreachable(error: unknown): FailedAttempt {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return { reasonCode: 'receiver-unreachable', error: reasonOf(error) || code || noConnection };
}
