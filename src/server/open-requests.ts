// A limit of unfinished requests per token: one caller cannot fill the queue and Redis. Redis has a
// set of the token's jobs. A count removes the finished ones, so the size of the set is an upper
// bound. Before a request is refused, the jobs are counted again. (A request that Redis could not
// record is not counted.)
import type { Redis } from 'ioredis';
import { UNFINISHED } from '../domains/queue-scripts.ts';
import { type JobName, parseJob } from '../jobs/catalog.ts';
import type { RequestQueue } from '../queue/enqueue.ts';
import type { Receipt, RequestOptions } from '../queue/receipt.ts';
import { type Caller, nameOf } from './auth.ts';
import { tooManyOpen } from './messages.ts';
import { Refusal } from './problems.ts';
import type { RouteParts } from './routes/route.ts';

/** About the domains of a large host; 20 MB in Redis. */
const MAX_OPEN = 10_000;
const CHUNK = 1000;
/** A count that reached the limit is valid for this long. */
const VALID_MS = 2_000;
const RETRY_AFTER_S = 60;
/** After this time without a request none of the token is open. */
const FORGOTTEN_MS = 30 * 24 * 3_600_000;

// KEYS: the token's jobs, by the time of their last check.
// ARGV: queue, check those before, time, how many -> {checked, left}
const COUNT = `${UNFINISHED}
local ids = redis.call('ZRANGE', KEYS[1], '-inf', '(' .. ARGV[2], 'BYSCORE', 'LIMIT', 0, ARGV[4])
for _, id in ipairs(ids) do
  if jobState(ARGV[1], id) == 'unfinished' then redis.call('ZADD', KEYS[1], ARGV[3], id)
  else redis.call('ZREM', KEYS[1], id) end
end
return {#ids, redis.call('ZCARD', KEYS[1])}`;

export interface OpenRequests {
  /**
   * Throws Refusal (429) if the token has too many. A request that replaces an open one always
   * passes.
   */
  assertRoom(caller: Caller, isReplacement: () => Promise<boolean>): Promise<void>;
  add(caller: Caller, jobId: string): Promise<void>;
}

export interface OpenRequestsOptions {
  readonly redis: Redis;
  readonly requests: Pick<RequestQueue, 'keyOf' | 'queue'>;
  readonly max?: number | undefined;
}

export function createOpenRequests({ redis, requests, max = MAX_OPEN }: OpenRequestsOptions): OpenRequests {
  const keyFor = ({ name }: Caller): string => requests.keyOf(`open:${name}`);
  /** Upper bounds, by the token's name. */
  const known = new Map<string, { count: number; countedAt: number }>();
  const count = async (caller: Caller): Promise<number> => {
    const [at, queue] = [Date.now(), requests.queue.toKey('')];
    for (;;) {
      const answer = await redis.eval(COUNT, 1, keyFor(caller), queue, at, at, CHUNK);
      const [checked = 0, left = 0] = answer as number[];
      if (checked < CHUNK || left < max) return left;
    }
  };
  const counting = new Map<string, Promise<number>>();
  const countOnce = (caller: Caller): Promise<number> => {
    const underway = counting.get(caller.name) ?? count(caller).finally(() => counting.delete(caller.name));
    counting.set(caller.name, underway);
    return underway;
  };
  const isFull = async (caller: Caller): Promise<boolean> => {
    const last = known.get(caller.name);
    if (!last || last.count < max) return false;
    if (performance.now() - last.countedAt < VALID_MS) return true;
    const left = await countOnce(caller);
    known.set(caller.name, { count: left, countedAt: performance.now() });
    return left >= max;
  };
  return {
    async assertRoom(caller, isReplacement) {
      if (!(await isFull(caller)) || (await isReplacement())) return;
      throw new Refusal('too-many-open', tooManyOpen(max), {
        headers: { 'retry-after': String(RETRY_AFTER_S) },
      });
    },
    async add(caller, jobId) {
      const key = keyFor(caller);
      const replies = await redis
        .multi()
        .zadd(key, 'NX', Date.now(), jobId)
        .pexpire(key, FORGOTTEN_MS)
        .zcard(key)
        .exec();
      const countedAt = known.get(caller.name)?.countedAt ?? Number.NEGATIVE_INFINITY;
      known.set(caller.name, { count: Number(replies?.[2]?.[1] ?? 0), countedAt });
    },
  };
}

type Parts = Pick<RouteParts, 'requests' | 'defaults' | 'open'>;

/** For every route that requests something: checks the token's limit, and enqueues in its name. */
export async function enqueueAs(
  { requests, defaults, open }: Parts,
  caller: Caller,
  name: JobName,
  payload: unknown,
  options: Omit<RequestOptions, 'by'>,
): Promise<Receipt> {
  await open.assertRoom(caller, () => isReplacement(requests, name, payload, defaults));
  const receipt = await requests.enqueue(name, payload, { ...options, by: nameOf(caller) });
  // The request is accepted. If it is not counted, nothing is lost.
  await open.add(caller, receipt.jobId).catch(() => undefined);
  return receipt;
}

/**
 * A repetition, or the removal of a domain that is still being added: the number of open requests
 * stays.
 */
async function isReplacement(
  { store }: Parts['requests'],
  name: JobName,
  payload: unknown,
  defaults: Parts['defaults'],
): Promise<boolean> {
  const job = parseJob(name, payload, defaults);
  if (job.name === 'redeploy-ssl') return false;
  const record = await store.get(job.request);
  return record?.request === 'pending' && (name === 'remove-domain' || record.desired.presence === 'present');
}
