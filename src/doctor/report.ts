// The report of a survey or a trial, to be sent in: statuses, types and key paths. No value, no
// name, no id, no secret. Pure.
import type { Observation } from './survey.ts';

export interface AccountReport {
  readonly report: 'survey' | 'try-domain';
  /** Of this program. */
  readonly version: string;
  readonly api: 'v2' | 'v3';
  /** Why it ended early. */
  readonly stopped: string | null;
  /**
   * The simulator's switches that answer as RunCloud did (packages/simulator/src/variant-table.ts).
   */
  readonly switches: Readonly<Record<string, string>>;
  readonly observations: readonly Observation[];
}

export const toText = (report: AccountReport): string => `${JSON.stringify(report, null, 2)}\n`;
