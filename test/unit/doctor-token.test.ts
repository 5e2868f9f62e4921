// When a token ends, read offline: what doctor says of it, and that nothing else of it is said.
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
  ['a year', ending(365 * DAY), 'ok', 'valid until 2027-11-27'],
  ['31 days', ending(31 * DAY), 'ok', 'valid until 2026-12-28'],
  ['30 days', ending(30 * DAY), 'warn', 'it expires on 2026-12-27, in 30 days'],
  ['a day and a half', ending(1.5 * DAY), 'warn', 'it expires on 2026-11-29, in 1 day'],
  ['a second', ending(1), 'warn', 'it expires on 2026-11-27, in less than a day'],
  ['now', ending(0), 'fail', "it expired on 2026-11-27, by this machine's clock"],
  ['a year ago', ending(-365 * DAY), 'fail', "it expired on 2025-11-27, by this machine's clock"],
])('a token that ends in %s', (_, token, level, sentence) => {
  const findings = checkToken(token, NOW);
  expect(findings).toMatchObject([{ level, subject: 'token', sentence }]);
  expect(findings[0]?.fix !== undefined).toBe(level !== 'ok');
  const said = JSON.stringify(findings);
  for (const part of [...token.split('.'), 'PLANTED']) expect(said).not.toContain(part);
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
