// The redeploys of each web application's certificate, in Redis. Any number of requests become one redeploy.
import type { Redis } from 'ioredis';
import type { DomainKey } from '../domains/domain.ts';
import type { DomainName } from '../domains/domain-name.ts';
import type { ReasonCode } from '../domains/reasons.ts';
import { FIRST_CHECK_MS, LONGEST_CHECK_MS } from '../domains/reconcile.ts';
import type { Actor } from '../domains/states.ts';
import type { EnqueueResult, JobRef } from '../domains/store.ts';
import { type Code, mayPass } from '../errors.ts';

import { createWrites, type Writes } from '../lease/writes.ts';
import { generationOf, type Keys, toJobIdStem } from '../redis/keys.ts';
import { createRunScript } from '../redis/run-script.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import { ALL, createDomainRedeploys, type DomainRedeploys, toEntry } from './domain-redeploys.ts';
import { type CertificateNotes, createCertificateNotes, type Noted, toNoted } from './notes.ts';
import { BEGIN_REDEPLOY, END_REDEPLOY, EXPAND_ALL, REQUEST_REDEPLOY } from './scripts.ts';

export type RedeployStart =
  /** Redeploy now. `domains`: the pending names; undefined: all of the web application's. */
  | {
      readonly kind: 'run';
      readonly startedAt: number;
      readonly domains: readonly string[] | undefined;
      /** No delay, no check whether it is needed: a person, the monitor or an external producer requests it. */
      readonly atOnce: boolean;
      /** The last request for each name alone. */
      readonly requestedAt: ReadonlyMap<string, number>;
      /** The last request for any. */
      readonly newestRequestAt: number;
    }
  | { readonly kind: 'superseded' }
  | { readonly kind: 'early'; readonly delayMs: number }
  | { readonly kind: 'busy' };

export interface RedeployEnd {
  readonly result: 'done' | 'failed' | 'pending';
  /** For operators: it may name any domain. */
  readonly outcome: string;
  /** The same for the domains that it is for: it names none. */
  readonly forDomains: string;
  readonly reasonCode?: ReasonCode | undefined;
  readonly code?: Code | undefined;
  readonly nextRunAt?: number | undefined;
  /** Who must act, if it waits for somebody. */
  readonly mustAct?: Actor | undefined;
  /** BullMQ's lock of the run that speaks; a run that has lost it records nothing. */
  readonly token?: string | undefined;
}

/** What to redeploy, and for whom. */
export interface RedeployRequest {
  /** One name, all of the web application's, or only what waits already. */
  readonly domain: DomainName | 'all' | 'waiting';
  /** A person waits: no delay. */
  readonly atOnce?: boolean | undefined;
  /** The domain whose change is behind it: its redeploy counts as requested from now on. */
  readonly changed?: DomainKey | undefined;
}

/** A domain that blocks the certificate of the others: since when, and when that was last observed. Milliseconds by Redis' clock. */
export interface BlockingName {
  readonly since: number;
  readonly at: number;
}

/** The record of one web application's certificate, for operators: it may name any domain. Times in milliseconds since the epoch. */
export interface CertificateRecord extends Noted {
  readonly jobId: string | undefined;
  readonly state: 'pending' | 'done' | 'failed' | undefined;
  readonly outcome: string | undefined;
  readonly reasonCode: ReasonCode | undefined;
  readonly code: string | undefined;
  readonly outcomeAt: number | undefined;
  readonly coveredAt: number | undefined;
  /** The next check of the pending redeploy. */
  readonly nextRunAt: number | undefined;
  readonly mustAct: Actor | undefined;
  /** How many names wait for a redeploy. */
  readonly pendingNames: number;
  /** Domains that block the others. They are detached (SSL_INVALID_NAMES=detach), or lose their www name. */
  readonly blockedBy: Readonly<Record<string, BlockingName>>;
  /** SSL_REISSUE=reinstall: it was removed (or is about to be), and not yet installed again. */
  readonly isReinstalling: boolean;
}

export interface Certificates extends Writes<WebApplication>, DomainRedeploys, CertificateNotes {
  requestRedeploy(app: WebApplication, request: RedeployRequest): Promise<EnqueueResult>;
  /** `delayMs`: SSL_REDEPLOY_DELAY of this worker. `domain`: the job's, for a job of an external producer. */
  begin(
    app: WebApplication,
    job: JobRef,
    options: { readonly domain?: DomainName | undefined; readonly delayMs: number },
  ): Promise<RedeployStart>;
  /** Advanced SSL: a request for all names becomes one for each of these. */
  expandAll(app: WebApplication, domains: readonly string[]): Promise<void>;
  end(app: WebApplication, jobId: string, end: RedeployEnd): Promise<void>;
  /** Replaces the list of blocking domains, and returns it. A domain that was on it keeps its `since`. */
  noteBlockedBy(
    app: WebApplication,
    domains: readonly string[],
    at: number,
  ): Promise<CertificateRecord['blockedBy']>;
  /** To be called before it is removed, and when it is there again. */
  noteReinstalling(app: WebApplication, isReinstalling: boolean): Promise<void>;
  get(app: WebApplication): Promise<CertificateRecord | undefined>;
}

