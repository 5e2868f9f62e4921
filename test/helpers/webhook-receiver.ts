// What a customer runs: an HTTP receiver that verifies each request with the public library, by its raw bytes, and answers as
// told.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { Payload } from '../../src/callbacks/message.ts';

export const SECRET = `whsec_${Buffer.from('the first secret of the receiver').toString('base64')}`;
export const NEXT_SECRET = `whsec_${Buffer.from('the second secret of a receiver.').toString('base64')}`;

export interface Received {
  readonly id: string;
  readonly payload: Payload;
  readonly raw: string;
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
}

/** `hang`: never answers. `after`: what it does after its status and half of its reply. */
export type Answer =
  | {
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly after?: 'hang' | 'reset' | undefined;
    }
  | 'hang';

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** All requests whose signature holds, repetitions included. */
  readonly received: Received[];
  /** Requests whose signature does not. */
  readonly forged: string[];
  /** What the receiver keeps: the first of each id. */
  messages(): Received[];
  types(): string[];
  answer: (received: Received) => Answer;
}

function reply(response: ServerResponse, { status, headers, after }: Exclude<Answer, 'hang'>): void {
  response.writeHead(status, headers);
  if (!after) response.end('thanks');
  else response.write('tha', () => after === 'reset' && response.destroy());
}

export async function createReceiver({ secret = SECRET, port = 0 } = {}): Promise<Receiver> {
  const received: Received[] = [];
  const forged: string[] = [];
  const open = new Set<ServerResponse>();
  const server = createServer(async (request, response) => {
    open.add(response);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    try {
      const payload = new Webhook(secret).verify(raw, request.headers as Record<string, string>) as Payload;
      const id = String(request.headers['webhook-id']);
      const one = { id, payload, raw: raw.toString(), headers: request.headers, path: request.url ?? '' };
      received.push(one);
      const answer = receiver.answer(one);
      if (answer !== 'hang') reply(response, answer);
    } catch (error) {
      forged.push(String(error));
      response.writeHead(400).end();
    }
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const messages = (): Received[] => {
    const ids = new Set<string>();
    return received.filter(({ id }) => !ids.has(id) && ids.add(id));
  };
  const receiver: Receiver = {
    port: (server.address() as AddressInfo).port,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    received,
    forged,
    messages,
    types: () =>
      messages()
        .map(({ payload }) => payload.type)
        .sort(),
    answer: () => ({ status: 204 }),
    async [Symbol.asyncDispose]() {
      for (const response of open) response.destroy();
      server.closeAllConnections();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
  return receiver;
}
