// What the last redeploy said to each domain, in Redis. The record of the whole (certificates.ts) is for operators; this is the
// domain's own, and names no other domain.
import type { Redis } from 'ioredis';
import type { DomainKey } from '../domains/domain.ts';
import type { ReasonCode } from '../domains/reasons.ts';
import type { Actor } from '../domains/states.ts';
import type { Code } from '../errors.ts';
import type { Keys } from '../redis/keys.ts';
import type { RunScript } from '../redis/run-script.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import { END_DOMAIN } from './scripts.ts';

/** What a redeploy says to one domain. */
export interface DomainEnd {
  readonly state: 'pending' | 'done' | 'failed';
  /** In words that name no other domain. */
  readonly outcome: string;
  readonly reasonCode?: ReasonCode | undefined;
  readonly code?: Code | undefined;
  /** Who must act, where it waits for somebody. */
  readonly mustAct?: Actor | undefined;
}

/** How the redeploy stands for one domain. Times in milliseconds by Redis' clock. */
export interface DomainRedeploy {
  /** A redeploy for it (or for all) is asked for, and not done. */
  readonly isPending: boolean;
  /** What it was told last; all undefined where it was told nothing since it asked. */
  readonly state: DomainEnd['state'] | undefined;
  readonly outcome: string | undefined;
  readonly reasonCode: ReasonCode | undefined;
  readonly code: string | undefined;
  readonly mustAct: Actor | undefined;
  readonly outcomeAt: number | undefined;
  /** When the job that is on its way looks next. */
  readonly nextRunAt: number | undefined;
}

export interface DomainRedeploys {
  /** Tells one domain what came of it, `done` or not; to be called by the job that redeploys. */
  endDomain(
    app: WebApplication,
    jobId: string,
    domain: string,
    startedAt: number,
    end: DomainEnd,
  ): Promise<void>;
  redeployOf(
    key: Pick<DomainKey, 'serverId' | 'appId'> & { readonly domain: string },
  ): Promise<DomainRedeploy>;
}

export const ALL = '*';

export const toEntry = ({ state, outcome, reasonCode, code, mustAct }: DomainEnd): string =>
  JSON.stringify({ state, outcome, reasonCode: code ?? reasonCode, code, mustAct });

export function createDomainRedeploys(redis: Redis, keys: Keys, run: RunScript): DomainRedeploys {
  return {
    async endDomain(app, jobId, domain, startedAt, end) {
      const names = [keys.certificate(app), keys.pendingNames(app), keys.domainRedeploys(app)];
      await run(END_DOMAIN, names, [jobId, domain, startedAt, toEntry(end), end.state === 'done' ? '1' : '']);
    },
    async redeployOf(key) {
      const [[own = null, all = null], [said, saidToAll], nextRunAt] = await Promise.all([
        redis.zmscore(keys.pendingNames(key), key.domain, ALL),
        redis.hmget(keys.domainRedeploys(key), key.domain, ALL),
        redis.hget(keys.certificate(key), 'nextRunAt'),
      ]);
      const isPending = own !== null || all !== null;
      // What was said to all before it asked for itself is no answer to that.
      const last = said ?? (own === null ? saidToAll : null);
      return { isPending, ...toLast(last), nextRunAt: nextRunAt ? Number(nextRunAt) : undefined };
    },
  };
}

function toLast(text: string | null | undefined): Omit<DomainRedeploy, 'isPending' | 'nextRunAt'> {
  const { at, state, outcome, reasonCode, code, mustAct } = JSON.parse(text ?? '{}') as Partial<
    DomainEnd & { at: number }
  >;
  return { state, outcome, reasonCode, code, mustAct, outcomeAt: at };
}
