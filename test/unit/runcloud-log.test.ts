// RunCloud's log of a web application: what is read of it, what is left out, and how often it is read.
import { describe, expect, test } from '@jest/globals';
import { UnknownResultError } from '../../src/runcloud/errors.ts';
import { createLogReader } from '../../src/runcloud/log-reader.ts';
import type { LogEntry } from '../../src/runcloud/runcloud.ts';
import { app, failureOf, type Script, send, startScripted } from './runcloud-scripted-server.ts';

const NOON = Date.parse('2026-11-27T12:00:00Z');
const row = (content: unknown, created_at: unknown = '2026-11-27 12:00:00', kind: unknown = 'Warning') => ({
  kind,
  content,
  created_at,
});

async function read(body: unknown, since = 0): Promise<LogEntry[]> {
  await using server = await startScripted((_, response) => send(response, 200, body));
  const entries = await server.client().readLog(app, since);
  expect(server.requests.map(({ path, query }) => `${path}?${query}`)).toEqual([
    '/servers/1903/webapps/646/log?page=1&perPage=40',
  ]);
  return entries;
}

describe('one page', () => {
  test('has what came since, the newest first, whatever order it comes in', async () => {
    const rows = [
      row('old', '2026-11-27 11:59:59'),
      row('first'),
      row('last', '2026-11-27 12:00:01', 'Info'),
    ];
    for (const data of [rows, rows.toReversed()]) {
      expect(await read({ data }, NOON)).toEqual([
        { kind: 'Info', content: 'last', at: NOON + 1000 },
        { kind: 'Warning', content: 'first', at: NOON },
      ]);
    }
  });

  test.each<[unknown, number | undefined]>([
    ['2026-11-27T12:00:00.000Z', NOON],
    ['2026-11-27T13:00:00+01:00', NOON],
    ['a moment ago', undefined],
    [null, undefined],
  ])('with the time %s', async (created_at, at) => {
    expect(await read([row('line', created_at)], NOON)).toEqual([{ kind: 'Warning', content: 'line', at }]);
  });

  test('leaves out what is no line, and shortens what is too long', async () => {
    const entries = await read({ data: [row(7), null, 'text', {}, row('x '.repeat(400), NOON, null)] });
    expect(entries).toHaveLength(1);
    expect(entries[0]?.content).toHaveLength(300);
  });

  test.each([
    'Database user shop_admin has been created',
    'database user "shop_admin" failed',
    'User shop_admin: access denied',
    'username=shop_admin',
    'Granted database shop_admin to user shop_admin',
    'password: shop_admin',
    'DB user named shop_admin is gone',
  ])('hides the names of databases and their users: %s', async (content) => {
    const [entry] = await read({ data: [row(content)] });
    expect(entry?.content).toContain('***');
    expect(entry?.content).not.toContain('shop_admin');
  });

  test('keeps a sentence about a certificate as it is', async () => {
    const content =
      'Failed to deploy SSL for shop.example.com: domain is not found in the selected DNS provider';
    expect(await read({ data: [row(content)] })).toMatchObject([{ content }]);
  });

  test('that is no list is an unknown result', async () => {
    expect(await failureOf(read({ message: 'ok' }))).toBeInstanceOf(UnknownResultError);
  });
});

describe('the reader', () => {
  const order = (orderedAt: number, now: number) => ({ orderedAt, now });
  const MINUTE = 60_000;

  async function withReader(
    script: Script,
    run: (reader: ReturnType<typeof createLogReader>) => Promise<void>,
  ) {
    await using server = await startScripted(script);
    await run(createLogReader({ runcloud: server.client() }));
    return server.requests.length;
  }
  const one: Script = (_, response) => send(response, 200, { data: [row('line')] });

  test('asks once for all whose order failed at the same time', async () => {
    const calls = await withReader(one, async (reader) => {
      const at = NOON + 30 * MINUTE;
      const pages = [NOON, NOON + 1000, NOON - 1000].map((orderedAt) =>
        reader.since(app, order(orderedAt, at)),
      );
      for (const entries of await Promise.all(pages)) expect(entries).toHaveLength(1);
      await reader.since(app, order(NOON + 2000, at + MINUTE / 2));
    });
    expect(calls).toBe(1);
  });

  test.each([
    ['a minute later', order(NOON, NOON + 31 * MINUTE)],
    [
      'for an order that was placed after the page was read',
      order(NOON + 30 * MINUTE + 1, NOON + 30 * MINUTE + 500),
    ],
  ])('asks again %s', async (_, later) => {
    const calls = await withReader(one, async (reader) => {
      await reader.since(app, order(NOON, NOON + 30 * MINUTE));
      await reader.since(app, later);
    });
    expect(calls).toBe(2);
  });

  test('leaves out what came long before the order', async () => {
    await withReader(one, async (reader) => {
      expect(await reader.since(app, order(NOON + 10 * MINUTE, NOON + 40 * MINUTE))).toEqual([]);
    });
  });

  test.each([401, 403, 404, 429, 500])('says nothing where the log cannot be read (%i)', async (status) => {
    await withReader(
      (_, response) => send(response, status, { message: 'no' }),
      async (reader) => {
        expect(await reader.since(app, order(NOON, NOON + 1))).toEqual([]);
      },
    );
  });
});
