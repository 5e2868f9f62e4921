// Retries from the board, by our own rules. Bull Board's own retry would give the job one attempt,
// and run beside a newer job of the same domain.
import type { Redis } from 'ioredis';
import type { Audit } from '../../audit/audit.ts';
import type { Logger } from '../../logger/logger.ts';
import type { Operator, RetryResult } from '../../queue/operator.ts';
import { toEntry, toEntryOfAll } from '../../queue/retry-entries.ts';
import { notRetriedLine, retriedAllLine, retriedLine } from './messages.ts';

export interface Retries {
  one(jobId: string, who: string): Promise<RetryResult>;
  /** All failed jobs. `skipped`: superseded, refused, or beyond the first ten thousand. */
  all(who: string): Promise<{ retried: number; skipped: number }>;
  /** The job that replaces a job that was retried on the board. */
  successor(jobId: string): Promise<string>;
}

export interface RetryOptions {
  readonly operator: Pick<Operator, 'retry' | 'failed' | 'counts'>;
  readonly redis: Redis;
  readonly keyOf: (name: string) => string;
  readonly audit: Pick<Audit, 'record'>;
  readonly logger: Pick<Logger, 'info'>;
}

const MAX_RETRIED = 10_000;
const AT_ONCE = 20;
const REMEMBERED_MS = 24 * 60 * 60 * 1000;
/** Of a retried job whose successor was retried, and so on. */
const MAX_HOPS = 5;

export function createRetries({ operator, redis, keyOf, audit, logger }: RetryOptions): Retries {
  const successorKey = (jobId: string): string => keyOf(`board:successor:${jobId}`);
  const attempt = async (jobId: string, who: string): Promise<RetryResult> => {
    const result = await operator.retry(jobId, who);
    if (result.kind === 'retried') await redis.set(successorKey(jobId), result.jobId, 'PX', REMEMBERED_MS);
    return result;
  };
  const log = (who: string, sentence: string): void => logger.info({ event: 'board-retry', who }, sentence);
  return {
    async one(jobId, who) {
      const result = await attempt(jobId, who);
      log(who, toSentence(who, result));
      if (result.kind === 'retried') await audit.record({ who, what: 'retry', ...toEntry(result) });
      return result;
    },
    async all(who) {
      const failed = await operator.failed(MAX_RETRIED);
      const { failed: total } = await operator.counts();
      if (failed.length > 0) await audit.record({ who, what: 'retry', ...toEntryOfAll(failed) });
      const results: RetryResult[] = [];
      for (let at = 0; at < failed.length; at += AT_ONCE)
        results.push(
          ...(await Promise.all(failed.slice(at, at + AT_ONCE).map(({ id }) => attempt(id, who)))),
        );
      const retried = results.filter(({ kind }) => kind === 'retried').length;
      const skipped = Math.max(0, total - retried);
      log(who, retriedAllLine(who, retried, skipped));
      return { retried, skipped };
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

const toSentence = (who: string, result: RetryResult): string =>
  result.kind === 'retried'
    ? retriedLine(who, result.id, result.jobId)
    : notRetriedLine(who, result.id, result.kind, result.sentence);
