// A server that sends without an end, at full speed, what is no answer: the call ends after the first of it, by count and not by its
// deadline, since until then nothing else in the process gets its turn.
import { channel } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { send } from '../../src/callbacks/send.ts';
import { createReachProbe } from '../../src/probes/http.ts';
import { parseProbeUrl } from '../../src/probes/probe-url.ts';
import { createRunCloud } from '../../src/runcloud/client.ts';
import { createRawCalls } from '../../src/runcloud/raw-calls.ts';
import { type Misdeed, startBadServer } from '../helpers/bad-servers.ts';
import { until } from '../helpers/until.ts';
import { SECRET } from '../helpers/webhook-receiver.ts';
import { failureOf } from '../unit/runcloud-scripted-server.ts';

const KIB = 1024;
/** Long enough that a call which waits for it takes in far more than these tests allow. */
const TIMEOUT_MS = 3_000;
const credentials = { kind: 'token', token: 'token-4f9c2a77d1' } as const;

function flood(socket: Socket, text: string): void {
  const bytes = Buffer.from(text.repeat(Math.ceil((64 * KIB) / text.length)));
  const write = (): void => {
    while (!socket.destroyed && socket.write(bytes));
    if (!socket.destroyed) socket.once('drain', write);
  };
  write();
}

const interim =
  (status: string): Misdeed =>
  (socket) =>
    flood(socket, `HTTP/1.1 ${status}\r\n\r\n`);
const wrapping: Misdeed = (socket) => {
  socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  flood(socket, `1;${'e'.repeat(8000)}\r\na\r\n`);
};

/** How calls of this process were answered: interim answers, and bytes. */
let taken: { interim: number; sockets: Set<Socket> };
const count = (message: unknown): void => {
  const { request } = message as { request: ClientRequest };
  request.on('information', () => (taken.interim += 1));
  request.on('socket', (socket) => taken.sockets.add(socket));
};
const started = channel('http.client.request.created');

beforeEach(() => {
  taken = { interim: 0, sockets: new Set() };
  started.subscribe(count);
});
afterEach(() => started.unsubscribe(count));

const bytesTaken = (): number => [...taken.sockets].reduce((sum, { bytesRead }) => sum + bytesRead, 0);

const calls: readonly (readonly [who: string, maxKib: number, call: (port: number) => Promise<unknown>])[] = [
  [
    'a callback',
    256,
    async (port) =>
      send({
        ...{ url: `http://127.0.0.1:${port}/`, messageId: 'msg_1', body: '{}', secrets: [SECRET] },
        ...{ timeoutMs: TIMEOUT_MS, signal: new AbortController().signal },
      }),
  ],
  [
    'the probe page',
    256,
    async (port) => {
      const url = parseProbeUrl(`http://{domain}:${port}/probe.txt#7f3a91`);
      const probe = createReachProbe(url, { reachPrivate: true, timeoutMs: TIMEOUT_MS });
      return probe.reaches('shop.example.org', ['127.0.0.1']);
    },
  ],
  [
    'a call to RunCloud',
    10 * KIB,
    async (port) => {
      const url = `http://127.0.0.1:${port}/api/v3`;
      const runcloud = createRunCloud({ url, version: 'v3', credentials, timeoutMs: TIMEOUT_MS });
      const { message } = await failureOf(runcloud.ping());
      runcloud.close();
      return message;
    },
  ],
  [
    'a call of the survey',
    10 * KIB,
    async (port) => {
      const url = `http://127.0.0.1:${port}/api/v3`;
      const raw = createRawCalls({ url, credentials, timeoutMs: TIMEOUT_MS });
      const reply = await raw.send({ method: 'GET', path: '/ping' });
      raw.close();
      return reply;
    },
  ],
];

describe.each(calls)('%s', (who, maxKib, call) => {
  test.each(['103 Early Hints', '100 Continue', '199 Whatever'])(
    'ends after the first few "%s"',
    async (status) => {
      await using server = await startBadServer(interim(status));
      const result = await call(server.port);
      // What came in the same read as the first of them is taken in too.
      expect(taken.interim).toBeGreaterThan(8);
      expect(bytesTaken()).toBeLessThanOrEqual(256 * KIB);
      if (who !== 'a call of the survey')
        expect(JSON.stringify(result)).toContain('too many interim answers');
      expect(server.asked()).toBe(1);
    },
  );

  test('ends where chunks are nearly all wrapping', async () => {
    await using server = await startBadServer(wrapping);
    await call(server.port);
    await until(() => [...taken.sockets].every(({ destroyed }) => destroyed), 'the connection is over');
    expect(bytesTaken()).toBeLessThanOrEqual((maxKib + 256) * KIB);
  });

  test('takes a few interim answers for what they are', async () => {
    await using server = await startBadServer((socket) =>
      socket.end(
        `${'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n'.repeat(8)}HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n`,
      ),
    );
    expect(JSON.stringify(await call(server.port))).toMatch(/404|not-reached/);
  });
});
