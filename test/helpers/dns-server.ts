// A small real DNS server (UDP, on loopback) that answers from a zone, as a recursive resolver would: it follows CNAMEs.
// Anything may be made to fail. Knows nothing of the product.
import { createSocket, type RemoteInfo } from 'node:dgram';
import dnsPacket, { type Answer, type Packet, type RecordType } from 'dns-packet';

/** `silent`: no reply at all, which ends in a timeout. */
export type DnsFault = 'SERVFAIL' | 'REFUSED' | 'silent';

/** Addresses and names as text, CAA as `issue letsencrypt.org` or, where it is critical, `128 issue letsencrypt.org`. */
export type DnsRecordsOfName = Partial<
  Record<'A' | 'AAAA' | 'CAA' | 'NS', readonly string[] | DnsFault> & { CNAME: string | DnsFault }
>;

/** By name. A name that is not here does not exist, unless a name below it does. */
export type DnsZone = Record<string, DnsRecordsOfName>;

export interface DnsServer extends AsyncDisposable {
  /** `127.0.0.1:5353`, as `setServers` takes it. */
  readonly address: string;
  /** May be changed at any time. */
  readonly zone: DnsZone;
  /** What was asked: `A shop.example.org`. */
  readonly questions: readonly string[];
}

const faults: readonly unknown[] = ['SERVFAIL', 'REFUSED', 'silent'] satisfies DnsFault[];
const isFault = (found: unknown): found is DnsFault => faults.includes(found);
const rcodes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;
const ttl = 60;

type Reply = { readonly rcode: number; readonly answers: Answer[] } | 'silent';

const fail = (fault: DnsFault): Reply =>
  fault === 'silent' ? 'silent' : { rcode: rcodes[fault], answers: [] };

const exists = (zone: DnsZone, name: string): boolean =>
  Object.keys(zone).some((known) => known === name || known.endsWith(`.${name}`));

function toAnswer(name: string, type: RecordType, text: string): Answer {
  if (type !== 'CAA') return { name, type, ttl, data: text } as Answer;
  const [, flags, tag, value] = /^(\d+ )?(\S+) ?(.*)$/.exec(text) ?? [];
  return { name, type, ttl, data: { flags: Number(flags ?? 0), tag, value: value ?? '' } } as Answer;
}

function answer(zone: DnsZone, type: RecordType, name: string, before: Answer[] = []): Reply {
  const records = zone[name];
  if (records === undefined)
    return { rcode: exists(zone, name) ? rcodes.NOERROR : rcodes.NXDOMAIN, answers: before };
  const found = records[type as 'A'];
  if (isFault(found)) return fail(found);
  const cname = records.CNAME;
  if (cname === undefined || (isFault(cname) && type !== 'CNAME'))
    return { rcode: 0, answers: [...before, ...(found ?? []).map((text) => toAnswer(name, type, text))] };
  const answers = [...before, toAnswer(name, 'CNAME', cname)];
  // A real resolver gives up on a loop of CNAMEs.
  if (answers.length > 12) return fail('SERVFAIL');
  return type === 'CNAME' ? { rcode: 0, answers } : answer(zone, type, cname, answers);
}

export async function startDnsServer(initial: DnsZone = {}): Promise<DnsServer> {
  const zone: DnsZone = { ...initial };
  const questions: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (message: Buffer, from: RemoteInfo) => {
    const query: Packet = dnsPacket.decode(message);
    const [question] = query.questions ?? [];
    if (question === undefined) return;
    const name = question.name.toLowerCase();
    questions.push(`${question.type} ${name}`);
    const reply = answer(zone, question.type, name);
    if (reply === 'silent') return;
    // RD and RA: asked for recursion, and has it. The rcode is the last four bits of the flags.
    const flags = dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | reply.rcode;
    const packet: Packet = {
      type: 'response',
      id: query.id ?? 0,
      flags,
      questions: [question],
      answers: reply.answers,
    };
    socket.send(dnsPacket.encode(packet), from.port, from.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, '127.0.0.1', resolve);
  });
  return {
    address: `127.0.0.1:${socket.address().port}`,
    zone,
    questions,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}
