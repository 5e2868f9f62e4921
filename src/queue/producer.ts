// Puts requests into Redis: the intent first, then the job that carries it. Knows nothing of RunCloud's API.
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { CodedError, PermanentError, reasonOf } from '../errors.ts';
import { type Certificates, createCertificates, type RedeployTicket } from '../intent/certificates.ts';
import type { DomainName } from '../intent/domain-name.ts';
import { createKeys } from '../intent/keys.ts';
import { createIntentStore, type DomainRequest, type IntentStore } from '../intent/store.ts';
import {
  type JobName,
  type ParsedJob,
  parseJob,
  priorities,
  QUEUE_NAME,
  type TargetDefaults,
} from '../jobs/catalog.ts';
import { redisUnavailable, untilReady, within } from '../redis.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';

/** What a request is answered with. `coalesced`: the same request was on its way already, under this job. */
export interface Receipt {
  readonly jobId: string;
  readonly coalesced: boolean;
  /** In its ASCII form; undefined for a redeploy of all domains. */
  readonly domain: string | undefined;
  /** Fields of the payload that no job knows; they were left out. */
  readonly unknownFields: readonly string[];
}

export interface EnqueueOptions {
  /** Part of a bulk import: everything else goes first. */
  readonly bulk?: boolean;
}

/** The door to the queue for one process. Errors: PermanentError for bad input, CodedError `redis-unavailable`. */
export interface RequestQueue {
  readonly queue: Queue;
  readonly intents: IntentStore;
  readonly certificates: Certificates;
  enqueue(name: JobName, payload: unknown, options?: EnqueueOptions): Promise<Receipt>;
  /** Asks for a coalesced redeploy after the delay; resolves with the milliseconds until it is due. */
  askRedeploy(app: WebApplication, domain: DomainName | undefined): Promise<number>;
  addRedeployJob(app: WebApplication, ticket: RedeployTicket): Promise<void>;
  /** When a delayed job is due, in milliseconds since the epoch; undefined where it is not delayed. */
  dueAt(jobId: string): Promise<number | undefined>;
  close(): Promise<void>;
}

export interface RequestQueueOptions {
  readonly redis: Redis;
  readonly queuePrefix: string;
  readonly defaults: TargetDefaults;
  readonly redeployDelayMs: number;
  /** A producer gives up after this; a worker (undefined) waits for Redis. */
  readonly deadlineMs?: number | undefined;
}

export function createRequestQueue(options: RequestQueueOptions): RequestQueue {
  const { redis, queuePrefix, defaults, redeployDelayMs, deadlineMs } = options;
  const queue = createQueue(redis, queuePrefix);
  const keys = createKeys(queuePrefix, QUEUE_NAME);
  const intents = createIntentStore({ redis, keys });
  const certificates = createCertificates({ redis, keys, delayMs: redeployDelayMs });

  const addRedeployJob = async (
    app: WebApplication,
    { jobId, delayMs }: RedeployTicket,
    requestedBy?: string,
  ) => {
    const { serverId, appId } = app;
    const payload = { serverId, appId, ...(requestedBy !== undefined && { requestedBy }) };
    await queue.add('redeploy-ssl', payload, { jobId, priority: priorities['redeploy-ssl'], delay: delayMs });
  };
  const requestRedeploy = async ({ app, domain, requestedBy }: RedeployRequest, atOnce: boolean) => {
    const ticket = await certificates.ask(app, { domain, atOnce });
    if (ticket.fate !== 'coalesced') await addRedeployJob(app, ticket, requestedBy);
    return ticket;
  };
  const requestDomain = async (name: JobName, request: DomainRequest, priority: number) => {
    const { fate, jobId } = await intents.request(request);
    if (fate !== 'coalesced') await queue.add(name, toPayload(request), { jobId, priority });
    return { fate, jobId };
  };
  const send = (job: ParsedJob, { bulk }: EnqueueOptions) => {
    if (job.name === 'redeploy-ssl') return requestRedeploy(job, true);
    return requestDomain(job.name, job.request, bulk ? priorities.bulk : priorities[job.name]);
  };

  return {
    queue,
    intents,
    certificates,
    addRedeployJob,
    async enqueue(name, payload, enqueueOptions = {}) {
      const job = parseJob(name, payload, defaults);
      const { jobId, fate } = await failFast(redis, deadlineMs, () => send(job, enqueueOptions));
      const domain = job.name === 'redeploy-ssl' ? job.domain : job.request.domain;
      return { jobId, coalesced: fate === 'coalesced', domain, unknownFields: job.unknownFields };
    },
    askRedeploy: async (app, domain) => (await requestRedeploy({ app, domain }, false)).delayMs,
    async dueAt(jobId) {
      // BullMQ's score is the due time times 4096, plus a counter; job.delay is not kept up to date by retries.
      const score = await redis.zscore(`${keys.queue}delayed`, jobId);
      return score === null ? undefined : Math.floor(Number(score) / 4096);
    },
    close: () => queue.close(),
  };
}

interface RedeployRequest {
  readonly app: WebApplication;
  readonly domain: DomainName | undefined;
  readonly requestedBy?: string | undefined;
}

function createQueue(redis: Redis, queuePrefix: string): Queue {
  const queue = new Queue(QUEUE_NAME, {
    connection: redis,
    prefix: queuePrefix,
    // A queue whose first INFO fails stays broken for good; what INFO tells is judged by redis.ts.
    skipWaitingForReady: true,
    skipVersionCheck: true,
  });
  queue.on('error', () => undefined); // the connection's own listener reports
  return queue;
}

// The payload as docs/jobs.md has it, with everything resolved, so that the job means the same wherever it runs.
function toPayload({ domain, serverId, appId, siteId, requestedBy, wish }: DomainRequest): object {
  const who = { ...(siteId !== undefined && { siteId }), ...(requestedBy !== undefined && { requestedBy }) };
  const { want, ...settings } = wish;
  return { domain, serverId, appId, ...(want === 'present' ? settings : {}), ...who };
}

const LATE = Symbol('late');

/** Runs `work` once Redis is there; one deadline over both. A late reply is an unknown: sending again is harmless. */
async function failFast<T>(redis: Redis, deadlineMs: number | undefined, work: () => Promise<T>): Promise<T> {
  if (deadlineMs === undefined) return work();
  const startedAt = performance.now();
  await untilReady(redis, deadlineMs);
  const left = Math.max(1, deadlineMs - (performance.now() - startedAt));
  const result = await within(
    work().catch((error: unknown) => {
      if (error instanceof CodedError) throw error;
      if (/\bOOM\b/.test(reasonOf(error))) throw outOfMemory(error);
      throw redisUnavailable(error, deadlineMs);
    }),
    left,
    LATE,
  );
  if (result === LATE) throw redisUnavailable(undefined, deadlineMs);
  return result;
}

const outOfMemory = (cause: unknown): CodedError =>
  new PermanentError(
    'redis-unavailable',
    'Redis is out of memory and took nothing; raise maxmemory, then send again',
    { cause },
  );
