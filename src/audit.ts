// The audit log: which person did what to the queue, to which domains, and when. A capped stream in Redis; nothing in it is
// ever changed.
import type { Redis } from 'ioredis';
import type { Keys } from './intent/keys.ts';

export interface AuditRecord {
  /** `cli:<user of the machine>`, `api:<name of the token>`, `board:<user>`. */
  readonly who: string;
  /** A verb, as the command has it: `retry`, `pause`, `resume`. */
  readonly what: string;
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
  readonly what: string;
  /** The first hundred; `domainCount` counts them all. */
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
  /** The newest first; with `before` those older than that entry. */
  list(page: { readonly limit: number; readonly before?: string | undefined }): Promise<AuditEntry[]>;
}

export interface AuditOptions {
  readonly redis: Redis;
  readonly keys: Pick<Keys, 'own'>;
  /** Takes secrets out of a text: somebody may have typed one into a reason. */
  readonly scrub?: (text: string) => string;
  readonly onLost: OnAuditLost;
}

/** Told of an entry, without secrets, that Redis did not take: it must stand somewhere. */
export type OnAuditLost = (entry: AuditRecord, error: unknown) => void;

/** About: Redis drops the oldest in blocks of a hundred. */
const KEPT = 10_000;
const MAX_DOMAINS = 100;
const MAX_TEXT = 1_000;

export function createAudit({ redis, keys, scrub = (text) => text, onLost }: AuditOptions): Audit {
  const key = keys.own('audit');
  // One line: whoever prints it must not print a second entry.
  const clean = (text: string): string =>
    scrub(text)
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .trim()
      .slice(0, MAX_TEXT);
  return {
    async record({ who, what, domains = [], detail = '' }) {
      const entry = { who: clean(who), what, domains: domains.slice(0, MAX_DOMAINS), detail: clean(detail) };
      const fields = { ...entry, domains: entry.domains.join(' '), count: domains.length };
      try {
        await redis.xadd(key, 'MAXLEN', '~', KEPT, '*', ...Object.entries(fields).flat());
      } catch (error) {
        onLost(entry, error);
      }
    },
    async list({ limit, before }) {
      const from = before === undefined ? '+' : `(${before}`;
      return (await redis.xrevrange(key, from, '-', 'COUNT', limit)).map(toEntry);
    },
  };
}

/** An id that `before` takes; anything else Redis would refuse. */
export const isAuditId = (text: string): boolean => /^\d{1,16}-\d{1,16}$/.test(text);

function toEntry([id, pairs]: [string, string[]]): AuditEntry {
  const field = (name: string): string => pairs.find((_, i) => i % 2 === 1 && pairs[i - 1] === name) ?? '';
  const [at] = id.split('-');
  return {
    id,
    at: Number(at),
    who: field('who'),
    what: field('what'),
    domains: field('domains').split(' ').filter(Boolean),
    domainCount: Number(field('count')),
    detail: field('detail') || undefined,
  };
}
