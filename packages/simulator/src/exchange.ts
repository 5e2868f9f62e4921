// Between the socket and the API: reads a request, lets a fault spoil it, sends the answer, and records the call.
// The only file that plays faults; what RunCloud would say is in api.ts.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { ApiParts, ApiRequest } from './api.ts';
import { answer, parseBody } from './api.ts';
import type { Call, CallLog } from './calls.ts';
import { preciseNow } from './calls.ts';
import type { ApiVersion } from './context.ts';
import type { Fault, Faults } from './faults.ts';
import type { Reply } from './replies.ts';
import { failure, htmlPage } from './replies.ts';
import { matchRoute } from './routes.ts';

export interface ExchangeParts extends ApiParts {
  faults: Faults;
  callLog: CallLog;
  /** Aborted on close: whoever waits stops waiting. */
  closing: AbortSignal;
}

interface Exchange {
  parts: ExchangeParts;
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  api: ApiRequest | null;
  call: Call;
}

const MAX_BODY_BYTES = 1_000_000;

export async function serveApi(
  parts: ExchangeParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const startedAt = preciseNow();
  const bodyText = await readText(request);
  const url = new URL(request.url ?? '/', 'http://simulator.invalid');
  const api = toApiRequest(request, url, bodyText);
  const call = startCall(parts, { request, url, api, startedAt, bodyText });
  response.once('close', () => parts.callLog.end(call));
  await respond({ parts, request, response, url, api, call });
}

export async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error('The request body is too large for the simulator.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function toApiRequest(request: IncomingMessage, url: URL, bodyText: string): ApiRequest | null {
  const [, version, path] = /^\/api\/(v2|v3)(\/.*)$/.exec(url.pathname) ?? [];
  if (version === undefined || path === undefined) return null;
  const { authorization, accept, 'content-type': contentType } = request.headers;
  const headers = {
    ...(authorization !== undefined && { authorization }),
    ...(accept !== undefined && { accept }),
    ...(contentType !== undefined && { contentType }),
  };
  const method = request.method ?? 'GET';
  const origin = `http://${request.headers.host ?? 'simulator.invalid'}`;
  return { version: version as ApiVersion, method, origin, path, query: url.searchParams, headers, bodyText };
}

function startCall(
  { callLog, world }: ExchangeParts,
  facts: { request: IncomingMessage; url: URL; api: ApiRequest | null; startedAt: number; bodyText: string },
): Call {
  const { request, url, api, startedAt } = facts;
  const method = request.method ?? 'GET';
  const match = api === null ? null : matchRoute(method, api.path);
  const body = parseBody(facts.bodyText, request.headers['content-type']);
  const known = world.domains.find(({ id }) => id === match?.parameters.domain);
  const named = typeof body.name === 'string' ? body.name.toLowerCase() : null;
  return callLog.start({
    startedAt,
    method,
    path: `${url.pathname}${url.search}`,
    version: api?.version ?? null,
    operation: match?.operation ?? null,
    webapp: match?.parameters.webapp ?? null,
    domain: known?.name.toLowerCase() ?? named,
    body,
  });
}

async function respond(exchange: Exchange): Promise<void> {
  const { parts, url, call } = exchange;
  const fault = parts.faults.take({ ...call, path: url.pathname });
  call.fault = fault?.kind ?? null;
  if (fault === null) return deliver(exchange, work(exchange));
  if (fault.kind === 'slow' && !fault.appliesWrite) {
    await wait(exchange, fault.delayMs, fault.removed);
    return deliver(exchange, work(exchange));
  }
  const reply = fault.appliesWrite ? work(exchange) : null;
  return play(exchange, fault, reply);
}

function work({ parts, url, api, call }: Exchange): Reply {
  if (api === null) return answerElsewhere(url, parts);
  const reply = answer(parts, api);
  call.writeApplied = reply.applied === true;
  return reply;
}

/** What the 302 leads to: a page for people, with status 200. */
const answerElsewhere = ({ pathname }: URL, { variants }: ExchangeParts): Reply =>
  pathname === '/login' ? { status: 200, html: htmlPage('Log in') } : failure(404, 'Not Found.', variants);

async function play(exchange: Exchange, fault: Fault, reply: Reply | null): Promise<void> {
  const { request, parts } = exchange;
  switch (fault.kind) {
    case 'status':
      return deliver(exchange, toStatusReply(fault, parts));
    case 'html':
      return deliver(exchange, toHtmlReply(fault));
    case 'firewall':
      return deliver(exchange, toFirewallReply(fault));
    case 'truncated-json':
      return deliver(exchange, reply ?? { status: 200 }, { isCut: true });
    case 'slow':
      await wait(exchange, fault.delayMs, fault.removed);
      return deliver(exchange, reply ?? { status: 200 });
    case 'drop-before':
    case 'drop-after':
      request.socket.destroy();
      return;
    case 'reset':
      request.socket.resetAndDestroy();
      return;
    case 'never-answer':
      return;
  }
}

function toStatusReply({ status = 500, body, headers = {} }: Fault, { variants }: ExchangeParts): Reply {
  // A 422 is about what was sent, as far as it says nothing else.
  const reply = failure(status, status === 422 ? 'The domain name is refused.' : 'Server Error', variants);
  return { ...(body === undefined ? reply : { status, body }), headers };
}

const toHtmlReply = ({ status = 503, headers = {} }: Fault): Reply => ({
  status,
  headers,
  html: htmlPage(status < 300 ? 'One moment please' : `${status} Service Temporarily Unavailable`),
});

const toFirewallReply = ({ status = 403, headers = {} }: Fault): Reply => ({
  status,
  headers,
  html: htmlPage('Just a moment...'),
});

async function wait({ parts }: Exchange, ms = 0, ends?: AbortSignal): Promise<void> {
  if (ms === 0) return;
  const signal = ends ? AbortSignal.any([parts.closing, ends]) : parts.closing;
  await delay(ms, undefined, { signal }).catch((error) => {
    if (parts.closing.aborted) throw error;
  });
}

async function deliver(exchange: Exchange, reply: Reply, { isCut = false } = {}): Promise<void> {
  const { response, call, parts } = exchange;
  await wait(exchange, reply.issuanceMs);
  // The client hung up while it was kept waiting.
  if (response.destroyed) return;
  call.status = isCut && reply.status === 204 ? 200 : reply.status;
  const payload = isCut ? cut(toPayload(reply)) : toPayload(reply);
  response.writeHead(call.status, { ...toHeaders(reply, payload), ...reply.headers });
  parts.callLog.end(call);
  response.end(payload);
}

function toPayload({ html, body }: Reply): string {
  if (html !== undefined) return html;
  return body === undefined ? '' : JSON.stringify(body);
}

/** Never valid JSON: at least the opening brace, at most one character short. */
const cut = (payload: string): string => payload.slice(0, Math.floor(payload.length / 2)) || '{';

function toHeaders({ html, status }: Reply, payload: string): Record<string, string> {
  if (status === 204 && payload === '') return {};
  const type = html === undefined ? 'application/json' : 'text/html; charset=UTF-8';
  return { 'Content-Type': type, 'Content-Length': String(Buffer.byteLength(payload)) };
}
