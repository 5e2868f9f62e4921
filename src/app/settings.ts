// From the configuration to the options of the parts. Part of the wiring (app.ts).

import type { OnAuditLost } from '../audit/audit.ts';
import type { Config, RunCloudCredentials } from '../config/load.ts';
import { toOutboxKeys } from '../domains/outbox.ts';
import { reasonOf } from '../errors.ts';
import { QUEUE_NAME } from '../jobs/catalog.ts';
import type { Logger } from '../logger/logger.ts';
import type { RedisAddress } from '../redis/connection.ts';
import { createKeys } from '../redis/keys.ts';
import { readTextFile } from '../untrusted/text-file.ts';

/** The address of Redis. Reads the file of its authority. */
export const redisOf = ({ redisUrl, redisCaFile }: Config): RedisAddress => ({
  url: redisUrl,
  ca: redisCaFile === undefined ? undefined : readTextFile(redisCaFile),
});

export const keysOf = ({ queuePrefix }: Config) => createKeys(queuePrefix, QUEUE_NAME);

/** How long all workers pause after a 429 that does not say for how long. */
const THROTTLED_MS = 60_000;

export const limiterOptions = ({ runcloud: { ratePerMinute } }: Config, throttledMs = THROTTLED_MS) => ({
  ratePerMinute,
  defaultThrottleMs: throttledMs,
});

export const toRunCloudSettings = (
  { runcloud: { url, version, timeoutMs } }: Config,
  credentials: RunCloudCredentials | (() => RunCloudCredentials),
) => ({
  url,
  version: version === 2 ? ('v2' as const) : ('v3' as const),
  timeoutMs,
  credentials,
});

export const defaultsOf = ({ runcloud: { serverId, appId }, topLevelDomains }: Config) => ({
  topLevelDomains,
  ...(serverId !== undefined && { serverId }),
  ...(appId !== undefined && { appId }),
});

/** An entry that the audit log did not store goes to the process's own log. */
export const toAuditLoss =
  (logger: Pick<Logger, 'error'>): OnAuditLost =>
  (entry, error) =>
    logger.error(
      { event: 'audit-lost', ...entry },
      `the audit log did not store this entry: ${reasonOf(error)}`,
    );

export const queueOptions = (config: Config) => ({
  queuePrefix: config.queuePrefix,
  defaults: defaultsOf(config),
  outboxKeys: config.callbacks.urls.length > 0 ? toOutboxKeys(config.callbacks.secrets) : undefined,
});
