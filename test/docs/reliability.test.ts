// Each figure of docs/reference/reliability.md that speaks of the code is the code's. Figures of a measured run stand in tables, below
// a command, or in the sentences of a run.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const read = (file: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8');

const page = read('docs/reference/reliability.md').replace(/\s+/g, ' ');

const asNumber = (text: string): number => Number(text.replaceAll(/[_,]/g, ''));

/** What the page says, with the figure in the group; where the code says it; how many of the code's units make one of the page's. */
const figures: readonly (readonly [says: RegExp, file: string, code: RegExp, per?: number])[] = [
  [/No (\d+) s have more calls than allowed/, 'src/rate-limit/scripts.ts', /(60000)/, 1000],
  [/known after (\d+) failed calls in a row/, 'src/rate-limit/limiter.ts', /FAILURES_TO_TRIP = (\d+)/],
  [/A history has up to (\d+) events/, 'test/helpers/history.ts', /maxLength: (\d+), size: 'max'/],
  [/`npm test` plays (\d+) with a new seed/, 'test/integration/history.test.ts', /HISTORIES \?\? (\d+)/],
  [/`npm run test:slow` (\d+)\. A failing/, 'test/slow/histories.test.ts', /TOTAL = (\d+)/],
  [/Two worker processes, (\d+) domains/, 'scripts/soak.ts', /DOMAINS = (\d+)/],
  [/Faults change every (\d+) s/, 'scripts/soak.ts', /nowAndThen\(soak, (4_000), \(\) => \{/, 1000],
  [/lags by up to (\d+) s/, 'scripts/soak.ts', /LONGEST_LAG_MS = ([\d_]+)/, 1000],
  [
    /A worker is killed every (\d+) s/,
    'scripts/soak.ts',
    /nowAndThen\(soak, ([\d_]+), \(\) => crew\.kill/,
    1000,
  ],
  [/is frozen for (\d+) s/, 'scripts/soak.ts', /crew\.freeze\(([\d_]+)/, 1000],
  [
    /frozen for 14 s every (\d+) s/,
    'scripts/soak.ts',
    /nowAndThen\(soak, ([\d_]+), \(\) => crew\.freeze/,
    1000,
  ],
  [/restarted every (\d+) s/, 'scripts/soak.ts', /nowAndThen\(soak, ([\d_]+), async \(\) => \{/, 1000],
  [
    /Scenario 20 runs with (\d+) adds/,
    'test/integration/scenarios-rate-limit.test.ts',
    /proveBurst\((\d+)\)/,
  ],
  [/since (\d+) calls a minute are the most/, 'test/helpers/burst.ts', /count > 5_000 \? '(\d+)'/],
];

describe('docs/reference/reliability.md', () => {
  test.each(figures)('%s is what the code says', (says, file, code, per = 1) => {
    const [, said = 'not said'] = page.match(says) ?? [];
    const [, found = 'not found'] = read(file).match(code) ?? [];
    expect(asNumber(said) * per).toBe(asNumber(found));
  });

  test('says of Redis what the files do', () => {
    expect(page).toContain('With `always`, as in docker-compose.yml and in the soak below');
    expect(read('docker-compose.yml')).toMatch(/- --appendfsync\s+- always/);
    expect(read('scripts/soak.ts')).toMatch(/aof: true/);
    expect(page).toContain("The test suite's own Redis writes nothing to disk");
    expect(read('test/helpers/global-setup.ts')).not.toMatch(/aof: true/);
  });

  test('no other sentence has a figure, but those of measured runs', () => {
    const text = read('docs/reference/reliability.md')
      .replace(/^ {4}.*$/gm, '')
      .replace(/^\| (?!I\d).*$/gm, '')
      .replace(/^#.*$/gm, '')
      .replace(/`[^`]*`/g, (code) => code.replace(/\d/g, ''))
      .replace(/\*\*|I[1-7]\b/g, '');
    const sentences = text.replace(/\s+/g, ' ').split(/(?<=[.:]) /);
    const measured =
      /Run once|passed in|requests were answered|were refused or cut off|machine with two cores|POSTs/;
    const known = figures.map(([says]) => says);
    const left = sentences.filter(
      (sentence) =>
        /\d/.test(sentence) && !measured.test(sentence) && !known.some((says) => says.test(sentence)),
    );
    // Codes of HTTP, versions and names of scenarios are no figures of ours.
    const bare = left.filter((sentence) =>
      /\d/.test(sentence.replace(/\b(5xx|403|404|429|Redis 7\.0|Node\.js 24|Let's Encrypt)\b/g, '')),
    );
    expect(bare).toEqual([]);
  });

  test('each file that it names is there', () => {
    const names = [...page.matchAll(/`((?:src|test|scripts)\/[\w./-]+\.ts)`/g)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(8);
    expect(
      names.filter((name) => !existsSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)))),
    ).toEqual([]);
  });
});
