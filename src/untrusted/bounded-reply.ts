// How much of an answer our HTTP calls take in. Node reads interim answers (1xx) and the wrapping of chunks for as long as they come, and
// whoever sends them at full speed would keep everything else in this process waiting. Imports nothing of ours.
import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';

/** Who means them sends one or two. */
const MAX_INTERIM = 8;

/** The words are the code too, for those who show only that. */
const tooMuch = (what: string): Error => Object.assign(new Error(what), { code: what });

/**
 * Ends `request` with an error at more than eight interim answers, or more than `maxBytes` of an answer in all: heads and the wrapping
 * of chunks included.
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
    // A kept connection serves others afterwards.
    request.once('close', () => socket.off('data', count));
  });
}
