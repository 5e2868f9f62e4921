// retry: retries failed jobs.
import type { Command } from 'commander';
import type { ProducerApp } from '../../app/app.ts';
import { type FailedFilter, MAX_FAILED, type RetryResult } from '../../queue/operator.ts';
import { toEntry, toEntryOfAll } from '../../queue/retry-entries.ts';
import type { Cli } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { FILTER_NEEDS_ALL, JOBS_OR_ALL, NO_JOBS, noFailedJob, notRetried, queuedAgain } from '../messages.ts';
import { operatorName } from '../operator-name.ts';
import type { Terminal } from '../output/terminal.ts';
import { type FilterFlags, parseFilter, refuse, withFilter } from './failed.ts';

type App = Pick<ProducerApp, 'operator' | 'audit'>;
type RetryFlags = FilterFlags & { readonly all?: boolean | undefined };

export function addRetry(program: Command, { terminal, withRedis, action }: Cli): void {
  withFilter(program.command('retry'))
    .description(
      'Retry failed jobs, each with all its attempts. A job is skipped when a newer request replaced it.',
    )
    .argument('[id...]', 'job ids, from `failed`')
    .option('--all', 'all failed jobs; with --app or --code only those')
    .addHelpText(
      'after',
      '\nExamples:\n  runcloud-domains retry shop.example.org_1903_646~7\n  runcloud-domains retry --all --code runcloud-unknown-result',
    )
    .action(
      action((ids: string[], flags: RetryFlags) => withRedis((app) => retry(ids, flags, app, terminal))),
    );
}

export async function retry(
  ids: readonly string[],
  { all, ...flags }: RetryFlags,
  app: App,
  terminal: Terminal,
): Promise<ExitCode> {
  const filter = parseFilter(flags);
  if (typeof filter === 'string') return refuse(filter, terminal);
  if (all && ids.length > 0) return refuse(JOBS_OR_ALL, terminal);
  if (all) return retryAll(filter, app, terminal);
  if (ids.length === 0) return refuse(NO_JOBS, terminal);
  if (filter) return refuse(FILTER_NEEDS_ALL, terminal);
  const onRetried = (result: Retried) =>
    app.audit.record({ who: operatorName(), what: 'retry', ...toEntry(result) });
  return retryEach(ids, app, terminal, onRetried);
}

type Retried = Extract<RetryResult, { kind: 'retried' }>;

async function retryAll(filter: FailedFilter | undefined, app: App, terminal: Terminal): Promise<ExitCode> {
  const failed = await app.operator.failed(MAX_FAILED, filter);
  if (failed.length === 0) {
    terminal.err(noFailedJob(filter !== undefined));
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
    show(result, terminal);
    if (result.kind === 'retried') await onRetried(result);
    if (result.kind === 'refused') code = exitCodes.failed;
  }
  return code;
}

function show(result: RetryResult, terminal: Terminal): void {
  const { id, kind } = result;
  if (kind === 'retried') terminal.out(queuedAgain(id, 'job', result.jobId));
  else terminal.err(notRetried(id, kind === 'refused' ? 'rejected' : kind, result.sentence));
}
