// The shape of a reply: key paths and types, never a value, and never a key that is one.
import { describe, expect, test } from '@jest/globals';
import { toShape } from '../../src/doctor/shape.ts';

test.each<[string, unknown, Record<string, string>]>([
  ['nothing', undefined, { '.': 'undefined' }],
  ['a text', 'shop.example.org', { '.': 'text' }],
  ['an empty list', [], { '.': 'empty list' }],
  ['an empty object', {}, { '.': 'empty object' }],
  [
    'rows, whose types are joined',
    {
      data: [
        { id: 1, www: 0, type: null },
        { id: '2', www: true, type: 'alias' },
      ],
    },
    {
      '.': 'object',
      data: 'list',
      'data[]': 'object',
      'data[].id': 'digits|number',
      'data[].www': 'boolean|number',
      'data[].type': 'null|text',
    },
  ],
  [
    'dates',
    { created_at: '2024-07-18 01:31:10', validUntil: '2026-01-01T00:00:00Z', renewalDate: '' },
    { '.': 'object', created_at: 'date (sql)', validUntil: 'date (iso)', renewalDate: 'empty text' },
  ],
  [
    'a field that nobody named yet, beside known ones',
    { id: 1, tlsGrade: 'A', 'Grade 2': 1 },
    { '.': 'object', id: 'number', tlsGrade: 'text', '{key}': 'number' },
  ],
])('%s', (_, body, expected) => {
  expect(toShape(body)).toEqual(expected);
});

describe('a key that is somebody’s is not shown', () => {
  test.each<[string, unknown]>([
    ['domains by name', { data: { 'shop.example.org': { id: 1 } } }],
    ['users by name', { data: { jane: { id: 1 }, john: { id: 2 } } }],
    ['a name beside known keys, which stands in a value too', { id: 1, name: 'jane', jane: true }],
    ['part of a name in a value', { id: 1, name: 'shop.jane.example', jane: true }],
    ['ids', { data: { 4711: { id: 1 } } }],
    ['a secret', { id: 1, PLANTED0TOKEN0NOT0REAL: 'x', 'eyJhbGciOi.J9': 1 }],
    ['deep down', { data: [{ ssl: { errors: { 'shop.example.org': ['x'] } } }] }],
  ])('%s', (_, body) => {
    const shape = JSON.stringify(toShape(body));
    for (const word of ['shop', 'jane', 'john', '4711', 'PLANTED', 'eyJ']) expect(shape).not.toContain(word);
    expect(shape).toContain('{key}');
  });
});

test('a reply that is very deep or very long ends', () => {
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i += 1) deep = { data: deep };
  expect(Object.keys(toShape(deep)).length).toBeLessThan(12);
  const long = { data: Array.from({ length: 10_000 }, (_, id) => ({ id })) };
  expect(Object.keys(toShape(long))).toEqual(['.', 'data', 'data[]', 'data[].id']);
});
