// The arrows of the architecture: which folder imports which, and which packages. One table says so (scripts/arrows.ts).
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from '@babel/parser';
import { expect, test } from '@jest/globals';
import { arrows } from '../../scripts/arrows.ts';

const src = fileURLToPath(new URL('../../src/', import.meta.url));

interface Import {
  readonly from: string;
  readonly to: string;
  readonly kind: 'uses' | 'types' | 'packages';
}

/** `queue` for `queue/worker.ts`, `errors` for `errors.ts`. */
const folderOf = (file: string): string => {
  const [first = '', ...rest] = file.split('/');
  return rest.length > 0 ? first : first.replace(/\.ts$/, '');
};

/** `@scope/name` or `name`. */
const packageOf = (specifier: string): string => {
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
};

function importsOf(file: string): Import[] {
  const text = readFileSync(join(src, file), 'utf8');
  const { program } = parse(text, {
    sourceType: 'module',
    plugins: ['typescript'],
    createImportExpressions: true,
  });
  const found: { specifier: string; isType: boolean }[] = [];
  for (const node of program.body) {
    if (!('source' in node) || !node.source) continue;
    const kinds =
      node.type === 'ImportDeclaration'
        ? node.specifiers.map((s) => 'importKind' in s && s.importKind === 'type')
        : [];
    const isWhole =
      ('importKind' in node && node.importKind === 'type') ||
      ('exportKind' in node && node.exportKind === 'type');
    found.push({
      specifier: node.source.value,
      isType: isWhole || (kinds.length > 0 && kinds.every(Boolean)),
    });
  }
  for (const [, specifier = ''] of text.matchAll(/\bimport\('([^']+)'\)/g))
    found.push({ specifier, isType: false });
  return found.flatMap(({ specifier, isType }): Import[] => {
    const from = folderOf(file);
    if (specifier.startsWith('node:')) return [];
    if (!specifier.startsWith('.')) return [{ from, to: packageOf(specifier), kind: 'packages' }];
    const to = folderOf(relative(src, join(src, dirname(file), specifier)));
    return from === to ? [] : [{ from, to, kind: isType ? 'types' : 'uses' }];
  });
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const imports = files.flatMap(importsOf);

const words = (text = ''): string[] => text.split(' ').filter((word) => word !== '');

const actual = (from: string, kind: Import['kind']): string[] =>
  [...new Set(imports.filter((one) => one.from === from && one.kind === kind).map(({ to }) => to))].sort();

test('every folder of src/ is in the table, and nothing else is', () => {
  expect(Object.keys(arrows).sort()).toEqual([...new Set(files.map(folderOf))].sort());
});

test.each(Object.keys(arrows).sort())(
  '%s imports what its arrows allow, and needs each of them',
  (folder) => {
    const uses = actual(folder, 'uses');
    expect({
      uses,
      types: actual(folder, 'types').filter((to) => !uses.includes(to)),
      packages: actual(folder, 'packages'),
    }).toEqual({
      uses: words(arrows[folder]?.uses),
      types: words(arrows[folder]?.types),
      packages: words(arrows[folder]?.packages),
    });
  },
);
