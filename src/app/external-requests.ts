// Requests of external producers go into the audit log, as far as a worker can tell; a burst is one entry. Part of the wiring (app.ts).
import type { Redis } from 'ioredis';
import { createAudit } from '../audit/audit.ts';
import { createAuditBursts } from '../audit/bursts.ts';
import type { Config } from '../config/load.ts';
import { within } from '../deadline.ts';
import type { Logger, Scrub } from '../logger/logger.ts';
import { PRODUCER } from '../queue/job-payload.ts';
import { toRequestEntry } from '../queue/request-entries.ts';
import type { WorkerOptions } from '../queue/worker.ts';
import { keysOf, toAuditLoss } from './settings.ts';

interface Parts {
  readonly config: Config;
  readonly redis: Redis;
  readonly logger: Logger;
  readonly scrub: Scrub;
  readonly releases: AsyncDisposableStack;
}

export function auditExternalRequests(parts: Parts): NonNullable<WorkerOptions['onExternalRequest']> {
  const { config, redis, logger, scrub, releases } = parts;
  const bursts = createAuditBursts(
    createAudit({ redis, keys: keysOf(config), scrub, onLost: toAuditLoss(logger) }),
  );
  releases.defer(() => within(bursts.close(), 500, undefined));
  return ({ name, ...request }) => bursts.add({ who: PRODUCER, ...toRequestEntry(name, [request]) });
}
