// What the reconcile loop does about one record. Pure: facts go in, one step comes out.
import type { DomainRecord } from './domain.ts';

/** Times in milliseconds by Redis' clock. */
export interface ReconcileFacts {
  readonly record: DomainRecord;
  /** The state of its job in the queue; `gone`: there is none. */
  readonly job: 'gone' | 'failed' | 'completed' | 'unfinished';
  /** Whether RunCloud's list has the domain, and when it was read; undefined if it was not read. */
  readonly observed?: { readonly attached: boolean; readonly at: number } | undefined;
  readonly now: number;
}

export type ReconcileStep =
  | { readonly kind: 'nothing' }
  /** Repeat the request. A lost job comes back under its own id. */
  | { readonly kind: 'renew'; readonly why: string }
  /** BullMQ has given the job up: a person must act. */
  | { readonly kind: 'quarantine' }
  /** It is over, and need not stay. */
  | { readonly kind: 'forget' };

/** A failed domain is checked again after this, then after twice as long, and so on. */
export const FIRST_CHECK_MS = 600_000;
export const LONGEST_CHECK_MS = 24 * 3_600_000;
/**
 * A difference between RunCloud and a settled record is repaired for so long: a write that took effect late, or a wrong answer. A
 * later one is somebody's choice in RunCloud's panel, and stays.
 */
const REPAIR_MS = 24 * 3_600_000;

/** The record of a removal stays so long after its end, with its history, for people. */
const REMOVED_MS = 7 * 24 * 3_600_000;
/** The record of a name that was never ours. A caller could fill Redis with such records. */
const NEVER_OURS_MS = 3_600_000;

export function planReconcile(standing: ReconcileFacts): ReconcileStep {
  const { record } = standing;
  if (record.request === 'pending') return stepOfPending(standing);
  if (record.request === 'failed') return stepOfFailed(standing);
  return stepOfSettled(standing);
}

function stepOfPending({ job }: ReconcileFacts): ReconcileStep {
  if (job === 'unfinished') return { kind: 'nothing' };
  if (job === 'failed') return { kind: 'quarantine' };
  return { kind: 'renew', why: 'its job was lost' };
}

/** `nextRunAt` is set if the failure may pass. */
function stepOfFailed({ record: { code, nextRunAt }, now }: ReconcileFacts): ReconcileStep {
  if (nextRunAt === undefined || now < nextRunAt) return { kind: 'nothing' };
  return { kind: 'renew', why: `it failed with ${code}, which may have passed` };
}

/** Somebody who undoes it more often than this in RunCloud's panel means it. */
const MAX_RENEWALS = 3;

function stepOfSettled(standing: ReconcileFacts): ReconcileStep {
  const { record, observed } = standing;
  const isDesired = record.desired.presence === 'present';
  if (observed && isOursToRepair(standing) && observed.attached !== isDesired)
    return { kind: 'renew', why: observed.attached ? 'RunCloud still has it' : 'RunCloud does not have it' };
  return !isDesired && isOver(standing) ? { kind: 'forget' } : { kind: 'nothing' };
}

const settledAt = ({ outcomeAt, requestedAt }: DomainRecord): number => outcomeAt ?? requestedAt;

/** Whether an observed difference would be ours to repair. */
function isOursToRepair({ record, observed, now }: ReconcileFacts): boolean {
  if (!observed || record.renewals >= MAX_RENEWALS || now - settledAt(record) > REPAIR_MS) return false;
  // The list may lag behind what RunCloud accepted.
  const shownBy = record.desired.presence === 'present' ? record.shownBy.attach : record.shownBy.detach;
  return observed.at >= Math.max(settledAt(record), record.wroteAt, shownBy);
}

/** A removal that has ended: no late write of it can show up any more. */
function isOver(standing: ReconcileFacts): boolean {
  const { record, job, observed, now } = standing;
  const { wroteAt, lateUntil, shownBy, needsRedeployAfter } = record;
  if (job === 'unfinished' || needsRedeployAfter !== undefined) return false;
  const ends = [settledAt(record), wroteAt, ...Object.values(lateUntil), ...Object.values(shownBy)];
  const endedMs = now - Math.max(...ends);
  const wasOurs = wroteAt !== 0 || record.attachedWww !== undefined;
  if (wasOurs) return endedMs > REMOVED_MS;
  // If RunCloud's list cannot be read: as long as a difference would be ours to repair.
  const isAbsent = isOursToRepair(standing) && observed?.attached === false;
  return endedMs > (isAbsent ? NEVER_OURS_MS : REPAIR_MS);
}
