// The walk over all domains for /metrics: one at a time, whoever asks, and nobody waits for it.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Census } from '../../src/health/census.ts';
import { createShared } from '../../src/health/shared.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { startServer } from '../helpers/http-server.ts';
import { until } from '../helpers/until.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage({ workers: 0 });
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

/** Processes that share a reading; each walk ends when the test says so. */
function createFleet(name: string, freshMs = 0) {
  const walks: PromiseWithResolvers<string>[] = [];
  const read = (): Promise<string> => {
    walks.push(Promise.withResolvers<string>());
    return (walks.at(-1) as PromiseWithResolvers<string>).promise;
  };
  const key = stage.producer.requests.keyOf(name);
  const join = (waitMs = 1) => createShared({ redis: stage.redis, key, read, freshMs, waitMs });
  return { walks, key, join };
}

describe('a shared reading', () => {
  test('is taken once, by one process, while all ask and nobody waits', async () => {
    const { walks, join } = createFleet('c1');
    const processes = [join(), join(), join()];
    const asked = Array.from({ length: 30 }, (_, i) => processes[i % 3]?.());
    expect(await Promise.all(asked)).toEqual(Array(30).fill(undefined));
    for (const ask of processes) expect(await ask()).toBeUndefined();
    expect(walks).toHaveLength(1);
    walks[0]?.resolve('first');
    for (const ask of processes)
      await until(async () => (await ask())?.value === 'first', 'each process knows it');
  });

  test('tells the last one, with its age, while the next is taken', async () => {
    const { walks, join } = createFleet('c2');
    const [one, other] = [join(), join()];
    await one();
    walks[0]?.resolve('old');
    await until(async () => (await one())?.value === 'old', 'it is known');
    await until(async () => (await other()) && walks.length === 2, 'the next one has begun');
    for (let i = 0; i < 10; i += 1)
      for (const ask of [one, other])
        expect(await ask()).toMatchObject({ value: 'old', ageMs: expect.any(Number) });
    expect(walks).toHaveLength(2);
    walks[1]?.resolve('new');
    await until(async () => (await one())?.value === 'new', 'the new one is told');
  });

  test('is told at once where it is quick, and not taken anew while it is fresh', async () => {
    const { walks, join } = createFleet('c3', 60_000);
    const ask = join(60_000);
    const asked = ask();
    await until(() => walks.length === 1, 'it has begun');
    walks[0]?.resolve('now');
    expect(await asked).toMatchObject({ value: 'now' });
    await ask();
    await join()();
    expect(walks).toHaveLength(1);
  });

  test('that fails leaves the last one, and the turn to whoever asks next', async () => {
    const { walks, join } = createFleet('c4');
    const ask = join();
    await ask();
    walks[0]?.reject(new Error('away'));
    await until(async () => (await ask()) === undefined && walks.length === 2, 'the next one has begun');
    walks[1]?.resolve('at last');
    await until(async () => (await ask())?.value === 'at last', 'it is known');
  });

  test('is taken by another process where the one whose turn it is has died', async () => {
    const { walks, key, join } = createFleet('c7');
    await stage.redis.set(`${key}:lock`, 'a process that is gone', 'PX', 60_000);
    const ask = join();
    for (let i = 0; i < 5; i += 1) await ask();
    expect(walks).toHaveLength(0);
    await stage.redis.pexpire(`${key}:lock`, 1);
    await until(async () => (await ask()) === undefined && walks.length === 1, 'it is taken');
    walks[0]?.resolve('at last');
    await until(async () => (await ask())?.value === 'at last', 'it is known');
  });

  test('is taken where Redis takes nothing more', async () => {
    const { walks, key } = createFleet('c5');
    const full = Object.create(stage.redis, {
      set: { value: () => Promise.reject(new Error('OOM command not allowed')) },
    });
    const ask = createShared({ redis: full, key, freshMs: 60_000, read: async () => 'known all the same' });
    expect(await ask()).toMatchObject({ value: 'known all the same' });
    expect(walks).toHaveLength(0);
  });
});

test('metrics come without the figures of a walk that does not end', async () => {
  const never = () => new Promise<Census>(() => undefined);
  const { key } = createFleet('c6');
  const census = createShared({ redis: stage.redis, key, read: never, freshMs: 0, waitMs: 1 });
  const text = await createMetrics({ version: '1', census }).text();
  expect(text).toContain('runcloud_domains_build_info');
  expect(text).not.toMatch(/^runcloud_domains_domains\b/m);
  expect(text).not.toMatch(/^runcloud_domains_census_age_seconds /m);
});

test('servers share their count; its age is a metric', async () => {
  await using one = await startServer(stage.env);
  await using other = await startServer(stage.env);
  await stage.producer.requests.enqueue('add-domain', { domain: 'a.example.org' });
  const figures = async (server: typeof one) => (await server.fetch('GET', '/metrics', { as: 'read' })).text;
  const counted = 'runcloud_domains_domains{state="requested",must_act=""} 1';
  await until(async () => (await figures(one)).includes(counted), 'it is counted');
  const [key = ''] = await stage.redis.keys(`${stage.producer.requests.keyOf('census')}`);
  const before = await stage.redis.get(key);
  const text = await figures(other);
  expect(text).toContain(counted);
  expect(text).toMatch(/^runcloud_domains_census_age_seconds [\d.]+$/m);
  expect(before).toMatch(/"tookMs"/);
});
