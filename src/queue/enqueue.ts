// Puts requests into Redis: the record first, then the job that carries it. Knows nothing of RunCloud's API.

import { Queue, type Telemetry } from 'bullmq';
import type { Redis } from 'ioredis';
import {
  type CertificateRecord,
  type Certificates,
  createCertificates,
  type RedeployRequest,
} from '../certificates/certificates.ts';
import { type DomainKey, type DomainRecord, includesWww, type Requester } from '../domains/domain.ts';
import { withoutWwwName } from '../domains/messages.ts';
import type { ReasonCode } from '../domains/reasons.ts';
import { states } from '../domains/states.ts';
import {
  createDomainStore,
  type DomainRequest,
  type DomainStore,
  type EnqueueResult,
  type Renewal,
} from '../domains/store.ts';
import { namesakesOf } from '../domains/taken.ts';
import { reasonOf } from '../errors.ts';
import { type JobDefaults, type JobName, parseJob, priorities, QUEUE_NAME } from '../jobs/catalog.ts';
import { createKeys, type Keys } from '../redis/keys.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import { judgeElsewhere } from './elsewhere.ts';
import { failFast } from './fail-fast.ts';
import { PRODUCER, requesterFields, toPayload } from './job-payload.ts';
import { createLine, type Line, lanesOf } from './line.ts';
import { type Receipt, type RequestOptions, subjectOf } from './receipt.ts';
import { shieldScripts } from './shield.ts';

/** The queue as one process uses it. Errors: PermanentError for bad input or a name that is taken, CodedError `redis-unavailable`. */
export interface RequestQueue {
  readonly queue: Queue;
  readonly store: DomainStore;
  readonly certificates: Certificates;
  /** Whose turn it is. */
  readonly line: Line;
  enqueue(name: JobName, payload: unknown, options?: RequestOptions): Promise<Receipt>;
  /** A renewal does nothing where a newer request has taken over. */
  requestDomain(request: DomainRequest, band: number, renewal?: Renewal): Promise<EnqueueResult>;
  requestRedeploy(
    app: WebApplication,
    request: RedeployRequest,
    requester?: Requester,
  ): Promise<EnqueueResult>;
  /** Enqueues a record's request again, unless a newer one has taken over; `by`: who does it. `isQuiet`: see Renewal. */
  reenqueue(record: DomainRecord, by: string, isQuiet?: boolean): Promise<EnqueueResult>;
  /** Adds a redeploy job where names wait for one and none is on its way; true where it did. */
  reenqueueRedeploy(app: WebApplication): Promise<boolean>;
  jobResult(jobId: string): Promise<'gone' | 'failed' | 'completed' | 'unfinished'>;
  /** BullMQ's deduplication keys (an external producer may use them) whose job is gone would drop jobs for ever. */
  dropOrphanedDeduplicationKeys(): Promise<number>;
  readonly keys: Keys;
  /** A key of our own in Redis (`keys.own`). */
  keyOf(name: string): string;
  /** When a delayed job is due, in milliseconds since the epoch; undefined where it is not delayed. */
  dueAt(jobId: string): Promise<number | undefined>;
  close(): Promise<void>;
}

export interface RequestQueueOptions {
  readonly redis: Redis;
  readonly queuePrefix: string;
  readonly defaults: JobDefaults;
  /** Undefined without callbacks (outbox.ts, src/callbacks/). */
  readonly outboxKeys?: string | undefined;
  /** Undefined: no traces. */
  readonly telemetry?: Telemetry | undefined;
  /** A producer gives up after this; a worker (undefined) waits for Redis. */
  readonly deadlineMs?: number | undefined;
}

