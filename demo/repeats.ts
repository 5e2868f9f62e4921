// A domain that waits is looked at again and again. What such a look found is told once, and again when it has changed.
import type { LogLine } from './log-line.ts';

export interface Repeats {
  /** What is to be told at this line: nothing, the line, or the start of its look with it. */
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
    // That a look began is worth telling only where it did more than look.
    if (line.outcome === undefined) return start ? [start, line] : [line];
    const finding = line.msg.replace(/; next look in [\d.]+ s$/, '');
    const isRepeated = found.get(jobId) === finding;
    found.set(jobId, finding);
    return isRepeated ? [] : [line];
  };
  return {
    news: (line) =>
      line.jobId === undefined || line.domain === undefined ? [line] : newsOf(line, line.jobId),
  };
}
