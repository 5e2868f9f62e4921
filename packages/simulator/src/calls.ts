// Every request, with what became of it: the evidence for tests and demos. Records only; decides
// nothing. Times are milliseconds since the epoch, with fractions, and never run backwards.
import { performance } from 'node:perf_hooks';
import type { JsonObject } from './control-fields.ts';
import type { FaultKind } from './fault-rules.ts';
import type { Operation } from './routes.ts';

export interface Call {
  sequence: number;
  time: string;
  startedAt: number;
  /** null while in flight. Set just before the last byte is sent, or when the connection closes. */
  endedAt: number | null;
  method: string;
  /** With the query. */
  path: string;
  version: 'v2' | 'v3' | null;
  operation: Operation | null;
  webapp: number | null;
  /** The domain name it concerns: from the body of an attach, from the id in the path otherwise. */
  domain: string | null;
  body: JsonObject;
  /** null: nothing was sent. */
  status: number | null;
  writeApplied: boolean;
  fault: FaultKind | null;
}

export interface Counters {
  requests: number;
  writes: number;
  writesApplied: number;
  faults: number;
  inFlight: number;
  maxInFlight: number;
  byOperation: Record<string, number>;
  byStatus: Record<string, number>;
}

export interface CallLog {
  calls: Call[];
  counters: () => Counters;
  start: (call: Omit<Call, 'sequence' | 'time' | 'endedAt' | 'status' | 'writeApplied' | 'fault'>) => Call;
  end: (call: Call) => void;
  clear: () => void;
}

export const preciseNow = (): number => performance.timeOrigin + performance.now();

export function createCallLog(options: { onCall?: (call: Call) => void }): CallLog {
  const calls: Call[] = [];
  let inFlight = 0;
  let maxInFlight = 0;
  let sequence = 0;
  return {
    calls,
    start: (facts) => {
      sequence += 1;
      const time = new Date(facts.startedAt).toISOString();
      const outcome = { endedAt: null, status: null, writeApplied: false, fault: null };
      const call: Call = { sequence, time, ...facts, ...outcome };
      calls.push(call);
      inFlight += 1;
      maxInFlight = Math.max(maxInFlight, inFlight);
      return call;
    },
    end: (call) => {
      if (call.endedAt !== null) return;
      call.endedAt = preciseNow();
      inFlight -= 1;
      options.onCall?.(call);
    },
    counters: () => ({ ...count(calls), inFlight, maxInFlight }),
    clear: () => {
      calls.length = 0;
      maxInFlight = inFlight;
    },
  };
}

export const isWrite = ({ method }: { method: string }): boolean => method !== 'GET' && method !== 'HEAD';

function count(calls: readonly Call[]): Omit<Counters, 'inFlight' | 'maxInFlight'> {
  return {
    requests: calls.length,
    writes: calls.filter(isWrite).length,
    writesApplied: calls.filter(({ writeApplied }) => writeApplied).length,
    faults: calls.filter(({ fault }) => fault !== null).length,
    byOperation: tally(calls, ({ operation }) => operation ?? 'unknown'),
    byStatus: tally(calls, ({ status }) => String(status ?? 'none')),
  };
}

function tally(calls: readonly Call[], toKey: (call: Call) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const call of calls) counts[toKey(call)] = (counts[toKey(call)] ?? 0) + 1;
  return counts;
}

/**
 * Pairs of writes for one domain (or one web application) that were in flight together: empty is the proof. A
 * client that hangs up is heard a moment late, hence `graceMs`.
 */
export function findOverlappingWrites(
  calls: readonly Call[],
  { by = 'domain', graceMs = 5 }: { by?: 'domain' | 'webapp'; graceMs?: number } = {},
): [Call, Call][] {
  const writes = calls.filter((call) => isWrite(call) && call[by] !== null);
  return writes.flatMap((first, at) =>
    writes
      .slice(at + 1)
      .filter((second) => second[by] === first[by] && isTogether(first, second, graceMs))
      .map((second): [Call, Call] => [first, second]),
  );
}

const isTogether = (first: Call, second: Call, graceMs: number): boolean =>
  first.startedAt < toEnd(second, graceMs) && second.startedAt < toEnd(first, graceMs);

function toEnd({ status, endedAt }: Call, graceMs: number): number {
  if (endedAt === null) return Number.POSITIVE_INFINITY;
  return status === null ? endedAt - graceMs : endedAt;
}
