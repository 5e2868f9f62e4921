// A local HTTP server that a test scripts reply by reply, and a client for it. It is no simulator: it knows no
// route and no rule of RunCloud's.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRunCloud, type RunCloudClient, type RunCloudSettings } from '../../src/runcloud/client.ts';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Script = (request: ReceivedRequest, response: ServerResponse) => void;

export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: ReceivedRequest[];
  client(settings?: Partial<RunCloudSettings>): RunCloudClient;
}

export const app = { serverId: 1903, appId: 646 };
export const TOKEN = 'token-4f9c2a77d1';

async function see(request: IncomingMessage): Promise<ReceivedRequest> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const url = new URL(request.url ?? '/', 'http://local');
  const path = url.pathname.replace(/^\/api\/v\d/, '');
  return { method: request.method ?? '', path, query: url.searchParams, headers: request.headers, body };
}

export function send(
  response: ServerResponse,
  status: number,
  body?: unknown,
  headers: Record<string, string> = {},
): void {
  const isText = typeof body === 'string';
  response.writeHead(status, { 'content-type': isText ? 'text/html' : 'application/json', ...headers });
  response.end(body === undefined ? '' : isText ? body : JSON.stringify(body));
}

export async function startScripted(script: Script): Promise<ScriptedServer> {
  const requests: ReceivedRequest[] = [];
  const server = createServer(async (request, response) => {
    const one = await see(request);
    requests.push(one);
    script(one, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v3`;
  const clients: RunCloudClient[] = [];
  return {
    url,
    requests,
    client(settings = {}) {
      const credentials = { kind: 'token', token: TOKEN } as const;
      const made = createRunCloud({ url, version: 'v3', credentials, timeoutMs: 5000, ...settings });
      clients.push(made);
      return made;
    },
    async [Symbol.asyncDispose]() {
      for (const made of clients) made.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The error that a call ends with; fails the test where it ends well. */
export async function failureOf(call: Promise<unknown>): Promise<Error> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('the call should have failed with an error');
}
