// A job's payload as our writers write it and as a worker reads it, with its requester. Pure.
import type { Requester } from '../domains/domain.ts';
import type { DomainRequest } from '../domains/store.ts';
import { generationOf } from '../redis/keys.ts';

/** A program that uses Redis directly, ours or any other: nothing proves which one. */
export const PRODUCER = 'producer';

/** As docs/reference/jobs.md has it, with everything resolved, so that the job means the same wherever it runs. */
export function toPayload({ domain, serverId, appId, siteId, desired, ...requester }: DomainRequest): object {
  const { presence, ...settings } = desired;
  const site = siteId !== undefined && { siteId };
  return {
    domain,
    serverId,
    appId,
    ...(presence === 'present' ? settings : {}),
    ...site,
    ...requesterFields(requester),
  };
}

/** `by` is for people who read the job, and for a redeploy's log; `requesterOf` decides when it is trusted. */
export const requesterFields = ({ by, for: requestedBy }: Requester): object => ({
  ...(by !== undefined && { by }),
  ...(requestedBy !== undefined && { requestedBy }),
});

/** A request of ours has a few hundred characters; an external producer may have put anything into a job. */
const MAX_CHARS = 16 * 1024;
const MAX_NAME_CHARS = 100;
const MAX_FIELD_CHARS = 300;
const MAX_FIELDS = 20;
/** Ours have a domain name and three numbers. */
const MAX_ID_CHARS = 1_000;

/** Whether a job has more around its payload than any of ours: it is refused, and nothing of it is kept. */
export const isOversized = (
  { name, opts }: { readonly name: unknown; readonly opts: unknown },
  id: string,
): boolean =>
  JSON.stringify(opts ?? {}).length > MAX_CHARS ||
  String(name).length > MAX_NAME_CHARS ||
  id.length > MAX_ID_CHARS;

/** Whether a payload, as Redis has it, is longer than any that we read. */
export const isLarge = (text: string | undefined): boolean => (text ?? '').length > MAX_CHARS;

/** What stays of a large payload: its short fields. What was refused for a long one stays refused. */
export function toShrunk(payload: unknown): object {
  const fields = isFields(payload) ? Object.entries(payload) : [];
  const short = fields.filter(
    ([name, value]) =>
      name.length <= MAX_FIELD_CHARS &&
      !isFields(value) &&
      !Array.isArray(value) &&
      String(value).length <= MAX_FIELD_CHARS,
  );
  return { ...Object.fromEntries(short.slice(0, MAX_FIELDS)), cut: 'it had more than a job may have' };
}

type JobText = Readonly<{ id?: unknown; data?: unknown }>;

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether its id is the one that we make for what its payload names. Anybody can write such an id too. */
export function isOurForm({ id, data }: JobText): boolean {
  if (typeof id !== 'string' || !isFields(data)) return false;
  const { domain = 'redeploy', serverId, appId } = data;
  return generationOf(id, `${domain}_${serverId}_${appId}~`) !== undefined;
}

/** A job's payload as a producer has it, and the requester that it names. */
export function readJob({ id, data }: JobText): {
  readonly by: string | undefined;
  readonly payload: unknown;
} {
  if (!isFields(data) || !isOurForm({ id, data })) return { by: undefined, payload: data };
  const { by, ...payload } = data;
  return { by: typeof by === 'string' ? by : undefined, payload };
}

/** What is remembered of what the job is about. */
export interface JobRecord {
  readonly jobId: string | undefined;
  readonly request: string | undefined;
  /** Older jobs of ours do nothing; undefined: any other one. */
  readonly generation?: number;
  readonly by: string | undefined;
}

/**
 * The requester of the job `id`, whose stem should be `stem`. Our writers write the record before the job: a record that waits
 * for this job proves that we made it. `isExternal`: nothing proves it.
 */
export function requesterOf(
  id: string,
  stem: string,
  record: JobRecord | undefined,
): { readonly isExternal: boolean; readonly by: string | undefined } {
  const external = { isExternal: true, by: PRODUCER };
  const generation = generationOf(id, stem);
  if (generation === undefined || !record?.jobId) return external;
  if (record.jobId === id)
    return record.request === 'pending' ? { isExternal: false, by: record.by } : external;
  return generation < (record.generation ?? Number.POSITIVE_INFINITY)
    ? { isExternal: false, by: undefined }
    : external;
}
