// A client that sends what it likes, and keeps what it is sent.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RawClient extends Disposable {
  readonly socket: Socket;
  /** What has come so far. */
  readonly text: string;
  /** Resolves with all that has come, once the server has ended the connection. */
  readonly ended: Promise<string>;
  send(text: string): void;
}

/** `isReading` false: it takes nothing of what it is sent. */
export async function connectTo(url: string, { isReading = true } = {}): Promise<RawClient> {
  const { hostname, port } = new URL(url);
  // Half open: it does not end the connection because the server does.
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  const ended = Promise.withResolvers<string>();
  let text = '';
  if (isReading) socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  else socket.pause();
  socket.on('error', () => undefined); // a reset ends it, too
  socket.once('end', () => ended.resolve(text)).once('close', () => ended.resolve(text));
  await once(socket, 'connect');
  return {
    socket,
    get text() {
      return text;
    },
    ended: ended.promise,
    send: (more) => void socket.write(more),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}
