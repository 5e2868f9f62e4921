// The runner's parts that decide: whether an install is finished, who may install, what the last line says.
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

interface Packages {
  readonly packages: Readonly<
    Record<string, { integrity?: string; optional?: boolean; os?: string[]; cpu?: string[] }>
  >;
}
interface Install {
  fits(lock: Packages, record: Packages): boolean;
  withLock<T>(path: string, work: () => Promise<T>): Promise<T>;
}
interface Check {
  readSummary(file: string, exitCode: number): object;
  summaryLine(summary: object): string;
}
// Plain JavaScript without types, since it runs before anything is installed.
const load = async <T>(file: string): Promise<T> => (await import(`../../scripts/run/${file}`)) as T;
const { fits, withLock } = await load<Install>('install.mjs');
const { readSummary, summaryLine } = await load<Check>('check.mjs');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'runcloud-domains-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const packages = (entries: Packages['packages']): Packages => ({ packages: entries });
const lock = packages({
  '': {},
  'node_modules/a': { integrity: 'a1' },
  'node_modules/native': { integrity: 'n1', optional: true },
});
const a = { 'node_modules/a': { integrity: 'a1' } };
const native = { 'node_modules/native': { integrity: 'n1' } };

describe('an install fits the lock', () => {
  test.each([
    ['when all of it is there', { ...a, ...native }, true],
    ['without an optional package, which may be for another system', a, true],
    ['not when a package is missing', native, false],
    ['not when a package is of another version', { ...native, 'node_modules/a': { integrity: 'a2' } }, false],
    ['not when there is one too many', { ...a, ...native, 'node_modules/b': { integrity: 'b1' } }, false],
  ])('%s', (_sentence, record, expected) => {
    expect(fits(lock, packages(record))).toBe(expected);
  });
});

describe('the install lock', () => {
  const path = (): string => join(folder, 'lock');

  test('lets one after the other in', async () => {
    const order: string[] = [];
    const work = (name: string) => async (): Promise<void> => {
      order.push(`${name} in`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      order.push(`${name} out`);
    };
    await Promise.all([withLock(path(), work('first')), withLock(path(), work('second'))]);
    expect(order.map((line) => line.split(' ')[1])).toEqual(['in', 'out', 'in', 'out']);
  });

  test('of a process that has ended is taken over', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['-p', 'process.pid']);
    writeFileSync(path(), stdout);
    expect(await withLock(path(), async () => 'in')).toBe('in');
  });
});

describe('the last line', () => {
  const results = {
    numPassedTests: 5,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    numRuntimeErrorTestSuites: 0,
  };

  test.each([
    ['all passed', results, '5 passed, 0 failed'],
    ['a test failed', { ...results, numFailedTests: 2 }, '5 passed, 2 failed'],
    ['a file could not be loaded', { ...results, numRuntimeErrorTestSuites: 1 }, '5 passed, 1 failed'],
  ])('%s', (_sentence, given, expected) => {
    const file = join(folder, 'results.json');
    writeFileSync(file, JSON.stringify(given));
    expect(summaryLine(readSummary(file, 0))).toBe(expected);
  });

  test('counts a jest that left no report, or a bad exit code, as a failure', () => {
    const file = join(folder, 'summary.json');
    expect(summaryLine(readSummary(file, 1))).toBe('0 passed, 1 failed');
    expect(summaryLine(readSummary(file, 0))).toBe('0 passed, 1 failed');
    writeFileSync(file, JSON.stringify(results));
    expect(summaryLine(readSummary(file, 137))).toBe('5 passed, 1 failed');
  });
});

describe('.ci/run', () => {
  /** Runs it in a checkout whose `npm` prints these lines and ends with these codes. */
  async function ciRun(quick: [text: string, code: number], slow: [text: string, code: number]) {
    const script = fileURLToPath(new URL('../../.ci/run', import.meta.url));
    mkdirSync(join(folder, '.ci'));
    copyFileSync(script, join(folder, '.ci/run'));
    const say = ([text, code]: [string, number]) => `printf '%b' '${text}'; exit ${code}`;
    const npm = `#!/bin/sh\n[ "$*" = test ] && { ${say(quick)}; }\n[ "$*" = "run test:slow" ] && { ${say(slow)}; }\nexit 99\n`;
    writeFileSync(join(folder, 'npm'), npm, { mode: 0o755 });
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
    const ended = await promisify(execFile)(join(folder, '.ci/run'), { env }).then(
      ({ stdout }) => ({ stdout, code: 0 }),
      (error: { stdout: string; code: number }) => error,
    );
    return { code: ended.code, last: ended.stdout.trimEnd().split('\n').at(-1) };
  }

  const good = '3 passed, 0 failed\\n';
  test.each([
    ['both are clean', [good, 0], ['2 passed, 0 failed\\n', 0], 0, '5 passed, 0 failed'],
    ['the quick ones fail', ['3 passed, 1 failed\\nnpm error\\n', 1], [good, 0], 1, '6 passed, 1 failed'],
    ['the slow ones fail', [good, 0], ['1 passed, 2 failed\\n', 1], 1, '4 passed, 2 failed'],
    ['one says nothing', [good, 0], ['', 0], 1, '3 passed, 1 failed'],
    ['one ends badly although its line is clean', [good, 7], [good, 0], 1, '6 passed, 1 failed'],
  ] as const)('adds both suites up where %s', async (_, quick, slow, code, last) => {
    expect(await ciRun([...quick], [...slow])).toEqual({ code, last });
  });
});

test('an unknown target is refused with the list of those there are', async () => {
  const script = fileURLToPath(new URL('../../scripts/run.mjs', import.meta.url));
  const failed = promisify(execFile)(process.execPath, [script, 'toString']);
  await expect(failed).rejects.toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('demo|cli|'),
  });
});
