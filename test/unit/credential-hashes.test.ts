// Tokens and passwords: made, kept as hashes, recognised again.
import { expect, test } from '@jest/globals';
import {
  createToken,
  findByToken,
  hashPassword,
  hashToken,
  isOutdated,
  isPasswordHash,
  verifyPassword,
  verifyToken,
} from '../../src/config/credential-hashes.ts';

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
  expect(hash).toMatch(/^scrypt\$131072\$8\$1\$[\w-]{22}\$[\w-]{43}$/);
  expect(isPasswordHash(hash)).toBe(true);
  expect(await verifyPassword('pa\u030855', hash)).toBe(true);
  expect(await verifyPassword('pa55', hash)).toBe(false);
});

// Made with the parameters that were ours before.
const old = 'scrypt$32768$8$1$YW4gb2xkIHNhbHQsIDE2Yg$pE7wy8LIz2YGtcxZ-rhCs9HknblLqG6EYti_o6PllsA';

test('a password that was hashed with less work is still recognised, and known to be outdated', async () => {
  expect(await verifyPassword('correct horse battery', old)).toBe(true);
  expect(await verifyPassword('correct horse', old)).toBe(false);
  expect(isOutdated(old)).toBe(true);
  expect(isOutdated(await hashPassword('x'))).toBe(false);
  expect(isOutdated(`scrypt$262144$8$1$${'s'.repeat(22)}$${'k'.repeat(43)}`)).toBe(false);
});

test('the most costly hash that is taken can be checked', async () => {
  expect(await verifyPassword('x', `scrypt$262144$8$1$${'s'.repeat(22)}$${'k'.repeat(43)}`)).toBe(false);
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
