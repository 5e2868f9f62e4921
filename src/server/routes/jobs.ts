// Jobs: how one stands, and trying failed ones again. A retry is a new request for the same wish, by the operator's rules.
import { z } from 'zod';
import { jobRecord, toJob } from '../../api-records/domains.ts';
import { jobNames, payloadSchemas } from '../../jobs/catalog.ts';
import { type FailedJob, MAX_FAILED } from '../../queue/operator.ts';
import { toEntry, toEntryOfAll } from '../../queue/retry-entries.ts';
import { nameOf } from '../auth.ts';
import { Refusal } from '../problems.ts';
import { LONG_DEADLINE_MS, route } from './route.ts';

const inPath = z.object({ id: z.string().min(1).max(400) });

const goneJob = (id: string): Refusal =>
  new Refusal('not-found', `there is no job ${id.slice(0, 100)}, or its record was dropped`);

export const getJob = route({
  id: 'getJob',
  method: 'GET',
  path: '/v1/jobs/{id}',
  role: 'read',
  summary: 'How a job stands',
  description: 'A completed job says what came of it for a while; the domain’s record stays.',
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
  .object({ id: z.string(), jobId: z.string().meta({ description: 'The job that tries it again' }) })
  .meta({ description: 'A retry that was accepted' });

export const retryJob = route({
  id: 'retryJob',
  method: 'POST',
  path: '/v1/jobs/{id}:retry',
  role: 'operate',
  summary: 'Try a failed job again',
  description: 'With a full budget of attempts. What a newer request has overtaken stays as it is.',
  params: inPath,
  answer: { status: 202, description: 'On its way again', schema: retryReceipt },
  refusals: ['not-found', 'not-failed'],
  location: ({ jobId }) => `/v1/jobs/${encodeURIComponent(jobId)}`,
  async handler({ params: { id }, caller, parts }) {
    const { state } = await parts.operator.job(id);
    if (state === 'gone') throw goneJob(id);
    if (state !== 'failed') throw new Refusal('not-failed', `this job has not failed: it is ${state}`);
    const result = await parts.operator.retry(id, nameOf(caller));
    if (result.kind !== 'retried') throw new Refusal('not-failed', result.sentence);
    await parts.audit.record({ who: nameOf(caller), what: 'retry', ...toEntry(result) });
    return { id, jobId: result.jobId };
  },
});

/** How many one request retries. */
const MAX_RETRIED = 1000;
const SHOWN = 20;

const { serverId, appId } = payloadSchemas['remove-domain'].shape;

const filterSchema = z
  .strictObject({
    code: z
      .string()
      .regex(/^[a-z-]{1,60}$/, 'must be an error code, such as runcloud-rejected')
      .optional()
      .meta({ description: 'Only jobs that failed with this code' }),
    name: z.enum(jobNames as [string, ...string[]]).optional(),
    domain: payloadSchemas['remove-domain'].shape.domain
      .optional()
      .meta({ description: 'Only jobs of this domain' }),
    serverId: serverId.meta({ description: 'Only jobs for this server' }),
    appId: appId.meta({ description: 'Only jobs for this web application' }),
  })
  .meta({ description: 'Which failed jobs; empty: all' });

export const retriesResult = z
  .object({
    confirmed: z.boolean().meta({ description: 'False: nothing was done yet' }),
    matching: z.int().meta({ description: 'How many failed jobs the filter finds' }),
    examples: z.array(z.object({ id: z.string(), domain: z.string().nullable(), reason: z.string() })),
    retried: z.int(),
    superseded: z.int().meta({ description: 'A newer request counts: they stay as they are' }),
    refused: z.int(),
    remaining: z.int().meta({ description: `At most ${MAX_RETRIED} are retried at once; send it again` }),
  })
  .meta({ description: 'What was found and done' });

export const retryJobs = route({
  id: 'retryJobs',
  method: 'POST',
  path: '/v1/jobs:retry',
  role: 'operate',
  summary: 'Try all failed jobs again that match',
  description: 'Counts first: nothing is done without `confirm: true`.',
  body: z.strictObject({ filter: filterSchema, confirm: z.boolean().optional() }),
  answer: { status: 200, description: 'What was found and done', schema: retriesResult },
  deadlineMs: LONG_DEADLINE_MS,
  isKept: ({ confirmed }) => confirmed,
  async handler({ body: { filter, confirm = false }, caller, parts }) {
    const matching = await parts.operator.failed(MAX_FAILED, filter);
    const chosen = confirm ? matching.slice(0, MAX_RETRIED) : [];
    if (chosen.length > 0)
      await parts.audit.record({ who: nameOf(caller), what: 'retry', ...toEntryOfAll(chosen) });
    const fates = { retried: 0, superseded: 0, refused: 0 };
    const deadline = performance.now() + LONG_DEADLINE_MS * 0.9;
    for (const { id } of chosen) {
      if (performance.now() > deadline) break;
      fates[(await parts.operator.retry(id, nameOf(caller))).kind] += 1;
    }
    const done = fates.retried + fates.superseded + fates.refused;
    return {
      confirmed: confirm,
      matching: matching.length,
      examples: matching.slice(0, SHOWN).map(toExample),
      ...fates,
      remaining: matching.length - done,
    };
  },
});

const toExample = ({ id, domain, reason }: FailedJob) => ({ id, domain: domain ?? null, reason });
