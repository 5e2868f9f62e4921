// A waiting domain is checked again and again. The result is shown once, and again when it changes.
import type { LogLine } from './log-line.ts';

export interface Repeats {
  /** What to show for this line: nothing, the line, or the start of its check with it. */
  news(line: LogLine): LogLine[];
}

export function createRepeats(): Repeats {
  const found = new Map<string, string>();
  const begun = new Map<string, LogLine>();

  const newsOf = (line: LogLine, jobId: string): LogLine[] => {
    if (line.event === 'started' && found.has(jobId)) {
      begun.set(jobId, line);
      return [];
    }
    const start = begun.get(jobId);
    begun.delete(jobId);
    // The start of a check is shown only if it did more than check.
    if (line.outcome === undefined) return start ? [start, line] : [line];
    const finding = line.msg.replace(/ Next (?:check|attempt) in [\d.]+ s\.$/, '');
    const isRepeated = found.get(jobId) === finding;
    found.set(jobId, finding);
    return isRepeated ? [] : [line];
  };
  return {
    news: (line) =>
      line.jobId === undefined || line.domain === undefined ? [line] : newsOf(line, line.jobId),
  };
}
