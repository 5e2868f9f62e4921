// The first half of a shutdown: no new connections, and no request is cut off while it is being
// sent.
import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer, Server } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { within } from '../deadline.ts';

/** A kept-alive connection may send a request for this long. Its answer has `Connection: close`. */
const IDLE_MS = 2000;

/**
 * Resolves when all connections have ended, or after two seconds. A connection that is left then
 * waits for an answer, or is closed soon (`closeIdle`).
 */
export async function drain(server: Server): Promise<void> {
  const ended = once(server, 'close');
  // The HTTP server's own close would end idle connections, on which a request may be arriving.
  Server.prototype.close.call(server);
  await untilNothingIsHandedOut();
  await within(ended, IDLE_MS, undefined);
  // On a busy machine the time may be over before the received bytes are read.
  await setImmediate();
}

/**
 * In a cluster (PM2's cluster mode) the primary accepts connections and passes them on. One may
 * arrive after we have stopped listening: Node gives it back, if this process is still running. The
 * primary answers another message only after all that it has sent before. (PM2 would take a
 * disconnect for a crash.)
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