export function createRequestQueue(options: RequestQueueOptions): RequestQueue {
  const { redis, queuePrefix, defaults, outboxKeys, deadlineMs } = options;
  const queue = createQueue(redis, queuePrefix, options.telemetry);
  const keys = createKeys(queuePrefix, QUEUE_NAME);
  const store = createDomainStore({ redis, keys, outboxKeys });
  const certificates = createCertificates({ redis, keys });
  const queries = createQueries(redis, queue, keys);
  const line = createLine(redis, keys);
  const writers = createWriters({ queue, store, certificates, line }, queries.dueAt);

  return {
    queue,
    store,
    certificates,
    keys,
    line,
    ...writers,
    ...queries,
    async enqueue(name, payload, { bulk, by = PRODUCER, refuseElsewhere = false } = {}) {
      const job = parseJob(name, payload, defaults);
      const isRedeploy = job.name === 'redeploy-ssl';
      const subject = subjectOf(job);
      const isOpen = refuseElsewhere && !namesApp(payload);
      const { jobId, fate, isWithoutTwin } = await failFast(redis, deadlineMs, async () => {
        if (isOpen) await assertMeant(name, subject, !isRedeploy && includesWww(job.request.desired), store);
        return isRedeploy
          ? writers.requestRedeploy(
              job.app,
              { domain: job.domain ?? 'all', atOnce: true },
              { ...job.requester, by },
            )
          : writers.requestDomain({ ...job.request, by }, bulk ? priorities.bulk : priorities[job.name]);
      });
      const remark = isWithoutTwin && subject.domain && withoutWwwName(subject.domain);
      const { unknownFields } = job;
      return { jobId, coalesced: fate !== 'new', ...subject, unknownFields, ...(remark && { remark }) };
    },
    close: () => queue.close(),
  };
}

const namesApp = (payload: unknown): boolean =>
  typeof payload === 'object' && payload !== null && 'appId' in payload && payload.appId !== undefined;

async function assertMeant(
  name: JobName,
  { domain, serverId, appId }: ReturnType<typeof subjectOf>,
  www: boolean,
  { everywhere, hasOthers }: DomainStore,
): Promise<void> {
  if (domain === undefined || !(await hasOthers({ serverId, appId }))) return;
  const records = (await Promise.all(namesakesOf(domain).map((namesake) => everywhere(namesake)))).flat();
  const error = judgeElsewhere({ name, domain, www, serverId, appId }, records);
  if (error) throw error;
}

/** Without its children: an external producer may have written any key there. */
export const ALONE = { removeChildren: false };

type Writers = Pick<RequestQueue, 'requestDomain' | 'requestRedeploy' | 'reenqueue' | 'reenqueueRedeploy'>;

// A delayed job runs now; any other job needs no help.
const createRunNow = (queue: Queue, dueAt: RequestQueue['dueAt']) => async (jobId: string) => {
  const due = await dueAt(jobId);
  if (due === undefined || due <= Date.now()) return;
  const job = await queue.getJob(jobId);
  await job?.changeDelay(0).catch(() => undefined); // it has just begun to run
};

const WAITS_ANYWAY: ReadonlySet<ReasonCode | undefined> = new Set(['redeploy-delayed', 'busy', 'paused']);

