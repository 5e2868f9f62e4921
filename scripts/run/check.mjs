// `npm test` and `npm run test:slow`: what CI runs, stage by stage, each ending with the line `N passed, N failed`.
// That line must be honest: a stage that fails before the tests counts as one failure.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSummary, summaryLine } from './summary.mjs';

const reporter = fileURLToPath(new URL('./summary-reporter.mjs', import.meta.url));

/** Jest must exit by itself soon after its last test; longer means that a test has left something open. */
const exitGraceMs = 60_000;

const print = (line) => process.stdout.write(`${line}\n`);

async function stage(name, work) {
  const startedAt = performance.now();
  const code = await work();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  print(`${code === 0 ? 'ok' : 'FAILED'}: ${name} (${seconds} s)`);
  return code;
}

/** Kills a jest that has finished its tests but does not exit. */
function watchExit(child, summaryFile) {
  let doneAt;
  const timer = setInterval(() => {
    doneAt ??= existsSync(summaryFile) ? performance.now() : undefined;
    if (doneAt === undefined || performance.now() - doneAt < exitGraceMs) return;
    clearInterval(timer);
    print(`The tests are over but jest has not exited for ${exitGraceMs / 1000} s: one left something open.`);
    child.kill('SIGKILL');
  }, 500);
  child.once('exit', () => clearInterval(timer));
}

async function tests(tools, args) {
  const folder = mkdtempSync(join(tmpdir(), 'runcloud-domains-check-'));
  const file = join(folder, 'summary.json');
  try {
    const code = await stage('tests', () =>
      tools.jest([...args, '--reporters=default', `--reporters=${reporter}`], {
        env: { JEST_SUMMARY_FILE: file },
        onStart: (child) => watchExit(child, file),
      }),
    );
    return { code, summary: readSummary(file, code) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function finish(tools, args) {
  const { code, summary } = await tests(tools, args);
  if (summary.skipped > 0) print(`${summary.skipped} skipped`);
  print(summaryLine(summary));
  return code === 0 && summary.failed > 0 ? 1 : code;
}

/** The first stage that fails ends it. Resolves with the exit code. */
async function stagesThenTests(stages, tools, args) {
  for (const [name, work] of Object.entries(stages)) {
    const code = await stage(name, work);
    if (code === 0) continue;
    print(`Stopped at "${name}"; the tests were not run.`);
    print(summaryLine({ passed: 0, failed: 1 }));
    return code;
  }
  return finish(tools, args);
}

/** With arguments only jest, with these arguments; without, everything but the slow tests. Resolves with the exit code. */
export async function check(tools, args) {
  if (args.length > 0) {
    print(`Only the tests, by \`jest ${args.join(' ')}\`; without arguments every stage runs.`);
    return finish(tools, args);
  }
  const stages = { 'format and lint': tools.lint, typecheck: tools.typecheck, build: tools.build };
  return stagesThenTests(stages, tools, []);
}

/** What takes minutes and a machine of its own: the built program under real PM2, in real containers. */
export const checkSlow = (tools, args) =>
  stagesThenTests({ build: tools.build }, tools, ['--config', 'jest.slow.config.ts', ...args]);
