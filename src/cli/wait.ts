// --wait: follows jobs until each has ended, and says on the way what each is doing.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProducerApp } from '../app/app.ts';
import { asClause } from '../domains/sentences.ts';
import type { JobStatus } from '../queue/operator.ts';
import { type ExitCode, exitCodes, toRelative } from './output/terminal.ts';

export interface FollowedJob {
  readonly jobId: string;
  readonly domain: string | undefined;
}

const LOOK_EVERY_MS = 500;
const ended: ReadonlySet<JobStatus['state']> = new Set(['failed', 'completed', 'gone']);

/** Resolves when all jobs have ended: `failed` where one failed, `ok` otherwise; or `interrupted` when somebody stops it first. */
export async function follow(
  jobs: readonly FollowedJob[],
  { operator }: Pick<ProducerApp, 'operator'>,
  say: (line: string) => void,
  stopped: Promise<unknown> = new Promise(() => undefined),
): Promise<ExitCode> {
  let isStopped = false;
  void stopped.then(() => {
    isStopped = true;
  });
  const said = new Map<string, string>();
  let open = jobs;
  let worst: ExitCode = exitCodes.ok;
  while (open.length > 0 && !isStopped) {
    const looks = await Promise.all(
      open.map(async (job) => ({ job, status: await operator.job(job.jobId) })),
    );
    for (const { job, status } of looks) sayOnce(job, status, said, say);
    if (looks.some(({ status }) => status.state === 'failed')) worst = exitCodes.failed;
    open = looks.filter(({ status }) => !ended.has(status.state)).map(({ job }) => job);
    if (open.length > 0) await Promise.race([sleep(LOOK_EVERY_MS), stopped]);
  }
  return open.length > 0 ? exitCodes.interrupted : worst;
}

function sayOnce(
  { jobId, domain }: FollowedJob,
  status: JobStatus,
  said: Map<string, string>,
  say: (line: string) => void,
): void {
  // A delayed job's own words stay the same while it waits; a countdown would fill the screen.
  const line = `${domain ?? 'redeploy'}: ${status.lastWords ?? describeJob(status, Date.now())}`;
  if (said.get(jobId) !== line) say(line);
  said.set(jobId, line);
}

/** What a job is doing, in words. */
export function describeJob(
  { state, result, failedReason, attemptsMade, nextRunAt }: JobStatus,
  nowMs: number,
): string {
  if (state === 'gone') return 'its job is over and its record gone';
  if (state === 'completed') return result ?? 'done';
  if (state === 'failed') return failedReason ? `failed: ${failedReason}` : 'failed';
  if (state === 'active') return 'at work';
  if (state === 'waiting') return 'waiting for a worker';
  const due = nextRunAt === undefined ? 'soon' : toRelative(nextRunAt, nowMs);
  return failedReason
    ? `attempt ${attemptsMade} failed (${asClause(failedReason)}); next look ${due}`
    : `waiting; next look ${due}`;
}
