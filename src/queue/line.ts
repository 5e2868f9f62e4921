// Fair turns. Each lane (a requester on a web application) has its own row of jobs, and the rows take turns: three hundred
// requests of one must not delay the one of another. A turn is the high part of BullMQ's priority, the kind of job the low
// part. Only a job that can run now has a turn: after a delay its turn would be long over.
import type { Redis } from 'ioredis';
import { priorities } from '../jobs/catalog.ts';
import type { Keys } from '../redis/keys.ts';
import { createRunScript } from '../redis/run-script.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import { PRODUCER } from './job-payload.ts';

export interface Line {
  /** The priority of the next job in these lanes: behind those that it has there already, and before who has had more turns. */
  place(lanes: readonly string[], band: number): Promise<number>;
  /** True where nobody waits: whoever comes may run at once. */
  isEmpty(): Promise<boolean>;
}

/** More than there are kinds of jobs (`priorities`). */
const BANDS = 16;
/** BullMQ's highest priority is 2^21. What comes after so many turns without an empty queue stands at the end, in its order. */
const LAST_TURN = 131_000;
/** A caller has so many turns over all web applications where each of his web applications has one. */
const TURNS_PER_CALLER = 8;
/** What comes back has been served before: one in each turn, on however many web applications. */
const turnsOf = (band: number): number =>
  band === priorities.retry || band === priorities.check ? 1 : TURNS_PER_CALLER;

/** A priority that is a kind alone: the job waits for its time, or has just become due, and takes a turn when a worker takes it. */
export const hasNoTurn = (priority: number): boolean => priority > 0 && priority < BANDS;

/**
 * The first lane counts each job; the others count more slowly. External producers all have one name, so only
 * the web application tells them apart.
 */
export const lanesOf = (by: string | undefined, { serverId, appId }: WebApplication): readonly string[] => [
  `${by ?? ''}|${serverId}:${appId}`,
  ...(by === undefined || by === PRODUCER ? [] : [by]),
];

// KEYS line, prioritized  ARGV band, bands, last turn, turns per caller, lanes... -> priority
// The current turn is the first that waits. A new requester begins there, with no credit for earlier turns. Jobs without a turn
// are skipped.
const PLACE = `
local head = redis.call('ZRANGE', KEYS[2], 4294967296 * tonumber(ARGV[2]), '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
local now = 1
if head[2] then now = math.floor(math.floor(tonumber(head[2]) / 4294967296) / tonumber(ARGV[2]))
else redis.call('DEL', KEYS[1]) end
local turn = now
for i = 5, #ARGV do
  local lane = ARGV[i] .. '|' .. ARGV[1]
  local last = tonumber(redis.call('HGET', KEYS[1], lane))
  local mine = now
  if last then mine = math.max(now, last + (i == 5 and 1 or 1 / tonumber(ARGV[4]))) end
  redis.call('HSET', KEYS[1], lane, tostring(mine))
  turn = math.max(turn, mine)
end
return math.min(math.floor(turn), tonumber(ARGV[3])) * tonumber(ARGV[2]) + tonumber(ARGV[1])
`;

export function createLine(redis: Redis, keys: Pick<Keys, 'line' | 'queue'>): Line {
  const run = createRunScript(redis);
  return {
    place: (lanes, band) =>
      run(PLACE, [keys.line, `${keys.queue}prioritized`], [band, BANDS, LAST_TURN, turnsOf(band), ...lanes]),
    isEmpty: async () => (await redis.zcard(`${keys.queue}prioritized`)) === 0,
  };
}
