// The reconcile loop on a real Redis and the simulator: what is over leaves, and nothing that may still come up finds its record gone.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import type { RequestQueue } from '../../src/queue/enqueue.ts';
import { toMember } from '../../src/redis/keys.ts';
import { reconcile } from '../helpers/reconciler.ts';
import { until } from '../helpers/until.ts';
import { APP, createStage, PRIMARY, type Stage } from '../helpers/worker.ts';

const DOMAIN = 'shop.example.org';
const key = { ...APP, domain: parseDomainName(DOMAIN) };
const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;

let stage: Stage;
let requests: RequestQueue;
let releases: AsyncDisposableStack;
beforeEach(async () => {
  releases = new AsyncDisposableStack();
  stage = releases.use(await createStage());
  ({ requests } = stage.producer);
  const turn = requests.keyOf('reconcile');
  await until(async () => (await stage.redis.exists(turn)) === 1, 'the first reconcile loop has begun');
});
afterEach(() => releases.disposeAsync());

async function carriedOut(name: 'add-domain' | 'remove-domain'): Promise<string> {
  const { jobId } = await requests.enqueue(name, { domain: DOMAIN });
  await stage.ended(jobId);
  await stage.idleSoon();
  return jobId;
}

const TIMES = ['requestedAt', 'outcomeAt', 'wroteAt', 'touchedAt', 'detachShownBy'];

/** As if the record had been left alone for so long. */
async function pass(ms: number): Promise<void> {
  const record = requests.keys.record(key);
  for (const field of TIMES) {
    const at = Number((await stage.redis.hget(record, field)) ?? 0);
    if (at > 0) await stage.redis.hset(record, field, at - ms - 1000);
  }
}

/** Every key and index that names the domain, but for its jobs and the audit log. */
async function traces(): Promise<string[]> {
  const { keys } = requests;
  const named = [keys.record(key), keys.history(key)];
  const found = [];
  for (const name of named) if (await stage.redis.exists(name)) found.push(name);
  if ((await stage.redis.zscore(keys.all, toMember(key))) !== null) found.push(keys.all);
  if (await stage.redis.hexists(keys.domainRedeploys(key), DOMAIN)) found.push(keys.domainRedeploys(key));
  return found;
}

test('the removal of a name that was never ours is forgotten after an hour, with its history and its places in the indexes', async () => {
  await carriedOut('remove-domain');
  await pass(HOUR_MS - 60_000);
  expect(await reconcile(stage)).toMatchObject({ checked: 1, forgotten: 0 });
  await pass(60_000);
  expect(await reconcile(stage)).toMatchObject({ checked: 1, forgotten: 1 });
  expect(await traces()).toEqual([]);
  expect(await stage.redis.smembers(requests.keys.apps)).toHaveLength(1);
  await reconcile(stage);
  expect(await stage.redis.smembers(requests.keys.apps)).toEqual([]);
});

test('the removal of a domain of ours is forgotten after a week, and what is asked for anew has a higher generation', async () => {
  await carriedOut('add-domain');
  await carriedOut('remove-domain');
  const { generation = 0 } = (await requests.store.get(key)) ?? {};
  await pass(WEEK_MS - 60_000);
  expect(await reconcile(stage)).toMatchObject({ forgotten: 0 });
  await pass(60_000);
  expect(await reconcile(stage)).toMatchObject({ forgotten: 1 });
  expect(await traces()).toEqual([]);
  await carriedOut('add-domain');
  expect((await requests.store.get(key))?.generation).toBeGreaterThan(generation);
  expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
});

test('a record stays as long as an older job of its domain may come up, ours or a bare client’s', async () => {
  await stage.queue.pause();
  await requests.enqueue('add-domain', { domain: DOMAIN });
  await stage.queue.add('add-domain', { domain: `${DOMAIN}.` }, { delay: HOUR_MS });
  const { jobId } = await requests.enqueue('remove-domain', { domain: DOMAIN });
  await requests.store.settle(key, jobId, {
    request: 'settled',
    outcome: 'gone',
    report: { state: 'removed', reasonCode: 'removed' },
  });
  await pass(HOUR_MS);
  await (await stage.job(jobId)).remove();
  expect(await reconcile(stage)).toMatchObject({ checked: 1, forgotten: 0 });
  await stage.queue.resume();
  const bare = await until(async () => (await stage.queue.getDelayed())[0], 'the bare job waits');
  await until(
    async () => (await stage.queue.getJobCountByTypes('prioritized', 'waiting', 'active')) === 0,
    'ours was overtaken',
  );
  expect(await reconcile(stage)).toMatchObject({ checked: 1, forgotten: 0 });
  await bare.promote();
  await stage.idle();
  expect(stage.names()).toEqual([PRIMARY]);
  expect(await reconcile(stage)).toMatchObject({ forgotten: 1 });
});

test('a record that has changed since it was read stays', async () => {
  await carriedOut('remove-domain');
  const before = await requests.store.get(key);
  if (!before) throw new Error('there is no record');
  await carriedOut('add-domain');
  await carriedOut('remove-domain');
  expect(await requests.store.forget(before)).toBe(false);
  expect(await requests.store.get(key)).toMatchObject({ state: 'removed' });
});

test('a web application that is asked for while its last record leaves stays in the index', async () => {
  const since = await requests.store.now();
  await carriedOut('add-domain');
  await requests.store.forgetApps(new Set(), since);
  expect(await stage.redis.smembers(requests.keys.apps)).toEqual([`${APP.serverId}:${APP.appId}`]);
});
