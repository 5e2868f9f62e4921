// The queue for people: status, failed jobs, retries. Reads Redis only, never RunCloud.
import type { Job } from 'bullmq';
import type { RedeployRequest } from '../certificates/certificates.ts';
import type { Ledger } from '../certificates/ledger.ts';
import { type DomainRecord, includesWww } from '../domains/domain.ts';
import type { DomainName } from '../domains/domain-name.ts';
import { bareOf } from '../domains/owner.ts';
import { isOn, type Selection } from '../domains/selection.ts';
import type { DomainRequest, EnqueueResult } from '../domains/store.ts';
import { CodedError, reasonOf } from '../errors.ts';
import { type JobDefaults, parseJob, priorities, type TargetDefaults, toApp } from '../jobs/catalog.ts';
import type { Unavailable } from '../rate-limit/limiter.ts';
import { generationOf, toJobIdStem } from '../redis/keys.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import {
  type CertificateStatus,
  createDomainQueries,
  type DomainDetails,
  type DomainStatus,
  type JobStatus,
  READ_AT_ONCE,
  type Survey,
} from './domain-status.ts';
import { ALONE, type RequestQueue } from './enqueue.ts';
import { type FailedFilter, type FailedJob, isFailedAs, toFailedJob } from './failed-jobs.ts';
import { PRODUCER, readJob } from './job-payload.ts';
import * as messages from './messages.ts';

/** How many jobs stand where. */
export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
  readonly completed: number;
}

export type { CertificateStatus, DomainDetails, DomainStatus, FailedFilter, FailedJob, JobStatus, Survey };

/** So many failed jobs are read. */
export const MAX_FAILED = 10_000;

export type RetryResult =
  | {
      readonly id: string;
      readonly kind: 'retried';
      readonly jobId: string;
      readonly domain: string | undefined;
    }
  | { readonly id: string; readonly kind: 'superseded' | 'refused'; readonly sentence: string };

export interface Operator {
  counts(): Promise<QueueCounts>;
  /** Why no job can call RunCloud now. */
  unavailable(): Promise<Unavailable | undefined>;
  job(id: string): Promise<JobStatus>;
  /** The selected domains that were requested most recently; all domains are counted. */
  survey(limit: number, selection?: Selection): Promise<Survey>;
  domain(name: DomainName, target: TargetDefaults): Promise<DomainDetails | undefined>;
  /** The records of a name on the chosen web applications, the most recently requested first; default: on all. */
  everywhere(name: DomainName, on?: Selection): Promise<DomainRecord[]>;
  /** The domain whose www name this is, unless it was requested itself. */
  ownerOfTwin(name: DomainName, on?: Selection): Promise<DomainRecord | undefined>;
  details(record: DomainRecord): Promise<DomainDetails>;
  /** The most recent first, of the newest ten thousand. */
  failed(limit: number, filter?: FailedFilter): Promise<FailedJob[]>;
  /** Tries a failed job again with a full budget of attempts, unless a newer request has taken over. `by`: who says so. */
  retry(jobId: string, by: string): Promise<RetryResult>;
}

export interface OperatorOptions {
  readonly requests: RequestQueue;
  readonly defaults: JobDefaults;
  readonly unavailable: () => Promise<Unavailable | undefined>;
  readonly ledger: Pick<Ledger, 'budgets' | 'last'>;
}

