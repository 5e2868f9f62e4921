// What the package offers to app servers: the client of src/client/queue.ts, configured by the environment, and the errors it may throw.
import { redisOf } from './app/settings.ts';
import { createQueueClient, type DomainsClient } from './client/queue.ts';
import { loadConfig } from './config/load.ts';

export type {
  AddDomainPayload,
  AddResult,
  DomainsClient,
  Receipt,
  RedeploySslPayload,
  RemoveDomainPayload,
  RequestOptions,
} from './client/client.ts';
export { ConfigError } from './config/load.ts';
export { type Code, CodedError, codes, DomainsError, PermanentError } from './errors.ts';

/** What is not given is read from the environment and `.env`, by the names in docs/reference/configuration.md. */
export interface ProducerOptions {
  /** Default: REDIS_URL. */
  readonly redisUrl?: string;
  /** Default: QUEUE_PREFIX. The workers' must be the same. */
  readonly queuePrefix?: string;
  /** Default: RUNCLOUD_SERVER_ID. */
  readonly serverId?: number;
  /** Default: RUNCLOUD_APP_ID. */
  readonly appId?: number;
  /** Default: TOP_LEVEL_DOMAINS. The workers' must be the same. */
  readonly topLevelDomains?: 'public' | 'test' | 'any';
  /** How long a call waits for Redis, in milliseconds. Default: 1000. */
  readonly deadlineMs?: number;
}

/** The client of `runcloud-domains-client/queue`. */
export type Producer = DomainsClient;

/**
 * Every method validates before it touches Redis and answers within `deadlineMs`. It rejects with PermanentError
 * (`invalid-domain`, `invalid-payload`, `no-web-application`) for bad input or `host-name-taken` for a name that another domain
 * has, and with CodedError `redis-unavailable` where Redis is away; sending the same again is always harmless.
 */
export function createProducer(options: ProducerOptions = {}): Producer {
  const { config } = loadConfig();
  const { redisUrl, queuePrefix, topLevelDomains, runcloud } = config;
  const configured = { redisUrl, redisCa: redisOf(config).ca, queuePrefix, topLevelDomains };
  const { serverId, appId } = runcloud;
  return createQueueClient({
    ...configured,
    serverId,
    appId,
    ...withoutUndefined(options),
  });
}

const withoutUndefined = <T extends object>(options: T): Partial<T> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
