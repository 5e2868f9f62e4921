// The names of our keys in Redis. All are below QUEUE_PREFIX: one ACL rule (`~bull:*`) and one hash tag cover them. The keys that a
// request touches have a prefix of their own, so a program that only requests needs one more rule (`~bull:runcloud-domains-records:*`).

import type { WebApplication } from '../runcloud/runcloud.ts';

/** One domain on one web application. */
export interface Member extends WebApplication {
  readonly domain: string;
}

export interface Keys {
  /** Prefix of BullMQ's own keys of our queue, up to and with the last colon. */
  readonly queue: string;
  readonly all: string;
  /** Set of the web applications (`server:application`) that have a record of any domain. */
  readonly apps: string;
  readonly generation: string;
  record(key: Member): string;
  /** The domain's last transitions. They outlive its removal for a while (domains/forget.ts). */
  history(key: Member): string;
  /** The right to write for one domain, or for one web application's certificate. */
  lease(key: Member): string;
  certificateLease(app: WebApplication): string;
  /** Stream of the events that callbacks still have to send; it grows only if callbacks are configured. */
  readonly outbox: string;
  /** Any other key of ours, closed to programs that only request. */
  own(name: string): string;
  certificate(app: WebApplication): string;
  pendingNames(app: WebApplication): string;
  /** Hash: the last turn of each lane of requests (queue/line.ts). */
  readonly line: string;
  /** What the last redeploy said to each domain. */
  domainRedeploys(app: WebApplication): string;
}

export function createKeys(queuePrefix: string, queueName: string): Keys {
  const base = `${queuePrefix}:${queueName}-records`;
  const internal = `${queuePrefix}:${queueName}-internal`;
  return {
    queue: `${queuePrefix}:${queueName}:`,
    all: `${base}:all`,
    apps: `${base}:apps`,
    generation: `${base}:generation`,
    line: `${base}:line`,
    outbox: `${internal}:outbox`,
    own: (name) => `${internal}:${name}`,
    record: (key) => `${base}:domain:${toMember(key)}`,
    history: (key) => `${base}:history:${toMember(key)}`,
    lease: (key) => `${internal}:lease:${toMember(key)}`,
    certificateLease: ({ serverId, appId }) => `${internal}:lease:${serverId}:${appId}`,
    certificate: ({ serverId, appId }) => `${base}:certificate:${serverId}:${appId}`,
    pendingNames: ({ serverId, appId }) => `${base}:pending-names:${serverId}:${appId}`,
    domainRedeploys: ({ serverId, appId }) => `${base}:redeploys:${serverId}:${appId}`,
  };
}

/** A domain key in one string, `server:application:domain`, as the index of all records has it. */
export const toMember = ({ serverId, appId, domain }: Member): string => `${serverId}:${appId}:${domain}`;

/**
 * What a job id of ours begins with; the generation follows, behind a tilde, which no domain name and no id of BullMQ's contains.
 * A redeploy's has `redeploy` in the domain's place.
 */
export const toJobIdStem = ({
  serverId,
  appId,
  domain = 'redeploy',
}: WebApplication & { domain?: string }): string => `${domain}_${serverId}_${appId}~`;

/** The generation in a job id of ours with this stem; undefined for the id of an external producer's job. */
export function generationOf(jobId: string, stem: string): number | undefined {
  const number = jobId.startsWith(stem) ? jobId.slice(stem.length) : '';
  return /^[1-9]\d{0,15}$/.test(number) ? Number(number) : undefined;
}
