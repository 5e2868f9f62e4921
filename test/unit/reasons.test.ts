// The table of reason codes, both ways: the types demand that each code in src/ is in the table; here each one in the table is in src/.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { reasons } from '../../src/domains/reasons.ts';
import { codes } from '../../src/errors.ts';

const src = new URL('../../src/', import.meta.url);
const sources = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('domains/reasons.ts'))
  .map((file) => readFileSync(new URL(file, src), 'utf8'))
  .join('\n');

test.each(Object.keys(reasons))('%s is used', (code) => {
  expect(sources).toContain(`'${code}'`);
});

test('no reason has the name of an error code: the error’s own code stands there', () => {
  expect(Object.keys(reasons).filter((code) => code in codes)).toEqual([]);
});
