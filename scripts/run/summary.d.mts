// Types of what tests use of summary.mjs.
export interface Summary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}
export function countResults(results: {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numRuntimeErrorTestSuites: number;
}): Summary;
export function readSummary(file: string, exitCode: number): Summary;
export function summaryLine(summary: Pick<Summary, 'passed' | 'failed'>): string;
