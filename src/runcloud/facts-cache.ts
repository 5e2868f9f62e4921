// Readings with an age: when one is read anew, and by whom. Two who ask at once share one reading; while a new one cannot be had, the
// old one serves.
import { setTimeout as sleep } from 'node:timers/promises';
import type { FactsMemo, Known } from './facts-memo.ts';

/** What to read, and under which name it is remembered. */
export interface Readable<T> {
  readonly key: string;
  read(): Promise<T>;
}

export type Found = Awaited<ReturnType<FactsMemo['get']>>;

interface Options {
  readonly memo: FactsMemo;
  /** Older is read anew. */
  readonly maxAgeMs: number;
  /** Younger is not read anew, whoever asks. */
  readonly refreshMs: number;
}

/** How long one who has to be answered waits for what another reads at this moment. */
const PATIENCE_MS = 2_000;
const LOOK_EVERY_MS = 100;
const NOTHING_KNOWN_MS = 600_000;

export function createCache({ memo, maxAgeMs, refreshMs }: Options) {
  const { renew, join, isUnderway, readMeanwhile, believed } = createReadings(memo);
  const { isYoung, isOverdue, untilNewer } = createAges(memo, refreshMs);
  /** When this process last had each turn: there is nobody to wait for where it read in vain. */
  const mine = new Map<string, number>();

  return {
    renew,
    /** Has read anew what was read before `since`: by one caller, in one turn. What cannot be read stays as it is. */
    async refresh(
      all: readonly Readable<unknown>[],
      { known, now }: Found,
      { turn, since }: { readonly turn: string; readonly since: number },
    ): Promise<boolean> {
      const overdue = all.filter(({ key }) => isOverdue(known.get(key), now, since));
      if (overdue.length === 0) return false;
      const takenAgoMs = await memo.lockRefresh(turn, refreshMs);
      if (takenAgoMs === 0) mine.set(turn, now);
      const ours = takenAgoMs === 0 ? overdue : overdue.filter(({ key }) => isUnderway(key));
      const keys = overdue.map(({ key }) => key);
      if (ours.length > 0) await Promise.allSettled(ours.map(join));
      else if (now - (mine.get(turn) ?? -Infinity) >= refreshMs)
        await untilNewer(keys, since, PATIENCE_MS - takenAgoMs);
      return true;
    },
    async serve<T>(asked: Readable<T>, { known, now }: Found): Promise<T> {
      const last = known.get(asked.key) ?? (await readMeanwhile(asked.key));
      if (!last) return join(asked);
      const value = last.value as T;
      if (isYoung(last, now)) believed.add(asked.key);
      // That there is nothing to know (null) may have been one odd answer.
      const longestMs = value === null ? Math.min(maxAgeMs, NOTHING_KNOWN_MS) : maxAgeMs;
      const isGood = now - last.at < longestMs && believed.has(asked.key);
      return isGood ? value : join(asked).catch(() => value);
    },
  };
}

function createReadings(memo: FactsMemo) {
  const underway = new Map<string, Promise<unknown>>();
  // A process that has just begun believes nothing old: who restarts it may want just that.
  const believed = new Set<string>();
  const renew = <T>({ key, read }: Readable<T>): Promise<T> => {
    const take = async (): Promise<T> => {
      const at = await memo.now();
      const value = await read();
      await memo.put(key, { value, at });
      believed.add(key);
      return value;
    };
    const reading = take().finally(() => {
      if (underway.get(key) === reading) underway.delete(key);
    });
    underway.set(key, reading);
    return reading;
  };
  return {
    believed,
    renew,
    isUnderway: (key: string): boolean => underway.has(key),
    join: <T>(asked: Readable<T>): Promise<T> =>
      (underway.get(asked.key) as Promise<T> | undefined) ?? renew(asked),
    /** Since the caller looked, somebody else may have begun a reading and ended it. */
    readMeanwhile: async (key: string): Promise<Known | undefined> =>
      underway.has(key) ? undefined : (await memo.get([key])).known.get(key),
  };
}

function createAges(memo: FactsMemo, refreshMs: number) {
  const isYoung = ({ at }: Known, now: number): boolean => now - at <= refreshMs;
  /** Read before somebody asked, and old enough to be read anew for that. */
  const isOverdue = (known: Known | undefined, now: number, since: number): boolean =>
    known !== undefined && since > known.at && !isYoung(known, now);
  return {
    isYoung,
    isOverdue,
    async untilNewer(keys: readonly string[], since: number, ms: number): Promise<void> {
      for (let left = ms; left > 0; left -= LOOK_EVERY_MS) {
        const { now, known } = await memo.get(keys);
        if (keys.every((key) => !isOverdue(known.get(key), now, since))) return;
        await sleep(Math.min(left, LOOK_EVERY_MS));
      }
    },
  };
}
