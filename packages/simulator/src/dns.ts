// A DNS server on UDP for the simulated zone, so a client queries it like any resolver. Only the wire is
// here; what is said is in zone.ts.
import type { RemoteInfo, Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import type { Answer, CaaAnswer, DecodedPacket } from 'dns-packet';
import { AUTHORITATIVE_ANSWER, decode, encode, RECURSION_AVAILABLE, RECURSION_DESIRED } from 'dns-packet';
import type { DnsAnswer, Resolution, ZoneParts } from './zone.ts';
import { resolve } from './zone.ts';

export interface DnsServer {
  port: number;
  close: () => Promise<void>;
}

const RCODES = { noerror: 0, servfail: 2, nxdomain: 3 } as const;

export async function startDns(
  parts: ZoneParts,
  { port = 0, host = '127.0.0.1' }: { port?: number; host?: string },
): Promise<DnsServer> {
  const socket = createSocket('udp4');
  await new Promise<void>((done, fail) => {
    socket.once('error', fail);
    socket.bind(port, host, done);
  });
  // A client that is gone by the time of the answer is no matter.
  socket.removeAllListeners('error').on('error', () => undefined);
  socket.on('message', (message, client) => answer(parts, socket, message, client));
  return {
    port: socket.address().port,
    close: () => new Promise((done) => socket.close(done)),
  };
}

function answer(parts: ZoneParts, socket: Socket, message: Buffer, client: RemoteInfo): void {
  const query = readQuery(message);
  const question = query?.questions?.[0];
  if (query === null || question === undefined) return;
  const { outcome, answers } = resolve(parts, question.name, question.type);
  if (outcome === 'silent') return;
  socket.send(toMessage(query, outcome, answers), client.port, client.address, () => undefined);
}

function readQuery(message: Buffer): DecodedPacket | null {
  try {
    const packet = decode(message);
    return packet.type === 'query' ? packet : null;
  } catch {
    return null;
  }
}

function toMessage(
  query: DecodedPacket,
  outcome: Exclude<Resolution['outcome'], 'silent'>,
  answers: readonly DnsAnswer[],
): Buffer {
  const recursion = (query.flags ?? 0) & RECURSION_DESIRED;
  return encode({
    type: 'response',
    ...(query.id !== undefined && { id: query.id }),
    flags: AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | recursion | RCODES[outcome],
    questions: query.questions ?? [],
    answers: answers.map(toWireAnswer),
  });
}

/** TTL 0: nobody on the way may remember what a test is about to change. */
function toWireAnswer(answer: DnsAnswer): Answer {
  if (answer.type !== 'CAA') return { ...answer, ttl: 0 };
  // A copy, since the library writes into it. Its types know the oldest tags only; it writes any.
  const data = { ...answer.data } as CaaAnswer['data'];
  return { name: answer.name, type: 'CAA', ttl: 0, data };
}
