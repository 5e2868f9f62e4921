// A balancer on loopback whose connections can go silent without closing, while new ones work.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy extends AsyncDisposable {
  /** The same address through the proxy, with its user, password and path. */
  readonly url: string;
  /** Nothing passes any more through the connections that are open now; resolves with how many they are. */
  freeze(): number;
  /** Connections made by now, closed or not. */
  made(): number;
  /** How many of those that were frozen their clients have given up. */
  abandoned(): number;
}

export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const open = new Map<Socket, Socket>();
  let made = 0;
  let abandoned = 0;
  const server = createServer((client) => {
    made += 1;
    const upstream = connect(Number(port), hostname);
    open.set(client, upstream);
    client.pipe(upstream).pipe(client);
    const end = (): void => {
      client.destroy();
      upstream.destroy();
      open.delete(client);
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    freeze() {
      for (const [client, upstream] of open) {
        client.unpipe(upstream);
        upstream.unpipe(client);
        upstream.pause();
        // What the client sends is taken, and goes nowhere.
        client.resume().once('close', () => (abandoned += 1));
      }
      return open.size;
    },
    made: () => made,
    abandoned: () => abandoned,
    async [Symbol.asyncDispose]() {
      for (const [client, upstream] of open) {
        client.destroy();
        upstream.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
