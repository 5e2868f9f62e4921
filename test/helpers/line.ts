// A line between one worker and the world: a TCP proxy that can be cut. A worker whose lines are cut is dead for everybody
// else, as after kill -9: its sockets close, nothing that it still does gets out.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Line extends AsyncDisposable {
  readonly port: number;
  /** Ends all connections and refuses new ones. */
  cut(): void;
  mend(): void;
  /** How many connections of the worker are open. */
  connections(): number;
  /** True where `text` went from the worker to the other side. */
  hasCarried(text: string): boolean;
}

export async function createLine(target: { readonly host: string; readonly port: number }): Promise<Line> {
  const sockets = new Set<Socket>();
  let carried = '';
  let open = 0;
  let isCut = false;
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    track(near);
    if (isCut) {
      near.destroy();
      return;
    }
    open += 1;
    near.once('close', () => {
      open -= 1;
    });
    const far = connect(target);
    track(far);
    near.setNoDelay(true);
    far.setNoDelay(true);
    near.on('data', (chunk: Buffer) => {
      carried += chunk.toString('latin1');
    });
    near.pipe(far).pipe(near);
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    mend() {
      isCut = false;
    },
    connections: () => open,
    hasCarried: (text) => carried.includes(text),
    async [Symbol.asyncDispose]() {
      cut();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
