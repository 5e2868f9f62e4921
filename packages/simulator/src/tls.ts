// The web server on the simulated box: an HTTPS endpoint that shows by SNI what served.ts chooses, and a page
// for what is attached. Only the handshake and the page are here.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { createSecureContext } from 'node:tls';
import type { Authority } from './authority.ts';
import type { IssuanceParts } from './issuance.ts';
import { settleOrders } from './issuance.ts';
import { htmlPage } from './replies.ts';
import type { Served } from './served.ts';
import { chooseServed, OTHER_SITE } from './served.ts';
import { domainNamed } from './world.ts';

export interface TlsServer {
  port: number;
  close: () => Promise<void>;
}

export interface TlsParts extends IssuanceParts {
  now: () => number;
}

type Answer = (error: Error | null, context?: SecureContext) => void;

export async function startTls(
  parts: TlsParts,
  authority: Authority,
  { port = 0, host = '127.0.0.1' }: { port?: number; host?: string },
): Promise<TlsServer> {
  const contextOf = createContexts(authority);
  const choose = (name: string): Served | 'silent' => {
    const now = parts.now();
    settleOrders(parts, now);
    return chooseServed(parts.world, name.toLowerCase(), now);
  };
  const server = createServer(
    {
      // Without SNI: the default one, as for a name that is not attached.
      ...(await toKeyAndCert(authority, choose(OTHER_SITE))),
      SNICallback: (name: string, answer: Answer) => void show(choose(name), contextOf, answer),
    },
    (request, response) => respond(parts, request, response),
  );
  return listen(server, port, host);
}

async function show(
  served: Served | 'silent',
  contextOf: (served: Served) => Promise<SecureContext>,
  answer: Answer,
): Promise<void> {
  // Not answering keeps the handshake open until the client gives up.
  if (served === 'silent') return;
  try {
    answer(null, await contextOf(served));
  } catch (error) {
    answer(error instanceof Error ? error : new Error(String(error)));
  }
}

/** One certificate for each issuance: signing takes milliseconds. */
function createContexts(authority: Authority): (served: Served) => Promise<SecureContext> {
  const made = new Map<string, Promise<SecureContext>>();
  return (served) => {
    const key = JSON.stringify(served);
    const context = made.get(key) ?? toKeyAndCert(authority, served).then(createSecureContext);
    made.set(key, context);
    return context;
  };
}

async function toKeyAndCert(
  authority: Authority,
  served: Served | 'silent',
): Promise<{ key: string; cert: string }> {
  if (served === 'silent') throw new Error('There is no certificate for a silent name.');
  return { key: authority.keyPem, cert: await authority.issue(served) };
}

/** 200 for a name that is attached, the default site's 404 for any other. */
function respond({ world }: TlsParts, { headers, method }: IncomingMessage, response: ServerResponse): void {
  const name = (headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  const isAttached = domainNamed(world, name) !== undefined;
  const page = htmlPage(isAttached ? 'It works' : '404 Not Found');
  response.writeHead(isAttached ? 200 : 404, {
    'Content-Type': 'text/html; charset=UTF-8',
    'Content-Length': String(Buffer.byteLength(page)),
  });
  response.end(method === 'HEAD' ? undefined : page);
}

async function listen(server: HttpsServer, port: number, host: string): Promise<TlsServer> {
  // Raw sockets: a handshake that is never answered is no HTTP connection yet, and must not outlive the server.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(port, host, done);
  });
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((done) => server.close(() => done()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { port: (server.address() as AddressInfo).port, close };
}
