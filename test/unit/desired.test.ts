// How a request is stored: two requests for the same have the same text, whatever fields come later.
import { describe, expect, test } from '@jest/globals';
import { decodeDesired, encodeDesired, withoutWww } from '../../src/domains/desired.ts';
import type { Desired } from '../../src/domains/domain.ts';

const rows: readonly (readonly [text: string, desired: Desired])[] = [
  ['{"presence":"absent"}', { presence: 'absent' }],
  ['{"presence":"present"}', { presence: 'present', www: false, redirection: 'none' }],
  ['{"presence":"present","www":true}', { presence: 'present', www: true, redirection: 'none' }],
  [
    '{"presence":"present","redirection":"non-www","www":"auto"}',
    { www: 'auto', presence: 'present', redirection: 'non-www' },
  ],
];

describe('a request as Redis keeps it', () => {
  test.each(rows)('%s', (text, desired) => {
    expect(encodeDesired(desired)).toBe(text);
    expect(decodeDesired(text)).toEqual(desired);
  });

  test('a field with its default leaves the text as it was before there was the field', () => {
    const older = JSON.stringify({ presence: 'present' });
    expect(encodeDesired(decodeDesired(older))).toBe(older);
  });

  test('what gives way to a www name of its own is the same without www', () => {
    const auto: Desired = { presence: 'present', www: 'auto', redirection: 'non-www' };
    expect(withoutWww(auto)).toEqual({ presence: 'present', www: false, redirection: 'none' });
    expect(withoutWww({ presence: 'absent' })).toEqual({ presence: 'absent' });
  });
});
