// What the parts are told of the configuration. Part of the wiring (app.ts).
import type { Config, RunCloudCredentials } from '../config.ts';
import { createKeys } from '../intent/keys.ts';
import { QUEUE_NAME } from '../jobs/catalog.ts';

export const keysOf = ({ queuePrefix }: Config) => createKeys(queuePrefix, QUEUE_NAME);

export const brakeOptions = ({ runcloud: { ratePerMinute, pauseMs } }: Config) => ({
  ratePerMinute,
  defaultCloseMs: pauseMs,
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

export const defaultsOf = ({ runcloud: { serverId, appId } }: Config) => ({
  ...(serverId !== undefined && { serverId }),
  ...(appId !== undefined && { appId }),
});

export const queueOptions = (config: Config) => ({
  queuePrefix: config.queuePrefix,
  defaults: defaultsOf(config),
  redeployDelayMs: config.ssl.redeployDelayMs,
  hasCallbacks: config.callbacks.urls.length > 0,
});
