// What the rest of the program sees of the environment. Types only.
import type { LogFormat, LogLevel } from './kinds.ts';

/** `token`: sent as Bearer. `key`: a key pair, sent as HTTP Basic; API v2 only. */
export type RunCloudCredentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'key'; readonly key: string; readonly secret: string };

export interface RunCloudConfig {
  /** Base of all routes, with its version, without a trailing slash: `https://manage.runcloud.io/api/v3`. */
  readonly url: string;
  readonly version: 2 | 3;
  /** Undefined on a producer, which needs Redis only; see `requireCredentials`. */
  readonly credentials: RunCloudCredentials | undefined;
  readonly serverId?: number | undefined;
  readonly appId?: number | undefined;
  readonly timeoutMs: number;
  readonly ratePerMinute: number;
  readonly pauseMs: number;
}

/** Deep-frozen. */
export interface Config {
  readonly redisUrl: string;
  readonly queuePrefix: string;
  readonly runcloud: RunCloudConfig;
  readonly worker: {
    readonly concurrency: number;
    readonly shutdownTimeoutMs: number;
    readonly sweepIntervalMs: number;
  };
  readonly jobs: { readonly attempts: number; readonly backoffMs: number; readonly backoffMaxMs: number };
  readonly ssl: { readonly redeployDelayMs: number };
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  /** The wp-config.php that was read, where WP_CONFIG names one. */
  readonly wpConfigPath?: string | undefined;
}
