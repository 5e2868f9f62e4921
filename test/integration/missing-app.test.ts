// A web application that RunCloud does not know costs a handful of calls, however many domains are requested on it.
import { expect, test } from '@jest/globals';
import { keysOf } from '../../src/app/settings.ts';
import { BACKOFF } from '../../src/domains/backoff.ts';
import { createMissingApps } from '../../src/domains/missing-apps.ts';
import { appGone } from '../../src/jobs/messages.ts';
import { createHttpsStage } from '../helpers/https-stage.ts';
import { until } from '../helpers/until.ts';
import { createStage, PROMPT, type Stage } from '../helpers/worker.ts';

const MISSING = { serverId: 1903, appId: 999 };
const PATIENT = { ...PROMPT, missingMs: BACKOFF.missingMs };

const domains = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `customer-${i}.example.org`);

const enqueue = (stage: Stage, name: 'add-domain' | 'remove-domain', count: number) =>
  Promise.all(domains(count).map((domain) => stage.producer.requests.enqueue(name, { domain, ...MISSING })));

const callsTo = (stage: Stage) => stage.simulator.state.calls.filter(({ path }) => path.includes('/999'));

test('three hundred adds, each tried twice and more: two calls, while others continue', async () => {
  await using stage = await createStage({ backoff: PATIENT, workers: 0, retries: { attempts: 2 } });
  const lost = await enqueue(stage, 'add-domain', 300);
  const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: 'good.example.org' });
  await stage.startWorker();
  await stage.startWorker();
  expect((await stage.ended(jobId)).returnvalue).toMatch(/attached/);
  const ends = await Promise.all(lost.map((one) => stage.ended(one.jobId)));
  for (const { failedReason } of ends) expect(failedReason).toMatch(/^runcloud-not-found: /);
  // One for each directory at most, should both workers begin in the same moment.
  expect(callsTo(stage).length).toBeLessThanOrEqual(2);
  expect(
    ends.filter(({ failedReason }) => failedReason.includes('for all domains of web application')).length,
  ).toBeGreaterThan(290);
});

test('the same where DNS is checked: once the domain is held, too, the one answer serves', async () => {
  await using stage = await createHttpsStage({ backoff: { missingMs: BACKOFF.missingMs }, workers: 0 });
  const lost = await enqueue(stage, 'add-domain', 20);
  await stage.startWorker();
  for (const { jobId } of lost) expect(await stage.ended(jobId)).toMatchObject({ attemptsMade: 5 });
  expect(callsTo(stage).length).toBeLessThanOrEqual(1);
});

test('removals end when RunCloud has said three times that it does not know it: the first shows it for all', async () => {
  await using stage = await createStage();
  const lost = await enqueue(stage, 'remove-domain', 30);
  for (const [i, { jobId }] of lost.entries()) {
    const gone = appGone(`customer-${i}.example.org`, MISSING.appId, MISSING.serverId);
    expect((await stage.ended(jobId)).returnvalue).toContain(gone);
  }
  const callsOf = (end: string): number =>
    callsTo(stage).filter(({ path }) => path.replace(/\?.*/, '').endsWith(end)).length;
  expect(callsOf('/999/domains')).toBeGreaterThanOrEqual(3);
  // Whoever is at it in the same moment, and nobody after that.
  expect(callsOf('/999')).toBeLessThanOrEqual(stage.config.worker.concurrency);
});

test('when the answer has stood for its time one asks, and the old one stands for the others until then', async () => {
  await using stage = await createStage({ workers: 0 });
  const { redis, config } = stage;
  const missing = createMissingApps({ redis, keys: keysOf(config), standsMs: 50 });
  expect(await missing.recall(MISSING)).toBeUndefined();
  expect(await missing.note(MISSING, 'no such thing')).toEqual({ answers: 1, isGone: false });
  expect(await missing.recall(MISSING)).toMatchObject({ answers: 1, isGone: false });
  await until(async () => (await missing.recall(MISSING)) === undefined, 'it is somebody’s turn');
  expect(await missing.recall(MISSING)).toMatchObject({ sentence: expect.stringContaining('no such thing') });
  expect(await missing.note(MISSING, 'no such thing')).toMatchObject({ answers: 2 });
  await missing.noteGone(MISSING);
  expect(await missing.recall(MISSING)).toMatchObject({ answers: 2, isGone: true });
  await missing.forget(MISSING);
  expect(await missing.recall(MISSING)).toBeUndefined();
});

test('one that RunCloud knows again is used at the next check', async () => {
  await using stage = await createStage();
  const { id } = stage.simulator.addFault({
    kind: 'status',
    status: 404,
    operation: 'list-domains',
    times: 'always',
  });
  const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: 'late.example.org' });
  await until(async () => (await stage.job(jobId)).attemptsMade > 0, 'it was refused');
  stage.simulator.removeFault(id);
  expect((await stage.ended(jobId)).returnvalue).toMatch(/attached/);
});
