// Reads a list to its last page, whatever the server says (or does not say) about pages. It does no I/O of its
// own, and knows nothing of what is listed. Rule: an item may be called absent only if nothing could hide it.
import type { PageFacts } from './schemas.ts';

/**
 * [D] runcloud.io/docs/api/v3: at most 40. How many come where none are asked for (20 [D] v3/api-8617112, 15 [D] v2/api-9849787),
 * and whether RunCloud heeds what is asked for ([L]: shorter pages were seen), differs; so no rule here rests on a page's size.
 */
export const PER_PAGE = 40;
const MAX_PAGES = 500;
const MAX_READINGS = 3;

export interface Page<T> extends PageFacts {
  readonly items: readonly T[];
}

export interface PagedList<T> {
  readPage(page: number): Promise<Page<T>>;
  keyOf(item: T): string | number;
  /** Builds the error to throw; `lacks` completes "the reply …". */
  fail(lacks: string): Error;
}

/** Whether one reply, for which no page was asked, is the whole list. */
export function isWhole(rows: number, { total, lastPage }: PageFacts): boolean {
  if (lastPage !== undefined && lastPage > 1) return false;
  if (total !== undefined) return rows >= total;
  return rows === 0 || rows > PER_PAGE || lastPage === 1;
}

interface Snapshot<T> {
  readonly items: Map<string | number, T>;
  readonly totals: Set<number>;
  /** The last page that was read said so. */
  total: number | undefined;
  /** Pages that brought something new. */
  pages: number;
  /** A page repeated something and brought something new: the list moved under us. */
  moved: boolean;
  /** A page brought nothing new: the server ignores `page`, or clamps it. */
  repeated: boolean;
}

const isEnd = <T>(reading: Snapshot<T>, page: Page<T>, number: number): boolean =>
  // `total` and the last page's number must agree with what we saw; either of them alone may mean something else.
  reading.items.size === page.total && (page.lastPage === undefined || page.lastPage <= number);

/** Adds one page; true where the list ends with it. */
function take<T>(reading: Snapshot<T>, page: Page<T>, number: number, keyOf: PagedList<T>['keyOf']): boolean {
  const before = reading.items.size;
  for (const item of page.items) reading.items.set(keyOf(item), item);
  const fresh = reading.items.size - before;
  reading.total = page.total ?? reading.total;
  if (page.total !== undefined) reading.totals.add(page.total);
  if (page.items.length === 0) return true;
  if (fresh === 0) {
    reading.repeated = true;
    return true;
  }
  reading.pages += 1;
  if (fresh < page.items.length) reading.moved = true;
  return isEnd(reading, page, number);
}

async function readOnce<T>(list: PagedList<T>): Promise<Snapshot<T>> {
  const reading: Snapshot<T> = {
    items: new Map(),
    totals: new Set(),
    total: undefined,
    pages: 0,
    moved: false,
    repeated: false,
  };
  for (let number = 1; number <= MAX_PAGES; number += 1) {
    if (take(reading, await list.readPage(number), number, list.keyOf)) return reading;
  }
  throw list.fail(`goes on after ${MAX_PAGES} pages`);
}

/**
 * A reading that speaks for itself: the total stood still and is exactly what we saw; or, without a total, there is one page that
 * the server gives again for every number. A short page alone says nothing: how long a page is nobody knows. An empty list may be
 * an odd answer, so that it is read twice.
 */
function isSettled<T>({ items, totals, total, pages, moved, repeated }: Snapshot<T>): boolean {
  if (items.size === 0) return false;
  if (total !== undefined) return totals.size === 1 && !moved && items.size === total;
  return pages === 1 && repeated;
}

const isShort = <T>({ items, total }: Snapshot<T>): boolean => total !== undefined && items.size < total;

const contains = <T>(reading: Snapshot<T>, earlier: Snapshot<T> | undefined): boolean =>
  earlier !== undefined && [...earlier.items.keys()].every((key) => reading.items.has(key));

/**
 * All items, in the server's order, each once. A removal on an early page shifts the later ones, so that an item can
 * slip through between two pages: where that may have happened (the total changed, an item came twice, or there is
 * no total to check against), the list is read again, until a reading settles or holds all that the one before held.
 * Additions alone never hide an item, and a growing list passes. What stays open: one removal and one addition
 * between two pages of one reading, which leave the total as it was.
 */
export async function readAllPages<T>(list: PagedList<T>): Promise<T[]> {
  let earlier: Snapshot<T> | undefined;
  for (let nth = 1; nth <= MAX_READINGS; nth += 1) {
    const reading = await readOnce(list);
    if (!isShort(reading) && (isSettled(reading) || contains(reading, earlier))) {
      return [...reading.items.values()];
    }
    earlier = reading;
  }
  const said = earlier?.total === undefined ? '' : ` (${earlier.items.size} of ${earlier.total} came)`;
  throw list.fail(`names another list each time it is read${said}`);
}
