// docs/guides/security.md: each claim about who can do what names a test, and that test exists.
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from '@jest/globals';

const text = readFileSync(new URL('../../docs/guides/security.md', import.meta.url), 'utf8');
const [, model = ''] = /^## Who can do what\n(.*?)^## /ms.exec(text) ?? [];
const root = new URL('../', import.meta.url);

/** By the file's name; two folders may have the same. */
const sources = new Map<string, string>();
for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
  if (!path.endsWith('.test.ts')) continue;
  const file = basename(path, '.test.ts');
  sources.set(file, (sources.get(file) ?? '') + readFileSync(new URL(path, root), 'utf8'));
}

const named = [...model.matchAll(/`([\w-]+): ([^`]+)`/g)].map(([, file = '', name = '']) => ({ file, name }));

test('the model names tests', () => {
  expect(named.length).toBeGreaterThan(30);
});

test.each(named)('$file: $name', ({ file, name }) => {
  const source = sources.get(file) ?? '';
  // As the first argument of a test, alone or of a table.
  const isNamed = new RegExp(`\\(\\s*(['"\`])${escaped(name)}\\1,`);
  expect(source.split(/\btest(?:\.concurrent)?(?=[(.])/).some((part, i) => i > 0 && isNamed.test(part))).toBe(
    true,
  );
});

test('each claim has one', () => {
  const claims = model.split(/\n(?=- )/).slice(1);
  expect(claims.filter((claim) => !/`[\w-]+: [^`]+`/.test(claim))).toEqual([]);
});

function escaped(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
