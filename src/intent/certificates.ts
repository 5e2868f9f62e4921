// What is asked of each web application's certificate, in Redis: any number of asks become one redeploy.
import type { Redis } from 'ioredis';
import type { Code } from '../errors.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import type { DomainName } from './domain-name.ts';
import { generationOf, type Keys, toJobIdStem } from './keys.ts';
import { ASK_REDEPLOY, BEGIN_REDEPLOY, COVERED, END_REDEPLOY } from './scripts.ts';
import type { JobTicket, RequestTicket } from './store.ts';
import { createWrites, type Writes } from './writes.ts';

/** A redeploy's job, and how long it has to wait. */
export interface RedeployTicket extends RequestTicket {
  readonly delayMs: number;
}

export type RedeployStart =
  /** Redeploy now. `domains` are the names asked for; undefined: all of the web application's. */
  | { readonly kind: 'run'; readonly startedAt: number; readonly domains: readonly string[] | undefined }
  | { readonly kind: 'superseded' }
  | { readonly kind: 'early'; readonly delayMs: number }
  | { readonly kind: 'busy' };

export interface RedeployEnd {
  readonly result: 'done' | 'failed' | 'retry';
  readonly outcome: string;
  readonly code?: Code | undefined;
  readonly nextRunAt?: number | undefined;
}

/** The record of one web application's certificate, for status pages. Times in milliseconds since the epoch. */
export interface CertificateRecord {
  readonly jobId: string | undefined;
  readonly outcome: string | undefined;
  readonly code: string | undefined;
  readonly outcomeAt: number | undefined;
  readonly coveredAt: number | undefined;
  readonly waitingDomains: number;
  /** One of the waiting domains. */
  readonly oneWaiting: DomainName | undefined;
}

export interface Certificates extends Writes<WebApplication> {
  /** Asks for a redeploy: `atOnce` by a person, else when the delay has passed. `domain` undefined: all names. */
  ask(
    app: WebApplication,
    ask: { domain?: DomainName | undefined; atOnce?: boolean },
  ): Promise<RedeployTicket>;
  begin(app: WebApplication, job: JobTicket, domain?: DomainName): Promise<RedeployStart>;
  /** Advanced SSL: this name is done, a retry need not order it again. */
  covered(app: WebApplication, domain: string, startedAt: number): Promise<void>;
  /** Returns the next job to add, where names were asked for while this one ran. */
  end(app: WebApplication, jobId: string, end: RedeployEnd): Promise<RedeployTicket | undefined>;
  get(app: WebApplication): Promise<CertificateRecord | undefined>;
}

const ALL = '*';

export function createCertificates({
  redis,
  keys,
  delayMs,
}: {
  redis: Redis;
  keys: Keys;
  delayMs: number;
}): Certificates {
  const run = <T>(script: string, app: WebApplication, args: (string | number)[]): Promise<T> =>
    redis.eval(script, 3, keys.certificate(app), keys.asks(app), keys.generation, ...args) as Promise<T>;
  const stemOf = (app: WebApplication): string => toJobIdStem({ ...app, domain: 'redeploy' });

  return {
    async ask(app, { domain, atOnce }) {
      const args = [keys.queue, domain ?? ALL, delayMs, atOnce ? '1' : '', stemOf(app)];
      const [fate, jobId, wait] = await run<[RedeployTicket['fate'], string, number]>(
        ASK_REDEPLOY,
        app,
        args,
      );
      return { fate, jobId, delayMs: wait };
    },
    async begin(app, { jobId, addedAt }, domain) {
      const own = generationOf(jobId) === undefined ? '' : '1';
      const args = [keys.queue, jobId, own, addedAt, domain ?? ALL, delayMs];
      const [kind, ms, ...asked] = await run<[RedeployStart['kind'], number, ...string[]]>(
        BEGIN_REDEPLOY,
        app,
        args,
      );
      if (kind === 'early') return { kind, delayMs: ms };
      if (kind !== 'run') return { kind };
      return { kind, startedAt: ms, domains: asked.includes(ALL) ? undefined : asked };
    },
    ...createWrites<WebApplication>({
      redis,
      keysOf: (app) => [keys.certificate(app), keys.certificateFence(app)],
      owner: 'running',
    }),
    async covered(app, domain, startedAt) {
      await run(COVERED, app, [domain, startedAt]);
    },
    async end(app, jobId, { result, outcome, code, nextRunAt }) {
      const args = [jobId, result, outcome, code ?? '', delayMs, stemOf(app), nextRunAt ?? ''];
      const [nextId, wait] = await run<[string, number]>(END_REDEPLOY, app, args);
      return nextId ? { fate: 'new', jobId: nextId, delayMs: wait } : undefined;
    },
    async get(app) {
      const [record, waiting] = await Promise.all([
        redis.hgetall(keys.certificate(app)),
        redis.zrange(keys.asks(app), '0', '-1'),
      ]);
      return Object.keys(record).length > 0 ? toCertificateRecord(record, waiting) : undefined;
    },
  };
}

const toCertificateRecord = (record: Record<string, string>, waiting: string[]): CertificateRecord => ({
  jobId: record.jobId || undefined,
  outcome: record.outcome || undefined,
  code: record.code || undefined,
  outcomeAt: record.outcomeAt ? Number(record.outcomeAt) : undefined,
  coveredAt: record.coveredAt ? Number(record.coveredAt) : undefined,
  waitingDomains: waiting.length,
  oneWaiting: waiting.find((name) => name !== ALL) as DomainName | undefined,
});
