// Servers that answer as no server should, on a bare socket on loopback. What each is called completes "a server …".
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** What a server does once somebody has asked it something. */
export type Misdeed = (socket: Socket) => void;

const head = (...lines: string[]): string => `HTTP/1.1 ${lines.join('\r\n')}\r\n\r\n`;

/** For as long as the connection lasts. */
function drip(socket: Socket, text: string): void {
  const write = (): void => void (socket.destroyed || socket.write(text));
  write();
  const timer = setInterval(write, 20);
  socket.once('close', () => clearInterval(timer));
}

function thenDrip(socket: Socket, first: string, text: string): void {
  socket.write(first);
  drip(socket, text);
}

/** Each leaves the reply open or broken: none of them has said anything about the page. */
export const misdeeds: readonly (readonly [string, Misdeed])[] = [
  [
    'switches protocols',
    (s) => s.write(head('101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: h2c')),
  ],
  [
    'switches protocols and hangs up',
    (s) => s.end(head('101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade')),
  ],
  ['switches to nothing', (s) => s.write(head('101 Switching Protocols'))],
  ['says 100 without an end', (s) => drip(s, head('100 Continue').repeat(50))],
  ['says 103 without an end', (s) => drip(s, head('103 Early Hints', 'Link: </a.css>').repeat(50))],
  ['says nothing', () => undefined],
  ['says nothing after its status', (s) => s.write('HTTP/1.1 200 OK\r\n')],
  ['says nothing after its headers', (s) => s.write(head('200 OK', 'Content-Length: 10'))],
  ['says nothing after its headers, in HTTP/1.0', (s) => s.write('HTTP/1.0 200 OK\r\n\r\n')],
  ['never ends its headers', (s) => thenDrip(s, 'HTTP/1.1 200 OK\r\n', 'X-A: b\r\n')],
  ['never ends its status line', (s) => thenDrip(s, 'HTTP/1.1 200 ', 'O')],
  ['drips a body with a length', (s) => thenDrip(s, head('200 OK', 'Content-Length: 10000'), 'x')],
  ['drips a body without a length', (s) => thenDrip(s, head('200 OK'), 'x')],
  ['drips chunks', (s) => thenDrip(s, head('200 OK', 'Transfer-Encoding: chunked'), '1\r\nx\r\n')],
  ['stops in a chunk', (s) => s.write(`${head('200 OK', 'Transfer-Encoding: chunked')}ff\r\nabc`)],
  [
    'never ends its trailers',
    (s) => thenDrip(s, `${head('200 OK', 'Transfer-Encoding: chunked')}0\r\n`, 'X-A: b\r\n'),
  ],
  ['resets at once', (s) => s.resetAndDestroy()],
  ['hangs up at once', (s) => s.end()],
  ['hangs up in its headers', (s) => s.end('HTTP/1.1 200 OK\r\nX-A: b')],
  ['hangs up in a body with a length', (s) => s.end(`${head('200 OK', 'Content-Length: 100')}hello`)],
  ['hangs up in chunks', (s) => s.end(`${head('200 OK', 'Transfer-Encoding: chunked')}5\r\nhello\r\n`)],
  [
    'resets in a body without a length',
    (s) => s.write(`${head('200 OK')}hello`, () => setTimeout(() => s.resetAndDestroy(), 30)),
  ],
  [
    'sends a chunk of no length',
    (s) => s.end(`${head('200 OK', 'Transfer-Encoding: chunked')}zz\r\nhello\r\n0\r\n\r\n`),
  ],
  [
    'packs a page as nobody can unpack it',
    (s) => s.end(`${head('200 OK', 'Content-Encoding: gzip', 'Content-Length: 5')}hello`),
  ],
  ['has two lengths', (s) => s.end(`${head('200 OK', 'Content-Length: 5', 'Content-Length: 6')}hello`)],
  ['has headers without measure', (s) => s.end(head('200 OK', `X-A: ${'b'.repeat(200_000)}`))],
  ['talks another protocol', (s) => s.end('220 mail.example ESMTP\r\n')],
  ['talks garbage', (s) => s.end(Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 37) % 256)))],
  ['talks garbage without an end', (s) => drip(s, '\u0000\u0016garbage')],
];

export interface BadServer extends AsyncDisposable {
  readonly port: number;
  /** How many connections it has had. */
  readonly asked: () => number;
}

/** `answers` as soon as anything comes, TLS or not. */
export async function startBadServer(answers: Misdeed): Promise<BadServer> {
  const sockets = new Set<Socket>();
  let asked = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    asked += 1;
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.once('data', () => answers(socket));
    // Who is left without an answer hangs up.
    socket.on('end', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
