// When a token ends, read offline. The finding has its end and nothing else of it.
import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { checkToken } from '../../src/doctor/token.ts';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const DAY = 86_400;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: unknown): string =>
  `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}.c2lnbmF0dXJl`;
/** A token that ends so many seconds from now. */
const ending = (inSeconds: number) => jwt({ sub: 'PLANTED-workspace', exp: NOW / 1000 + inSeconds });

test.each([
  ['a year', 365 * DAY, 'ok'],
  ['31 days', 31 * DAY, 'ok'],
  ['30 days', 30 * DAY, 'warn'],
  ['a day and a half', 1.5 * DAY, 'warn'],
  ['a second', 1, 'warn'],
  ['now', 0, 'fail'],
  ['a year ago', -365 * DAY, 'fail'],
])('a token that ends in %s', (_, inSeconds, level) => {
  const token = ending(inSeconds);
  const findings = checkToken(token, NOW);
  const day = new Date(NOW + inSeconds * 1000).toISOString().slice(0, 10);
  expect(findings).toMatchObject([{ level, subject: 'token', sentence: expect.stringContaining(day) }]);
  expect(findings[0]?.fix !== undefined).toBe(level !== 'ok');
  const text = JSON.stringify(findings);
  for (const part of [...token.split('.'), 'PLANTED']) expect(text).not.toContain(part);
});

describe('a token without an end that can be read is RunCloud’s to judge', () => {
  test.each([
    [undefined],
    [''],
    ['PLANTED0TOKEN0NOT0REAL'],
    ['a.b.c'],
    ['..'],
    [`${jwt({ exp: 1 })}.more`],
    [jwt({ sub: 'x' })],
    [jwt({ exp: '2026-11-27' })],
    [jwt({ exp: null })],
    [jwt({ exp: -1 })],
    [jwt({ exp: 1e300 })],
    [jwt([1])],
    [jwt(null)],
  ])('%s', (token) => {
    expect(checkToken(token, NOW)).toEqual([]);
  });
});
