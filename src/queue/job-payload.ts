// A job's payload as our doors write it, and as a worker reads it: with who asked. Pure.
import type { Job } from 'bullmq';
import type { Asker } from '../intent/intent.ts';
import { generationOf } from '../intent/keys.ts';
import type { DomainRequest } from '../intent/store.ts';

/** A program that asks through Redis, ours or anybody's: nothing proves which one. */
export const PRODUCER = 'producer';

/** As docs/jobs.md has it, with everything resolved, so that the job means the same wherever it runs. */
export function toPayload({ domain, serverId, appId, siteId, wish, ...asker }: DomainRequest): object {
  const { want, ...settings } = wish;
  const site = siteId !== undefined && { siteId };
  return { domain, serverId, appId, ...(want === 'present' ? settings : {}), ...site, ...askerFields(asker) };
}

/** `by` is for a worker that finds no record: only in jobs with an id of ours is it believed. */
export const askerFields = ({ by, for: requestedBy }: Asker): object => ({
  ...(by !== undefined && { by }),
  ...(requestedBy !== undefined && { requestedBy }),
});

/** Who asked by this job, and its payload as a producer has it. */
export function readJob({ id, data }: Pick<Job, 'id' | 'data'>): {
  readonly by: string | undefined;
  readonly payload: unknown;
} {
  if (generationOf(id ?? '') === undefined) return { by: PRODUCER, payload: data };
  if (typeof data !== 'object' || data === null) return { by: undefined, payload: data };
  const { by, ...payload } = data as { by?: unknown };
  return { by: typeof by === 'string' ? by : undefined, payload };
}
