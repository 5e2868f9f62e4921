// The first half of a server's end: it takes no new connection, and nobody who has one is cut off in the middle of asking.
import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer, Server } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { within } from '../redis/connection.ts';

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
  await untilNothingIsHandedOut();
  await within(ended, IDLE_MS, undefined);
  // On a busy machine time may be up before what has arrived was read.
  await setImmediate();
}

/**
 * In a cluster (PM2's cluster mode) the primary accepts connections and hands them out. One may be on its way to us when we stop
 * listening: Node gives it back, if we are still there. Another question to the primary is answered behind all that it has sent
 * us. (To disconnect would say the same, but PM2 takes that for its own death.)
 */
async function untilNothingIsHandedOut(): Promise<void> {
  if (!cluster.isWorker) return;
  const question = createServer().on('error', () => undefined);
  await within(
    new Promise<void>((answered) => question.listen(0, '127.0.0.1', answered)),
    IDLE_MS,
    undefined,
  );
  question.close();
}
