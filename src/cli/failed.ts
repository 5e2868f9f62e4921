// failed, retry: what waits for a person, and trying it again.
import type { ProducerApp } from '../app.ts';
import type { FailedJob, RetryResult } from '../queue/operator.ts';
import { operatorName } from './operator-name.ts';
import { type ExitCode, exitCodes, type Terminal, toRelative, toTable } from './terminal.ts';

type App = Pick<ProducerApp, 'operator' | 'audit'>;

interface Flags {
  readonly json?: boolean | undefined;
}

const SHOWN_FAILED = 100;

export async function showFailed(
  { operator }: Pick<App, 'operator'>,
  { json }: Flags,
  terminal: Terminal,
): Promise<ExitCode> {
  const jobs = await operator.failed(SHOWN_FAILED);
  if (json)
    terminal.out(
      JSON.stringify(
        jobs.map((job) => ({
          ...job,
          failedAt: job.failedAt === undefined ? null : new Date(job.failedAt).toISOString(),
        })),
        null,
        2,
      ),
    );
  else if (jobs.length === 0) terminal.out('no job has failed');
  else
    for (const line of toTable([['JOB', 'NAME', 'FAILED', 'REASON'], ...jobs.map(toFailedRow)]))
      terminal.out(line);
  return exitCodes.ok;
}

const toFailedRow = ({ id, name, reason, failedAt }: FailedJob): string[] => [
  id,
  name,
  failedAt === undefined ? '' : toRelative(failedAt, Date.now()),
  reason,
];

const MAX_RETRIED = 10_000;
const SHOWN_JOBS = 5;

export async function retry(
  ids: readonly string[],
  flags: { all?: boolean | undefined },
  { operator, audit }: App,
  terminal: Terminal,
): Promise<ExitCode> {
  if (flags.all && ids.length > 0) {
    terminal.err('name jobs or say --all, not both');
    return exitCodes.usage;
  }
  const wanted = flags.all ? (await operator.failed(MAX_RETRIED)).map(({ id }) => id) : ids;
  if (wanted.length === 0) {
    terminal.err(flags.all ? 'no job has failed' : 'name the jobs to retry, or --all; `failed` lists them');
    return flags.all ? exitCodes.ok : exitCodes.usage;
  }
  const results: RetryResult[] = [];
  try {
    for (const id of wanted) {
      const result = await operator.retry(id);
      results.push(result);
      sayRetry(result, terminal);
    }
  } finally {
    // Also where Redis went away in between, and is back.
    await recordRetries(results, audit);
  }
  return results.some(({ kind }) => kind === 'refused') ? exitCodes.failed : exitCodes.ok;
}

async function recordRetries(results: readonly RetryResult[], audit: App['audit']): Promise<void> {
  const retried = results.filter((result) => result.kind === 'retried');
  if (retried.length === 0) return;
  const domains = retried.flatMap(({ domain }) => domain ?? []);
  const jobs = retried.slice(0, SHOWN_JOBS).map(({ id }) => id);
  const more = retried.length > jobs.length ? ` and ${retried.length - jobs.length} more` : '';
  await audit.record({
    who: operatorName(),
    what: 'retry',
    domains,
    detail: `${retried.length} failed: ${jobs.join(', ')}${more}`,
  });
}

function sayRetry(result: RetryResult, terminal: Terminal): void {
  if (result.kind === 'retried') terminal.out(`${result.id}: on its way again, job ${result.jobId}`);
  else terminal.err(`${result.id}: ${result.kind}: ${result.sentence}`);
}
