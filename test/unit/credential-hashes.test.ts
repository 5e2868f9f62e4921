// Tokens and passwords: made, kept as hashes, recognised again.
import { expect, test } from '@jest/globals';
import {
  createToken,
  findByToken,
  hashPassword,
  hashToken,
  isPasswordHash,
  verifyPassword,
  verifyToken,
} from '../../src/credential-hashes.ts';

test('a token has 256 random bits behind its prefix, and its hash is its SHA-256', () => {
  const [one, two] = [createToken(), createToken()];
  expect(one.token).toMatch(/^rcd_[\w-]{43}$/);
  expect(one.token).not.toBe(two.token);
  expect(one.hash).toBe(hashToken(one.token));
  expect(hashToken('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test('a token is recognised by its own hash only', () => {
  const { token, hash } = createToken();
  expect(verifyToken(token, hash)).toBe(true);
  expect([verifyToken(`${token}x`, hash), verifyToken('', hash), verifyToken(token, '')]).toEqual([
    false,
    false,
    false,
  ]);
});

test('of several entries the one of the token is found, wherever it stands', () => {
  const entries = [createToken(), createToken(), createToken()];
  for (const entry of entries) expect(findByToken(entry.token, entries)).toBe(entry);
  expect(findByToken('rcd_unknown', entries)).toBeUndefined();
});

test('a password is recognised by its hash, in whichever spelling of Unicode it comes', async () => {
  const hash = await hashPassword('pä55');
  expect(hash).toMatch(/^scrypt\$32768\$8\$1\$[\w-]{22}\$[\w-]{43}$/);
  expect(isPasswordHash(hash)).toBe(true);
  expect(await verifyPassword('pa\u030855', hash)).toBe(true);
  expect(await verifyPassword('pa55', hash)).toBe(false);
});

test('the same password has another hash each time', async () => {
  expect(await hashPassword('x')).not.toBe(await hashPassword('x'));
});

test.each([
  'scrypt',
  '',
  'bcrypt$1024$8$1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5',
  `scrypt$1000$8$1$${'s'.repeat(22)}$${'k'.repeat(43)}`,
  `scrypt$32768$0$1$${'s'.repeat(22)}$${'k'.repeat(43)}`,
  `scrypt$32768$8$1$${'s'.repeat(22)}$k`,
])('%s is no hash of a password, and fits none', async (hash) => {
  expect(isPasswordHash(hash)).toBe(false);
  expect(await verifyPassword('x', hash)).toBe(false);
});
