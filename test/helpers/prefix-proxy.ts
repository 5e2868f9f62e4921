// A proxy that shows a server below a path, and nothing else at all: what a page asks for beside it is not found.
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PrefixProxy extends AsyncDisposable {
  /** Of the server, below the path. */
  readonly url: string;
  /** Status and path of each answer that is no success and no redirect. */
  readonly failed: string[];
}

export interface PrefixProxyOptions {
  readonly prefix: string;
  /** False: the server is sent the path as it came. */
  readonly isTakenOff: boolean;
  /** Besides Host. */
  readonly headers?: Readonly<Record<string, string>>;
}

export async function startPrefixProxy(
  target: string,
  { prefix, isTakenOff, headers = {} }: PrefixProxyOptions,
): Promise<PrefixProxy> {
  const failed: string[] = [];
  const pass = (asked: IncomingMessage, answer: ServerResponse): void => {
    const { url = '/', method } = asked;
    answer.on('finish', () => {
      if (answer.statusCode >= 400) failed.push(`${answer.statusCode} ${url}`);
    });
    if (!url.startsWith(`${prefix}/`)) {
      answer.writeHead(404).end();
      return;
    }
    const path = isTakenOff ? url.slice(prefix.length) : url;
    const { hostname, port } = new URL(target);
    const passed = request(
      { hostname, port, path, method, agent: false, headers: { ...asked.headers, ...headers } },
      (reply) => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(answer);
      },
    );
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  };
  const server = createServer(pass);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
    failed,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
