// Every link between documents leads to a file, and to a heading where it names one.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../../', import.meta.url));
const documents = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n');

/** As GitHub makes them of headings. */
const anchorsOf = (text: string): Set<string> =>
  new Set(
    [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );

function brokenLinks(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^(https?:|mailto:)/.test(link)) return [];
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? file : normalize(join(dirname(file), path));
    const full = join(root, target);
    if (!existsSync(full)) return [link];
    if (anchor === undefined || statSync(full).isDirectory()) return [];
    return anchorsOf(readFileSync(full, 'utf8')).has(anchor) ? [] : [link];
  });
}

test.each(documents)('%s has no broken link', (file) => {
  expect(brokenLinks(file)).toEqual([]);
});

test.each(documents)('each of our files that %s names is there', (file) => {
  const text = readFileSync(join(root, file), 'utf8');
  const named = [
    ...text.matchAll(/`((?:src|scripts|test|packages|demo|ops|bench)\/[\w./-]+\.(?:ts|mjs|json|yml))`/g),
  ];
  expect(named.map(([, name = '']) => name).filter((name) => !existsSync(join(root, name)))).toEqual([]);
});
