// Which domains a web application has, as last seen: one reading of RunCloud's list serves a whole burst of jobs.
// The rule that keeps it honest: a stale sighting may lead to a write, since RunCloud's reply corrects us; it must never
// lead to doing nothing. Who wants to do nothing asks with `since`. It never writes to RunCloud.
import { NotFoundError } from './errors.ts';
import type { MissingApps } from './missing-apps.ts';
import type { AttachedDomain, CallOptions, RunCloud, WebApplication } from './runcloud.ts';

/** One domain as seen. `at` is when the reading began, in milliseconds by Redis' clock. */
export interface ObservedDomain {
  readonly attached: AttachedDomain | undefined;
  /** The row with the lowest id of all. */
  readonly isOldest: boolean;
  readonly at: number;
}

export interface Directory {
  /** What was seen of `name` at or after `since`; reads the list from RunCloud only where nothing so recent is known. */
  find(app: WebApplication, name: string, since: number, options?: CallOptions): Promise<ObservedDomain>;
  /** All attached domains, seen at or after `since`. */
  list(app: WebApplication, since: number, options?: CallOptions): Promise<readonly AttachedDomain[]>;
  /** What a write's reply said about one name: `undefined` for gone. Saves the next reading. */
  recordWrite(app: WebApplication, name: string, attached: AttachedDomain | undefined, at: number): void;
}

interface Snapshot {
  readonly startedAt: number;
  readonly rows: ReadonlyMap<string, AttachedDomain>;
  readonly oldestId: number | undefined;
}

interface Cache {
  reading?: Snapshot;
  underway?: { startedAt: number; reading: Promise<Snapshot> };
  /** Those who wait for a reading that another has begun: each page of it is news to them. */
  readonly sharers: Set<() => void>;
  /** Newer than the reading: what replies to our own writes said. */
  notes: Map<string, { attached: AttachedDomain | undefined; at: number }>;
}

interface DirectoryOptions {
  readonly runcloud: Pick<RunCloud, 'listDomains'>;
  /** Redis' clock: readings are compared with requests that other machines made. */
  readonly now: () => Promise<number>;
  /** What all workers know of web applications that RunCloud does not know. Default: nobody knows anything. */
  readonly missing?: MissingApps | undefined;
  /** How long a reading may lead to writes. Long bursts cost one reading; the panel's changes are seen after this. */
  readonly maxAgeMs?: number;
}

export function createDirectory({ maxAgeMs = 600_000, ...options }: DirectoryOptions): Directory {
  const cacheOf = createCaches();
  const readSince = createReader({ ...options, maxAgeMs }, cacheOf);

  return {
    async find(app, name, since, options = {}) {
      const { notes, reading: known } = cacheOf(app);
      const note = notes.get(name);
      if (note && known && note.at >= since)
        return { ...note, isOldest: note.attached?.id === known.oldestId };
      const { rows, oldestId, startedAt } = await unlessAborted(
        readSince(app, since, options),
        options.signal,
      );
      const attached = rows.get(name);
      return { attached, isOldest: attached !== undefined && attached.id === oldestId, at: startedAt };
    },
    async list(app, since, options = {}) {
      const { rows, startedAt } = await unlessAborted(readSince(app, since, options), options.signal);
      return [...corrected(rows, startedAt, cacheOf(app).notes).values()];
    },
    recordWrite(app, name, attached, at) {
      cacheOf(app).notes.set(name, { attached, at });
    },
  };
}

type CacheOf = (app: WebApplication) => Cache;

function createCaches(): CacheOf {
  const caches = new Map<string, Cache>();
  return ({ serverId, appId }) => {
    const key = `${serverId}:${appId}`;
    const cache = caches.get(key) ?? { notes: new Map(), sharers: new Set() };
    caches.set(key, cache);
    return cache;
  };
}

type ReaderOptions = DirectoryOptions & { readonly maxAgeMs: number };

function createReader({ runcloud, now, maxAgeMs, missing }: ReaderOptions, cacheOf: CacheOf) {
  const read = async (app: WebApplication, startedAt: number, options: CallOptions): Promise<Snapshot> => {
    // The signal stays out: the reading is shared, and one job that stops must not fail the others.
    const onCall: CallOptions['onCall'] = (call) => {
      options.onCall?.(call);
      for (const tell of cacheOf(app).sharers) tell();
    };
    const list = () => runcloud.listDomains(app, { onCall, onUnavailable: options.onUnavailable });
    const rows = await (missing ? unlessMissing(app, missing, list) : list());
    const oldestId = rows.length > 0 ? Math.min(...rows.map(({ id }) => id)) : undefined;
    return keep(cacheOf(app), { startedAt, rows: new Map(rows.map((row) => [row.name, row])), oldestId });
  };
  const start = (app: WebApplication, startedAt: number, options: CallOptions): Promise<Snapshot> => {
    const cache = cacheOf(app);
    const reading = read(app, startedAt, options).finally(() => {
      delete cache.underway;
    });
    cache.underway = { startedAt, reading };
    return reading;
  };
  return async function readSince(
    app: WebApplication,
    since: number,
    options: CallOptions,
  ): Promise<Snapshot> {
    const time = await now();
    const { reading, underway, sharers } = cacheOf(app);
    if (reading && reading.startedAt >= Math.max(since, time - maxAgeMs)) return reading;
    if (!underway) return start(app, time, options);
    const moved = (): void => options.onMoved?.();
    sharers.add(moved);
    try {
      if (underway.startedAt >= since) return await underway.reading;
      // One reading at a time: all who came too late for this one share the next.
      await underway.reading.catch(() => undefined);
    } finally {
      sharers.delete(moved);
    }
    return readSince(app, since, options);
  };
}

/** Throws what RunCloud has said of this web application where that stands; else asks, and remembers that it does not know it. */
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

// The reading itself goes on: it is shared, and what it finds serves others.
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  work.catch(() => undefined); // nobody may be listening any more when it fails
  signal.throwIfAborted();
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** A reading with what replies to our own writes said since. */
function corrected(rows: Snapshot['rows'], startedAt: number, notes: Cache['notes']): Snapshot['rows'] {
  const all = new Map(rows);
  for (const [name, { attached, at }] of notes) {
    if (at < startedAt) continue;
    if (attached) all.set(name, attached);
    else all.delete(name);
  }
  return all;
}

// Notes older than the reading have served; newer ones still correct it.
function keep(cache: Cache, fresh: Snapshot): Snapshot {
  cache.reading = fresh;
  for (const [name, note] of cache.notes) if (note.at < fresh.startedAt) cache.notes.delete(name);
  return fresh;
}
