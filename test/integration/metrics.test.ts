// A worker's small port, its heartbeat, and the metrics of a real scenario, both ways against the table.
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { PLANTED_SECRETS } from '../../packages/simulator/src/index.ts';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { checkNames, type Readiness } from '../../src/health/checks.ts';
import { fullName, type MetricName, metricNames, PREFIX, specOf } from '../../src/metrics/table.ts';
import { createHttpsStage } from '../helpers/https-stage.ts';
import { helpAndTypes, samples } from '../helpers/metrics.ts';
import { freePort } from '../helpers/port.ts';
import { until } from '../helpers/until.ts';
import { APP, createStage, type Stage } from '../helpers/worker.ts';

const SHOP = 'shop.example.com';

const get = async (url: string): Promise<{ status: number; text: string }> => {
  const response = await fetch(url);
  return { status: response.status, text: await response.text() };
};

async function withPort(): Promise<{ url: string; env: Record<string, string> }> {
  const address = `127.0.0.1:${await freePort()}`;
  return { url: `http://${address}`, env: { WORKER_ADDRESS: address } };
}

const figureOf = (text: string, metric: MetricName, labels = '', end = ''): number | undefined => {
  const name = fullName(metric);
  return samples(text, name).find((sample) => sample.name === name + end && sample.labels === labels)?.value;
};

describe('/metrics of a worker', () => {
  test('has every metric of the table after a scenario, nothing else of ours, and no secret', async () => {
    const { url, env } = await withPort();
    const callbacks = {
      CALLBACK_URLS: 'http://127.0.0.1:9/',
      CALLBACK_SECRETS: `whsec_${randomBytes(32).toString('base64')}`,
    };
    await using stage = await createHttpsStage({
      env: { ...env, ...callbacks },
      simulator: { rateLimit: 100_000 },
    });
    stage.simulator.addFault({ kind: 'status', status: 422, domain: 'bad.example.com' });
    stage.point(SHOP, 'bad.example.com');
    await stage.producer.requests.enqueue('add-domain', { domain: SHOP, www: false });
    await stage.stands(SHOP, 'live');
    await stage.producer.requests.enqueue('add-domain', { domain: 'bad.example.com', www: false });
    await stage.stands('bad.example.com', 'failed');
    const text = await until(async () => {
      const { text: seen } = await get(`${url}/metrics`);
      const isProven = figureOf(seen, 'live_seconds', '', '_count') === 1 && seen.includes('loop="monitor"');
      // The record says `failed` before BullMQ has the failed job.
      const isCounted = figureOf(seen, 'queue_jobs', 'state="failed"') === 1;
      const hasExpiry = figureOf(seen, 'certificate_expiry_days') !== undefined;
      return isProven && isCounted && hasExpiry ? seen : undefined;
    }, 'the scrape has it all');

    const missing = metricNames.filter((metric) => samples(text, fullName(metric)).length === 0);
    expect(missing).toEqual([]);
    const types = helpAndTypes(text).filter(({ name }) => name.startsWith(PREFIX));
    expect(types.map(({ name, type }) => [name, type])).toEqual(
      metricNames.map((metric) => [fullName(metric), specOf(metric).type]),
    );
    expect(figureOf(text, 'jobs_total', 'name="add-domain",outcome="done"')).toBe(1);
    expect(figureOf(text, 'jobs_total', 'name="add-domain",outcome="failed"')).toBe(1);
    expect(figureOf(text, 'domains', 'state="live",must_act=""')).toBe(1);
    expect(figureOf(text, 'certificate_orders_total', 'result="granted",limit=""')).toBe(1);
    expect(figureOf(text, 'certificate_budget_left', 'limit="duplicates-per-week"')).toBe(4);
    expect(figureOf(text, 'queue_jobs', 'state="failed"')).toBe(1);
    const calls = samples(text, fullName('api_calls_total')).reduce((sum, { value }) => sum + value, 0);
    expect(calls).toBe(stage.simulator.state.calls.length);
    const { credentials } = stage.simulator;
    for (const secret of [credentials.token, ...Object.values(PLANTED_SECRETS), callbacks.CALLBACK_SECRETS])
      expect(text).not.toContain(secret);
  });

  test('counts what RunCloud refuses, and each gate that it closes', async () => {
    const { url, env } = await withPort();
    await using stage = await createStage({ env });
    stage.simulator.addFault({ kind: 'status', status: 429, operation: 'list-domains', times: 1 });
    await stage.producer.requests.enqueue('add-domain', { domain: SHOP });
    await stage.idle();
    const { text } = await get(`${url}/metrics`);
    expect(figureOf(text, 'api_throttled_total')).toBe(1);
    expect(figureOf(text, 'api_calls_total', 'operation="listDomains",status="429"')).toBe(1);
    expect(samples(text, fullName('waits_total')).length).toBeGreaterThan(0);
  });

  test('counts jobs whose name nobody knows under one name', async () => {
    const { url, env } = await withPort();
    await using stage = await createStage({ env });
    for (const name of ['drop-table', 'other']) await stage.ended(await stage.add(name, {}));
    const { text } = await get(`${url}/metrics`);
    expect(figureOf(text, 'jobs_total', 'name="unknown",outcome="failed"')).toBe(2);
  });
});

