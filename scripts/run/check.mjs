// `npm test` and `npm run test:slow`, stage by stage. The last line is `N passed, N failed`, and it is honest:
// a stage that fails before the tests counts as one failure.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Jest must exit soon after its last test. If it does not, a test has left something open. */
const exitGraceMs = 60_000;

const print = (line) => process.stdout.write(`${line}\n`);

async function stage(name, work) {
  const startedAt = performance.now();
  const code = await work();
  print(
    `${code === 0 ? 'ok' : 'FAILED'}: ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`,
  );
  return code;
}

/** Kills a jest that has written its results but does not exit. */
function watchExit(child, file) {
  const timer = setInterval(() => {
    if (!existsSync(file) || Date.now() - statSync(file).mtimeMs < exitGraceMs) return;
    clearInterval(timer);
    print(
      `The tests are over, but jest has not exited for ${exitGraceMs / 1000} s: a test left something open.`,
    );
    child.kill('SIGKILL');
  }, 1000);
  child.once('exit', () => clearInterval(timer));
}

/** Counts from jest's results. A file that does not load, no results or a bad exit code is one failure. */
export function readSummary(file, exitCode) {
  let results = { numFailedTests: 1 };
  try {
    results = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // Jest ended before it wrote its results: no tests found, a crash in the set-up, or a signal.
  }
  const { numPassedTests = 0, numFailedTests, numRuntimeErrorTestSuites = 0, numPendingTests = 0 } = results;
  const failed = numFailedTests + numRuntimeErrorTestSuites;
  return {
    passed: numPassedTests,
    failed: exitCode === 0 ? failed : Math.max(1, failed),
    skipped: numPendingTests,
  };
}

export const summaryLine = ({ passed, failed }) => `${passed} passed, ${failed} failed`;

async function tests(jest, args) {
  const folder = mkdtempSync(join(tmpdir(), 'runcloud-domains-check-'));
  const file = join(folder, 'results.json');
  try {
    const code = await stage('tests', () =>
      jest([...args, '--json', `--outputFile=${file}`], (child) => watchExit(child, file)),
    );
    const summary = readSummary(file, code);
    if (summary.skipped > 0) print(`${summary.skipped} skipped`);
    print(summaryLine(summary));
    return code === 0 && summary.failed > 0 ? 1 : code;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The first stage that fails ends it. Resolves with the exit code. */
async function stagesThenTests(stages, jest, args) {
  for (const [name, work] of Object.entries(stages)) {
    const code = await stage(name, work);
    if (code === 0) continue;
    print(`Stopped at "${name}"; the tests were not run.`);
    print(summaryLine({ passed: 0, failed: 1 }));
    return code;
  }
  return tests(jest, args);
}

/** With arguments only jest, with these arguments. Without: everything but the slow tests. */
export async function check({ lint, typecheck, build, jest }, args) {
  if (args.length === 0) return stagesThenTests({ 'format and lint': lint, typecheck, build }, jest, []);
  print(`Only the tests, by \`jest ${args.join(' ')}\`; without arguments every stage runs.`);
  return tests(jest, args);
}

/** What takes minutes and the machine for itself: the built program under PM2, in containers, as packages. */
export const checkSlow = ({ build, jest }, args) =>
  stagesThenTests({ build }, jest, ['--config', 'jest.slow.config.ts', ...args]);
