// The order of the test files: the longest first, so that none of them is left alone at the end.
// (Jest itself goes by the size of a file if it does not know how long it took: on a fresh clone.)
import { statSync } from 'node:fs';
import Sequencer from '@jest/test-sequencer';

/** The files that take the longest, by their times on a quiet machine. */
const slowest = [
  'e2e/https-crash',
  'e2e/cli',
  'e2e/crash',
  'e2e/redis-outage',
  'e2e/demo',
  'integration/https-www',
  'integration/https-limits',
  'integration/https-faults',
  'e2e/cli-operators',
  'integration/worker-variants',
  'contract/runcloud-faults',
  'e2e/board-browser',
  'integration/scenarios-bad-input',
  'integration/own-words',
  'integration/scenarios-passing',
  'integration/history',
  'integration/https',
  'integration/survey',
  'unit/regexes',
  'contract/runcloud',
  'contract/runcloud-certificates',
];
const folders = ['e2e', 'integration', 'contract', 'unit'];

/** The lower, the earlier. */
function rankOf({ path }) {
  const at = slowest.findIndex((name) => path.endsWith(`/test/${name}.test.ts`));
  if (at >= 0) return at;
  const folder = folders.findIndex((name) => path.includes(`/test/${name}/`));
  return slowest.length + (folder < 0 ? folders.length : folder);
}

export default class LongestFirst extends Sequencer {
  sort(tests) {
    const rows = [...tests].map((test) => ({ test, rank: rankOf(test), size: statSync(test.path).size }));
    rows.sort((a, b) => a.rank - b.rank || b.size - a.size);
    return rows.map(({ test }) => test);
  }
}
