// What the replies about lists and single objects say about the simulator's switches. Pure.
// packages/simulator/src/variant-table.ts has what each means.
// An uncertain switch is left out.
import {
  isNumeric,
  isOk,
  jsonOf,
  known,
  messageOf,
  numberOf,
  objectOf,
  type Replies,
  type Row,
  rowsOf,
} from './replies.ts';
import { isRow } from './shape.ts';

export function judgeLists(replies: Replies): Readonly<Record<string, string>> {
  const lists = { whole: replies['list-domains'], one: replies['list-one'] };
  const meta = metaOf(jsonOf(lists.whole));
  const defaultPerPage = judgeDefault(replies, meta);
  const perPageRequested = judgePerPage(replies, defaultPerPage);
  return known({
    metaShape: rowsOf(lists.whole) && meta.shape,
    metaLinks: judgeLinks(replies),
    defaultPerPage,
    perPageRequested,
    perPageOver40: judgeOver40(replies, perPageRequested),
    domainSearch: judgeSearch(replies),
    listOrder: judgeOrder(
      (rowsOf(lists.whole) ?? []).map(({ id }) => numberOf(id)),
      ['oldest-first', 'newest-first'],
    ),
    logOrder: judgeOrder(
      (rowsOf(replies.log) ?? []).map(({ created_at }) => momentOf(created_at)),
      ['oldest-first', 'newest-first'],
    ),
    ...judgeObjects(replies),
  });
}

interface Meta {
  readonly shape: string | undefined;
  readonly perPage: number | undefined;
  readonly total: number | undefined;
  readonly lastPage: number | undefined;
  readonly links: unknown;
}

function metaOf(body: unknown): Meta {
  const meta = isRow(body) && isRow(body.meta) ? body.meta : undefined;
  const pages = meta && (isRow(meta.pagination) ? meta.pagination : meta);
  return {
    shape: meta ? shapeOf(meta) : 'none',
    perPage: numberOf(pages?.per_page ?? pages?.perPage),
    total: numberOf(pages?.total),
    lastPage: numberOf(pages?.total_pages ?? pages?.lastPage ?? pages?.last_page),
    links: pages?.links,
  };
}

function shapeOf(meta: Row): string | undefined {
  if (isRow(meta.pagination)) return 'pagination';
  if ('lastPage' in meta) return 'lastPage';
  return 'last_page' in meta ? 'laravel' : undefined;
}

/** Certain only if there is a further page. */
function judgeLinks(replies: Replies): string | undefined {
  for (const name of ['list-one', 'list-domains']) {
    const { shape, lastPage = 0, links } = metaOf(jsonOf(replies[name]));
    if (shape !== 'pagination' || lastPage < 2) continue;
    if (Array.isArray(links)) return 'array';
    if (isRow(links)) return typeof links.next === 'string' ? 'urls' : 'empty';
  }
  return undefined;
}

function judgeDefault(replies: Replies, { perPage }: Meta): string | undefined {
  const rows = rowsOf(replies['list-domains'])?.length ?? 0;
  const size = perPage ?? (rows < countDomains(replies) ? rows : undefined);
  return size === 15 || size === 20 ? String(size) : undefined;
}

/** How many domains there are at least. */
export function countDomains(replies: Replies): number {
  const ids = ['list-domains', 'list-next', 'list-over'].flatMap((name) =>
    (rowsOf(replies[name]) ?? []).map(({ id }) => numberOf(id)),
  );
  return Math.max(new Set(ids).size, metaOf(jsonOf(replies['list-domains'])).total ?? 0);
}

function judgePerPage(replies: Replies, defaultPerPage: string | undefined): string | undefined {
  const [whole, one] = [rowsOf(replies['list-domains']), rowsOf(replies['list-one'])];
  if (!whole || !one) return undefined;
  const { perPage } = metaOf(jsonOf(replies['list-one']));
  if (perPage !== undefined) return perPage === 1 ? 'honoured' : 'ignored';
  if (whole.length < 2) return undefined;
  if (one.length === 1) return 'honoured';
  return one.length === whole.length || String(one.length) === defaultPerPage ? 'ignored' : undefined;
}

function judgeOver40(replies: Replies, perPageRequested: string | undefined): string | undefined {
  const reply = replies['list-over'];
  if (reply?.status === 422) return '422';
  return isOk(reply) && perPageRequested === 'honoured' && (rowsOf(reply)?.length ?? 41) <= 40
    ? 'clamp'
    : undefined;
}

function judgeSearch(replies: Replies): string | undefined {
  const [all, found] = [rowsOf(replies['list-domains']), rowsOf(replies['list-search'])];
  if (!all || !found || all.length === 0) return undefined;
  return found.length === 0 ? 'filters' : 'ignored';
}

function judgeOrder(
  values: readonly (number | undefined)[],
  [rising, falling]: readonly [string, string],
): string | undefined {
  const [first, last] = [values[0], values.at(-1)];
  if (first === undefined || last === undefined || first === last) return undefined;
  return first < last ? rising : falling;
}

const momentOf = (value: unknown): number | undefined => {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
};

function judgeObjects(replies: Replies): Readonly<Record<string, string | undefined>> {
  const [server, domain] = [objectOf(replies['get-server']), rowsOf(replies['list-domains'])?.[0]];
  return {
    singleObjects: server && (server.isWrapped ? 'wrapped' : 'flat'),
    numbers: judgeNumbers(server?.row.id),
    booleans: judgeBooleans(domain?.www, server?.row.connected),
    errorBody: judgeErrorBody(replies),
    domainFields: domain && judgeFields(domain),
    domainStatus: domain && judgeStatus(domain.status),
    idnReply: judgeIdn(rowsOf(replies['list-domains']) ?? []),
    contentTypeOn: judgeContentType(replies),
    rateLimitHeaders: replies.ping && (replies.ping.remaining === undefined ? 'absent' : 'sent'),
  };
}

function judgeNumbers(id: unknown): string | undefined {
  if (!isNumeric(id)) return undefined;
  return typeof id === 'string' ? 'strings' : 'numbers';
}

/** Documented: 0 or 1 in domains, true or false elsewhere. */
function judgeBooleans(www: unknown, connected: unknown): string | undefined {
  if (isNumeric(connected)) return 'numbers';
  if (typeof connected !== 'boolean' || www === undefined) return undefined;
  if (typeof www === 'boolean') return 'booleans';
  return isNumeric(www) ? 'as-documented' : undefined;
}

function judgeErrorBody({ 'unknown-domain': reply }: Replies): string | undefined {
  if (reply?.status !== 404) return undefined;
  if (reply.body.kind === 'empty') return 'empty';
  return messageOf(reply) === undefined ? undefined : 'message';
}

function judgeFields(domain: Row): string | undefined {
  if ('type' in domain) return 'full';
  return 'www' in domain ? 'without-type' : 'minimal';
}

const judgeStatus = (status: unknown): string | undefined =>
  status === null ? 'null' : status === 'active' || status === 'pending' ? status : undefined;

function judgeIdn(rows: readonly Row[]): string | undefined {
  const names = rows.map(({ name }) => (typeof name === 'string' ? name : ''));
  if (names.some((name) => /[^\x20-\x7e]/.test(name))) return 'unicode';
  return names.some((name) => /(^|\.)xn--/i.test(name)) ? 'ascii' : undefined;
}

function judgeContentType({ ping, 'ping-bare': bare }: Replies): string | undefined {
  if (!isOk(ping) || bare === undefined) return undefined;
  return isOk(bare) ? 'body-only' : bare.status < 500 && bare.status !== 429 ? 'every-request' : undefined;
}
