// The path below which a proxy shows the server: what may be one, and how it is taken off.
import { describe, expect, test } from '@jest/globals';
import { toPathPrefix, withoutOrigin, withoutPrefix } from '../../src/listening/prefix.ts';
import { prefixIn } from '../../src/server/prefix.ts';

describe('toPathPrefix', () => {
  test.each([
    ['/', ''],
    ['', ''],
    ['/domains', '/domains'],
    ['/domains/', '/domains'],
    ['domains', '/domains'],
    ['/a/b-c/d_e/f.g/~h', '/a/b-c/d_e/f.g/~h'],
    ['/boards', '/boards'],
    ['/domains/board', '/domains/board'],
  ])('takes %j as %j', (text, prefix) => expect(toPathPrefix(text)).toBe(prefix));

  test.each([
    '//evil.example',
    '///evil.example',
    '//',
    '/\\evil.example',
    '/a//b',
    '/a/../b',
    '/..',
    '/./a',
    'https://evil.example',
    '/a b',
    '/a\r\nset-cookie: x=y',
    '/a\n',
    '/a"><script>',
    '/a?b',
    '/a#b',
    '/a;b',
    '/a%2fb',
    '/a, /b',
    '/ä',
    `/${'a'.repeat(300)}`,
    '/v1',
    '/board/x',
    '/metrics',
  ])('refuses %j', (text) => expect(toPathPrefix(text)).toBeUndefined());
});

test.each([
  ['/domains/v1/docs?x=/domains/', '/v1/docs?x=/domains/'],
  ['/domains', '/'],
  ['/domains?x', '/?x'],
  ['/v1/docs', '/v1/docs'],
  ['/domains-2/v1', '/domains-2/v1'],
  ['/domains/domains/v1', '/domains/v1'],
])('%s is %s without the prefix', (url, bare) => expect(withoutPrefix(url, '/domains')).toBe(bare));

test.each([
  ['http://any.example/board?x=http://y/', '/board?x=http://y/'],
  ['HTTPS://any.example:1/v1/docs', '/v1/docs'],
  ['http://any.example', '/'],
  ['http://any.example?x', '/?x'],
  ['/v1/http://any.example/', '/v1/http://any.example/'],
  ['*', '*'],
])('%s is %s without the origin', (url, path) => expect(withoutOrigin(url)).toBe(path));

describe('the header of a proxy', () => {
  const prefixOf = (prefix: string | string[], trustProxy = true, path = '/set') =>
    prefixIn({ 'x-forwarded-prefix': prefix as string }, { path, trustProxy });

  test('counts before the setting, where the proxy is trusted', () => {
    expect(prefixOf('/told/')).toBe('/told');
    expect(prefixOf('/')).toBe('');
    expect(prefixOf('/told', false)).toBe('/set');
    expect(prefixIn({}, { path: '/set', trustProxy: true })).toBe('/set');
  });

  test.each(['', ' ', '//evil.example', '/a, /b', '/a"><script>', '/board', 'https://evil.example/'])(
    'is not there where it says %j',
    (prefix) => expect(prefixOf(prefix)).toBe('/set'),
  );
});
