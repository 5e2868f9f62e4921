// The order of the test files: those that start processes or play whole stories first, so that none of them is left alone at the end.
// (By itself jest goes by the size of a file where it does not know how long it took: on a fresh clone.)
import { statSync } from 'node:fs';
import Sequencer from '@jest/test-sequencer';

const order = ['e2e', 'integration', 'contract'];

/** The lower, the earlier. */
const rankOf = ({ path }) => {
  const at = order.findIndex((folder) => path.includes(`/test/${folder}/`));
  return at < 0 ? order.length : at;
};

export default class LongestFirst extends Sequencer {
  sort(tests) {
    const rows = [...tests].map((test) => ({ test, rank: rankOf(test), size: statSync(test.path).size }));
    rows.sort((a, b) => a.rank - b.rank || b.size - a.size);
    return rows.map(({ test }) => test);
  }
}
