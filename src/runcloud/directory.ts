// The domains of a web application, as last observed. One snapshot of RunCloud's list serves a
// whole burst of jobs. The rule: an old snapshot may lead to a write, since RunCloud's reply
// corrects it. It must never lead to doing nothing. A caller that would do nothing passes `since`.
// Never writes to RunCloud.
import { unlessAborted } from '../deadline.ts';
import { NotFoundError } from './errors.ts';
import type { AttachedDomain, CallOptions, RunCloud, WebApplication } from './runcloud.ts';

/** One domain as observed. `at`: when the read began, in milliseconds by Redis' clock. */
export interface ObservedDomain {
  readonly attached: AttachedDomain | undefined;
  /** The row with the lowest id of all. */
  readonly isOldest: boolean;
  readonly at: number;
}

export interface Directory {
  /**
   * What was observed of `name` at or after `since`. Reads RunCloud's list only if nothing so
   * recent is known.
   */
  find(app: WebApplication, name: string, since: number, options?: CallOptions): Promise<ObservedDomain>;
  /** All attached domains, observed at or after `since`. */
  list(app: WebApplication, since: number, options?: CallOptions): Promise<readonly AttachedDomain[]>;
  /** The result of a write to one name; `undefined`: removed. Saves the next read. */
  recordWrite(app: WebApplication, name: string, attached: AttachedDomain | undefined, at: number): void;
}

/** A web application that RunCloud does not know. */
export interface MissingApp {
  /** RunCloud's answer, and that it is remembered. */
  readonly sentence: string;
  /** How often in a row RunCloud itself has answered so, with a pause between. */
  readonly answers: number;
  /** The web application is proven to be gone: see remove-domain. */
  readonly isGone: boolean;
}

/** One "not found" counts for all domains of a web application, for a while. */
export interface MissingApps {
  /** The current answer. Undefined: there is none, or this caller must call RunCloud again. */
  recall(app: WebApplication): Promise<MissingApp | undefined>;
  /** RunCloud has answered so in its own words, once more. */
  note(app: WebApplication, sentence: string): Promise<Omit<MissingApp, 'sentence'>>;
  noteGone(app: WebApplication): Promise<void>;
  /** RunCloud knows it. */
  forget(app: WebApplication): Promise<void>;
}

interface Snapshot {
  readonly startedAt: number;
  readonly rows: ReadonlyMap<string, AttachedDomain>;
  readonly oldestId: number | undefined;
}

interface Write {
  readonly attached: AttachedDomain | undefined;
  readonly at: number;
}

interface Cache {
  snapshot?: Snapshot;
  running?: { readonly startedAt: number; readonly snapshot: Promise<Snapshot> };
  /** Callers that wait for a read of another caller. Each page is progress for them. */
  readonly waiting: Set<() => void>;
  /** The results of our own writes since the snapshot. */
  readonly writes: Map<string, Write>;
}

interface DirectoryOptions {
  readonly runcloud: Pick<RunCloud, 'listDomains'>;
  /** Redis' clock: snapshots are compared with requests of other machines. */
  readonly now: () => Promise<number>;
  /** What all workers know of missing web applications. Default: nothing. */
  readonly missing?: MissingApps | undefined;
  /** How long a snapshot may lead to writes. Changes in RunCloud's panel show after that. */
  readonly maxAgeMs?: number;
}

export function createDirectory({ maxAgeMs = 600_000, ...options }: DirectoryOptions): Directory {
  const cacheOf = createCaches();
  const readSince = createReader({ ...options, maxAgeMs }, cacheOf);
  // The read itself continues: it is shared, and its snapshot serves others.
  const read = (app: WebApplication, since: number, calls: CallOptions): Promise<Snapshot> => {
    const snapshot = readSince(app, since, calls);
    return calls.signal ? unlessAborted(snapshot, calls.signal) : snapshot;
  };

  return {
    async find(app, name, since, calls = {}) {
      const { writes, snapshot: known } = cacheOf(app);
      const write = writes.get(name);
      if (write && known && write.at >= since)
        return { ...write, isOldest: write.attached?.id === known.oldestId };
      const { rows, oldestId, startedAt } = await read(app, since, calls);
      const attached = rows.get(name);
      return { attached, isOldest: attached !== undefined && attached.id === oldestId, at: startedAt };
    },
    async list(app, since, calls = {}) {
      const { rows, startedAt } = await read(app, since, calls);
      return [...withWrites(rows, startedAt, cacheOf(app).writes).values()];
    },
    recordWrite(app, name, attached, at) {
      cacheOf(app).writes.set(name, { attached, at });
    },
  };
}

