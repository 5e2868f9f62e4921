// The words of the glossary are the field's. These had two meanings or none that a newcomer knows; they stay out of code, texts and
// documents. In tests they stay out of names, so that nobody learns them there.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What to write instead, by what not to write. */
const instead: Readonly<Record<string, string>> = {
  'wish|wishes|wished|wanted': 'desired, requested',
  'ask|asks|asked|asking|asker|askers': 'request, query, call',
  'hold|holds|holding': 'unavailable, paused, contains (`held` is a state of a domain)',
  'brake|brakes': 'rate limiter, circuit breaker',
  'guard|guards|poison|poisoned|culprit|culprits|suspect|suspects': 'preflight, invalid names, failing names',
  'in the way|make room|makes room|making room': 'blocked by, sidelined',
  'look|looks|looked|looking|glance|glances': 'probe, check, read',
  'seen|sighting|sightings|readings': 'observed, snapshot',
  pace: 'backoff',
  'doors|hasten|hastens': 'writers, run sooner',
  'shelf|shelves': 'cache',
  'sweep|sweeps|swept|sweeper|upkeep|mend|mends|mended|mending': 'reconcile, repair',
  'fence|fences|fenced': 'lease',
  'steering|patience': 'admin, timeout',
  'anew|shall': 'again, must',
  'at work|in earnest|all the same|gone well': 'running, in production, anyway, succeeded',
  'how it stands|where it stands|by itself|by themselves': 'status, automatically, on its own',
};

/** In tests only these, and only in names: the rest are words of everyday English there. */
const inTests =
  'wish|wishes|glance|hasten|poison|brake|culprit|culprits|sighting|sightings|fence|shelf|sweep|upkeep|doors';

const files = (...paths: string[]): string[] =>
  execFileSync('git', ['ls-files', '-co', '--exclude-standard', ...paths], { cwd: root, encoding: 'utf8' })
    .trim()
    .split('\n')
    .filter((file) => !/\.(svg|png|ico|snap)$|package-lock\.json$|LICENSE$|words\.test\.ts$/.test(file));

/** `createWishStore` -> `create Wish Store`, so that a word is found within a name. */
const apart = (text: string): string =>
  text.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replace(/([A-Za-z])_(?=[A-Za-z])/g, '$1 ');

/** Words of libraries and protocols, and the old name of a variable, which the error for it has to know. */
const exempt = [/aria-[a-z]+/g, /lookahead|lookbehind/g, /\blookup\b/gi, /SSL_POISON/g];

function found(file: string, words: string): string[] {
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{N}'’])(${words.replaceAll(' ', '\\s+')})(?![\\p{L}\\p{N}])`,
    'iu',
  );
  return readFileSync(`${root}/${file}`, 'utf8')
    .split('\n')
    .flatMap((line, i) => {
      const clean = exempt.reduce((text, word) => text.replace(word, ''), line);
      const [, word] = apart(clean).match(pattern) ?? [];
      return word ? [`${file}:${i + 1}: ${word}`] : [];
    });
}

const ours = files(
  'src',
  'packages',
  'demo',
  'scripts',
  'bench',
  'ops',
  'docs',
  '*.md',
  '.env.example',
  'docker-compose.yml',
  'ecosystem.config.js',
);

test.each(Object.entries(instead))('"%s" is written nowhere: %s', (words) => {
  expect(ours.flatMap((file) => found(file, words))).toEqual([]);
});

test('no name in the tests is one of the old ones', () => {
  expect(files('test').flatMap((file) => found(file, inTests))).toEqual([]);
});
