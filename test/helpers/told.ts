// Everything that anybody is told of one domain: its record, its history, `status`, the API's record, what the board shows of its
// jobs, the callbacks.

import { toRecord } from '../../src/api-records/domains.ts';
import { describeDomain } from '../../src/cli/output/status-domain.ts';
import { QUEUE_NAME } from '../../src/jobs/catalog.ts';
import type { DomainDetails } from '../../src/queue/operator.ts';
import { createKeys } from '../../src/redis/keys.ts';
import type { Receiver } from './webhook-receiver.ts';
import type { Stage } from './worker.ts';

export type Telling = readonly [surface: string, text: string];

export async function toldOfDomain(
  { producer, redis, queue, config }: Stage,
  details: DomainDetails,
  receiver: Receiver,
): Promise<Telling[]> {
  const { record } = details;
  const keys = createKeys(config.queuePrefix, QUEUE_NAME);
  const told: Telling[] = [
    ['record', JSON.stringify(await redis.hgetall(keys.record(record)))],
    ['history', (await redis.lrange(keys.history(record), 0, -1)).join('\n')],
    [
      'status',
      describeDomain(details, { ...producer.checkSettings, nowMs: Date.now(), steps: 50 }).join('\n'),
    ],
    ['API', JSON.stringify(toRecord(details))],
  ];
  for (const job of await queue.getJobs()) {
    if (!job?.id?.startsWith(`${record.domain}_`)) continue;
    const { logs } = await queue.getJobLogs(job.id);
    told.push(['board', JSON.stringify([job.data, job.failedReason, job.returnvalue, job.stacktrace, logs])]);
  }
  const bodies = receiver.received.filter(({ payload }) => payload.data.domain === record.domain);
  return [...told, ...bodies.map(({ raw }): Telling => ['callback', raw])];
}