export function createCertificates({ redis, keys }: { redis: Redis; keys: Keys }): Certificates {
  const run = createRunScript(redis);
  const keysOf = (app: WebApplication): string[] => [
    keys.certificate(app),
    keys.pendingNames(app),
    keys.domainRedeploys(app),
  ];
  const stemOf = (app: WebApplication): string => toJobIdStem({ serverId: app.serverId, appId: app.appId });

  return {
    async requestRedeploy(app, { domain, atOnce, changed }) {
      const what = domain === 'all' ? ALL : domain === 'waiting' ? '' : domain;
      const record = changed ? keys.record(changed) : keys.certificate(app);
      const [fate, jobId] = await run<[EnqueueResult['fate'], string]>(
        REQUEST_REDEPLOY,
        [...keysOf(app), keys.generation, record],
        [keys.queue, what, atOnce ? '1' : '', stemOf(app)],
      );
      return { fate, jobId };
    },
    async begin(app, { jobId, addedAt }, { domain, delayMs }) {
      const own = generationOf(jobId, stemOf(app)) === undefined ? '' : '1';
      const args = [keys.queue, jobId, own, addedAt, domain ?? ALL, delayMs];
      const [kind, ms, atOnce, pending = []] = await run<[RedeployStart['kind'], number, string, string[]?]>(
        BEGIN_REDEPLOY,
        keysOf(app),
        args,
      );
      if (kind === 'early') return { kind, delayMs: ms };
      if (kind !== 'run') return { kind };
      return { kind, startedAt: ms, atOnce: atOnce === '1', ...toPending(pending) };
    },
    ...createWrites<WebApplication>({
      redis,
      keysOf: (app) => [keys.certificate(app), keys.certificateLease(app)],
      owner: 'running',
    }),
    async expandAll(app, domains) {
      await run(EXPAND_ALL, [keys.pendingNames(app)], [...domains]);
    },
    async end(app, jobId, end) {
      await run(END_REDEPLOY, keysOf(app), [keys.queue, jobId, ...toEndFields(end)]);
    },
    ...createNotes(redis, keys),
    ...createCertificateNotes(redis, keys),
    ...createDomainRedeploys(redis, keys, run),
    async get(app) {
      const [record, pendingNames] = await Promise.all([
        redis.hgetall(keys.certificate(app)),
        redis.zcard(keys.pendingNames(app)),
      ]);
      return Object.keys(record).length > 0 ? toCertificateRecord(record, pendingNames) : undefined;
    },
  };
}

/** What END_REDEPLOY reads behind the job: token, result, outcome, reasonCode, code, nextRunAt, mustAct, entry, the two times of checks. */
function toEndFields(end: RedeployEnd): (string | number)[] {
  const { result, outcome, forDomains, reasonCode, code, nextRunAt, mustAct, token } = end;
  const checks = result === 'failed' && mayPass(code) ? [FIRST_CHECK_MS, LONGEST_CHECK_MS] : ['', ''];
  const entry = toEntry({ state: result, outcome: forDomains, reasonCode, code, mustAct });
  const why = [code ?? reasonCode ?? '', code ?? ''];
  return [token ?? '', result, outcome, ...why, nextRunAt ?? '', mustAct ?? '', entry, ...checks];
}

// Plain notes: at most one redeploy of a web application runs, so they need no script.
function createNotes(redis: Redis, keys: Keys): Pick<Certificates, 'noteBlockedBy' | 'noteReinstalling'> {
  return {
    async noteBlockedBy(app, domains, at) {
      const key = keys.certificate(app);
      const before = parseBlockedBy(await redis.hget(key, 'blockedBy'));
      const now = Object.fromEntries(
        domains.map((domain) => [domain, { since: before[domain]?.since ?? at, at }]),
      );
      if (domains.length > 0) await redis.hset(key, 'blockedBy', JSON.stringify(now));
      else await redis.hdel(key, 'blockedBy');
      return now;
    },
    async noteReinstalling(app, isReinstalling) {
      if (isReinstalling) await redis.hset(keys.certificate(app), 'reinstalling', '1');
      else await redis.hdel(keys.certificate(app), 'reinstalling');
    },
  };
}

// Names and scores by turns, as ZRANGE gives them.
function toPending(
  pairs: readonly string[],
): Pick<Extract<RedeployStart, { kind: 'run' }>, 'domains' | 'requestedAt' | 'newestRequestAt'> {
  const requestedAt = new Map<string, number>();
  for (let i = 0; i + 1 < pairs.length; i += 2) requestedAt.set(pairs[i] ?? '', Number(pairs[i + 1]));
  const newestRequestAt = Math.max(0, ...requestedAt.values());
  const isAll = requestedAt.delete(ALL);
  return { domains: isAll ? undefined : [...requestedAt.keys()], requestedAt, newestRequestAt };
}

const parseBlockedBy = (text: string | null | undefined): CertificateRecord['blockedBy'] =>
  text ? (JSON.parse(text) as CertificateRecord['blockedBy']) : {};

const toCertificateRecord = (record: Record<string, string>, pendingNames: number): CertificateRecord => ({
  jobId: record.jobId || undefined,
  state: (record.state || undefined) as CertificateRecord['state'],
  outcome: record.outcome || undefined,
  reasonCode: (record.reasonCode || undefined) as ReasonCode | undefined,
  code: record.code || undefined,
  outcomeAt: record.outcomeAt ? Number(record.outcomeAt) : undefined,
  coveredAt: record.coveredAt ? Number(record.coveredAt) : undefined,
  nextRunAt: record.nextRunAt ? Number(record.nextRunAt) : undefined,
  mustAct: (record.mustAct || undefined) as Actor | undefined,
  pendingNames,
  blockedBy: parseBlockedBy(record.blockedBy),
  isReinstalling: record.reinstalling === '1',
  ...toNoted(record),
});
