// How many requests of one token may be unfinished at a time, so that one caller cannot fill the queue and Redis. What the token has
// asked for stands in Redis by its job; a job that is finished leaves when somebody counts. So the figure is too high, if anything, and
// before a request is refused it is counted anew: it cannot drift. (A request that Redis could not note is not counted.)
import type { Redis } from 'ioredis';
import { UNFINISHED } from '../domains/scripts.ts';
import { type JobName, parseJob } from '../jobs/catalog.ts';
import type { RequestQueue } from '../queue/enqueue.ts';
import type { Receipt, RequestOptions } from '../queue/receipt.ts';
import { type Caller, nameOf } from './auth.ts';
import { Refusal } from './problems.ts';
import type { RouteParts } from './routes/route.ts';

/** As many as a large host has domains; they take some 20 MB of Redis. */
const MAX_OPEN = 10_000;
const CHUNK = 1000;
/** A count that was full is believed so long. */
const BELIEVED_MS = 2_000;
const RETRY_AFTER_S = 60;
/** Nobody has asked for so long: nothing of it is open. */
const FORGOTTEN_MS = 30 * 24 * 3_600_000;

// KEYS: the token's jobs, by when they were looked at last. ARGV: queue, look at those before, time, how many -> {looked at, left}
const COUNT = `${UNFINISHED}
local ids = redis.call('ZRANGE', KEYS[1], '-inf', '(' .. ARGV[2], 'BYSCORE', 'LIMIT', 0, ARGV[4])
for _, id in ipairs(ids) do
  if jobState(ARGV[1], id) == 'unfinished' then redis.call('ZADD', KEYS[1], ARGV[3], id)
  else redis.call('ZREM', KEYS[1], id) end
end
return {#ids, redis.call('ZCARD', KEYS[1])}`;

export interface OpenRequests {
  /** Throws Refusal (429) where the token has too many. What takes the place of one that is open always passes. */
  assertRoom(caller: Caller, isInPlace: () => Promise<boolean>): Promise<void>;
  note(caller: Caller, jobId: string): Promise<void>;
}

export interface OpenRequestsOptions {
  readonly redis: Redis;
  readonly requests: Pick<RequestQueue, 'keyOf' | 'queue'>;
  readonly max?: number | undefined;
}

export function createOpenRequests({ redis, requests, max = MAX_OPEN }: OpenRequestsOptions): OpenRequests {
  const keyFor = ({ name }: Caller): string => requests.keyOf(`open:${name}`);
  /** At most so many are open, by the token's name. */
  const known = new Map<string, { count: number; countedAt: number }>();
  const count = async (caller: Caller): Promise<number> => {
    const [at, queue] = [Date.now(), requests.queue.toKey('')];
    for (;;) {
      const answer = await redis.eval(COUNT, 1, keyFor(caller), queue, at, at, CHUNK);
      const [looked = 0, left = 0] = answer as number[];
      if (looked < CHUNK || left < max) return left;
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
    if (performance.now() - last.countedAt < BELIEVED_MS) return true;
    const left = await countOnce(caller);
    known.set(caller.name, { count: left, countedAt: performance.now() });
    return left >= max;
  };
  return {
    async assertRoom(caller, isInPlace) {
      if (!(await isFull(caller)) || (await isInPlace())) return;
      throw tooMany(max);
    },
    async note(caller, jobId) {
      const key = keyFor(caller);
      const told = await redis
        .multi()
        .zadd(key, 'NX', Date.now(), jobId)
        .pexpire(key, FORGOTTEN_MS)
        .zcard(key)
        .exec();
      const countedAt = known.get(caller.name)?.countedAt ?? Number.NEGATIVE_INFINITY;
      known.set(caller.name, { count: Number(told?.[2]?.[1] ?? 0), countedAt });
    },
  };
}

const tooMany = (max: number): Refusal =>
  new Refusal(
    'too-many-open',
    `${max} requests of this token are not finished: wait until some are, or have domains removed that nobody wants any more`,
    { headers: { 'retry-after': String(RETRY_AFTER_S) } },
  );

type Parts = Pick<RouteParts, 'requests' | 'defaults' | 'open'>;

/** Every route that asks for something asks here: within the token's bound, and in its name. */
export async function enqueueAs(
  { requests, defaults, open }: Parts,
  caller: Caller,
  name: JobName,
  payload: unknown,
  options: Omit<RequestOptions, 'by'>,
): Promise<Receipt> {
  await open.assertRoom(caller, () => isInPlace(requests, name, payload, defaults));
  const receipt = await requests.enqueue(name, payload, { ...options, by: nameOf(caller) });
  // It is accepted; one that is not counted harms nobody.
  await open.note(caller, receipt.jobId).catch(() => undefined);
  return receipt;
}

/** The same again, or the removal of what is still being added: no more is open afterwards than before. */
async function isInPlace(
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
