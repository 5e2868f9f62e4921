// Audit entries of events that may come by the thousand. The first is written at once; those of the next second become one entry.
import type { Audit, AuditRecord } from './audit.ts';

export interface AuditBursts {
  /** An event that differs in anything but its domains is an entry of its own. */
  add(entry: AuditRecord): void;
  /** Writes what is still collected. */
  close(): Promise<void>;
}

interface Burst {
  readonly entry: AuditRecord;
  readonly more: AuditRecord[];
  readonly timer: NodeJS.Timeout;
}

const COLLECTED_MS = 1_000;

export function createAuditBursts(audit: Pick<Audit, 'record'>, collectedMs = COLLECTED_MS): AuditBursts {
  const open = new Map<string, Burst>();
  const writing = new Set<Promise<void>>();
  const write = (entry: AuditRecord): void => {
    const written: Promise<void> = audit.record(entry).finally(() => writing.delete(written));
    writing.add(written);
  };
  const begin = (key: string, entry: AuditRecord): void => {
    const timer = setTimeout(() => {
      if (end(key)) begin(key, entry);
    }, collectedMs);
    timer.unref();
    open.set(key, { entry, more: [], timer });
  };
  /** True if something was collected. */
  const end = (key: string): boolean => {
    const burst = open.get(key);
    open.delete(key);
    clearTimeout(burst?.timer);
    if (!burst || burst.more.length === 0) return false;
    write({ ...burst.entry, domains: burst.more.flatMap(({ domains = [] }) => domains) });
    return true;
  };
  return {
    add(entry) {
      const { domains, ...same } = entry;
      const key = JSON.stringify(same);
      const burst = open.get(key);
      if (burst) burst.more.push(entry);
      else {
        write(entry);
        begin(key, entry);
      }
    },
    async close() {
      for (const key of [...open.keys()]) end(key);
      await Promise.all(writing);
    },
  };
}
