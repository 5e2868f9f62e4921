// What a job is doing, in words. Pure.
import { asClause } from '../../domains/sentences.ts';
import type { JobStatus } from '../../queue/operator.ts';
import { toRelative } from './times.ts';

export function describeJob(
  { state, result, failedReason, attemptsMade, nextRunAt }: JobStatus,
  nowMs: number,
): string {
  if (state === 'gone') return 'ended; its record is deleted';
  if (state === 'completed') return result ?? 'done';
  if (state === 'failed') return failedReason ? `failed: ${failedReason}` : 'failed';
  if (state === 'active') return 'running';
  if (state === 'waiting') return 'waiting for a worker';
  const due = nextRunAt === undefined ? 'soon' : toRelative(nextRunAt, nowMs);
  return failedReason
    ? `attempt ${attemptsMade} failed (${asClause(failedReason)}); next attempt ${due}`
    : `waiting; next check ${due}`;
}
