// The audit log's entries of failed jobs that a person retries by the command line, the API or the board.
import type { AuditRecord } from '../audit/audit.ts';
import type { FailedJob, RetryResult } from './operator.ts';

type Entry = Pick<AuditRecord, 'domains' | 'detail'>;

const SHOWN_JOBS = 5;

/** One that is on its way again. */
export const toEntry = ({ id, jobId, domain }: Extract<RetryResult, { kind: 'retried' }>): Entry => ({
  domains: domain === undefined ? [] : [domain],
  detail: `${id} as ${jobId}`,
});

/** Many, before they are tried: what newer requests have overtaken stays as it is. */
export const toEntryOfAll = (failed: readonly FailedJob[]): Entry => {
  const ids = failed.slice(0, SHOWN_JOBS).map(({ id }) => id);
  const more = failed.length > ids.length ? ` and ${failed.length - ids.length} more` : '';
  return {
    domains: [...new Set(failed.flatMap(({ domain }) => domain ?? []))],
    detail: `${failed.length} failed: ${ids.join(', ')}${more}`,
  };
};
