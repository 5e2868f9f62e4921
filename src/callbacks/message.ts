// The messages that receivers get: one per entry of the outbox, with its id and its body. Pure.
import { createHash } from 'node:crypto';

export const messageTypes = [
  'domain.live',
  'domain.waiting',
  'domain.held',
  'domain.failed',
  'domain.removed',
  'certificate.expiring',
  'worker.auth_refused',
  'worker.degraded',
] as const;
export type MessageType = (typeof messageTypes)[number];

export interface Message {
  /** The `webhook-id`: the same for every attempt, every URL and every replay. Ids sort by time. */
  readonly id: string;
  readonly type: MessageType;
  /** Undefined: it is about the workers. */
  readonly domain: string | undefined;
  /** When it happened, in milliseconds since the epoch. */
  readonly at: number;
  /** JSON; these very bytes are signed and sent. */
  readonly body: string;
}

/** The payload that receivers get; docs/guides/callbacks.md describes it. Null: does not apply. */
export interface Payload {
  readonly type: MessageType;
  readonly timestamp: string;
  readonly data: {
    readonly domain: string | null;
    readonly serverId: number | null;
    readonly appId: number | null;
    readonly siteId: string | null;
    readonly state: string | null;
    readonly reason: string;
    /** The reason as a code, for programs: docs/reference/reason-codes.md. */
    readonly reasonCode: string | null;
    readonly mustAct: string | null;
    readonly code: string | null;
    readonly since: string | null;
    /** The DNS records to set and to remove, as in the API; null: DNS was not checked. */
    readonly dnsRecords: object | null;
  };
}

/** An entry of the outbox, as Lua wrote it: all values are text. */
export type OutboxFields = Readonly<Record<string, string | undefined>>;

/**
 * A reason may contain somebody's reply. With six bytes per control character the payload stays
 * below 20 kB.
 */
const MAX_REASON = 2_000;
const MAX_TEXT = 300;

/** Undefined: the entry is not ours. `clean` removes secrets from a text. */
export function toMessage(fields: OutboxFields, clean: (text: string) => string): Message | undefined {
  const type = messageTypes.find((each) => each === fields.type);
  const at = Number(fields.at);
  if (!type || !isTime(at)) return undefined;
  const text = (name: string, max = MAX_TEXT): string | null => cut(clean(fields[name] ?? ''), max) || null;
  const payload: Payload = {
    type,
    timestamp: new Date(at).toISOString(),
    data: {
      domain: text('domain'),
      serverId: toNumber(fields.serverId),
      appId: toNumber(fields.appId),
      siteId: text('siteId'),
      state: text('state'),
      reason: text('reason', MAX_REASON) ?? '',
      reasonCode: text('reasonCode'),
      mustAct: text('mustAct'),
      code: text('code'),
      since: toTime(fields.since),
      dnsRecords: toDnsRecords(fields.dnsRecords, (part) => cut(clean(part), MAX_TEXT)),
    },
  };
  return {
    id: toId(fields, at),
    type,
    domain: fields.domain || undefined,
    at,
    body: JSON.stringify(payload),
  };
}

/**
 * Made of the facts only: an entry that is read twice is the same message. No dot, for the
 * signature.
 */
function toId(fields: OutboxFields, at: number): string {
  const what = ['type', 'serverId', 'appId', 'domain', 'generation', 'state', 'mustAct', 'code'];
  const facts = JSON.stringify([...what.map((name) => fields[name] ?? ''), at]);
  const time = at.toString(16).padStart(11, '0');
  return `msg_${time}_${createHash('sha256').update(facts).digest('hex').slice(0, 16)}`;
}

/** In milliseconds since the epoch, and one that a date can show. */
export const isTime = (ms: unknown): ms is number =>
  typeof ms === 'number' && Number.isSafeInteger(ms) && ms > 0 && ms < 8.64e15;
const toNumber = (text: string | undefined): number | null => (text ? Number(text) : null);

function toTime(text: string | undefined): string | null {
  const ms = Number(text);
  return isTime(ms) ? new Date(ms).toISOString() : null;
}

/** They contain somebody's DNS: each text is cleaned like all others. */
function toDnsRecords(text: string | undefined, clean: (text: string) => string): object | null {
  try {
    const records: unknown = JSON.parse(text || 'null', (_, value: unknown) =>
      typeof value === 'string' ? clean(value) : value,
    );
    return typeof records === 'object' ? records : null;
  } catch {
    return null;
  }
}

/** Never cuts a character in two. */
const cut = (text: string, max: number): string =>
  text.length > max
    ? `${text.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, '')}…`.toWellFormed()
    : text.toWellFormed();
