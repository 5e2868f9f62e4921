// Who may hold connections of an HTTP port, and for how long. While it runs: so many in all, and so many of one network. When it
// stops: what it owes an answer is answered; nobody else holds it up.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isLoopbackAddress, networkOf } from './network.ts';

export interface ConnectionBounds {
  readonly total: number;
  /** Of one network (`networkOf`); undefined where they all come from a proxy. This machine's own are not counted. */
  readonly perNetwork?: number | undefined;
  /** Told of each connection that was refused for being one too many. */
  readonly onRefused?: () => void;
  /** Tests only. Default: the network of the peer; undefined where it is not counted. */
  readonly networkOf?: (socket: Socket) => string | undefined;
}

export interface Connections {
  /** From now on a connection that is owed no answer is cut off after GRACE_MS. */
  cutOffIdlers(): void;
}

/** A request that is still being sent when the server stops may arrive within this; so long, too, an answer may take to be read. */
const GRACE_MS = 2_000;
const LOOK_EVERY_MS = 100;
/** How long a client may read the answer to a request that it is still sending. */
const LINGER_MS = 1_000;

interface Held {
  /** Requests that are not answered yet; the newest may still be on its way. */
  readonly open: Map<ServerResponse, IncomingMessage>;
  /** When something was owed last, or it began, by performance.now(). */
  owedAt: number;
}

export function boundConnections(server: Server, bounds: ConnectionBounds): Connections {
  const { total, perNetwork = Number.POSITIVE_INFINITY, onRefused = () => undefined } = bounds;
  const sockets = new Map<Socket, Held>();
  const counts = new Map<string, number>();
  server.maxConnections = total;
  server.on('drop', onRefused);
  // Nobody has to refuse an expectation that he does not know (RFC 9110, 10.1.1). Node would, past everything that a request goes through.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.prependListener('connection', (socket: Socket) => {
    const network = (bounds.networkOf ?? peerOf)(socket);
    const count = network === undefined ? 0 : (counts.get(network) ?? 0) + 1;
    if (count > perNetwork) {
      socket.destroy();
      return onRefused();
    }
    if (network !== undefined) counts.set(network, count);
    sockets.set(socket, { open: new Map(), owedAt: performance.now() });
    socket.once('close', () => {
      sockets.delete(socket);
      if (network !== undefined) forgetOne(counts, network);
    });
  });
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const held = sockets.get(request.socket);
    if (!held) return;
    held.owedAt = performance.now();
    held.open.set(response, request);
    response.once('close', () => held.open.delete(response));
  });
  return { cutOffIdlers: () => cutOffIdlers(server, sockets) };
}

function peerOf({ remoteAddress }: Socket): string | undefined {
  return remoteAddress === undefined || isLoopbackAddress(remoteAddress)
    ? undefined
    : networkOf(remoteAddress);
}

function forgetOne(counts: Map<string, number>, network: string): void {
  const left = (counts.get(network) ?? 1) - 1;
  if (left > 0) counts.set(network, left);
  else counts.delete(network);
}

/** A request that has arrived whole, and whose answer is not complete for another reason than that nobody reads it. */
const isOwed = ({ open }: Held): boolean =>
  [...open].some(
    ([response, request]) => request.complete && !response.writableEnded && !response.writableNeedDrain,
  );

// Node looks after slow clients only as long as the server listens.
function cutOffIdlers(server: Server, sockets: ReadonlyMap<Socket, Held>): void {
  const since = performance.now();
  const look = (): void => {
    const now = performance.now();
    for (const [socket, held] of sockets) {
      if (isOwed(held)) held.owedAt = now;
      else if (now - Math.max(held.owedAt, since) >= GRACE_MS) socket.destroy();
    }
  };
  // On a busy machine time may be up before what has arrived was read: that comes first.
  const timer = setInterval(() => setImmediate(look), LOOK_EVERY_MS);
  server.once('close', () => clearInterval(timer));
}

const leaving = new WeakSet<Socket>();

/** Whether the connection ends; what still comes over it is nobody's request. */
export const isLeaving = (socket: Socket): boolean => leaving.has(socket);

/**
 * Ends a connection on which the client is still sending. A reset would take the answer from it before it has read it, so that
 * what it sends is taken and dropped for a moment.
 */
export function leave(socket: Socket, lastWords = ''): void {
  if (leaving.has(socket)) return;
  leaving.add(socket);
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(lastWords);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}

/** Has the connection end with this answer, which is given before the request was read to its end. */
export function leaveAfter({ socket }: IncomingMessage): void {
  // What Node calls when an answer with `Connection: close` is out: its own destroys the socket at once.
  socket.destroySoon = () => leave(socket);
}
