// Cuts a list into pages as the reference's section 3 has it: 20 by default, 40 at most, in one of four
// envelopes. Knows nothing of what the rows are.
import type { Context } from './context.ts';
import type { Reply } from './replies.ts';
import { ok, unprocessable } from './replies.ts';

const DEFAULT_PER_PAGE = 20;
const MAX_PER_PAGE = 40;

interface Page {
  path: string;
  total: number;
  count: number;
  perPage: number;
  page: number;
  lastPage: number;
}

export function paginate<T>(context: Context, items: readonly T[], toRow: (item: T) => unknown): Reply {
  const { query, variants, path } = context;
  const asked = wholeNumber(query.get('perPage')) ?? DEFAULT_PER_PAGE;
  if (asked > MAX_PER_PAGE && variants.perPageOver40 === '422') {
    return unprocessable({ perPage: ['The per page may not be greater than 40.'] });
  }
  const perPage = Math.min(asked, MAX_PER_PAGE);
  const page = wholeNumber(query.get('page')) ?? 1;
  const ordered = variants.listOrder === 'newest-first' ? [...items].reverse() : items;
  const rows = ordered.slice((page - 1) * perPage, page * perPage).map(toRow);
  const lastPage = Math.max(1, Math.ceil(items.length / perPage));
  const meta = toMeta(context, { path, total: items.length, count: rows.length, perPage, page, lastPage });
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

function toLinks(style: 'empty' | 'urls' | 'array', { path, page, lastPage }: Page): unknown {
  // An empty PHP array prints as [] where an object is meant.
  if (style === 'array') return [];
  if (style === 'empty') return {};
  return {
    ...(page > 1 && { previous: `${path}?page=${page - 1}` }),
    ...(page < lastPage && { next: `${path}?page=${page + 1}` }),
  };
}
