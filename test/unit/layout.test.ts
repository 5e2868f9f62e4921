// What a terminal shows fits into it; what a program reads is whole.
import { describe, expect, test } from '@jest/globals';
import { cutMiddle, toTable, withoutName, wrap } from '../../src/cli/layout.ts';
import { terminalColumns } from '../../src/config.ts';

const LONG = `${'a'.repeat(60)}.${'b'.repeat(36)}.example.org`;

describe('a table', () => {
  const rows = [
    ['DOMAIN', 'STATE', 'WHY'],
    [LONG, 'waiting-for-dns', 'it leads to 198.51.100.9, not to this server, so nothing can be done for it'],
    ['a.example.org', 'live', 'HTTPS works'],
  ];

  test.each([60, 80, 120])('fits into %i columns, and the names keep both ends', (columns) => {
    const lines = toTable(rows, columns);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    expect(lines[1]).toMatch(/^aaaa\S*…\S*ple\.org +waiting-for-dns +it leads to 198/);
    expect(lines[2]).toMatch(/^a\.example\.org +live +HTTPS works$/);
  });

  test('that a program reads is cut nowhere', () => {
    expect(toTable(rows)[1]).toBe(`${LONG}  waiting-for-dns  ${rows[1]?.[2]}`);
  });

  test('that fits is left as it is', () => {
    expect(
      toTable(
        [
          ['a', 'b'],
          ['ccc', 'd'],
        ],
        80,
      ),
    ).toEqual(['a    b', 'ccc  d']);
  });
});

describe('a line', () => {
  test.each([
    ['short', 10, ['short']],
    ['one two three four', 10, ['one two', '  three', '  four']],
    ['  indented words go on', 12, ['  indented', '    words go', '    on']],
    [`  ${'x'.repeat(20)} y`, 12, ['  xxxxxxxxxx', '    xxxxxxxx', '    xx y']],
  ])('%j wrapped at %i', (line, width, lines) => {
    expect(wrap(line, width)).toEqual(lines);
  });

  test('is whole where a program reads it', () => {
    expect(wrap(`${LONG} ${LONG}`)).toEqual([`${LONG} ${LONG}`]);
  });
});

test.each([
  ['shop.example.org leads elsewhere', 'leads elsewhere'],
  ['www.shop.example.org leads elsewhere', 'www leads elsewhere'],
  ['a certificate covers shop.example.org until May', 'a certificate covers it until May'],
  ['a.shop.example.org is another', 'a.shop.example.org is another'],
  ['shop.example.org.evil.net is another', 'shop.example.org.evil.net is another'],
  ['it began before', 'it began before'],
])('beside its name, %j is %j', (reason, told) => {
  expect(withoutName(reason, 'shop.example.org')).toBe(told);
});

test('a name is cut in its middle', () => {
  expect(cutMiddle('abcdefghij', 5)).toBe('ab…ij');
  expect(cutMiddle('abc', 5)).toBe('abc');
});

test.each([
  [{ isTTY: true, columns: 132 }, {}, 132],
  [{ isTTY: true, columns: 0 }, {}, 80],
  [{ isTTY: true, columns: 132 }, { COLUMNS: '80' }, 80],
  [{}, { COLUMNS: '80' }, 80],
  [{}, { COLUMNS: 'wide' }, undefined],
  [{}, {}, undefined],
])('%j with %j is %s columns wide', (stream, env, columns) => {
  expect(terminalColumns(stream, env)).toBe(columns);
});
