// Many requests at once, with what concerns one domain in its order.
import { domainToASCII } from 'node:url';

/** Enough to hide the round trips, few enough that each is answered within a producer's deadline on a busy machine. */
const AT_ONCE = 20;

/**
 * Calls `work` for each of `items`, several at a time; resolves with the results in the items' order. Items of one domain, or of its www
 * name, go one after the other: the later one is the newer request, which counts or is refused. Rejects with what `work` first throws.
 */
export async function inOrder<T, R>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const turn = createPeriodic();
  const entries = items.entries();
  const lane = async (): Promise<void> => {
    for (const [i, item] of entries) results[i] = await turn(item, () => work(item, i));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return results;
}

function createPeriodic() {
  const last = new Map<unknown, Promise<unknown>>();
  return <T>(input: unknown, work: () => Promise<T>): Promise<T> => {
    const name = (input as { domain?: unknown } | null)?.domain;
    const key =
      typeof name === 'string'
        ? domainToASCII(name)
            .toLowerCase()
            .replace(/^www\.|\.$/g, '')
        : {};
    const before = last.get(key) ?? Promise.resolve();
    const run = before.then(work, work);
    last.set(key, run);
    return run;
  };
}
