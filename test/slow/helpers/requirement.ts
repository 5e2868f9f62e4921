// What a slow test needs of the machine. A person's run skips a test whose requirement is not met, and says why; in CI it runs
// and fails, since there all of it can be had.
import { test } from '@jest/globals';

/** `test`, or `test.skip` after a line that names what is missing. `lack` is undefined where nothing is. */
export function testUnless(lack: string | undefined): typeof test | typeof test.skip {
  if (lack === undefined || process.env.CI) return test;
  process.stderr.write(`Skipped: ${lack}\n`);
  return test.skip;
}
