// BullMQ's failed jobs, as people list and select them.
import type { Job } from 'bullmq';
import { parseId } from '../domains/ids.ts';
import { isOn, type Selection } from '../domains/selection.ts';
import { type Code, codeOf } from '../errors.ts';
import type { TargetDefaults } from '../jobs/catalog.ts';

export interface FailedJob {
  readonly id: string;
  readonly name: string;
  readonly domain: string | undefined;
  /** What the job names, or the configured ones. */
  readonly serverId: number | undefined;
  readonly appId: number | undefined;
  readonly reason: string;
  readonly code: Code | undefined;
  readonly attempts: number;
  readonly failedAt: number | undefined;
  /** When it is retried automatically; undefined: it waits for a person, or a newer request counts. */
  readonly nextCheckAt: number | undefined;
}

/** Which of them; what is left out restricts nothing. */
export interface FailedFilter extends Pick<Selection, 'serverId' | 'appId'> {
  readonly code?: string | undefined;
  readonly name?: string | undefined;
  readonly domain?: string | undefined;
}

export const isFailedAs = (job: FailedJob, filter: FailedFilter): boolean =>
  (filter.code === undefined || job.code === filter.code) &&
  (filter.name === undefined || job.name === filter.name) &&
  (filter.domain === undefined || job.domain === filter.domain) &&
  isOn({ serverId: job.serverId ?? 0, appId: job.appId ?? 0 }, filter);

/** A job whose payload is no JSON cannot be read at all; it must not hide the others. */
export function toFailedJob(
  id: string,
  job: Job | undefined,
  defaults: TargetDefaults,
): Omit<FailedJob, 'nextCheckAt'> {
  const data: Readonly<Record<string, unknown>> = job?.data ?? {};
  const reason = job
    ? job.failedReason || 'no reason was recorded'
    : 'invalid-payload: its payload is not JSON';
  return {
    id,
    name: job?.name ?? '?',
    domain: typeof data.domain === 'string' ? data.domain : undefined,
    serverId: parseId(String(data.serverId)) ?? defaults.serverId,
    appId: parseId(String(data.appId)) ?? defaults.appId,
    reason,
    code: codeOf(reason),
    attempts: job?.attemptsMade ?? 0,
    failedAt: job?.finishedOn,
  };
}
