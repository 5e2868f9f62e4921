// What the package offers to app servers: a producer, and the errors that it may throw.
import { createProducerApp } from './app.ts';
import { createAuditBursts } from './audit-bursts.ts';
import { type Config, loadConfig } from './config.ts';
import type { AddDomainPayload, JobName, RedeploySslPayload, RemoveDomainPayload } from './jobs/catalog.ts';
import { PRODUCER } from './queue/job-payload.ts';
import type { EnqueueOptions, Receipt } from './queue/receipt.ts';
import { toRequestEntry } from './queue/request-entries.ts';
import { within } from './redis.ts';

export { ConfigError } from './config.ts';
export { type Code, CodedError, codes, PermanentError } from './errors.ts';
export type { AddDomainPayload, EnqueueOptions, Receipt, RedeploySslPayload, RemoveDomainPayload };

/** What is not given is read from the environment and `.env`, by the names in docs/configuration.md. */
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
}

/**
 * Every method validates before it touches Redis and answers within a second. It rejects with PermanentError
 * (`invalid-domain`, `invalid-payload`, `no-web-application`) for bad input or `host-name-taken` for a name that another domain
 * has, and with CodedError `redis-unavailable` where Redis is away; sending the same again is always harmless.
 */
export interface Producer {
  addDomain(payload: AddDomainPayload, options?: EnqueueOptions): Promise<Receipt>;
  removeDomain(payload: RemoveDomainPayload, options?: EnqueueOptions): Promise<Receipt>;
  redeploySsl(payload?: RedeploySslPayload): Promise<Receipt>;
  close(): Promise<void>;
}

export function createProducer(options: ProducerOptions = {}): Producer {
  const app = createProducerApp(withOptions(loadConfig().config, options));
  const bursts = createAuditBursts(app.audit);
  const ask = async (name: JobName, payload: unknown, { bulk = false }: EnqueueOptions = {}) => {
    const receipt = await app.requests.enqueue(name, payload, { bulk });
    const { jobId: _, ...asked } = receipt;
    bursts.add({ who: PRODUCER, ...toRequestEntry(name, [asked]) });
    return receipt;
  };
  return {
    addDomain: (payload, enqueueOptions) => ask('add-domain', payload, enqueueOptions),
    removeDomain: (payload, enqueueOptions) => ask('remove-domain', payload, enqueueOptions),
    redeploySsl: (payload = {}) => ask('redeploy-ssl', payload),
    async close() {
      await within(bursts.close(), AUDIT_DEADLINE_MS, undefined);
      await app.close();
    },
  };
}

/** What was asked for within the last second is still to be written down. */
const AUDIT_DEADLINE_MS = 500;

const withOptions = (
  config: Config,
  { redisUrl, queuePrefix, serverId, appId, topLevelDomains }: ProducerOptions,
): Config => ({
  ...config,
  topLevelDomains: topLevelDomains ?? config.topLevelDomains,
  redisUrl: redisUrl ?? config.redisUrl,
  queuePrefix: queuePrefix ?? config.queuePrefix,
  runcloud: {
    ...config.runcloud,
    serverId: serverId ?? config.runcloud.serverId,
    appId: appId ?? config.runcloud.appId,
  },
});
