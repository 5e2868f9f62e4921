// Puts requests into Redis: the intent first, then the job that carries it. Knows nothing of RunCloud's API.
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import {
  type CertificateRecord,
  type Certificates,
  createCertificates,
  type RedeployTicket,
} from '../intent/certificates.ts';
import type { DomainName } from '../intent/domain-name.ts';
import type { Intent } from '../intent/intent.ts';
import { createKeys, type Keys } from '../intent/keys.ts';
import {
  createIntentStore,
  type DomainRequest,
  type IntentStore,
  type RequestTicket,
} from '../intent/store.ts';
import { PASSING_CODES } from '../intent/upkeep.ts';
import { type JobName, parseJob, priorities, QUEUE_NAME, type TargetDefaults } from '../jobs/catalog.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import { failFast } from './fail-fast.ts';

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
  /** With `onlyGeneration`: renews that generation, and does nothing where a newer request has taken over. */
  requestDomain(request: DomainRequest, priority: number, onlyGeneration?: number): Promise<RequestTicket>;
  /** `atOnce` for a person's request, else coalesced after the delay. */
  requestRedeploy(request: RedeployRequest, atOnce: boolean): Promise<RedeployTicket>;
  addRedeployJob(app: WebApplication, ticket: RedeployTicket, requestedBy?: string): Promise<void>;
  /** Asks for an intent's wish again, unless a newer one has taken over. */
  renew(intent: Intent): Promise<RequestTicket>;
  /** Adds a redeploy job where names wait for one and none is on its way; true where it did. */
  reviveRedeploy(app: WebApplication): Promise<boolean>;
  jobFate(jobId: string): Promise<'gone' | 'failed' | 'completed' | 'unfinished'>;
  /** Keys of BullMQ's deduplication (a bare client may use it) whose job is gone would swallow jobs for ever. */
  dropOrphanedDeduplicationKeys(): Promise<number>;
  /** A key of our own in Redis. */
  keyOf(name: string): string;
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
  const doors = createDoors(queue, intents, certificates);

  return {
    queue,
    intents,
    certificates,
    ...doors,
    ...createQueries(redis, queue, keys),
    async enqueue(name, payload, { bulk } = {}) {
      const job = parseJob(name, payload, defaults);
      const isRedeploy = job.name === 'redeploy-ssl';
      const { jobId, fate } = await failFast(redis, deadlineMs, () =>
        isRedeploy
          ? doors.requestRedeploy(job, true)
          : doors.requestDomain(job.request, bulk ? priorities.bulk : priorities[job.name]),
      );
      const domain = isRedeploy ? job.domain : job.request.domain;
      return { jobId, coalesced: fate !== 'new', domain, unknownFields: job.unknownFields };
    },
    close: () => queue.close(),
  };
}

type Doors = Pick<
  RequestQueue,
  'requestDomain' | 'requestRedeploy' | 'addRedeployJob' | 'renew' | 'reviveRedeploy'
>;

// The record first, the job second: a job that is lost between the two is found by the sweep.
function createDoors(queue: Queue, intents: IntentStore, certificates: Certificates): Doors {
  const addRedeployJob: Doors['addRedeployJob'] = async (app, { jobId, delayMs }, requestedBy) => {
    const { serverId, appId } = app;
    const payload = { serverId, appId, ...(requestedBy !== undefined && { requestedBy }) };
    await queue.add('redeploy-ssl', payload, { jobId, priority: priorities['redeploy-ssl'], delay: delayMs });
  };
  const requestRedeploy: Doors['requestRedeploy'] = async ({ app, domain, requestedBy }, atOnce) => {
    const ticket = await certificates.ask(app, { domain, atOnce });
    if (ticket.fate !== 'coalesced') await addRedeployJob(app, ticket, requestedBy);
    return ticket;
  };
  const requestDomain: Doors['requestDomain'] = async (request, priority, onlyGeneration) => {
    const ticket = await intents.request(request, onlyGeneration);
    const name = request.wish.want === 'present' ? 'add-domain' : 'remove-domain';
    if (ticket.fate === 'new' || ticket.fate === 'missing')
      await queue.add(name, toPayload(request), { jobId: ticket.jobId, priority });
    return ticket;
  };
  return {
    addRedeployJob,
    requestRedeploy,
    requestDomain,
    renew: (intent) => requestDomain(intent, priorities.retry, intent.generation),
    async reviveRedeploy(app) {
      const record = await certificates.get(app);
      if (!record || record.waitingDomains === 0 || isFinal(record)) return false;
      return (await requestRedeploy({ app, domain: record.oneWaiting }, false)).fate !== 'coalesced';
    },
  };
}

// What only a person can mend is not asked for again and again.
const isFinal = ({ code }: CertificateRecord): boolean => code !== undefined && !PASSING_CODES.has(code);

type Queries = Pick<RequestQueue, 'dueAt' | 'jobFate' | 'dropOrphanedDeduplicationKeys' | 'keyOf'>;

function createQueries(redis: Redis, queue: Queue, keys: Keys): Queries {
  return {
    async dueAt(jobId) {
      // BullMQ's score is the due time times 4096, plus a counter; job.delay is not kept up to date by retries.
      const score = await redis.zscore(`${keys.queue}delayed`, jobId);
      return score === null ? undefined : Math.floor(Number(score) / 4096);
    },
    async jobFate(jobId) {
      const state = await queue.getJobState(jobId);
      if (state === 'failed' || state === 'completed') return state;
      return state === 'unknown' ? 'gone' : 'unfinished';
    },
    async dropOrphanedDeduplicationKeys() {
      let dropped = 0;
      for await (const found of redis.scanStream({ match: `${keys.queue}de:*`, count: 500 })) {
        for (const key of found as string[]) {
          const jobId = await redis.get(key);
          if (jobId && (await queue.getJobState(jobId)) === 'unknown') dropped += await redis.del(key);
        }
      }
      return dropped;
    },
    keyOf: keys.own,
  };
}

/** A redeploy of one domain's certificate, or (undefined) of the whole web application's. */
export interface RedeployRequest {
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
