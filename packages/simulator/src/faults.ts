// Scripted and random faults: which one, if any, hits a request. The form of a fault on the wire is in
// exchange.ts; randomness comes from a seed, so that a failing run can be repeated.
import type { FaultKind, FaultRule } from './fault-rules.ts';
import { APPLIES_WRITE, parseFaultRule } from './fault-rules.ts';

export interface Fault extends FaultRule {
  id: number;
  /** Resolved: whether the request still does its work although the answer is spoilt. */
  appliesWrite: boolean;
  /** Aborted when the rule is removed: a slow answer then comes at once. */
  removed: AbortSignal;
}

export interface FaultTarget {
  method: string;
  path: string;
  operation: string | null;
  domain: string | null;
}

export interface FaultStatus {
  id: number;
  rule: FaultRule;
  hits: number;
  remaining: number | 'always';
}

export interface Faults {
  /** Throws a ControlError that names the bad field. */
  add: (rule: unknown) => FaultStatus;
  /** Ends what is slow by this rule at this moment, too. */
  remove: (id: number) => void;
  clear: () => void;
  /** The first rule in the order of adding that matches, has uses left and wins its draw. */
  take: (target: FaultTarget) => Fault | null;
  list: () => FaultStatus[];
}

interface Entry {
  id: number;
  rule: FaultRule;
  hits: number;
  skipped: number;
  removal: AbortController;
}

export function createFaults({ randomSeed }: { randomSeed: number }): Faults {
  let entries: Entry[] = [];
  let nextId = 1;
  let random = createRandom(randomSeed);
  return {
    add: (input) => {
      const entry = {
        id: nextId,
        rule: parseFaultRule(input),
        hits: 0,
        skipped: 0,
        removal: new AbortController(),
      };
      nextId += 1;
      entries.push(entry);
      return toStatus(entry);
    },
    remove: (id) => {
      for (const entry of entries) if (entry.id === id) entry.removal.abort();
      entries = entries.filter((entry) => entry.id !== id);
    },
    clear: () => {
      for (const { removal } of entries) removal.abort();
      entries = [];
      random = createRandom(randomSeed);
    },
    take: (target) => {
      const entry = entries.find((candidate) => isHit(candidate, target, random));
      if (entry === undefined) return null;
      entry.hits += 1;
      const { id, rule, removal } = entry;
      return { ...rule, id, appliesWrite: appliesWrite(rule), removed: removal.signal };
    },
    list: () => entries.map(toStatus),
  };
}

function isHit(entry: Entry, target: FaultTarget, random: () => number): boolean {
  if (remaining(entry) === 0 || !matches(entry.rule, target)) return false;
  if (entry.skipped < (entry.rule.skip ?? 0)) {
    entry.skipped += 1;
    return false;
  }
  return entry.rule.probability === undefined || random() < entry.rule.probability;
}

function matches(rule: FaultRule, target: FaultTarget): boolean {
  const isSame = (expected: string | undefined, actual: string | null): boolean =>
    expected === undefined || expected.toLowerCase() === actual?.toLowerCase();
  return (
    isSame(rule.operation, target.operation) &&
    isSame(rule.method, target.method) &&
    isSame(rule.domain, target.domain) &&
    (rule.path === undefined || toPattern(rule.path).test(target.path))
  );
}

/** `*` stands for any text; everything else for itself. */
const toPattern = (path: string): RegExp => new RegExp(`^${path.split('*').map(escapePattern).join('.*')}$`);

const escapePattern = (text: string): string => text.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&');

const appliesWrite = (rule: FaultRule): boolean =>
  rule.appliesWrite ?? (APPLIES_WRITE as Record<FaultKind, boolean>)[rule.kind];

/** A rule with a probability goes on until it is removed; any other is good for one request. */
function remaining({ rule, hits }: Entry): number | 'always' {
  const times = rule.times ?? (rule.probability === undefined ? 1 : 'always');
  return times === 'always' ? times : Math.max(0, times - hits);
}

function toStatus(entry: Entry): FaultStatus {
  const { id, rule, hits } = entry;
  return { id, rule, hits, remaining: remaining(entry) };
}

/** mulberry32: small, seeded, good enough to draw faults with. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
