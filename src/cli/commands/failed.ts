// failed, retry: the jobs that have failed, what to do about them, and trying them again.

import { iso } from '../../api-records/fields.ts';
import type { ProducerApp } from '../../app/app.ts';
import { codes, fixOf } from '../../errors.ts';
import { type FailedFilter, type FailedJob, MAX_FAILED, type RetryResult } from '../../queue/operator.ts';
import { toEntry, toEntryOfAll } from '../../queue/retry-entries.ts';
import { type AppFlags, parseApp } from '../flags.ts';
import { parseLimit } from '../limit.ts';
import { operatorName } from '../operator-name.ts';
import { say, toWholeTable } from '../output/layout.ts';
import { type ExitCode, exitCodes, type Terminal, toRelative } from '../output/terminal.ts';

type App = Pick<ProducerApp, 'operator' | 'audit'>;

export interface FilterFlags extends AppFlags {
  /** An error code. */
  readonly code?: string | undefined;
}

export interface FailedFlags extends FilterFlags {
  readonly json?: boolean | undefined;
  /** As typed. */
  readonly limit?: string | undefined;
}

const DEFAULT_LIMIT = '100';

export async function showFailed(
  { operator }: Pick<App, 'operator'>,
  { json, limit = DEFAULT_LIMIT, ...flags }: FailedFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const count = parseLimit(limit, MAX_FAILED);
  const filter = parseFilter(flags);
  if (typeof count === 'string') return refuse(count, terminal);
  if (typeof filter === 'string') return refuse(filter, terminal);
  const [jobs, { failed }] = await Promise.all([operator.failed(count, filter), operator.counts()]);
  if (json) terminal.out(JSON.stringify(jobs.map(toJson), null, 2));
  else say(terminal, describeFailed(jobs, filter, terminal.columns));
  if (failed > jobs.length && jobs.length === count)
    terminal.err(`these are the newest ${count}${filter ? '' : ` of ${failed}`}; --limit shows more`);
  return exitCodes.ok;
}

function describeFailed(
  jobs: readonly FailedJob[],
  filter: FailedFilter | undefined,
  columns: number | undefined,
): string[] {
  if (jobs.length === 0) return [noneOf(filter)];
  const table = toWholeTable(
    [['JOB', 'NAME', 'FAILED', 'NEXT CHECK', 'REASON'], ...jobs.map(toFailedRow)],
    columns,
  );
  return [...table, ...describeFixes(jobs)];
}

const noneOf = (filter: FailedFilter | undefined): string =>
  filter ? 'no such job has failed' : 'no job has failed';

/** Undefined where nothing restricts; a sentence where a flag is wrong. */
function parseFilter({ code, ...flags }: FilterFlags): FailedFilter | string | undefined {
  const on = parseApp(flags);
  if (typeof on === 'string') return on;
  if (code !== undefined && !Object.hasOwn(codes, code))
    return `--code must be a code of docs/reference/error-codes.md, such as runcloud-rejected; got "${code}"`;
  const isFree = code === undefined && Object.keys(on).length === 0;
  return isFree ? undefined : { ...on, code };
}

function refuse(sentence: string, terminal: Terminal): ExitCode {
  terminal.err(sentence);
  return exitCodes.usage;
}

const toJson = (job: FailedJob): object => {
  const { code } = job;
  return {
    ...job,
    code: code ?? null,
    fix: fixOf(code, false) ?? null,
    failedAt: iso(job.failedAt),
    nextCheckAt: iso(job.nextCheckAt),
  };
};

const toFailedRow = ({ id, name, reason, failedAt, nextCheckAt }: FailedJob): string[] => {
  const now = Date.now();
  return [
    id,
    name,
    failedAt === undefined ? '' : toRelative(failedAt, now),
    nextCheckAt === undefined ? '-' : toRelative(nextCheckAt, now),
    reason,
  ];
};

/** What to do, once for each code. */
function describeFixes(jobs: readonly FailedJob[]): string[] {
  const found = [...new Set(jobs.flatMap(({ code }) => code ?? []))];
  return found.map((code) => `${code}: ${fixOf(code, false)}`);
}

export async function retry(
  ids: readonly string[],
  { all, ...flags }: FilterFlags & { all?: boolean | undefined },
  app: App,
  terminal: Terminal,
): Promise<ExitCode> {
  const filter = parseFilter(flags);
  if (typeof filter === 'string') return refuse(filter, terminal);
  if (all && ids.length > 0) return refuse('name jobs or say --all, not both', terminal);
  if (all) return retryAll(filter, app, terminal);
  if (ids.length === 0) return refuse('name the jobs to retry, or --all; `failed` lists them', terminal);
  if (filter) return refuse('--app, --server and --code are for --all: a job is named by its id', terminal);
  const onRetried = (result: Retried) =>
    app.audit.record({ who: operatorName(), what: 'retry', ...toEntry(result) });
  return retryEach(ids, app, terminal, onRetried);
}

type Retried = Extract<RetryResult, { kind: 'retried' }>;

async function retryAll(filter: FailedFilter | undefined, app: App, terminal: Terminal): Promise<ExitCode> {
  const failed = await app.operator.failed(MAX_FAILED, filter);
  if (failed.length === 0) {
    terminal.err(noneOf(filter));
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
