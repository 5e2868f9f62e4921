// Cuts a list into pages as the reference's sections 3 and 13 have it: 20 or 15 by default, 40 at most, in one of four
// envelopes. Knows nothing of what the rows are.
import type { Context } from './context.ts';
import type { Reply } from './replies.ts';
import { ok, unprocessable } from './replies.ts';

const MAX_PER_PAGE = 40;

interface Page {
  /** Address without the query. */
  url: string;
  total: number;
  count: number;
  perPage: number;
  page: number;
  lastPage: number;
}

export function paginate<T>(context: Context, items: readonly T[], toRow: (item: T) => unknown): Reply {
  const isReversed = context.variants.listOrder === 'newest-first';
  const ordered = isReversed ? [...items].reverse() : items;
  return cutPage(context, ordered.map(toRow), Number(context.variants.defaultPerPage));
}

/** The requested page of rows in their order. */
export function cutPage(context: Context, all: readonly unknown[], defaultPerPage: number): Reply {
  const { query, variants, origin, path } = context;
  const given = variants.perPageRequested === 'honoured' ? wholeNumber(query.get('perPage')) : null;
  const requested = given ?? defaultPerPage;
  if (requested > MAX_PER_PAGE && variants.perPageOver40 === '422') {
    return unprocessable({ perPage: ['The per page may not be greater than 40.'] });
  }
  const perPage = Math.min(requested, MAX_PER_PAGE);
  const page = wholeNumber(query.get('page')) ?? 1;
  const rows = all.slice((page - 1) * perPage, page * perPage);
  const lastPage = Math.max(1, Math.ceil(all.length / perPage));
  const url = `${origin}${path}`;
  const meta = toMeta(context, { url, total: all.length, count: rows.length, perPage, page, lastPage });
  return ok({ data: rows, ...meta });
}

/** What is no positive whole number counts as not sent, as Laravel's paginator does [I]. */
function wholeNumber(text: string | null): number | null {
  return text !== null && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null;
}

/** Four sources, four shapes (section 3, "Conflict"). */
function toMeta({ variants }: Context, page: Page): { meta?: unknown } {
  const { total, count, perPage, page: current, lastPage } = page;
  switch (variants.metaShape) {
    case 'none':
      return {};
    case 'lastPage':
      return { meta: { total, perPage, currentPage: current, lastPage } };
    case 'laravel':
      return { meta: { current_page: current, last_page: lastPage, per_page: perPage, total } };
    case 'pagination': {
      const numbers = { total, count, per_page: perPage, current_page: current, total_pages: lastPage };
      return { meta: { pagination: { ...numbers, links: toLinks(variants.metaLinks, page) } } };
    }
  }
}

function toLinks(style: 'empty' | 'urls' | 'array', { url, page, lastPage }: Page): unknown {
  // An empty PHP array prints as [] where an object is meant.
  if (style === 'array') return [];
  if (style === 'empty') return {};
  return {
    ...(page > 1 && { previous: `${url}?page=${page - 1}` }),
    ...(page < lastPage && { next: `${url}?page=${page + 1}` }),
  };
}
