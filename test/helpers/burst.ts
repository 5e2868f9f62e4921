// Scenario 20: many adds at once, and a removal that somebody waits for behind them.
import { expect } from '@jest/globals';
import type { Requested } from './invariants.ts';
import { inParallel, until } from './until.ts';
import { createStage, type Stage } from './worker.ts';

export const names = (count: number, stem = 'site'): string[] =>
  Array.from({ length: count }, (_, at) => `${stem}-${at}.example.com`);

export const add = (stage: Stage, domains: readonly string[], bulk = false): Promise<Requested[]> =>
  inParallel(domains, 50, async (domain): Promise<Requested> => {
    const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain }, { bulk });
    return { domain, presence: 'present', jobId };
  });

/** A remove behind so many adds gets one of the first free slots, and each add is applied once. */
export async function proveBurst(count: number): Promise<void> {
  const env = { SSL_REDEPLOY_DELAY: '1d', RUNCLOUD_RATE_PER_MINUTE: count > 5_000 ? '6000' : '3000' };
  const seed = { webapps: [{ domains: ['old.example.com'] }] };
  await using stage = await createStage({ workers: 2, env, simulator: { seed } });
  const { simulator, producer } = stage;
  const asked = await add(stage, names(count), true);
  await until(() => stage.calls('attach-domain').length >= count / 10, 'the burst is under way');
  const domain = 'old.example.com';
  const { jobId } = await producer.requests.enqueue('remove-domain', { domain });
  const before = stage.calls('attach-domain').length;
  await stage.ended(jobId);
  const removedAt = stage.calls('delete-domain')[0]?.startedAt ?? Number.POSITIVE_INFINITY;
  const overtaking = stage.calls('attach-domain').filter(({ startedAt }) => startedAt < removedAt).length;
  // Ten jobs are at work; each may call before the remove does, and once more while it is taken.
  expect(overtaking - before).toBeLessThanOrEqual(30);
  await until(() => simulator.state.domains().length === count + 1, 'all are attached', 400_000);
  const applied = stage.calls('attach-domain').filter(({ writeApplied }) => writeApplied);
  expect(applied.length).toBe(count);
  expect(simulator.state.overlappingWrites()).toEqual([]);
  await until(async () => (await stage.queue.getCompletedCount()) >= Math.min(count, 2_000), 'all are done');
  expect(await stage.queue.getFailedCount()).toBe(0);
  expect(asked.length).toBe(count);
}