type CacheOf = (app: WebApplication) => Cache;

function createCaches(): CacheOf {
  const caches = new Map<string, Cache>();
  return ({ serverId, appId }) => {
    const key = `${serverId}:${appId}`;
    const cache = caches.get(key) ?? { writes: new Map(), waiting: new Set() };
    caches.set(key, cache);
    return cache;
  };
}

type ReaderOptions = DirectoryOptions & { readonly maxAgeMs: number };

function createReader({ runcloud, now, maxAgeMs, missing }: ReaderOptions, cacheOf: CacheOf) {
  const read = async (app: WebApplication, startedAt: number, calls: CallOptions): Promise<Snapshot> => {
    // Without the signal: the read is shared, and one stopped job must not fail the others.
    const onCall: CallOptions['onCall'] = (call) => {
      calls.onCall?.(call);
      for (const notify of cacheOf(app).waiting) notify();
    };
    const list = () => runcloud.listDomains(app, { onCall, onUnavailable: calls.onUnavailable });
    const rows = await (missing ? unlessMissing(app, missing, list) : list());
    const oldestId = rows.length > 0 ? Math.min(...rows.map(({ id }) => id)) : undefined;
    return keep(cacheOf(app), { startedAt, rows: new Map(rows.map((row) => [row.name, row])), oldestId });
  };
  const start = (app: WebApplication, startedAt: number, calls: CallOptions): Promise<Snapshot> => {
    const cache = cacheOf(app);
    const snapshot = read(app, startedAt, calls).finally(() => {
      delete cache.running;
    });
    cache.running = { startedAt, snapshot };
    return snapshot;
  };
  return async function readSince(app: WebApplication, since: number, calls: CallOptions): Promise<Snapshot> {
    const time = await now();
    const { snapshot, running, waiting } = cacheOf(app);
    if (snapshot && snapshot.startedAt >= Math.max(since, time - maxAgeMs)) return snapshot;
    if (!running) return start(app, time, calls);
    const onProgress = (): void => calls.onProgress?.();
    waiting.add(onProgress);
    try {
      if (running.startedAt >= since) return await running.snapshot;
      // One read at a time. Callers that came too late for this one share the next.
      await running.snapshot.catch(() => undefined);
    } finally {
      waiting.delete(onProgress);
    }
    return readSince(app, since, calls);
  };
}

/**
 * Throws RunCloud's remembered answer about a missing web application. Else calls RunCloud, and
 * remembers a "not found".
 */
async function unlessMissing<T>(
  app: WebApplication,
  missing: MissingApps,
  list: () => Promise<T>,
): Promise<T> {
  const known = await missing.recall(app);
  if (known) throw Object.assign(notFound(known.sentence), { answers: known.answers, isGone: known.isGone });
  try {
    const found = await list();
    await missing.forget(app);
    return found;
  } catch (error) {
    if (error instanceof NotFoundError && error.isOwnWord)
      Object.assign(error, await missing.note(app, error.message));
    throw error;
  }
}

const notFound = (sentence: string): NotFoundError =>
  new NotFoundError(sentence, { operation: 'listDomains', status: 404, isOwnWord: true });

/** A snapshot with the results of later writes. */
function withWrites(rows: Snapshot['rows'], startedAt: number, writes: Cache['writes']): Snapshot['rows'] {
  const all = new Map(rows);
  for (const [name, { attached, at }] of writes) {
    if (at < startedAt) continue;
    if (attached) all.set(name, attached);
    else all.delete(name);
  }
  return all;
}

// Writes before the snapshot are in it. Later ones still correct it.
function keep(cache: Cache, fresh: Snapshot): Snapshot {
  cache.snapshot = fresh;
  for (const [name, write] of cache.writes) if (write.at < fresh.startedAt) cache.writes.delete(name);
  return fresh;
}
