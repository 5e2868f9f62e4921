// What a sweep does about one record. Pure: how things stand goes in, one word comes out.
import type { DomainRecord } from './domain.ts';

/** How things stand. Times in milliseconds by Redis' clock. */
export interface Standing {
  readonly record: DomainRecord;
  /** Where its job stands in the queue; `gone`: nowhere. */
  readonly job: 'gone' | 'failed' | 'completed' | 'unfinished';
  /** Whether RunCloud has the domain, and when that was seen; undefined where nobody looked. */
  readonly seen?: { readonly attached: boolean; readonly at: number } | undefined;
  readonly now: number;
}

export type ReconcileStep =
  | { readonly kind: 'nothing' }
  /** Ask for the same again; a job that is gone comes back under its own id. */
  | { readonly kind: 'renew'; readonly why: string }
  /** BullMQ has given the job up: a person must look. */
  | { readonly kind: 'quarantine' }
  /** It is over, and need not stay. */
  | { readonly kind: 'forget' };

/** What has failed is looked at again after this, then after twice as long, and so on. */
export const FIRST_CHECK_MS = 600_000;
export const LONGEST_CHECK_MS = 24 * 3_600_000;
/**
 * A difference between RunCloud and a settled record is ours to mend for so long: a write that took effect late, a lie. Later
 * ones are somebody's doing in RunCloud's own panel, and stay.
 */
const MEND_MS = 24 * 3_600_000;

/** The record of a removal stays so long after its end, with its history: for people. */
const REMOVED_MS = 7 * 24 * 3_600_000;
/** That of a name that was never ours: nobody asks for it, and whoever may ask could fill Redis with such. */
const NEVER_OURS_MS = 3_600_000;

export function planReconcile(standing: Standing): ReconcileStep {
  const { record } = standing;
  if (record.request === 'pending') return pendingUpkeep(standing);
  if (record.request === 'failed') return failedUpkeep(standing);
  return settledUpkeep(standing);
}

function pendingUpkeep({ job }: Standing): ReconcileStep {
  if (job === 'unfinished') return { kind: 'nothing' };
  if (job === 'failed') return { kind: 'quarantine' };
  return { kind: 'renew', why: 'its job was lost' };
}

/** `nextRunAt` is set where the failure may pass. */
function failedUpkeep({ record: { code, nextRunAt }, now }: Standing): ReconcileStep {
  if (nextRunAt === undefined || now < nextRunAt) return { kind: 'nothing' };
  return { kind: 'renew', why: `it failed with ${code}, which may have passed` };
}

/** Who undoes it more often than this in RunCloud's panel means it. */
const MAX_RENEWALS = 3;

function settledUpkeep(standing: Standing): ReconcileStep {
  const { record, seen } = standing;
  const isDesired = record.desired.presence === 'present';
  if (seen && isOursToMend(standing) && seen.attached !== isDesired)
    return { kind: 'renew', why: seen.attached ? 'RunCloud still has it' : 'RunCloud does not have it' };
  return !isDesired && isOver(standing) ? { kind: 'forget' } : { kind: 'nothing' };
}

const settledAt = ({ outcomeAt, requestedAt }: DomainRecord): number => outcomeAt ?? requestedAt;

/** A difference that was seen would be. */
function isOursToMend({ record, seen, now }: Standing): boolean {
  if (!seen || record.renewals >= MAX_RENEWALS || now - settledAt(record) > MEND_MS) return false;
  // The list may lag behind what RunCloud took of us.
  const shownBy = record.desired.presence === 'present' ? record.shownBy.attach : record.shownBy.detach;
  return seen.at >= Math.max(settledAt(record), record.wroteAt, shownBy);
}

/** A removal that has ended, and of which nothing can turn up any more. */
function isOver(standing: Standing): boolean {
  const { record, job, seen, now } = standing;
  const { wroteAt, lateUntil, shownBy, needsRedeployAfter } = record;
  if (job === 'unfinished' || needsRedeployAfter !== undefined) return false;
  const ends = [settledAt(record), wroteAt, ...Object.values(lateUntil), ...Object.values(shownBy)];
  const endedMs = now - Math.max(...ends);
  const wasOurs = wroteAt !== 0 || record.attachedWww !== undefined;
  if (wasOurs) return endedMs > REMOVED_MS;
  // Where RunCloud's list cannot be read, as long as a difference would be ours to mend.
  const isAbsent = isOursToMend(standing) && seen?.attached === false;
  return endedMs > (isAbsent ? NEVER_OURS_MS : MEND_MS);
}
