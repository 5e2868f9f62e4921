// What a worker has read of RunCloud and keeps: shared by its jobs, some of it by all workers. Part of the wiring (app.ts).
import type { Redis } from 'ioredis';
import { troublesIn } from '../certificates/log-text.ts';
import type { Config } from '../config/load.ts';
import type { Backoff } from '../domains/backoff.ts';
import { createFactsMemo } from '../domains/facts-memo.ts';
import { createMissingApps } from '../domains/missing-apps.ts';
import { joined } from '../domains/sentences.ts';
import type { Logger } from '../logger/logger.ts';
import type { RequestQueue } from '../queue/enqueue.ts';
import type { RunCloudClient } from '../runcloud/client.ts';
import { createDirectory } from '../runcloud/directory.ts';
import { createFacts } from '../runcloud/facts.ts';
import { createLogReader } from '../runcloud/log-reader.ts';
import type { LogEntry, WebApplication } from '../runcloud/runcloud.ts';
import { keysOf } from './settings.ts';

interface Parts {
  readonly config: Config;
  readonly backoff: Backoff;
  readonly redis: Redis;
  readonly requests: RequestQueue;
  readonly runcloud: RunCloudClient;
  readonly logger: Logger;
}

export function createCaches({ config, backoff, redis, requests, runcloud, logger }: Parts) {
  const keys = keysOf(config);
  const missing = createMissingApps({ redis, keys, standsMs: backoff.missingMs });
  return {
    missing,
    directory: createDirectory({ runcloud, now: requests.store.now, missing }),
    facts: createFacts({ runcloud, memo: createFactsMemo({ redis, keys }) }),
    runcloudLog: createLogReader({ runcloud, onPage: tellTroubles(logger) }),
  };
}

/** Our log is for operators, who may see all that RunCloud's says of a web application's certificates. */
const tellTroubles =
  (logger: Logger) =>
  ({ serverId, appId }: WebApplication, entries: readonly LogEntry[]): void => {
    const lines = [...new Set(troublesIn(entries).map(({ content }) => content))];
    if (lines.length === 0) return;
    const said = joined(lines.map((line) => `"${line}"`));
    logger.warn(
      { event: 'runcloud-log', serverId, appId },
      `RunCloud's log of web application ${appId} says: ${said}`,
    );
  };
