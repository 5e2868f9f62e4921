// --wait: what a person reads while jobs go on, and when he stops waiting.
import { expect, test } from '@jest/globals';
import type { ProducerApp } from '../../src/app/app.ts';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { describeJob } from '../../src/cli/output/job.ts';
import { follow } from '../../src/cli/wait.ts';
import type { JobStatus } from '../../src/queue/operator.ts';

const waiting = {
  state: 'delayed',
  attemptsMade: 1,
  failedReason: 'web application not found.',
} as JobStatus;

test('a stop while jobs run is another exit code than a failed job', async () => {
  const app = { operator: { job: async () => waiting } } as unknown as Pick<ProducerApp, 'operator'>;
  const lines: string[] = [];
  let stop: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const say = (line: string): void => {
    lines.push(line);
    stop();
  };
  const jobs = [{ jobId: 'a', domain: 'shop.example.org' }];
  expect(await follow(jobs, app, { err: say, now: Date.now }, stopped)).toBe(exitCodes.interrupted);
  expect(lines).toHaveLength(1);
});

test('a message that ends with a full stop continues without it', () => {
  expect(describeJob(waiting, 0)).toContain('(web application not found);');
});
