// What a person asks of the queue: how things stand, what failed, try it again. Reads Redis only, never RunCloud.
import type { Job } from 'bullmq';
import { CodedError, PermanentError, reasonOf } from '../errors.ts';
import type { CertificateRecord } from '../intent/certificates.ts';
import type { DomainName } from '../intent/domain-name.ts';
import type { Intent } from '../intent/intent.ts';
import { type ParsedJob, parseJob, type TargetDefaults } from '../jobs/catalog.ts';
import type { Receipt, RequestQueue } from './producer.ts';

/** How many jobs stand where. */
export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
  readonly completed: number;
}

/** One job as the queue holds it. Times in milliseconds since the epoch. */
export interface JobStatus {
  readonly id: string;
  /** `gone`: its record was dropped, or it never was. */
  readonly state: 'waiting' | 'active' | 'delayed' | 'failed' | 'completed' | 'gone';
  readonly attemptsMade: number;
  /** Why the last attempt failed. */
  readonly failedReason: string | undefined;
  /** What a completed job said of itself. */
  readonly result: string | undefined;
  readonly nextRunAt: number | undefined;
}

/** One domain as status pages show it. */
export interface DomainStatus {
  readonly intent: Intent;
  readonly job: JobStatus;
  /** What is known of its web application's certificate. */
  readonly certificate: CertificateRecord | undefined;
  readonly redeploy: JobStatus | undefined;
}

export interface FailedJob {
  readonly id: string;
  readonly name: string;
  readonly domain: string | undefined;
  readonly reason: string;
  readonly attempts: number;
  readonly failedAt: number | undefined;
}

export type RetryResult =
  | { readonly id: string; readonly kind: 'retried'; readonly jobId: string }
  | { readonly id: string; readonly kind: 'superseded' | 'refused'; readonly sentence: string };

export interface Operator {
  counts(): Promise<QueueCounts>;
  job(id: string): Promise<JobStatus>;
  domains(limit: number): Promise<DomainStatus[]>;
  domain(name: DomainName, target: TargetDefaults): Promise<DomainStatus | undefined>;
  /** The most recent first. */
  failed(limit: number): Promise<FailedJob[]>;
  /** Tries a failed job again with a full budget of attempts, unless a newer request has taken over. */
  retry(jobId: string): Promise<RetryResult>;
}

export function createOperator({
  requests,
  defaults,
}: {
  requests: RequestQueue;
  defaults: TargetDefaults;
}): Operator {
  const { queue, intents, certificates } = requests;

  const jobStatus = async (id: string): Promise<JobStatus> => {
    // The state first: a record that was read before its job ended would lack the result.
    const found = plain(await queue.getJobState(id));
    const job = await queue.getJob(id);
    const state = job ? found : 'gone';
    return {
      id,
      state,
      attemptsMade: job?.attemptsMade ?? 0,
      failedReason: job?.failedReason || undefined,
      result: typeof job?.returnvalue === 'string' ? job.returnvalue : undefined,
      nextRunAt: state === 'delayed' ? await requests.dueAt(id) : undefined,
    };
  };

  const statusOf = async (intent: Intent): Promise<DomainStatus> => {
    const [job, certificate] = await Promise.all([jobStatus(intent.jobId), certificates.get(intent)]);
    const redeploy = certificate?.jobId ? await jobStatus(certificate.jobId) : undefined;
    return { intent, job, certificate, redeploy };
  };

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
    job: jobStatus,
    domains: async (limit) => Promise.all((await intents.list(limit)).map(statusOf)),
    async domain(name, target) {
      const { serverId, appId } = { ...defaults, ...target };
      if (serverId === undefined || appId === undefined) {
        throw new PermanentError(
          'no-web-application',
          'neither the command nor the configuration names the web application',
        );
      }
      const intent = await intents.get({ serverId, appId, domain: name });
      return intent && statusOf(intent);
    },
    failed: async (limit) => (await queue.getFailed(0, limit - 1)).map(toFailedJob),
    async retry(id) {
      const job = await queue.getJob(id);
      if (!job || (await job.getState()) !== 'failed') {
        return { id, kind: 'refused', sentence: `no failed job has the id ${id}; \`failed\` lists them` };
      }
      try {
        return await retryJob(job, requests, defaults);
      } catch (error) {
        if (error instanceof CodedError) return { id, kind: 'refused', sentence: error.message };
        throw error;
      }
    },
  };
}

// A new request with the same wish: it gets a new job with a full budget, and the ordinary rules hold. BullMQ's own retry
// would leave one try, and run beside a newer job of the same domain.
async function retryJob(job: Job, requests: RequestQueue, defaults: TargetDefaults): Promise<RetryResult> {
  const id = job.id ?? '';
  const parsed = parseJob(job.name, job.data, defaults);
  const newer = await newerJob(parsed, id, requests);
  if (newer !== undefined) {
    return {
      id,
      kind: 'superseded',
      sentence: `job ${newer} carries a newer request; this one stays as it is`,
    };
  }
  const receipt: Receipt = await requests.enqueue(parsed.name, job.data);
  // The new job is on its way; a record that cannot be removed now is only clutter.
  await job.remove().catch(reasonOf);
  return { id, kind: 'retried', jobId: receipt.jobId };
}

async function newerJob(
  parsed: ParsedJob,
  id: string,
  { intents }: RequestQueue,
): Promise<string | undefined> {
  if (parsed.name === 'redeploy-ssl') return undefined;
  const intent = await intents.get(parsed.request);
  return intent && intent.jobId !== id ? intent.jobId : undefined;
}

function plain(state: string): JobStatus['state'] {
  if (state === 'active' || state === 'delayed' || state === 'failed' || state === 'completed') return state;
  return state === 'unknown' ? 'gone' : 'waiting';
}

function toFailedJob(job: Job): FailedJob {
  const domain = typeof job.data?.domain === 'string' ? job.data.domain : undefined;
  return {
    id: job.id ?? '',
    name: job.name,
    domain,
    reason: job.failedReason || 'no reason was recorded',
    attempts: job.attemptsMade,
    failedAt: job.finishedOn,
  };
}
