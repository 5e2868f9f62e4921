// --wait: follows jobs until each has ended, and prints what each is doing.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProducerApp } from '../app/app.ts';
import type { JobStatus } from '../queue/operator.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { describeJob } from './output/job.ts';
import { withoutName } from './output/layout.ts';
import type { Terminal } from './output/terminal.ts';

export interface FollowedJob {
  readonly jobId: string;
  readonly domain: string | undefined;
}

const CHECK_EVERY_MS = 500;
const ended: ReadonlySet<JobStatus['state']> = new Set(['failed', 'completed', 'gone']);

/**
 * Resolves when all jobs have ended: `failed` if one failed, else `ok`; or `interrupted` when
 * `stopped` comes first.
 */
export async function follow(
  jobs: readonly FollowedJob[],
  { operator }: Pick<ProducerApp, 'operator'>,
  { err, now }: Pick<Terminal, 'err' | 'now'>,
  stopped: Promise<unknown> = new Promise(() => undefined),
): Promise<ExitCode> {
  let isStopped = false;
  void stopped.then(() => {
    isStopped = true;
  });
  const printed = new Map<string, string>();
  let open = jobs;
  let worst: ExitCode = exitCodes.ok;
  while (open.length > 0 && !isStopped) {
    const checked = await Promise.all(
      open.map(async (job) => ({ job, status: await operator.job(job.jobId) })),
    );
    for (const { job, status } of checked) {
      const line = toLine(job, status, now());
      if (printed.get(job.jobId) !== line) err(line);
      printed.set(job.jobId, line);
    }
    if (checked.some(({ status }) => status.state === 'failed')) worst = exitCodes.failed;
    open = checked.filter(({ status }) => !ended.has(status.state)).map(({ job }) => job);
    if (open.length > 0) await Promise.race([sleep(CHECK_EVERY_MS), stopped]);
  }
  return open.length > 0 ? exitCodes.interrupted : worst;
}

// The sentence of a delayed job stays the same while it waits. A countdown would fill the screen.
function toLine({ domain }: FollowedJob, status: JobStatus, nowMs: number): string {
  const text = status.lastWords ?? describeJob(status, nowMs);
  return domain === undefined ? `redeploy: ${text}` : `${domain}: ${withoutName(text, domain)}`;
}
