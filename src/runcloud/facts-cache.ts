// Values with an age: when each is read again, and by which process. Concurrent callers share one
// read. If a read fails, the old value serves.
import { setTimeout as sleep } from 'node:timers/promises';
import type { FactsMemo, Known } from './facts-memo.ts';

/** What to read, and its key in the memo. */
export interface Readable<T> {
  readonly key: string;
  read(): Promise<T>;
}

export type Found = Awaited<ReturnType<FactsMemo['get']>>;

interface Options {
  readonly memo: FactsMemo;
  /** An older value is read again. */
  readonly maxAgeMs: number;
  /** A younger value is never read again. */
  readonly refreshMs: number;
}

/** How long a caller waits for the read of another process. */
const MAX_WAIT_MS = 2_000;
const CHECK_EVERY_MS = 100;
const NULL_MAX_AGE_MS = 600_000;

export function createCache({ memo, maxAgeMs, refreshMs }: Options) {
  const { read, join, isRunning, readMeanwhile, trusted } = createReads(memo);
  const { isYoung, isOverdue, untilNewer } = createAges(memo, refreshMs);
  /**
   * When this process last locked a refresh. If its read failed, nobody else reads, so nobody
   * waits.
   */
  const locked = new Map<string, number>();

  return {
    read,
    /**
     * Reads again what is older than `since`: one process, under one lock. A failed read changes
     * nothing.
     */
    async refresh(
      all: readonly Readable<unknown>[],
      { known, now }: Found,
      { lock, since }: { readonly lock: string; readonly since: number },
    ): Promise<boolean> {
      const overdue = all.filter(({ key }) => isOverdue(known.get(key), now, since));
      if (overdue.length === 0) return false;
      const lockedAgoMs = await memo.lockRefresh(lock, refreshMs);
      if (lockedAgoMs === 0) locked.set(lock, now);
      const ours = lockedAgoMs === 0 ? overdue : overdue.filter(({ key }) => isRunning(key));
      const keys = overdue.map(({ key }) => key);
      if (ours.length > 0) await Promise.allSettled(ours.map(join));
      else if (now - (locked.get(lock) ?? -Infinity) >= refreshMs)
        await untilNewer(keys, since, MAX_WAIT_MS - lockedAgoMs);
      return true;
    },
    async serve<T>(readable: Readable<T>, { known, now }: Found): Promise<T> {
      const last = known.get(readable.key) ?? (await readMeanwhile(readable.key));
      if (!last) return join(readable);
      const value = last.value as T;
      if (isYoung(last, now)) trusted.add(readable.key);
      // Null (RunCloud does not send it) may have been one odd answer.
      const longestMs = value === null ? Math.min(maxAgeMs, NULL_MAX_AGE_MS) : maxAgeMs;
      const isGood = now - last.at < longestMs && trusted.has(readable.key);
      return isGood ? value : join(readable).catch(() => value);
    },
  };
}

function createReads(memo: FactsMemo) {
  const running = new Map<string, Promise<unknown>>();
  // A new process trusts no old value: a person may have restarted it for that.
  const trusted = new Set<string>();
  const read = <T>({ key, read: readValue }: Readable<T>): Promise<T> => {
    const take = async (): Promise<T> => {
      const at = await memo.now();
      const value = await readValue();
      await memo.put(key, { value, at });
      trusted.add(key);
      return value;
    };
    const value = take().finally(() => {
      if (running.get(key) === value) running.delete(key);
    });
    running.set(key, value);
    return value;
  };
  return {
    trusted,
    read,
    isRunning: (key: string): boolean => running.has(key),
    join: <T>(readable: Readable<T>): Promise<T> =>
      (running.get(readable.key) as Promise<T> | undefined) ?? read(readable),
    /** The value of a read that began and ended since the caller's own check. */
    readMeanwhile: async (key: string): Promise<Known | undefined> =>
      running.has(key) ? undefined : (await memo.get([key])).known.get(key),
  };
}

function createAges(memo: FactsMemo, refreshMs: number) {
  const isYoung = ({ at }: Known, now: number): boolean => now - at <= refreshMs;
  /** Read before the request, and old enough to be read again for it. */
  const isOverdue = (known: Known | undefined, now: number, since: number): boolean =>
    known !== undefined && since > known.at && !isYoung(known, now);
  return {
    isYoung,
    isOverdue,
    async untilNewer(keys: readonly string[], since: number, ms: number): Promise<void> {
      for (let left = ms; left > 0; left -= CHECK_EVERY_MS) {
        const { now, known } = await memo.get(keys);
        if (keys.every((key) => !isOverdue(known.get(key), now, since))) return;
        await sleep(Math.min(left, CHECK_EVERY_MS));
      }
    },
  };
}
