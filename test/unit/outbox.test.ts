// What proves that a message is a worker's: nothing but the secrets of the callbacks makes it.
import { describe, expect, test } from '@jest/globals';
import { createSeals, toOutboxKeys } from '../../src/domains/outbox.ts';
import { NEXT_SECRET, SECRET } from '../helpers/webhook-receiver.ts';

describe('a seal', () => {
  test('is made and verified with the same secret', () => {
    const seal = createSeals([SECRET]).seal(['a', 'b']);
    expect(createSeals([SECRET]).matches(seal, ['a', 'b'])).toBe(true);
    expect(createSeals([NEXT_SECRET, SECRET]).matches(seal, ['a', 'b'])).toBe(true);
    expect(createSeals([NEXT_SECRET]).matches(seal, ['a', 'b'])).toBe(false);
    expect(createSeals([]).matches(seal, ['a', 'b'])).toBe(false);
  });

  test.each([
    [['ab', '']],
    [['', 'ab']],
    [['a']],
    [['a', 'b', '']],
    [['b', 'a']],
    [['a', 'c']],
    [[]],
    [['1:a1:b']],
  ])('of a and b does not hold for %j', (parts) => {
    expect(createSeals([SECRET]).matches(createSeals([SECRET]).seal(['a', 'b']), parts)).toBe(false);
  });

  test.each(['', ' ', 'x', '0'.repeat(64), '0'.repeat(40), `${'0 '.repeat(1_000)}`])(
    'is none where it is %j',
    (seal) => {
      for (const secrets of [[], [SECRET]]) expect(createSeals(secrets).matches(seal, ['a'])).toBe(false);
    },
  );
});

test('an entry without a MAC is none, whatever it contains, with and without secrets', () => {
  for (const seals of [createSeals([]), createSeals([SECRET])])
    for (const entry of [[], ['mac'], ['mac', ''], ['type', 'x'], ['type', 'x', 'mac', ''], ['a', 'mac']])
      expect(seals.isGenuine(entry)).toBe(false);
});

test('the keys do not show the secret, and each use has its own', () => {
  const keys = toOutboxKeys([SECRET, NEXT_SECRET]).split(/[ .]/);
  expect(new Set(keys).size).toBe(4);
  for (const key of keys) expect(key).toMatch(/^[\da-f]{64}$/);
  const raw = Buffer.from(SECRET.replace('whsec_', ''), 'base64');
  expect(keys.join()).not.toContain(raw.toString('hex'));
});
