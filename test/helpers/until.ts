// Waiting for a condition instead of for time: the only way in which tests of the whole let time pass.
import { setTimeout as sleep } from 'node:timers/promises';

/** A hang guard, far above what any condition needs; never a measurement. */
const GUARD_MS = 180_000;
const LOOK_EVERY_MS = 15;

/** Resolves with the first truthy value of `condition`; throws what was waited for when it never comes. */
export async function until<T>(
  condition: () => T | Promise<T>,
  what: string,
  guardMs = GUARD_MS,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + guardMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(LOOK_EVERY_MS);
  }
}

/** Runs `work` over `items`, `atOnce` at a time; results in the order of the items. */
export async function inParallel<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const runner = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, runner));
  return results;
}
