// The documents that are tables of the code agree with the code.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  between,
  dotEnvExample,
  generated,
  metricTable,
  stale,
  toTable,
} from '../../scripts/generate-docs.ts';
import { entries } from '../../src/config/load.ts';
import { reasons } from '../../src/domains/reasons.ts';
import { codes } from '../../src/errors.ts';
import { fullName, metricNames } from '../../src/metrics/table.ts';
import { version } from '../../src/version.ts';

describe('generated documents', () => {
  test('none is stale (else: npm run docs)', () => {
    expect(stale().map(({ file }) => file)).toEqual([]);
  });

  test('a second run changes nothing', () => {
    for (const { render } of generated) {
      const once = render('before <!-- configuration:start -->old<!-- configuration:end --> after');
      expect(render(once)).toBe(once);
    }
  });

  test('.env.example names every variable, switched off, and sets none', () => {
    const lines = dotEnvExample().split('\n');
    for (const { name } of entries)
      expect(lines.filter((line) => line.startsWith(`#${name}=`))).toHaveLength(1);
    expect(lines.filter((line) => line !== '' && !line.startsWith('#'))).toEqual([]);
  });

  test('docs/reference/configuration.md names every variable', () => {
    const table = generated.find(({ file }) => file === 'docs/reference/configuration.md')?.render(undefined);
    const names = [...(table ?? '').matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
    expect(names).toEqual(entries.map(({ name }) => name));
  });

  test('docs/reference/error-codes.md names every code', () => {
    const text = generated.find(({ file }) => file === 'docs/reference/error-codes.md')?.render(undefined);
    for (const code of Object.keys(codes)) expect(text).toContain(`| \`${code}\` |`);
  });

  test('docs/reference/cli.md names every command of --help', () => {
    const text = generated.find(({ file }) => file === 'docs/reference/cli.md')?.render(undefined);
    for (const name of ['worker', 'add [domain...]', 'callbacks replay [id...]', 'board password'])
      expect(text).toContain(`\n## ${name}\n`);
  });

  test('docs/reference/reason-codes.md names every reason code', () => {
    const text = generated.find(({ file }) => file === 'docs/reference/reason-codes.md')?.render(undefined);
    for (const code of Object.keys(reasons)) expect(text).toContain(`| \`${code}\` |`);
  });

  test('docs/reference/metrics.md names every metric, once', () => {
    const rows = metricTable().split('\n');
    for (const metric of metricNames)
      expect(rows.filter((row) => row.startsWith(`| \`${fullName(metric)}\` |`))).toHaveLength(1);
    expect(stale().some(({ file }) => file === 'docs/reference/metrics.md')).toBe(false);
  });

  test('everything that is published has the version of package.json', () => {
    const files = ['src/version.ts', 'packages/client/package.json', 'package-lock.json'];
    for (const file of files) {
      const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
      const render = generated.find((entry) => entry.file === file)?.render;
      const spoilt = text.replaceAll(version, '0.0.0-old');
      expect(render?.(spoilt)).not.toBe(spoilt);
      expect(render?.(text)).toBe(text);
    }
  });

  test('a README without markers is left alone', () => {
    expect(between('configuration', () => 'table')('# Title')).toBeUndefined();
    expect(between('configuration', () => 'table')(undefined)).toBeUndefined();
  });

  test('a pipe in a cell does not break the table', () => {
    expect(toTable(['A'], [['x | y']])).toContain('x \\| y');
  });
});
