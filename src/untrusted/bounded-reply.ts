// The limit of a reply to our HTTP calls. Node reads interim replies (1xx) and chunk headers
// without a limit. A server that sends them at full speed would block this process. Imports nothing
// of ours.
import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';

/** An honest server sends one or two. */
const MAX_INTERIM = 8;

/** The message is the code too: some callers show only the code. */
const tooMuch = (what: string): Error => Object.assign(new Error(what), { code: what });

/**
 * Ends `request` with an error after eight interim replies, or after `maxBytes` of a reply, heads
 * and chunk headers included.
 */
export function boundReply(request: ClientRequest, maxBytes: number): void {
  let interim = 0;
  let bytes = 0;
  const end = (what: string): void => void (request.destroyed || request.destroy(tooMuch(what)));
  request.on('information', () => {
    interim += 1;
    if (interim > MAX_INTERIM) end('too many interim answers (1xx)');
  });
  request.once('socket', (socket: Socket) => {
    const count = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > maxBytes) end('an answer without an end');
    };
    socket.on('data', count);
    // A kept connection serves other requests afterwards.
    request.once('close', () => socket.off('data', count));
  });
}
