// A bare client may put megabytes into a job: it is carried out or refused, and nothing of them stays in Redis.
import { expect, test } from '@jest/globals';
import { until } from '../helpers/until.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

const HUGE = 'x'.repeat(3 * 1024 * 1024);
const SMALL_BYTES = 64 * 1024;

const jobs: readonly (readonly [string, (stage: Stage) => Promise<unknown>])[] = [
  ['a known field', ({ queue }) => queue.add('add-domain', { domain: HUGE })],
  ['who asks', ({ queue }) => queue.add('add-domain', { domain: 'a.example.org', requestedBy: HUGE })],
  ['an unknown field', ({ queue }) => queue.add('add-domain', { domain: 'a.example.org', note: HUGE })],
  ['the name of a field', ({ queue }) => queue.add('add-domain', { domain: 'a.example.org', [HUGE]: 1 })],
  [
    'an option',
    ({ queue }) => queue.add('add-domain', { domain: 'a.example.org' }, { telemetry: { metadata: HUGE } }),
  ],
  ['its name', ({ queue }) => queue.add(HUGE, { domain: 'a.example.org' })],
  ['its id', ({ queue }) => queue.add('add-domain', { domain: 'a.example.org' }, { jobId: `id-${HUGE}` })],
  [
    'a list',
    ({ queue }) =>
      queue.add(
        'redeploy-ssl',
        Array.from({ length: 100_000 }, () => 'aaaaaaaaaa'),
      ),
  ],
];

const sizes = async ({ redis, config }: Stage): Promise<number[]> => {
  const keys = (await redis.keys(`${config.queuePrefix}:*`)).filter((key) => !key.endsWith(':events'));
  const bytes = keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0));
  return (await Promise.all(bytes)).map((size, i) => Number(size) + (keys[i]?.length ?? 0));
};

test.each(jobs)(
  'a job with 3 MB in %s leaves none of them behind, and holds nobody up',
  async (_what, add) => {
    await using stage = await createStage();
    await add(stage);
    const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: 'good.example.org' });
    expect((await stage.ended(jobId)).returnvalue).toMatch(/attached/);
    await stage.idle();
    await until(async () => Math.max(...(await sizes(stage))) < SMALL_BYTES, 'nothing of it stays');
  },
);

test('what was refused can be looked at, with its short fields', async () => {
  await using stage = await createStage();
  const id = await stage.add('add-domain', { domain: HUGE, requestedBy: 'ada' });
  const job = await stage.ended(id);
  expect(job.failedReason).toMatch(/^invalid-domain: /);
  expect(job.data).toEqual({ requestedBy: 'ada', cut: expect.any(String) });
});

test('what was good with a long further field is done, and done again after a failure', async () => {
  await using stage = await createStage();
  stage.simulator.addFault({ kind: 'status', status: 503, operation: 'list-domains', times: 1 });
  const id = await stage.add('add-domain', { domain: 'a.example.org', note: HUGE });
  expect((await stage.ended(id)).returnvalue).toMatch(/attached/);
});
