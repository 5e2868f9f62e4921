// What the board may show of a job, and which requests come from its own pages.
import { describe, expect, test } from '@jest/globals';
import { createScrub } from '../../src/logger/logger.ts';
import { isFromOwnPage, withoutInlineStyle } from '../../src/server/board/headers.ts';
import { dataNotShown, fieldsNotShown } from '../../src/server/board/messages.ts';
import { loginPage } from '../../src/server/board/pages.ts';
import { createShown } from '../../src/server/board/shown.ts';

const SECRET = 'rc_live_4f9a7713c2';
const shown = createShown(createScrub([SECRET]));

describe('of a payload', () => {
  test('the fields that our jobs have are shown, and of the others only how many there are', () => {
    const data = { domain: 'shop.example.org', siteId: 12, www: true, apiKey: 'hunter2', deep: { a: 1 } };
    expect(shown.data(data)).toEqual({
      domain: 'shop.example.org',
      siteId: 12,
      www: true,
      note: fieldsNotShown(2),
    });
  });

  test('long values are cut, secrets hidden, and objects in known fields left out', () => {
    const { domain, requestedBy, siteId } = shown.data({
      domain: 'a'.repeat(5000),
      requestedBy: `me ${SECRET}`,
      siteId: { secret: 'hunter2' },
    }) as Record<string, string>;
    expect(domain).toHaveLength(301);
    expect(requestedBy).toBe('me ***');
    expect(siteId).toBe('');
  });

  test.each([undefined, null, 'text', 7, ['a']])('%j, which is no object, is not shown', (data) => {
    expect(shown.data(data)).toEqual({ note: dataNotShown });
  });
});

test('of a job the reason, the stacks and the options are shown without secrets and at limited length', () => {
  const job = shown.job({
    id: '7',
    name: 'add-domain',
    data: {},
    failedReason: `denied for ${SECRET}`,
    stacktrace: Array.from({ length: 50 }, () => `Error: ${SECRET} ${'x'.repeat(9000)}`),
    opts: { attempts: 5, parent: { id: SECRET }, telemetry: { metadata: SECRET } },
    deferredFailure: SECRET,
    processedBy: SECRET,
    progress: { note: SECRET },
  });
  const text = JSON.stringify(job);
  expect(text).not.toContain(SECRET);
  expect(text.length).toBeLessThan(25_000);
  expect(job).toMatchObject({ failedReason: 'denied for ***', opts: { attempts: 5 }, progress: 0 });
});

test('invisible characters, and those that turn the direction of writing, are spelled out', () => {
  const typed = 'a\u202eb\u200d\u001b[31m';
  const all = [
    shown.data({ domain: typed }),
    shown.text(typed),
    shown.job({ id: typed, failedReason: typed, stacktrace: [typed] }),
    shown.logs([typed]),
  ];
  expect(JSON.stringify(all)).not.toMatch(/[\p{Cc}\p{Cf}]|[^\\]\\u/u);
  expect(shown.text(typed)).toBe('a\\u202eb\\u200d\\u001b[31m');
});

describe('a request that changes something', () => {
  const from = (headers: Record<string, string>, host = 'board.example.org:8787') =>
    isFromOwnPage({ headers, host });

  test.each(['cross-site', 'same-site', 'none'])('is refused with Sec-Fetch-Site: %s', (site) => {
    expect(from({ 'sec-fetch-site': site, origin: 'http://board.example.org:8787' })).toBe(false);
  });
  test('is taken from the same origin, also where a proxy rewrites the host', () => {
    expect(from({ 'sec-fetch-site': 'same-origin', origin: 'https://outer.example.org' })).toBe(true);
    expect(from({ origin: 'http://board.example.org:8787' })).toBe(true);
    expect(from({ origin: 'https://board.example.org' }, 'board.example.org:443')).toBe(true);
  });
  test.each([
    'http://evil.example.org',
    'http://board.example.org',
    'http://board.example.org:8787.evil.org',
    'null',
    'file://',
    '',
  ])('is refused from the origin %j', (origin) => {
    expect(from({ origin })).toBe(false);
  });
  test('is refused where the browser says nothing at all', () => {
    expect(from({})).toBe(false);
  });
});

test('nothing that somebody typed becomes markup on the login page', () => {
  const { html } = loginPage({
    base: '/board',
    token: '"><script>',
    next: '/board/"onfocus="x',
    problem: '<img src=x>',
  });
  expect(html).not.toMatch(/<script|<img|"onfocus/);
});

test("of Bull Board's page the other host and the inline style are taken away", () => {
  const page =
    '<link href="https://fonts.googleapis.com/css2?x" rel="stylesheet"><p style="color:red">a</p><style>p{}</style>';
  expect(withoutInlineStyle(page)).toBe('<p>a</p>');
});
