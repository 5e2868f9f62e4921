// Limits for the connections of an HTTP port: in total, and per network. During a shutdown open
// requests are answered; other connections are closed.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isLoopbackAddress, networkOf } from './network.ts';

export interface ConnectionBounds {
  readonly total: number;
  /**
   * Of one network (`networkOf`); undefined behind a proxy. Connections of this machine are not
   * counted.
   */
  readonly perNetwork?: number | undefined;
  /** Called for each connection that was refused because of a limit. */
  readonly onRefused?: () => void;
  /** Tests only. Default: the network of the peer; undefined: not counted. */
  readonly networkOf?: (socket: Socket) => string | undefined;
}

export interface Connections {
  /** From now on a connection without an open request is closed after GRACE_MS. */
  closeIdle(): void;
}

/** During a shutdown: the time for a request to arrive, and for an answer to be read. */
const GRACE_MS = 2_000;
const CHECK_EVERY_MS = 100;
/** The time for a client to read an answer while it is still sending its request. */
const LINGER_MS = 1_000;

interface Connection {
  /** Requests without a complete answer. The newest one may still be arriving. */
  readonly open: Map<ServerResponse, IncomingMessage>;
  /** The last time that it had an open request, or its start, by performance.now(). */
  busyAt: number;
}

export function boundConnections(server: Server, bounds: ConnectionBounds): Connections {
  const { total, perNetwork = Number.POSITIVE_INFINITY, onRefused = () => undefined } = bounds;
  const sockets = new Map<Socket, Connection>();
  const counts = new Map<string, number>();
  server.maxConnections = total;
  server.on('drop', onRefused);
  // A server may ignore an unknown expectation (RFC 9110, 10.1.1). Node would refuse it before our
  // own checks.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.prependListener('connection', (socket: Socket) => {
    const network = (bounds.networkOf ?? peerOf)(socket);
    const count = network === undefined ? 0 : (counts.get(network) ?? 0) + 1;
    if (count > perNetwork) {
      socket.destroy();
      return onRefused();
    }
    if (network !== undefined) counts.set(network, count);
    sockets.set(socket, { open: new Map(), busyAt: performance.now() });
    socket.once('close', () => {
      sockets.delete(socket);
      if (network !== undefined) forgetOne(counts, network);
    });
  });
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const connection = sockets.get(request.socket);
    if (!connection) return;
    connection.busyAt = performance.now();
    connection.open.set(response, request);
    response.once('close', () => connection.open.delete(response));
  });
  return { closeIdle: () => closeIdle(server, sockets) };
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

/**
 * It has a complete request without an answer. An answer that the client does not read does not
 * count.
 */
const isBusy = ({ open }: Connection): boolean =>
  [...open].some(
    ([response, request]) => request.complete && !response.writableEnded && !response.writableNeedDrain,
  );

// Node closes slow clients only while the server listens.
function closeIdle(server: Server, sockets: ReadonlyMap<Socket, Connection>): void {
  const since = performance.now();
  const check = (): void => {
    const now = performance.now();
    for (const [socket, connection] of sockets) {
      if (isBusy(connection)) connection.busyAt = now;
      else if (now - Math.max(connection.busyAt, since) >= GRACE_MS) socket.destroy();
    }
  };
  // On a busy machine the time may be over before the received bytes are read: those come first.
  const timer = setInterval(() => setImmediate(check), CHECK_EVERY_MS);
  server.once('close', () => clearInterval(timer));
}

const ending = new WeakSet<Socket>();

/** The connection is ending. Its further requests are ignored. */
export const isEnding = (socket: Socket): boolean => ending.has(socket);

/**
 * Ends a connection on which the client is still sending. A reset would discard the answer before
 * the client has read it. So its bytes are received and dropped for a moment.
 */
export function endGracefully(socket: Socket, answer = ''): void {
  if (ending.has(socket)) return;
  ending.add(socket);
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(answer);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}

/** Ends the connection after this answer, which is sent before the whole request was read. */
export function endAfterAnswer({ socket }: IncomingMessage): void {
  // Node calls this after an answer with `Connection: close`. Its own version destroys the socket
  // at once.
  socket.destroySoon = () => endGracefully(socket);
}
