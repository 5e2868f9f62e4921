// Where the facts of web applications are stored: in Redis, for all workers
// (domains/facts-memo.ts), or in this process alone.

/** One value, and when its read began. */
export interface Known {
  readonly value: unknown;
  readonly at: number;
}

/** Times in milliseconds by the memo's own clock. Values are JSON. */
export interface FactsMemo {
  now(): Promise<number>;
  /** The last values, by their keys. */
  get(keys: readonly string[]): Promise<{ readonly now: number; readonly known: ReadonlyMap<string, Known> }>;
  /** Drops a value that is older than the known one. */
  put(key: string, known: Known): Promise<void>;
  /** 0: the caller has the lock for `ms`. Else how long ago another caller took it, at least 1. */
  lockRefresh(key: string, ms: number): Promise<number>;
}

export function createLocalMemo(): FactsMemo {
  const all = new Map<string, Known>();
  const locks = new Map<string, number>();
  const now = (): number => performance.now();
  return {
    now: async () => now(),
    async get(keys) {
      const found = keys.flatMap((key): [string, Known][] => {
        const known = all.get(key);
        return known ? [[key, known]] : [];
      });
      return { now: now(), known: new Map(found) };
    },
    async put(key, known) {
      if (known.at >= (all.get(key)?.at ?? 0)) all.set(key, known);
    },
    async lockRefresh(key, ms) {
      const ago = now() - (locks.get(key) ?? -Infinity);
      if (ago >= ms) locks.set(key, now());
      return ago >= ms ? 0 : Math.max(1, ago);
    },
  };
}
