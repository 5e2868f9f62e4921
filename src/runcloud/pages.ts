// Reads a list to its last page, whatever the server sends about pages. Does no I/O of its own, and
// does not know the items. Rule: an item counts as absent only if nothing could hide it.
import { faults } from './messages.ts';
import type { PageFacts } from './schemas.ts';

/**
 * [D] runcloud.io/docs/api/v3: at most 40. The default differs (20 [D] v3/api-8617112, 15 [D]
 * v2/api-9849787), and RunCloud may send shorter pages than requested ([L]). So no rule here relies
 * on a page's size.
 */
export const PER_PAGE = 40;
const MAX_PAGES = 500;
const MAX_READS = 3;

export interface Page<T> extends PageFacts {
  readonly items: readonly T[];
}

export interface PagedList<T> {
  readPage(page: number): Promise<Page<T>>;
  keyOf(item: T): string | number;
  /** Builds the error to throw. `fault`: one of messages.ts. */
  fail(fault: string): Error;
}

/** Whether one reply to a request without a page number is the whole list. */
export function isWhole(rows: number, { total, lastPage }: PageFacts): boolean {
  if (lastPage !== undefined && lastPage > 1) return false;
  if (total !== undefined) return rows >= total;
  return rows === 0 || rows > PER_PAGE || lastPage === 1;
}

interface Snapshot<T> {
  readonly items: Map<string | number, T>;
  readonly totals: Set<number>;
  /** As the last page has it. */
  total: number | undefined;
  /** Pages with a new item. */
  pages: number;
  /** A page had known and new items: the list changed between the pages. */
  moved: boolean;
  /** A page had no new item: the server ignores `page`, or clamps it. */
  repeated: boolean;
}

const isEnd = <T>(snapshot: Snapshot<T>, page: Page<T>, number: number): boolean =>
  // `total` and the last page's number must both agree with the items. Alone, either may mean
  // something else.
  snapshot.items.size === page.total && (page.lastPage === undefined || page.lastPage <= number);

/** Adds one page. True if the list ends with it. */
function take<T>(
  snapshot: Snapshot<T>,
  page: Page<T>,
  number: number,
  keyOf: PagedList<T>['keyOf'],
): boolean {
  const before = snapshot.items.size;
  for (const item of page.items) snapshot.items.set(keyOf(item), item);
  const fresh = snapshot.items.size - before;
  snapshot.total = page.total ?? snapshot.total;
  if (page.total !== undefined) snapshot.totals.add(page.total);
  if (page.items.length === 0) return true;
  if (fresh === 0) {
    snapshot.repeated = true;
    return true;
  }
  snapshot.pages += 1;
  if (fresh < page.items.length) snapshot.moved = true;
  return isEnd(snapshot, page, number);
}

async function readOnce<T>(list: PagedList<T>): Promise<Snapshot<T>> {
  const snapshot: Snapshot<T> = {
    items: new Map(),
    totals: new Set(),
    total: undefined,
    pages: 0,
    moved: false,
    repeated: false,
  };
  for (let number = 1; number <= MAX_PAGES; number += 1) {
    if (take(snapshot, await list.readPage(number), number, list.keyOf)) return snapshot;
  }
  throw list.fail(faults.endless(MAX_PAGES));
}

/**
 * A snapshot that needs no second one. Either its total never changed and equals the items; or,
 * without a total, there is one page, which the server sends for every number. A short page proves
 * nothing: the page size is unknown. An empty list may be an odd answer, so it is read twice.
 */
function isSettled<T>({ items, totals, total, pages, moved, repeated }: Snapshot<T>): boolean {
  if (items.size === 0) return false;
  if (total !== undefined) return totals.size === 1 && !moved && items.size === total;
  return pages === 1 && repeated;
}

const isShort = <T>({ items, total }: Snapshot<T>): boolean => total !== undefined && items.size < total;

const contains = <T>(snapshot: Snapshot<T>, earlier: Snapshot<T> | undefined): boolean =>
  earlier !== undefined && [...earlier.items.keys()].every((key) => snapshot.items.has(key));

/**
 * All items, in the server's order, each once. A removal on an early page shifts the later ones, so
 * an item may be missed between two pages. Signs of that: the total changed, an item came twice, or
 * there is no total. Then the list is read again, until a snapshot is settled or contains the one
 * before. Additions alone never hide an item. One case stays open: one removal and one addition
 * between two pages of one snapshot leave the total as it was.
 */
export async function readAllPages<T>(list: PagedList<T>): Promise<T[]> {
  let earlier: Snapshot<T> | undefined;
  for (let nth = 1; nth <= MAX_READS; nth += 1) {
    const snapshot = await readOnce(list);
    if (!isShort(snapshot) && (isSettled(snapshot) || contains(snapshot, earlier))) {
      return [...snapshot.items.values()];
    }
    earlier = snapshot;
  }
  throw list.fail(faults.changing(earlier?.items.size ?? 0, earlier?.total));
}
