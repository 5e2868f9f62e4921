// Draws histories and plays them, several side by side; tells a failing one in sentences, with the seed that repeats it.
import * as fc from 'fast-check';
import { type Event, histories, tellHistory } from './history.ts';
import { createLane } from './history-play.ts';
import { inParallel } from './until.ts';

export interface HistoryRun {
  readonly redisUrl: string;
  /** Every key begins with it. */
  readonly prefix: string;
  readonly total: number;
  readonly seed: number;
  /** How many are played side by side. */
  readonly lanes: number;
  /** Shrinking a failing history ends after this. */
  readonly limitMs: number;
  readonly onPlayed?: () => void;
}

export interface HistoryReport {
  readonly played: number;
  /** One text per lane that failed: what is wrong, the shortest history found, how to repeat it. */
  readonly failures: readonly string[];
}

export async function runHistories({
  redisUrl,
  prefix,
  total,
  seed,
  lanes,
  limitMs,
  onPlayed,
}: HistoryRun): Promise<HistoryReport> {
  const numbers = Array.from({ length: lanes }, (_, at) => at);
  const reports = await inParallel(numbers, lanes, async (number) => {
    await using lane = await createLane(redisUrl, `${prefix}-${number}`);
    const property = fc.asyncProperty(histories, async (history) => {
      await lane.play(history);
      onPlayed?.();
    });
    const share = Math.floor(total / lanes) + (number < total % lanes ? 1 : 0);
    const options = { seed: seed + number, numRuns: share, interruptAfterTimeLimit: limitMs };
    return await fc.check(property, options);
  });
  return {
    played: reports.reduce((sum, { numRuns }) => sum + numRuns, 0),
    failures: reports
      .filter(({ failed }) => failed)
      .map((report) => tellFailure(report, { total, seed, lanes })),
  };
}

function tellFailure(
  { counterexample, errorInstance, counterexamplePath }: fc.RunDetails<[Event[]]>,
  { total, seed, lanes }: Pick<HistoryRun, 'total' | 'seed' | 'lanes'>,
): string {
  const reason = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  const history = counterexample ? tellHistory(counterexample[0]) : '(none was found in time)';
  const again = `HISTORY_SEED=${seed} HISTORIES=${total} LANES=${lanes} npm run histories`;
  return [
    reason,
    'The shortest history found:',
    history,
    `Again: ${again} (path ${counterexamplePath})`,
  ].join('\n');
}
