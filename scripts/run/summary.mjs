// Turns what jest counted into the suite's last line. Pure but for reading one file.
import { readFileSync } from 'node:fs';

/** Counts from jest's result (whose `success` is not set yet here); a file that does not load is one failure. */
export function countResults(results) {
  return {
    passed: results.numPassedTests,
    failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
    skipped: results.numPendingTests + results.numTodoTests,
  };
}

/** What the reporter has written; a run without it, or with a bad exit code, never counts as clean. */
export function readSummary(file, exitCode) {
  let counted = { passed: 0, failed: 1, skipped: 0 };
  try {
    counted = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // Jest ended before its report: no tests found, a crash in the set-up, or a signal.
  }
  return exitCode === 0 ? counted : { ...counted, failed: Math.max(1, counted.failed) };
}

export function summaryLine({ passed, failed }) {
  return `${passed} passed, ${failed} failed`;
}
