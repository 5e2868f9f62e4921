// failed: failed jobs, the reason of each, and what to do.
import type { Command } from 'commander';

import { iso } from '../../api-records/fields.ts';
import type { ProducerApp } from '../../app/app.ts';
import { codes, fixOf } from '../../errors.ts';
import { type FailedFilter, type FailedJob, MAX_FAILED } from '../../queue/operator.ts';
import type { Cli } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type AppFlags, parseApp, parseLimit } from '../flags.ts';
import { badCode, fixLine, moreFailed, noFailedJob } from '../messages.ts';
import { say, toWholeTable } from '../output/layout.ts';
import type { Terminal } from '../output/terminal.ts';
import { toRelative } from '../output/times.ts';

export interface FilterFlags extends AppFlags {
  /** An error code. */
  readonly code?: string | undefined;
}

export interface FailedFlags extends FilterFlags {
  readonly json?: boolean | undefined;
  /** As typed. */
  readonly limit?: string | undefined;
}

export const withFilter = (command: Command): Command =>
  command
    .option('--app <id>', "only this web application, by RunCloud's id")
    .option('--server <id>', "only this server, by RunCloud's id")
    .option('--code <code>', 'only jobs that failed with this error code');

export function addFailed(program: Command, { terminal, withRedis, action }: Cli): void {
  withFilter(program.command('failed'))
    .description('List failed jobs: the reason, what to do, and when each is retried automatically.')
    .option('--limit <number>', 'how many, the newest first', DEFAULT_LIMIT)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  runcloud-domains failed\n  runcloud-domains failed --json')
    .action(action((flags: FailedFlags) => withRedis((app) => showFailed(app, flags, terminal))));
}

const DEFAULT_LIMIT = '100';

export async function showFailed(
  { operator }: Pick<ProducerApp, 'operator'>,
  { json, limit = DEFAULT_LIMIT, ...flags }: FailedFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const count = parseLimit(limit, MAX_FAILED);
  const filter = parseFilter(flags);
  if (typeof count === 'string') return refuse(count, terminal);
  if (typeof filter === 'string') return refuse(filter, terminal);
  const [jobs, { failed }] = await Promise.all([operator.failed(count, filter), operator.counts()]);
  if (json) terminal.out(JSON.stringify(jobs.map(toJson), null, 2));
  else say(terminal, describeFailed(jobs, filter, terminal));
  if (failed > jobs.length && jobs.length === count)
    terminal.err(moreFailed(count, filter ? undefined : failed));
  return exitCodes.ok;
}

function describeFailed(
  jobs: readonly FailedJob[],
  filter: FailedFilter | undefined,
  { columns, now }: Terminal,
): string[] {
  if (jobs.length === 0) return [noFailedJob(filter !== undefined)];
  const nowMs = now();
  const table = toWholeTable(
    [['JOB', 'NAME', 'FAILED', 'NEXT', 'REASON'], ...jobs.map((job) => toFailedRow(job, nowMs))],
    columns,
  );
  return [...table, ...describeFixes(jobs)];
}

/** Undefined: all jobs; a sentence when a flag is wrong. */
export function parseFilter({ code, ...flags }: FilterFlags): FailedFilter | string | undefined {
  const on = parseApp(flags);
  if (typeof on === 'string') return on;
  if (code !== undefined && !Object.hasOwn(codes, code)) return badCode(code);
  const isFree = code === undefined && Object.keys(on).length === 0;
  return isFree ? undefined : { ...on, code };
}

export function refuse(sentence: string, terminal: Terminal): ExitCode {
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

const toFailedRow = ({ id, name, reason, failedAt, nextCheckAt }: FailedJob, nowMs: number): string[] => [
  id,
  name,
  failedAt === undefined ? '' : toRelative(failedAt, nowMs),
  nextCheckAt === undefined ? '-' : toRelative(nextCheckAt, nowMs),
  reason,
];

/** What to do, once for each code. */
function describeFixes(jobs: readonly FailedJob[]): string[] {
  const found = [...new Set(jobs.flatMap(({ code }) => code ?? []))];
  return found.map((code) => fixLine(code, fixOf(code, false) ?? ''));
}
