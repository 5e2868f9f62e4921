// Redis is away for longer than BullMQ's own longest wait between two tries to connect (20 s).
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { busiestSecond, PATIENCE_MS, type WorkerProcess } from '../e2e/processes.ts';
import { addAgain, createWorld } from '../e2e/world.ts';
import { until } from '../helpers/until.ts';

const DOMAIN = 'shop.example.org';
const HANG_MS = 600_000;

/** By the lines' own times: for how long nothing of this event was said, at most. */
function longestSilence(worker: WorkerProcess, event: string): number {
  const times = worker.lines(event).map(({ time }) => Date.parse(String(time)));
  return Math.max(0, ...times.slice(1).map((at, i) => at - (times[i] ?? at)));
}

test(
  'scenario 11: an idle worker whose Redis is away for 25 s takes a job soon after its return, and logs a line a second at most',
  async () => {
    await using world = await createWorld();
    const worker = await world.startWorker();
    await world.server.kill();
    await sleep(25_000);
    const lines = worker.lines().length;
    expect(worker.lines().filter(({ level }) => level === 'error').length).toBeGreaterThan(9);
    expect(busiestSecond(worker, 'error')).toBeLessThanOrEqual(1);
    expect(lines).toBeLessThan(60);
    // It tries every 2 s. By BullMQ's own strategy it would try after up to 20 s, and be back as late.
    expect(longestSilence(worker, 'redis-error')).toBeLessThan(15_000);
    await world.server.restart();
    await addAgain(world, DOMAIN);
    await until(() => world.names().includes(DOMAIN), 'the job is at work', PATIENCE_MS);
    await world.verify();
  },
  HANG_MS,
);
