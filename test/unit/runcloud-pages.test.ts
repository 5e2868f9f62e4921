// Lists are read to the last page, whatever the server says about pages: against a scripted local server.
import { describe, expect, test } from '@jest/globals';
import { UnknownResultError } from '../../src/runcloud/errors.ts';
import { faults } from '../../src/runcloud/messages.ts';
import { app, failureOf, type ReceivedRequest, send, startScripted } from './runcloud-scripted-server.ts';

interface Row {
  readonly id: number;
  readonly name: string;
}
const row = (id: number): Row => ({ id, name: `d${id}.example` });
const range = (from: number, to: number): Row[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => row(from + index));
const ids = (rows: readonly { id: number }[]): number[] => rows.map(({ id }) => id);

/** What one GET of the list answers: all rows there are now, the requested page, and how many pages came before. */
type Answer = (page: number, nth: number, request: ReceivedRequest) => unknown;

async function list(answer: Answer): Promise<{ rows: number[]; calls: number; pages: string[] }> {
  await using server = await startScripted((request, response) => {
    const page = Number(request.query.get('page') ?? 1);
    send(response, 200, answer(page, server.requests.length, request));
  });
  const rows = ids(await server.client().listDomains(app));
  return {
    rows,
    calls: server.requests.length,
    pages: server.requests.map(({ query }) => query.get('page') ?? ''),
  };
}

async function failToList(answer: Answer): Promise<{ error: Error; calls: number }> {
  await using server = await startScripted((request, response) => {
    send(response, 200, answer(Number(request.query.get('page') ?? 1), server.requests.length, request));
  });
  const error = await failureOf(server.client().listDomains(app));
  return { error, calls: server.requests.length };
}

const cut = (rows: readonly Row[], page: number, perPage = 40): Row[] =>
  rows.slice((page - 1) * perPage, page * perPage);
const documented = (rows: readonly Row[], page: number, perPage = 40): unknown => ({
  data: cut(rows, page, perPage),
  meta: {
    pagination: {
      total: rows.length,
      per_page: perPage,
      current_page: page,
      total_pages: Math.ceil(rows.length / perPage) || 1,
      links: {},
    },
  },
});
const all = range(1, 45);

describe('a list that stands still', () => {
  test('asks for pages of 40, the documented maximum', async () => {
    await list((page, _, { query }) => {
      expect(query.get('perPage')).toBe('40');
      return documented(all, page);
    });
  });

  test.each<[string, Answer, number, number[]]>([
    ['as documented: one call more than nothing', (page) => documented(all, page), 2, ids(all)],
    ['as documented, one page: one call', (page) => documented(range(1, 3), page), 1, [1, 2, 3]],
    [
      'as documented, full page and no more: one call',
      (page) => documented(range(1, 40), page),
      1,
      ids(range(1, 40)),
    ],
    ['empty, as documented: twice, since that may be an odd answer', (page) => documented([], page), 2, []],
    ['perPage ignored: pages of 20', (page) => documented(all, page, 20), 3, ids(all)],
    ['perPage clamped to 15', (page) => documented(all, page, 15), 3, ids(all)],
    [
      'lastPage alone: till an empty page, and twice',
      (page) => ({ data: cut(all, page), meta: { lastPage: 2 } }),
      6,
      ids(all),
    ],
    [
      'a few rows without meta: till an empty page, and twice, since nobody knows how long a page is',
      (page) => ({ data: cut(range(1, 5), page) }),
      4,
      ids(range(1, 5)),
    ],
    ['many rows without meta: two reads that agree', (page) => ({ data: cut(all, page) }), 6, ids(all)],
    ['short pages without meta, perPage ignored', (page) => cut(all, page, 20), 8, ids(all)],
    ['everything at once, `page` ignored, no meta', () => all, 2, ids(all)],
    ['everything at once, with a total', () => ({ data: all, meta: { total: 45 } }), 1, ids(all)],
    ['empty without meta', () => ({ data: [] }), 2, []],
    [
      'numbers as text',
      (page) => ({ data: cut(all, page), meta: { total: '45', lastPage: '2' } }),
      2,
      ids(all),
    ],
    [
      'a total that is the page’s own count: the last page’s number says that there is more',
      (page) => ({
        data: cut(all, page),
        meta: { pagination: { total: cut(all, page).length, total_pages: 2 } },
      }),
      6,
      ids(all),
    ],
    [
      'a total that is too small but never changes',
      (page) => ({ data: cut(all, page), meta: { pagination: { total: 30, total_pages: 1 } } }),
      6,
      ids(all),
    ],
  ])('%s', async (_, answer, calls, expected) => {
    const result = await list(answer);
    expect(result.rows).toEqual(expected);
    expect(result.calls).toBe(calls);
  });
});

