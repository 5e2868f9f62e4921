// failed, retry: what waits for a person, and trying it again.
import type { ProducerApp } from '../app.ts';
import type { FailedJob, RetryResult } from '../queue/operator.ts';
import { toEntry, toEntryOfAll } from '../queue/retry-entries.ts';
import { parseLimit } from './limit.ts';
import { operatorName } from './operator-name.ts';
import { type ExitCode, exitCodes, type Terminal, toRelative, toTable } from './terminal.ts';

type App = Pick<ProducerApp, 'operator' | 'audit'>;

export interface FailedFlags {
  readonly json?: boolean | undefined;
  /** As typed. */
  readonly limit?: string | undefined;
}

const DEFAULT_LIMIT = '100';
const MAX_FAILED = 10_000;

export async function showFailed(
  { operator }: Pick<App, 'operator'>,
  { json, limit = DEFAULT_LIMIT }: FailedFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const count = parseLimit(limit, MAX_FAILED);
  if (typeof count === 'string') {
    terminal.err(count);
    return exitCodes.usage;
  }
  const [jobs, { failed }] = await Promise.all([operator.failed(count), operator.counts()]);
  if (json) terminal.out(JSON.stringify(jobs.map(toJson), null, 2));
  else if (jobs.length === 0) terminal.out('no job has failed');
  else
    for (const line of toTable([['JOB', 'NAME', 'FAILED', 'REASON'], ...jobs.map(toFailedRow)]))
      terminal.out(line);
  if (failed > jobs.length && jobs.length === count)
    terminal.err(`these are the newest ${count} of ${failed}; --limit shows more`);
  return exitCodes.ok;
}

const toJson = (job: FailedJob): object => ({
  ...job,
  failedAt: job.failedAt === undefined ? null : new Date(job.failedAt).toISOString(),
});

const toFailedRow = ({ id, name, reason, failedAt }: FailedJob): string[] => [
  id,
  name,
  failedAt === undefined ? '' : toRelative(failedAt, Date.now()),
  reason,
];

export async function retry(
  ids: readonly string[],
  flags: { all?: boolean | undefined },
  app: App,
  terminal: Terminal,
): Promise<ExitCode> {
  if (flags.all && ids.length > 0) {
    terminal.err('name jobs or say --all, not both');
    return exitCodes.usage;
  }
  if (flags.all) return retryAll(app, terminal);
  if (ids.length === 0) {
    terminal.err('name the jobs to retry, or --all; `failed` lists them');
    return exitCodes.usage;
  }
  const onRetried = (result: Retried) =>
    app.audit.record({ who: operatorName(), what: 'retry', ...toEntry(result) });
  return retryEach(ids, app, terminal, onRetried);
}

type Retried = Extract<RetryResult, { kind: 'retried' }>;

async function retryAll(app: App, terminal: Terminal): Promise<ExitCode> {
  const failed = await app.operator.failed(MAX_FAILED);
  if (failed.length === 0) {
    terminal.err('no job has failed');
    return exitCodes.ok;
  }
  await app.audit.record({ who: operatorName(), what: 'retry', ...toEntryOfAll(failed) });
  return retryEach(
    failed.map(({ id }) => id),
    app,
    terminal,
  );
}

async function retryEach(
  ids: readonly string[],
  { operator }: App,
  terminal: Terminal,
  onRetried: (result: Retried) => Promise<void> = async () => undefined,
): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok;
  for (const id of ids) {
    const result = await operator.retry(id, operatorName());
    sayRetry(result, terminal);
    if (result.kind === 'retried') await onRetried(result);
    if (result.kind === 'refused') code = exitCodes.failed;
  }
  return code;
}

function sayRetry(result: RetryResult, terminal: Terminal): void {
  if (result.kind === 'retried') terminal.out(`${result.id}: on its way again, job ${result.jobId}`);
  else terminal.err(`${result.id}: ${result.kind}: ${result.sentence}`);
}
