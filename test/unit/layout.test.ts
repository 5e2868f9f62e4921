// What a terminal shows fits into it; what a program reads is whole.
import { describe, expect, test } from '@jest/globals';
import { cutMiddle, toTable, toWholeTable, withoutName, wrap } from '../../src/cli/output/layout.ts';
import { terminalColumns } from '../../src/cli/output/terminal.ts';
import { toSpan } from '../../src/domains/times.ts';

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
    expect(lines[1]).toMatch(/^aaaa\S*…\S*ple\.org +waiting-for-dns +it leads to 1/);
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

  test('goes on under its own column, however narrow the terminal', () => {
    expect(wrap('fail  redis  away from here', 18, 13)).toEqual(['fail  redis  away', '         from here']);
    expect(wrap('fail  redis  away from', 22, 13)).toEqual(['fail  redis  away from']);
    expect(wrap('fail  redis  away from here', 24, 8)).toEqual(['fail  redis  away from', '        here']);
    for (const line of wrap('one two three', 4, 23)) expect(line.length).toBeLessThanOrEqual(4);
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
])('beside its name, %j is %j', (reason, shown) => {
  expect(withoutName(reason, 'shop.example.org')).toBe(shown);
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

describe('a table whose cells somebody needs whole', () => {
  const rows = [
    ['JOB', 'FAILED', 'REASON'],
    [`${LONG}_1903_646~7`, '', 'it is so'],
  ];

  test('is a table where it fits', () => {
    expect(toWholeTable(rows)).toHaveLength(2);
    expect(toWholeTable(rows, 400)[0]).toMatch(/^JOB +FAILED +REASON$/);
  });

  test('is a paragraph a row where it does not, and loses nothing', () => {
    const lines = toWholeTable(rows, 80);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines.join('').replaceAll(/\s/g, '')).toBe(`${LONG}_1903_646~7reason:itisso`);
    expect(lines.at(-1)).toBe('  reason: it is so');
  });
});

test.each([
  [0, '0.0 s'],
  [140, '0.1 s'],
  [9_940, '9.9 s'],
  [48_000, '48 s'],
  [903_000, '15 min 3 s'],
  [3_600_000, '1 h'],
  [187_200_000, '2 d 4 h'],
  [-5, '0.0 s'],
])('%i ms are %s', (ms, text) => {
  expect(toSpan(ms)).toBe(text);
});
