// The result of the last redeploy for each domain, in Redis. It names no other domain. The record of the whole (certificates.ts) is for
// operators.
import type { Redis } from 'ioredis';
import type { DomainKey } from '../domains/domain.ts';
import type { ReasonCode } from '../domains/reasons.ts';
import type { Actor } from '../domains/states.ts';
import type { Code } from '../errors.ts';
import type { Keys } from '../redis/keys.ts';
import type { RunScript } from '../redis/run-script.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import { END_DOMAIN } from './scripts.ts';

/** The result of a redeploy for one domain. */
export interface DomainEnd {
  readonly state: 'pending' | 'done' | 'failed';
  /** In words that name no other domain. */
  readonly outcome: string;
  readonly reasonCode?: ReasonCode | undefined;
  readonly code?: Code | undefined;
  /** Who must act, if it waits for somebody. */
  readonly mustAct?: Actor | undefined;
}

/** How the redeploy stands for one domain. Times in milliseconds by Redis' clock. */
export interface DomainRedeploy {
  /** A redeploy for it (or for all) was requested, and is not done. */
  readonly isPending: boolean;
  /** The last result; all undefined if there is none since its request. */
  readonly state: DomainEnd['state'] | undefined;
  readonly outcome: string | undefined;
  readonly reasonCode: ReasonCode | undefined;
  readonly code: string | undefined;
  readonly mustAct: Actor | undefined;
  readonly outcomeAt: number | undefined;
  /** The next check of the pending job. */
  readonly nextRunAt: number | undefined;
}

export interface DomainRedeploys {
  /** Stores the result for one domain, `done` or not. For the job that redeploys. */
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
      const [[own = null, all = null], [entry, entryOfAll], nextRunAt] = await Promise.all([
        redis.zmscore(keys.pendingNames(key), key.domain, ALL),
        redis.hmget(keys.domainRedeploys(key), key.domain, ALL),
        redis.hget(keys.certificate(key), 'nextRunAt'),
      ]);
      const isPending = own !== null || all !== null;
      // A result for all that came before its own request does not answer it.
      const last = entry ?? (own === null ? entryOfAll : null);
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