describe('the port of a worker', () => {
  test('answers probes; says what is not ready; refuses everything else', async () => {
    const { url, env } = await withPort();
    await using stage = await createStage({ env });
    expect(await get(`${url}/healthz`)).toMatchObject({ status: 200 });
    await until(async () => (await get(`${url}/readyz`)).status === 200, 'the worker is ready');
    const { checks, workers } = JSON.parse((await get(`${url}/readyz`)).text) as Readiness;
    expect(checks.map(({ name }) => name)).toEqual(checkNames);
    expect(workers).toMatchObject([{ pid: process.pid, running: 0, concurrency: expect.any(Number) }]);

    await stage.producer.pauses.pause({ scope: { kind: 'all' }, reason: 'moving', by: 'ada' });
    const paused = await until(async () => {
      const answer = await get(`${url}/readyz`);
      return answer.status === 503 ? answer.text : undefined;
    }, 'the pause is seen');
    expect(paused).toMatch(/everything: paused by ada: moving/);
    expect((await get(`${url}/readyz?only=redis,workers`)).status).toBe(200);
    await stage.producer.pauses.resume({ kind: 'all' });

    expect((await get(`${url}/readyz?only=everything`)).status).toBe(400);
    expect((await get(`${url}/`)).status).toBe(404);
    expect((await get(`${url}/constructor`)).status).toBe(404);
    expect((await fetch(`${url}/healthz`, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${url}/healthz`, { method: 'HEAD' })).status).toBe(200);
  });

  test('which somebody else has does not keep a worker from its jobs', async () => {
    const { env } = await withPort();
    await using stage = await createStage({ env, workers: 2 });
    const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: SHOP });
    expect(await (await stage.ended(jobId)).getState()).toBe('completed');
    expect((await stage.producer.observe().health.vitals()).workers).toHaveLength(2);
  });
});

describe('what a server sees', () => {
  const vitalsOf = (stage: Stage) => stage.producer.observe().health.vitals();

  test('of workers: who is alive, and that one has stopped', async () => {
    await using stage = await createStage({ workers: 0 });
    expect(await stage.producer.observe().health.ready(['workers'])).toMatchObject({ ok: false });
    const worker = await stage.startWorker();
    await until(async () => (await vitalsOf(stage)).workers.length === 1, 'the worker is seen');
    await worker.close();
    await until(async () => (await vitalsOf(stage)).workers.length === 0, 'the worker is gone');
  });

  test('of a job that is due and not taken: for how long', async () => {
    await using stage = await createStage({ workers: 0 });
    const hourAgo = Date.now() - 3_600_000;
    await stage.queue.add('add-domain', { domain: SHOP }, { timestamp: hourAgo });
    await until(async () => (await vitalsOf(stage)).oldestDueMs >= 3_599_000, 'it has waited for an hour');
    expect(await stage.producer.observe().health.ready(['oldest-due-job'])).toMatchObject({ ok: false });
  });

  test('of jobs with priorities and delays: the oldest of all that are due, and none that is not', async () => {
    await using stage = await createStage({ workers: 0 });
    const ago = (ms: number): number => Date.now() - ms;
    await stage.queue.add('add-domain', { domain: SHOP }, { priority: 3, timestamp: ago(600_000) });
    await stage.queue.add('add-domain', { domain: SHOP }, { priority: 9, timestamp: ago(900_000) });
    await stage.queue.add('add-domain', { domain: SHOP }, { priority: 9, timestamp: ago(10) });
    await stage.queue.add('add-domain', { domain: SHOP }, { delay: 3_600_000, timestamp: ago(5) });
    const due = (await vitalsOf(stage)).oldestDueMs;
    expect(due).toBeGreaterThanOrEqual(900_000);
    expect(due).toBeLessThan(930_000);
  });

  test('of a job that waits for its next look: nothing is due; nor is its age counted when it is', async () => {
    await using stage = await createHttpsStage({ workers: 0 });
    const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: SHOP, www: false });
    const key = { ...APP, domain: parseDomainName(SHOP) };
    await stage.redis.hset(stage.queue.toKey(jobId), 'timestamp', Date.now() - 7_200_000);
    const record = `${stage.config.queuePrefix}:runcloud-domains-records:domain:${APP.serverId}:${APP.appId}:${SHOP}`;
    await stage.redis.hset(record, 'nextRunAt', Date.now() - 60_000);
    expect((await stage.producer.requests.store.get(key))?.jobId).toBe(jobId);
    const due = (await vitalsOf(stage)).oldestDueMs;
    expect(due).toBeGreaterThanOrEqual(60_000);
    expect(due).toBeLessThan(600_000);
  });

  test('while Redis is away: that it is, within a second or two, and metrics without it', async () => {
    const stage = await createStage({ workers: 0 });
    const { health, metrics } = stage.producer.observe();
    await stage.producer.close();
    const { ok, checks } = await health.ready();
    expect(ok).toBe(false);
    expect(checks[0]).toMatchObject({ name: 'redis', ok: false });
    expect(await metrics.text()).toContain(`${PREFIX}redis_up 0`);
    await stage[Symbol.asyncDispose]();
  });
});
