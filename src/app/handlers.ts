// The jobs' handlers with what each of them needs. Part of the wiring (app.ts).
import type { Redis } from 'ioredis';
import { createLedger, type Ledger, type LedgerLimits } from '../certificates/ledger.ts';
import type { Config } from '../config/load.ts';
import type { Backoff } from '../domains/backoff.ts';
import type { DomainKey } from '../domains/domain.ts';
import { createHttps, type Https } from '../https/https.ts';
import type { Probe } from '../https/probe.ts';
import { createAddDomain } from '../jobs/add-domain.ts';
import { QUEUE_NAME } from '../jobs/catalog.ts';
import type { RedeployPorts } from '../jobs/redeploy/work.ts';
import { createRedeploySsl } from '../jobs/redeploy-ssl.ts';
import { createRemoveDomain } from '../jobs/remove-domain.ts';
import type { RequestQueue } from '../queue/enqueue.ts';
import type { Handlers } from '../queue/task.ts';
import { createKeys } from '../redis/keys.ts';
import type { RunCloudClient } from '../runcloud/client.ts';
import type { Directory, MissingApps } from '../runcloud/directory.ts';
import type { Facts } from '../runcloud/facts.ts';
import type { LogReader } from '../runcloud/log-reader.ts';
import type { Tuning } from './tuning.ts';

/** Of Let's Encrypt's staging environment (letsencrypt.org/docs/staging-environment; docs/guides/certificates.md, its limits). */
const STAGING_LIMITS: LedgerLimits = {
  certificatesPerWeek: 30_000,
  duplicatesPerWeek: 30_000,
  ordersPer3Hours: 1_500,
  failuresPerHour: 200,
};

/** Let's Encrypt raises these for nobody (docs/guides/certificates.md, its limits). */
const FIXED_LIMITS = { duplicatesPerWeek: 5, failuresPerHour: 5 };

export interface HandlerParts {
  readonly config: Config;
  readonly backoff: Backoff;
  readonly redis: Redis;
  readonly requests: RequestQueue;
  readonly runcloud: RunCloudClient;
  readonly directory: Directory;
  readonly missing?: MissingApps | undefined;
  readonly facts: Facts;
  readonly probe: Probe | undefined;
  readonly ledger: Ledger;
  readonly runcloudLog: LogReader;
}

export function createHandlers(parts: HandlerParts): Handlers {
  const { config, backoff, requests, runcloud, directory, missing } = parts;
  const { store, certificates } = requests;
  const requestRedeploy = async (changed: DomainKey): Promise<void> => {
    await requests.requestRedeploy(changed, { domain: changed.domain, changed });
  };
  const https = createHttpsOf(parts, requestRedeploy);
  const lateMs = Math.max(config.runcloud.timeoutMs * backoff.lateTimeouts, backoff.lateMs);
  const { heldMs, lagMs } = backoff;
  const changesWww = changesWwwOf(config);
  const ports = {
    ...{ runcloud, directory, missing, store, certificates, https, requestRedeploy },
    ...{ checkDelayMs: backoff.checkMs, lateMs, lagMs, heldMs, changesWww },
  };
  return {
    'add-domain': createAddDomain(ports),
    'remove-domain': createRemoveDomain(ports),
    'redeploy-ssl': createRedeploySsl(redeployPorts(parts)),
  };
}

/** [D] v3/api-8617114; for v2 no such route is known. */
export const changesWwwOf = ({ runcloud }: Config): boolean => runcloud.version === 3;

export function createLedgerOf({
  config,
  redis,
  limits,
}: Pick<HandlerParts, 'config' | 'redis'> & { readonly limits?: Tuning['limits'] }): Ledger {
  const { ssl, queuePrefix } = config;
  const live = { ...FIXED_LIMITS, ...config.limits };
  return createLedger({
    redis,
    keys: createKeys(queuePrefix, QUEUE_NAME),
    limits: { ...(ssl.install.environment === 'staging' ? STAGING_LIMITS : live), ...limits },
    cooldownMs: ssl.cooldownMs,
  });
}

function createHttpsOf(
  { config, backoff, requests, facts, probe, ledger, runcloudLog }: HandlerParts,
  requestRedeploy: (changed: DomainKey) => Promise<void>,
): Https | undefined {
  const { store, certificates } = requests;
  const { dns, ssl } = config;
  const settings = {
    gate: dns.gate,
    invalidNames: ssl.invalidNames,
    deadlineMs: dns.deadlineMs,
    certificateDeadlineMs: ssl.deadlineMs,
    backoff,
    changesWww: changesWwwOf(config),
  };
  const ports = { facts, ledger, runcloudLog, certificates, store, requestRedeploy, settings };
  return probe && createHttps({ probe, ...ports });
}

function redeployPorts(parts: HandlerParts): RedeployPorts {
  const { config, backoff, requests, runcloud, directory, facts, probe, ledger, runcloudLog } = parts;
  const { store, certificates, reenqueue: renew } = requests;
  const { install, reissue, cooldownMs, invalidNames, switchToHttp01 } = config.ssl;
  const hasPreflight = probe && config.dns.gate !== 'off';
  return {
    runcloud,
    facts,
    directory,
    certificates,
    ledger,
    probe,
    runcloudLog,
    preflight: hasPreflight
      ? {
          store,
          certificates,
          probe,
          invalidNames,
          backoff,
          changesWww: changesWwwOf(config),
          renew: (record) => renew(record, 'preflight'),
        }
      : undefined,
    settings: {
      install: install.when,
      installSettings: install,
      reissue,
      cooldownMs,
      switchToHttp01,
    },
    backoff,
  };
}