// The record first, the job second: a job that is lost between the two is found by the reconcile loop.
function createWriters(
  { queue, store, certificates, line }: Pick<RequestQueue, 'queue' | 'store' | 'certificates' | 'line'>,
  dueAt: RequestQueue['dueAt'],
): Writers {
  const runNow = createRunNow(queue, dueAt);
  const requestRedeploy: Writers['requestRedeploy'] = async (app, request, requester = {}) => {
    const result = await certificates.requestRedeploy(app, request);
    if (result.fate === 'coalesced') {
      const record = await certificates.get(app);
      // A changed name may help if the others had to wait. A failed attempt (with a code) keeps its backoff. A redeploy that
      // waits for its delay, for another redeploy or for the end of a pause finds the new name when it is due.
      const isCheckedNow = !record?.code && !WAITS_ANYWAY.has(record?.reasonCode);
      if (record?.jobId === result.jobId && isCheckedNow) await runNow(result.jobId);
      return result;
    }
    const { serverId, appId } = app;
    const payload = { serverId, appId, ...requesterFields(requester) };
    const priority = priorities['redeploy-ssl'];
    await queue.add('redeploy-ssl', payload, { jobId: result.jobId, priority });
    return result;
  };
  // A repeated request of a waiting domain may follow a repair of its DNS. A failed attempt keeps its backoff.
  const checkNow = async (key: DomainKey, jobId: string): Promise<void> => {
    const record = await store.get(key);
    if (record && states[record.state].checksSooner && !record.code) await runNow(jobId);
  };
  const requestDomain: Writers['requestDomain'] = async (request, band, renewal) => {
    const result = await store.request(request, renewal);
    // The record keeps the first requester.
    const named = renewal ? { ...request, by: renewal.by } : request;
    const name = request.desired.presence === 'present' ? 'add-domain' : 'remove-domain';
    if (result.fate === 'new' || result.fate === 'missing') {
      const priority = await line.place(lanesOf(request.by, request), band);
      await queue.add(name, toPayload(named), { jobId: result.jobId, priority });
    }
    if (result.fate === 'coalesced') await checkNow(request, result.jobId);
    return result;
  };
  const isCheckDue = async ({ nextRunAt }: CertificateRecord): Promise<boolean> =>
    nextRunAt !== undefined && nextRunAt <= (await store.now());
  return {
    requestRedeploy,
    requestDomain,
    async reenqueue(record, by, isQuiet = false) {
      const renewal = { generation: record.generation, by, isQuiet };
      const result = await requestDomain(record, priorities.retry, renewal);
      // The old job waits for nobody any more.
      if (result.fate === 'new') await queue.remove(record.jobId, ALONE).catch(reasonOf);
      return result;
    },
    async reenqueueRedeploy(app) {
      const record = await certificates.get(app);
      if (!record || record.pendingNames === 0) return false;
      if (record.state === 'failed' && !(await isCheckDue(record))) return false;
      return (await requestRedeploy(app, { domain: 'waiting' })).fate !== 'coalesced';
    },
  };
}

type Queries = Pick<RequestQueue, 'dueAt' | 'jobResult' | 'dropOrphanedDeduplicationKeys' | 'keyOf'>;

function createQueries(redis: Redis, queue: Queue, keys: Keys): Queries {
  // A key with an expiry is a throttle, by intention.
  const isOrphan = async (key: string): Promise<boolean> => {
    const jobId = (await redis.pttl(key)) > 0 ? null : await redis.get(key);
    return jobId !== null && (await queue.getJobState(jobId)) === 'unknown';
  };
  return {
    async dueAt(jobId) {
      // BullMQ's score is the due time times 4096, plus a counter; job.delay is not kept up to date by retries.
      const score = await redis.zscore(`${keys.queue}delayed`, jobId);
      return score === null ? undefined : Math.floor(Number(score) / 4096);
    },
    async jobResult(jobId) {
      const state = await queue.getJobState(jobId);
      if (state === 'failed' || state === 'completed') return state;
      return state === 'unknown' ? 'gone' : 'unfinished';
    },
    async dropOrphanedDeduplicationKeys() {
      let dropped = 0;
      for await (const found of redis.scanStream({ match: `${keys.queue}de:*`, count: 500 }))
        for (const key of found as string[]) if (await isOrphan(key)) dropped += await redis.del(key);
      return dropped;
    },
    keyOf: keys.own,
  };
}

function createQueue(redis: Redis, queuePrefix: string, telemetry?: Telemetry): Queue {
  shieldScripts(redis);
  const queue = new Queue(QUEUE_NAME, {
    connection: redis,
    prefix: queuePrefix,
    // A queue whose first INFO fails stays broken for good; what INFO tells is judged by redis.ts.
    skipWaitingForReady: true,
    skipVersionCheck: true,
    ...(telemetry && { telemetry }),
  });
  queue.on('error', () => undefined); // the connection's own listener reports
  return queue;
}