export function createOperator({ requests, defaults, unavailable, ledger }: OperatorOptions): Operator {
  const { queue, store } = requests;

  const { jobStatus, detailsOf, survey } = createDomainQueries(requests, ledger);

  return {
    async counts() {
      const counts = await queue.getJobCounts(
        'waiting',
        'prioritized',
        'active',
        'delayed',
        'failed',
        'completed',
      );
      const { waiting = 0, prioritized = 0, active = 0, delayed = 0, failed = 0, completed = 0 } = counts;
      return { waiting: waiting + prioritized, active, delayed, failed, completed };
    },
    unavailable,
    job: jobStatus,
    survey,
    async domain(name, target) {
      const record = await store.get({ ...toApp(target, defaults), domain: name });
      return record && detailsOf(record);
    },
    async everywhere(name, on = {}) {
      return (await store.everywhere(name)).filter((record) => isOn(record, on));
    },
    async ownerOfTwin(name, on = {}) {
      const bare = bareOf(name);
      const records = bare ? await store.everywhere(bare) : [];
      return records.find((record) => isOn(record, on) && includesWww(record.desired));
    },
    details: detailsOf,
    async failed(limit, filter) {
      const ids = await queue.getRanges(['failed'], 0, (filter ? MAX_FAILED : limit) - 1);
      const found: FailedJob[] = [];
      const read = async (id: string): Promise<FailedJob> => {
        const job = toFailedJob(id, await queue.getJob(id).catch(() => undefined), defaults);
        return { ...job, nextCheckAt: await nextCheckOf(job, requests) };
      };
      // There may be thousands: other requests of this process run in between.
      for (let at = 0; at < ids.length; at += READ_AT_ONCE)
        found.push(...(await Promise.all(ids.slice(at, at + READ_AT_ONCE).map(read))));
      return filter ? found.filter((job) => isFailedAs(job, filter)).slice(0, limit) : found;
    },
    async retry(id, by) {
      const job = await queue.getJob(id).catch((error: unknown) => {
        if (error instanceof SyntaxError) return 'unreadable' as const;
        throw error;
      });
      if (job === 'unreadable') return { id, kind: 'refused', sentence: messages.unreadableJob(id) };
      if (!job || (await job.getState()) !== 'failed') {
        return { id, kind: 'refused', sentence: messages.noFailedJob(id) };
      }
      try {
        return await retryJob(job, by, requests, defaults);
      } catch (error) {
        if (error instanceof CodedError) return { id, kind: 'refused', sentence: error.message };
        throw error;
      }
    },
  };
}

// A new generation of the same request gets a new job with all attempts, under the ordinary rules. BullMQ's own retry would
// leave one attempt, and run beside a newer job of the same domain.
async function retryJob(
  job: Job,
  by: string,
  requests: RequestQueue,
  defaults: JobDefaults,
): Promise<RetryResult> {
  const id = job.id ?? '';
  const parsed = parseJob(job.name, readJob(job).payload, defaults);
  const result =
    parsed.name === 'redeploy-ssl'
      ? await requests.requestRedeploy(parsed.app, toRetryRequest(id, parsed.app, parsed.domain), {
          ...parsed.requester,
          by,
        })
      : await retryDomain({ ...parsed.request, by: PRODUCER }, id, by, requests);
  if (result.fate === 'superseded') {
    return { id, kind: 'superseded', sentence: messages.retrySuperseded(result.jobId) };
  }
  // The new job is enqueued: the old one is only clutter.
  await job.remove(ALONE).catch(reasonOf);
  const domain = parsed.name === 'redeploy-ssl' ? parsed.domain : parsed.request.domain;
  return { id, kind: 'retried', jobId: result.jobId, domain };
}

/** A record of which this job is no longer the newest says nothing of it. */
async function nextCheckOf(
  { id, name, domain, serverId, appId }: Omit<FailedJob, 'nextCheckAt'>,
  { store, certificates }: RequestQueue,
): Promise<number | undefined> {
  if (serverId === undefined || appId === undefined) return undefined;
  const app = { serverId, appId };
  const record =
    name === 'redeploy-ssl'
      ? await certificates.get(app)
      : domain !== undefined && (await store.get({ ...app, domain: domain as DomainName }));
  const hasFailed =
    record && record.jobId === id && ('request' in record ? record.request : record.state) === 'failed';
  return hasFailed ? record.nextRunAt : undefined;
}

const toRetryRequest = (
  id: string,
  app: WebApplication,
  domain: DomainName | undefined,
): RedeployRequest => ({
  domain: generationOf(id, toJobIdStem(app)) === undefined ? (domain ?? 'all') : 'waiting',
  atOnce: true,
});

async function retryDomain(
  request: DomainRequest,
  id: string,
  by: string,
  requests: RequestQueue,
): Promise<EnqueueResult> {
  const record = await requests.store.get(request);
  if (!record) return requests.requestDomain(request, priorities.retry);
  // An external producer's job that failed before it was ever claimed may be newer than the record.
  const isNewer = /^\d+$/.test(id) && Number(id) > record.place && id !== record.jobId;
  if (isNewer) return requests.requestDomain(request, priorities.retry);
  if (record.jobId !== id) return { fate: 'superseded', jobId: record.jobId };
  return requests.reenqueue(record, by);
}
