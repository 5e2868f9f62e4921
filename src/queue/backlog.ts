// For how long the oldest job that is due has waited for a worker. The only sign of a worker that hangs: BullMQ's own
// isRunning() stays true (taskforcesh/bullmq#4479).
import type { Redis } from 'ioredis';
import type { RequestQueue } from './enqueue.ts';
import { isOurForm } from './job-payload.ts';

type Parts = Pick<RequestQueue, 'queue' | 'store' | 'certificates'>;

/** BullMQ's score of a job with a priority: the priority times this, plus a counter. */
const BAND = 2 ** 32;
/** External producers may use more priorities; not all are read. */
const MAX_BANDS = 20;

/** Milliseconds; 0 where none is due. `now` by Redis' clock. */
export async function readOldestDue(redis: Redis, parts: Parts, now: number): Promise<number> {
  const heads = await Promise.all([readWaiting(redis, parts), readPrioritized(redis, parts)]);
  const since = await Promise.all(heads.flat().map((id) => dueSince(id, redis, parts, now)));
  const overdue = await readFirstDelayed(redis, parts);
  const oldest = Math.min(now, ...since, ...(overdue === undefined ? [] : [overdue]));
  return now - oldest;
}

async function readWaiting(redis: Redis, { queue }: Parts): Promise<string[]> {
  const next = await redis.lindex(queue.toKey('wait'), -1);
  return next === null || next.startsWith('0:') ? [] : [next]; // BullMQ 4's marker, where one was left
}

/** The first of each priority: it became due before all others of the same. */
async function readPrioritized(redis: Redis, { queue }: Parts): Promise<string[]> {
  const heads: string[] = [];
  let from = '-inf';
  for (let i = 0; i < MAX_BANDS; i += 1) {
    const [id, score] = await redis.zrange(
      queue.toKey('prioritized'),
      from,
      '+inf',
      'BYSCORE',
      'LIMIT',
      0,
      1,
      'WITHSCORES',
    );
    if (id === undefined) break;
    heads.push(id);
    from = String((Math.floor(Number(score) / BAND) + 1) * BAND);
  }
  return heads;
}

async function readFirstDelayed(redis: Redis, { queue }: Parts): Promise<number | undefined> {
  const [, score] = await redis.zrange(queue.toKey('delayed'), 0, '0', 'WITHSCORES');
  return score === undefined ? undefined : Math.floor(Number(score) / 4096);
}

// BullMQ does not keep when a job became due. It is the latest of: added (plus its delay), last taken, and the next check in
// its record. A job that has gone meanwhile is due now.
async function dueSince(id: string, redis: Redis, parts: Parts, now: number): Promise<number> {
  const [timestamp, opts, processedOn, data] = await redis.hmget(
    parts.queue.toKey(id),
    'timestamp',
    'opts',
    'processedOn',
    'data',
  );
  if (!timestamp) return now;
  const delayMs = Number((toObject(opts) as { delay?: unknown }).delay ?? 0);
  const next = await nextCheckTimeOf(id, toObject(data), parts);
  const times = [Number(timestamp) + delayMs, Number(processedOn ?? 0), next].filter((at) => at <= now);
  return times.length === 0 ? now : Math.max(...times);
}

async function nextCheckTimeOf(
  id: string,
  data: Parameters<Parts['store']['get']>[0] | object,
  { store, certificates }: Parts,
): Promise<number> {
  if (!isOurForm({ id, data }) || !('serverId' in data)) return 0;
  const record = data.domain ? await store.get(data) : await certificates.get(data);
  return record?.jobId === id ? (record.nextRunAt ?? 0) : 0;
}

function toObject(json: string | null | undefined): object {
  try {
    return Object(JSON.parse(json ?? '{}'));
  } catch {
    return {};
  }
}
