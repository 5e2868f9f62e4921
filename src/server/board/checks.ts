// The queue of password checks. Each takes 128 MB and half a second, so that one runs at a time; who was served least goes next, and
// nobody can fill the queue.
import { blockOf, networkOf } from '../../listening/network.ts';

export interface Checks {
  /** Runs `work` when its turn comes. Resolves with undefined where there is no place in the queue, or none any more. */
  run<T>(address: string, work: () => Promise<T>): Promise<T | undefined>;
  /** Nobody gets a turn any more. */
  close(): void;
}

interface Waiting {
  readonly network: string;
  readonly block: string;
  begin(): void;
  refuse(): void;
}

/** So long the last of the queue waits: some ten seconds. */
const MAX_WAITING = 20;
const MAX_OF_A_NETWORK = 3;
/** Networks that are remembered for having been served. */
const MAX_KNOWN = 10_000;

export function createChecks(): Checks {
  const waiting: Waiting[] = [];
  const served = createServed();
  let isBusy = false;
  let isClosed = false;
  const remove = (one: Waiting): void => void waiting.splice(waiting.indexOf(one), 1);
  const goOn = (): void => {
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
    // Who has most of the queue makes room for who has less.
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
            goOn();
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
      goOn();
      return promise;
    },
    close() {
      isClosed = true;
      for (const { refuse } of waiting.splice(0)) refuse();
    },
  };
}

/** Who was served when: whose block waits longest goes first, then whose network does, then who came first. */
function createServed() {
  let turn = 0;
  const turns = new Map<string, number>();
  const note = (key: string): void => {
    turns.delete(key);
    turns.set(key, turn);
    if (turns.size > MAX_KNOWN) turns.delete(turns.keys().next().value ?? key);
  };
  const keysOf = ({ network, block }: Waiting): [string, string] => [`block ${block}`, `network ${network}`];
  const turnsOf = (one: Waiting): number[] => keysOf(one).map((key) => turns.get(key) ?? 0);
  return {
    note(one: Waiting): void {
      turn += 1;
      for (const key of keysOf(one)) note(key);
    },
    compare(one: Waiting, other: Waiting): number {
      const [[block = 0, network = 0], [otherBlock = 0, otherNetwork = 0]] = [turnsOf(one), turnsOf(other)];
      return block - otherBlock || network - otherNetwork;
    },
  };
}
