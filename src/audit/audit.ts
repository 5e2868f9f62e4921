// The audit log: who requested what, and which person did what to the queue, to which domains, and when. A capped stream in
// Redis; nothing in it is ever changed.
import type { Redis } from 'ioredis';
import type { Keys } from '../redis/keys.ts';

/** Every verb that an entry may have, as its command is called. */
export const auditVerbs = ['add', 'remove', 'redeploy', 'retry', 'pause', 'resume', 'replay'] as const;
export type AuditVerb = (typeof auditVerbs)[number];

export interface AuditRecord {
  /** `cli:<user of the machine>`, `api:<name of the token>`, `board:<user>`, or `producer`: a program with access to Redis. */
  readonly who: string;
  /** For whom, in the caller's own words. */
  readonly for?: string | undefined;
  readonly what: AuditVerb;
  readonly domains?: readonly string[] | undefined;
  /** One sentence. */
  readonly detail?: string | undefined;
}

export interface AuditEntry {
  /** Grows with time; `before` takes it. */
  readonly id: string;
  /** By Redis' clock, in milliseconds since the epoch. */
  readonly at: number;
  readonly who: string;
  readonly for: string | undefined;
  readonly what: string;
  /** The first thousand; `domainCount` counts them all. */
  readonly domains: readonly string[];
  readonly domainCount: number;
  readonly detail: string | undefined;
}

export interface Audit {
  /**
   * Before what is done to many, so that it is known who began it; after anything else. Never rejects: what is done is done, and
   * an entry that Redis does not take goes to `onLost`.
   */
  record(entry: AuditRecord): Promise<void>;
  /** The newest first; with `before` those older than that entry, with `domain` and `what` those that have them. */
  list(page: AuditPage): Promise<AuditEntry[]>;
}

export interface AuditPage {
  readonly limit: number;
  readonly before?: string | undefined;
  /** In its ASCII form. */
  readonly domain?: string | undefined;
  /** Verbs. */
  readonly what?: readonly string[] | undefined;
}

export interface AuditOptions {
  readonly redis: Redis;
  readonly keys: Pick<Keys, 'own'>;
  /** Removes secrets from a text: somebody may have typed one into a reason. */
  readonly scrub?: (text: string) => string;
  readonly onLost: OnAuditLost;
  /** About how many entries stay. Default: 100,000. */
  readonly kept?: number;
}

/** Gets an entry, without secrets, that Redis did not store: it must be written somewhere. */
export type OnAuditLost = (entry: AuditRecord, error: unknown) => void;

/** About: Redis drops the oldest in blocks of a hundred. So many that requests do not push out what operators did. */
const KEPT = 100_000;
/** A batch of the API has no more. */
const MAX_DOMAINS = 1_000;
const MAX_TEXT = 1_000;
const READ_AT_ONCE = 1_000;

export function createAudit({
  redis,
  keys,
  scrub = (text) => text,
  onLost,
  kept = KEPT,
}: AuditOptions): Audit {
  const key = keys.own('audit');
  // One line: a printed entry must stay one line.
  const clean = (text: string): string =>
    scrub(text)
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .trim()
      .slice(0, MAX_TEXT);
  return {
    async record({ who, for: behalf, what, domains = [], detail = '' }) {
      const named = behalf ? { for: clean(behalf) } : {};
      const shown = domains.slice(0, MAX_DOMAINS);
      const entry = { who: clean(who), ...named, what, domains: shown, detail: clean(detail) };
      const fields = { ...entry, domains: shown.join(' '), count: domains.length };
      try {
        await redis.xadd(key, 'MAXLEN', '~', kept, '*', ...Object.entries(fields).flat());
      } catch (error) {
        onLost(entry, error);
      }
    },
    async list({ limit, before, ...filter }) {
      const page = async (count: number, last: string | undefined) =>
        (await redis.xrevrange(key, last === undefined ? '+' : `(${last}`, '-', 'COUNT', count)).map(toEntry);
      if (filter.domain === undefined && filter.what === undefined) return page(limit, before);
      const found: AuditEntry[] = [];
      let last = before;
      do {
        const entries = await page(READ_AT_ONCE, last);
        found.push(...entries.filter((entry) => isListed(entry, filter)));
        last = entries.length < READ_AT_ONCE ? undefined : entries.at(-1)?.id;
      } while (last !== undefined && found.length < limit);
      return found.slice(0, limit);
    },
  };
}

const isListed = ({ domains, what }: AuditEntry, filter: Pick<AuditPage, 'domain' | 'what'>): boolean =>
  (filter.domain === undefined || domains.includes(filter.domain)) &&
  (filter.what === undefined || filter.what.includes(what));

/** An id that `before` takes; Redis refuses anything else. */
export const isAuditId = (text: string): boolean => /^\d{1,16}-\d{1,16}$/.test(text);

function toEntry([id, pairs]: [string, string[]]): AuditEntry {
  const field = (name: string): string => pairs.find((_, i) => i % 2 === 1 && pairs[i - 1] === name) ?? '';
  const [at] = id.split('-');
  return {
    id,
    at: Number(at),
    who: field('who'),
    for: field('for') || undefined,
    what: field('what'),
    domains: field('domains').split(' ').filter(Boolean),
    domainCount: Number(field('count')),
    detail: field('detail') || undefined,
  };
}
