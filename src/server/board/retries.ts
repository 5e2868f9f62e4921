// What an operator may do from the board: try failed jobs again, by our rules and not by Bull Board's own retry, which would give
// one try, and would run beside a newer job of the same domain.
import type { Redis } from 'ioredis';
import type { Audit } from '../../audit.ts';
import { reasonOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { Operator, RetryResult } from '../../queue/operator.ts';
import type { Queue } from './bull-board.ts';

export interface Retries {
  one(jobId: string, who: string): Promise<RetryResult>;
  /** Of all failed jobs. `skipped`: superseded, refused, or one of those beyond the first ten thousand. */
  all(who: string): Promise<{ retried: number; skipped: number }>;
  /** The job that carries on a job which was tried again from the board, and is gone. */
  successor(jobId: string): Promise<string>;
}

export interface RetryOptions {
  readonly queue: Queue;
  readonly operator: Pick<Operator, 'retry'>;
  readonly redis: Redis;
  readonly keyOf: (name: string) => string;
  readonly audit: Pick<Audit, 'record'>;
  readonly logger: Pick<Logger, 'info' | 'error'>;
}

const MAX_RETRIED = 10_000;
const AT_ONCE = 20;
const REMEMBERED_MS = 24 * 60 * 60 * 1000;
/** Of a job tried again, whose successor was tried again, and so on. */
const MAX_HOPS = 5;

interface Tried {
  readonly result: RetryResult;
  readonly domain: string | undefined;
}

export function createRetries({ queue, operator, redis, keyOf, audit, logger }: RetryOptions): Retries {
  const successorKey = (jobId: string): string => keyOf(`board:successor:${jobId}`);
  const attempt = async (jobId: string): Promise<Tried> => {
    const job = await queue.getJob(jobId).catch(() => undefined);
    const domain = typeof job?.data?.domain === 'string' ? job.data.domain : undefined;
    const result = await operator.retry(jobId);
    if (result.kind === 'retried') await redis.set(successorKey(jobId), result.jobId, 'PX', REMEMBERED_MS);
    return { result, domain };
  };
  const record = async (
    who: string,
    what: string,
    tried: readonly Tried[],
    detail: string,
  ): Promise<void> => {
    const domains = [...new Set(tried.flatMap(({ domain }) => domain ?? []))];
    logger.info({ event: 'board-retry', who }, `${who}: ${detail}`);
    try {
      await audit.record({ who, what, domains, detail });
    } catch (error) {
      logger.error({ event: 'audit-failed', who }, `the audit log did not take it: ${reasonOf(error)}`);
    }
  };
  return {
    async one(jobId, who) {
      const tried = await attempt(jobId);
      await record(who, 'retry', [tried], toDetail(tried.result));
      return tried.result;
    },
    async all(who) {
      const total = await queue.getFailedCount();
      const ids = await queue.getRanges(['failed'], 0, MAX_RETRIED - 1);
      const tried: Tried[] = [];
      for (let at = 0; at < ids.length; at += AT_ONCE)
        tried.push(...(await Promise.all(ids.slice(at, at + AT_ONCE).map(attempt))));
      const retried = tried.filter(({ result }) => result.kind === 'retried');
      const skipped = Math.max(0, total - retried.length);
      await record(
        who,
        'retry-all',
        retried,
        `${retried.length} on their way again, ${skipped} left as they are`,
      );
      return { retried: retried.length, skipped };
    },
    async successor(jobId) {
      let last = jobId;
      for (let hop = 0; hop < MAX_HOPS; hop += 1) {
        const next = await redis.get(successorKey(last));
        if (next === null || next === jobId) return last;
        last = next;
      }
      return last;
    },
  };
}

const toDetail = (result: RetryResult): string =>
  result.kind === 'retried'
    ? `job ${result.id} is on its way again as job ${result.jobId}`
    : `job ${result.id}: ${result.kind}: ${result.sentence}`;
