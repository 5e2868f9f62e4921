// The queue of password checks. A check takes 128 MB and half a second, so one runs at a time. The
// network that was served least goes next, and no network can fill the queue.
import { blockOf, networkOf } from '../../listening/network.ts';

export interface Checks {
  /**
   * Runs `work` when it is next. Resolves with undefined if the queue has no place, or no longer.
   */
  run<T>(address: string, work: () => Promise<T>): Promise<T | undefined>;
  /** Refuses all that wait. */
  close(): void;
}

interface Waiting {
  readonly network: string;
  readonly block: string;
  begin(): void;
  refuse(): void;
}

/** The last one waits about ten seconds. */
const MAX_WAITING = 20;
const MAX_OF_A_NETWORK = 3;
/** Networks whose last check is remembered. */
const MAX_KNOWN = 10_000;

export function createChecks(): Checks {
  const waiting: Waiting[] = [];
  const served = createServed();
  let isBusy = false;
  let isClosed = false;
  const remove = (one: Waiting): void => void waiting.splice(waiting.indexOf(one), 1);
  const runNext = (): void => {
    const [next] = waiting.toSorted(served.compare);
    if (isBusy || !next) return;
    isBusy = true;
    remove(next);
    served.note(next);
    next.begin();
  };
  const hasPlace = ({ network, block }: Waiting): boolean => {
    if (isClosed || waiting.filter((one) => one.network === network).length >= MAX_OF_A_NETWORK) return false;
    if (waiting.length < MAX_WAITING) return true;
    // The block with the most places gives one up.
    const largest = [...Map.groupBy(waiting, (one) => one.block).values()].reduce((a, b) =>
      b.length > a.length ? b : a,
    );
    const own = waiting.filter((one) => one.block === block).length;
    const last = largest.at(-1);
    if (own + 1 >= largest.length || !last) return false;
    remove(last);
    last.refuse();
    return true;
  };
  return {
    run<T>(address: string, work: () => Promise<T>): Promise<T | undefined> {
      const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
      const begin = (): void => {
        work()
          .then(resolve, reject)
          .finally(() => {
            isBusy = false;
            runNext();
          });
      };
      const requester: Waiting = {
        network: networkOf(address),
        block: blockOf(address),
        begin,
        refuse: () => resolve(undefined),
      };
      if (!hasPlace(requester)) return Promise.resolve(undefined);
      waiting.push(requester);
      runNext();
      return promise;
    },
    close() {
      isClosed = true;
      for (const { refuse } of waiting.splice(0)) refuse();
    },
  };
}

/** The order: the block that has waited longest, then the network, then the first to come. */
function createServed() {
  let count = 0;
  const lastServed = new Map<string, number>();
  const note = (key: string): void => {
    lastServed.delete(key);
    lastServed.set(key, count);
    if (lastServed.size > MAX_KNOWN) lastServed.delete(lastServed.keys().next().value ?? key);
  };
  const keysOf = ({ network, block }: Waiting): [string, string] => [`block ${block}`, `network ${network}`];
  const servedAt = (one: Waiting): number[] => keysOf(one).map((key) => lastServed.get(key) ?? 0);
  return {
    note(one: Waiting): void {
      count += 1;
      for (const key of keysOf(one)) note(key);
    },
    compare(one: Waiting, other: Waiting): number {
      const [block = 0, network = 0] = servedAt(one);
      const [otherBlock = 0, otherNetwork = 0] = servedAt(other);
      return block - otherBlock || network - otherNetwork;
    },
  };
}
