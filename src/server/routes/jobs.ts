// Jobs: the status of one, and the retry of failed ones. A retry is a new request for the same
// desired state.
import { z } from 'zod';
import { jobRecord, toJob } from '../../api-records/domains.ts';
import { reasonCode } from '../../api-records/fields.ts';
import { jobNames, payloadSchemas } from '../../jobs/catalog.ts';
import { type FailedJob, MAX_FAILED } from '../../queue/operator.ts';
import { toEntry, toEntryOfAll } from '../../queue/retry-entries.ts';
import { nameOf } from '../auth.ts';
import { jobNotFailed, noJob } from '../messages.ts';
import { Refusal } from '../problems.ts';
import { LONG_DEADLINE_MS, route } from './route.ts';

const inPath = z.object({ id: z.string().min(1).max(400) });

const goneJob = (id: string): Refusal => new Refusal('not-found', noJob(id));

export const getJob = route({
  id: 'getJob',
  method: 'GET',
  path: '/v1/jobs/{id}',
  role: 'read',
  summary: 'Get the status of a job',
  description: 'The record of a completed job is deleted after a while. The domain’s record stays.',
  params: inPath,
  query: z.strictObject({}),
  answer: { status: 200, description: 'The job', schema: jobRecord },
  refusals: ['not-found'],
  async handler({ params: { id }, parts: { operator } }) {
    const job = toJob(await operator.job(id));
    if (!job) throw goneJob(id);
    return job;
  },
});

export const retryReceipt = z
  .object({ id: z.string(), jobId: z.string().meta({ description: 'The new job' }) })
  .meta({ description: 'An accepted retry' });

export const retryJob = route({
  id: 'retryJob',
  method: 'POST',
  path: '/v1/jobs/{id}:retry',
  role: 'operate',
  summary: 'Retry a failed job',
  description: 'With all its attempts again. A job that a newer request replaces is not retried.',
  params: inPath,
  answer: { status: 202, description: 'Queued again', schema: retryReceipt },
  refusals: ['not-found', 'not-failed'],
  location: ({ jobId }) => `/v1/jobs/${encodeURIComponent(jobId)}`,
  async handler({ params: { id }, caller, parts }) {
    const { state } = await parts.operator.job(id);
    if (state === 'gone') throw goneJob(id);
    if (state !== 'failed') throw new Refusal('not-failed', jobNotFailed(state));
    const result = await parts.operator.retry(id, nameOf(caller));
    if (result.kind !== 'retried') throw new Refusal('not-failed', result.sentence);
    await parts.audit.record({ who: nameOf(caller), what: 'retry', ...toEntry(result) });
    return { id, jobId: result.jobId };
  },
});

/** Of one request. */
const MAX_RETRIED = 1000;
const MAX_EXAMPLES = 20;

const { serverId, appId } = payloadSchemas['remove-domain'].shape;

const filterSchema = z
  .strictObject({
    code: z
      .string()
      .regex(/^[a-z-]{1,60}$/, 'must be an error code, such as runcloud-rejected')
      .optional()
      .meta({ description: 'Only jobs that have failed with this code' }),
    name: z.enum(jobNames as [string, ...string[]]).optional(),
    domain: payloadSchemas['remove-domain'].shape.domain
      .optional()
      .meta({ description: 'Only jobs of this domain' }),
    serverId: serverId.meta({ description: 'Only jobs for this server' }),
    appId: appId.meta({ description: 'Only jobs for this web application' }),
  })
  .meta({ description: 'Which failed jobs. Empty: all.' });

export const retriesResult = z
  .object({
    confirmed: z.boolean().meta({ description: 'False: nothing was retried' }),
    matching: z.int().meta({ description: 'The number of failed jobs that match the filter' }),
    examples: z.array(
      z.object({ id: z.string(), domain: z.string().nullable(), reason: z.string(), reasonCode }),
    ),
    retried: z.int(),
    superseded: z.int().meta({ description: 'Not retried, since a newer request replaces them' }),
    refused: z.int(),
    remaining: z.int().meta({ description: `A request retries at most ${MAX_RETRIED}. Send it again.` }),
  })
  .meta({ description: 'The matching jobs, and how many were retried' });

export const retryJobs = route({
  id: 'retryJobs',
  method: 'POST',
  path: '/v1/jobs:retry',
  role: 'operate',
  summary: 'Retry all failed jobs that match a filter',
  description: 'Without `confirm: true` it only counts the matching jobs.',
  body: z.strictObject({ filter: filterSchema, confirm: z.boolean().optional() }),
  answer: { status: 200, description: 'The matching jobs, and how many were retried', schema: retriesResult },
  deadlineMs: LONG_DEADLINE_MS,
  isKept: ({ confirmed }) => confirmed,
  async handler({ body: { filter, confirm = false }, caller, parts }) {
    const matching = await parts.operator.failed(MAX_FAILED, filter);
    const chosen = confirm ? matching.slice(0, MAX_RETRIED) : [];
    if (chosen.length > 0)
      await parts.audit.record({ who: nameOf(caller), what: 'retry', ...toEntryOfAll(chosen) });
    const results = { retried: 0, superseded: 0, refused: 0 };
    const deadline = performance.now() + LONG_DEADLINE_MS * 0.9;
    for (const { id } of chosen) {
      if (performance.now() > deadline) break;
      results[(await parts.operator.retry(id, nameOf(caller))).kind] += 1;
    }
    const done = results.retried + results.superseded + results.refused;
    return {
      confirmed: confirm,
      matching: matching.length,
      examples: matching.slice(0, MAX_EXAMPLES).map(toExample),
      ...results,
      remaining: matching.length - done,
    };
  },
});

const toExample = ({ id, domain, reason, code }: FailedJob) => ({
  id,
  domain: domain ?? null,
  reason,
  reasonCode: code ?? null,
});
