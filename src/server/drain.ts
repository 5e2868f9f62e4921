// The first half of a server's end: it takes no new connection, and nobody who has one is cut off in the middle of asking.
import cluster from 'node:cluster';
import { once } from 'node:events';
import { Server } from 'node:net';
import { within } from '../redis.ts';

/** How long a connection that is kept alive may still bring a request, which is answered with `Connection: close`. */
const IDLE_MS = 2000;

/**
 * Resolves when all connections have ended, or after two seconds. What is left then waits for an answer, or is about to be cut off
 * (`cutOffIdlers`).
 */
export async function drain(server: Server): Promise<void> {
  const ended = once(server, 'close');
  // Not the HTTP server's own close, which cuts connections that are idle: a request may be on its way on them.
  Server.prototype.close.call(server);
  await leaveCluster();
  await within(ended, IDLE_MS, undefined);
}

/**
 * In a cluster (PM2's cluster mode) the primary accepts connections and hands them out. One may be on its way to us when we stop
 * listening; we give it back, and the primary's answer says that there is none left.
 */
async function leaveCluster(): Promise<void> {
  const { worker } = cluster;
  if (!worker?.isConnected()) return;
  const left = once(process, 'disconnect');
  worker.disconnect();
  await within(left, IDLE_MS, undefined);
}