describe('a server that cannot be believed', () => {
  test('repeats page 1 for ever: an error that says how much came, not a short list', async () => {
    const { error, calls } = await failToList(() => documented(all, 1, 20));
    expect(error).toBeInstanceOf(UnknownResultError);
    expect(error.message).toContain('20 of 45 came');
    expect(calls).toBe(6);
  });

  test('says 3 and gives none', async () => {
    const { error } = await failToList(() => ({ data: [], meta: { pagination: { total: 3 } } }));
    expect(error.message).toContain('0 of 3 came');
  });

  test('never ends', async () => {
    const { error, calls } = await failToList((page) => ({ data: [row(page)] }));
    expect(error.message).toContain(faults.endless(500));
    expect(calls).toBe(500);
  });

  test.each<[string, unknown, string]>([
    ['no list', { message: 'ok' }, faults.noList],
    ['no body', undefined, faults.noList],
    ['a row without a name', { data: [{ id: 1 }] }, faults.namelessDomain],
  ])('%s', async (_, body, message) => {
    const { error } = await failToList(() => body);
    expect(error).toBeInstanceOf(UnknownResultError);
    expect(error.message).toContain(message);
  });
});

describe('a list that changes while it is read', () => {
  test('a removal on page 1 between two pages hides nothing', async () => {
    const later = all.slice(1);
    const { rows } = await list((page, nth) => documented(nth === 1 ? all : later, page));
    expect(rows).toEqual(ids(later));
    expect(rows).toContain(41);
  });

  test('a removal that leaves exactly one full page hides nothing', async () => {
    const { rows } = await list((page, nth) => documented(nth === 1 ? range(1, 41) : range(2, 41), page));
    expect(rows).toEqual(ids(range(2, 41)));
  });

  test('the same without any meta', async () => {
    const later = all.slice(1);
    const { rows } = await list((page, nth) => ({ data: cut(nth === 1 ? all : later, page) }));
    expect(rows).toEqual(ids(later));
  });

  test.each([10, 15, 20])('the same in pages of %i, of which one becomes the whole list', async (size) => {
    const before = range(1, size + 1);
    const later = range(2, size + 1);
    const { rows } = await list((page, nth) => ({ data: cut(nth === 1 ? before : later, page, size) }));
    expect(rows).toEqual(ids(later));
  });

  test('an addition in front (newest first) names nothing twice', async () => {
    const before = all.toReversed();
    const after = [row(46), ...before];
    const { rows } = await list((page, nth) => documented(nth === 1 ? before : after, page));
    expect(rows).toEqual(ids(after));
  });

  test('a list that grows with every page passes', async () => {
    const { rows } = await list((page, nth) => documented(range(1, 45 + nth), page));
    expect(rows.slice(0, 45)).toEqual(ids(all));
    expect(new Set(rows).size).toBe(rows.length);
  });

  test('a list that shrinks with every page is an error after three reads, not a guess', async () => {
    const { error, calls } = await failToList((page, nth) => documented(range(1 + nth, 85), page));
    expect(error).toBeInstanceOf(UnknownResultError);
    expect(error.message).toContain(faults.changing(0, undefined));
    expect(calls).toBeLessThanOrEqual(12);
  });
});
