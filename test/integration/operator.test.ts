// What a person sees of the queue, and trying again what failed: a full budget, and never against a newer request.
import { describe, expect, test } from '@jest/globals';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import type { DomainState as LifeStage } from '../../src/domains/states.ts';
import * as messages from '../../src/queue/messages.ts';
import { unreadableJob } from '../../src/queue/messages.ts';
import { createOperator } from '../../src/queue/operator.ts';
import { until } from '../helpers/until.ts';
import { createStage, PRIMARY, type Stage } from '../helpers/worker.ts';

const DOMAIN = 'shop.example.org';
const domain = parseDomainName(DOMAIN);

/** A job of ours whose two attempts have failed. */
async function failedAdd(stage: Stage): Promise<string> {
  stage.simulator.addFault({ kind: 'status', status: 503, operation: 'list-domains', times: 2 });
  const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: DOMAIN, siteId: 12 });
  const job = await stage.ended(jobId);
  expect(await job.getState()).toBe('failed');
  return jobId;
}
const twoAttempts = { retries: { attempts: 2 } };

test('a failed job whose data is not JSON is refused as such, not as unknown', async () => {
  await using stage = await createStage({ workers: 0 });
  const { id = '' } = await stage.queue.add('add-domain', { domain: 'a.example.org' });
  const key = `${stage.config.queuePrefix}:runcloud-domains`;
  await stage.redis.hset(`${key}:${id}`, 'data', 'no json');
  await stage.redis.zadd(`${key}:failed`, Date.now(), id);
  const result = await stage.producer.operator.retry(id, 'cli:ada');
  expect(result).toEqual({ id, kind: 'refused', sentence: unreadableJob(id) });
});

describe('retrying a failed job', () => {
  test('gives it a new job with a full budget of attempts, and drops the old record', async () => {
    await using stage = await createStage(twoAttempts);
    const jobId = await failedAdd(stage);
    stage.simulator.addFault({ kind: 'status', status: 503, operation: 'list-domains', times: 1 });
    const result = await stage.producer.operator.retry(jobId, 'cli:ada');
    if (result.kind !== 'retried') throw new Error(`it is ${result.kind}`);
    const job = await stage.ended(result.jobId);
    expect(job.returnvalue).toMatch(/attached/);
    expect(job.attemptsMade).toBe(2);
    expect(job.data).toMatchObject({ domain: DOMAIN, siteId: '12' });
    expect(await stage.producer.operator.failed(10)).toEqual([]);
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
  });

  test('is refused as superseded where a newer request has taken over', async () => {
    await using stage = await createStage(twoAttempts);
    const jobId = await failedAdd(stage);
    const newer = await stage.producer.requests.enqueue('remove-domain', { domain: DOMAIN });
    await stage.ended(newer.jobId);
    expect(await stage.producer.operator.retry(jobId, 'cli:ada')).toEqual({
      id: jobId,
      kind: 'superseded',
      sentence: expect.stringContaining(newer.jobId),
    });
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY]);
  });

  test('of a bare BullMQ client works in the same way', async () => {
    await using stage = await createStage(twoAttempts);
    stage.simulator.addFault({ kind: 'status', status: 503, operation: 'list-domains', times: 2 });
    const id = await stage.add('add-domain', { domain: DOMAIN });
    await stage.ended(id);
    const result = await stage.producer.operator.retry(id, 'cli:ada');
    if (result.kind !== 'retried') throw new Error(`it is ${result.kind}`);
    expect((await stage.ended(result.jobId)).returnvalue).toMatch(/attached/);
    await stage.idle();
  });

  test('of a bare client is refused as superseded too, however far ahead the client’s clock was', async () => {
    await using stage = await createStage(twoAttempts);
    stage.simulator.addFault({ kind: 'status', status: 503, operation: 'list-domains', times: 2 });
    const ahead = { timestamp: Date.now() + 300_000 };
    const { id = '' } = await stage.queue.add('remove-domain', { domain: DOMAIN }, ahead);
    expect(await (await stage.ended(id)).getState()).toBe('failed');
    const newer = await stage.producer.requests.enqueue('add-domain', { domain: DOMAIN });
    await stage.ended(newer.jobId);
    expect(await stage.producer.operator.retry(id, 'cli:ada')).toMatchObject({ kind: 'superseded' });
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
  });

  test('of a bare client that failed before it was ever claimed, and is the newest, is a request now', async () => {
    await using stage = await createStage({ env: { RUNCLOUD_APP_ID: '' } });
    const asked = await stage.producer.requests.enqueue('add-domain', { domain: DOMAIN, appId: 646 });
    await stage.ended(asked.jobId);
    const id = await stage.add('remove-domain', { domain: DOMAIN });
    expect((await stage.ended(id)).failedReason).toMatch(/^no-web-application/);
    const { requests } = stage.producer;
    const operator = createOperator({
      requests,
      defaults: { serverId: 1903, appId: 646 },
      unavailable: async () => undefined,
      ledger: { budgets: async () => [], last: async () => undefined },
    });
    const result = await operator.retry(id, 'cli:ada');
    if (result.kind !== 'retried') throw new Error(`it is ${result.kind}`);
    expect((await stage.ended(result.jobId)).returnvalue).toMatch(/removed/);
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY]);
  });

  test('of a redeploy runs it at once', async () => {
    await using stage = await createStage(twoAttempts);
    stage.simulator.addFault({ kind: 'status', status: 503, operation: 'redeploy-ssl', times: 2 });
    const { jobId } = await stage.producer.requests.enqueue('redeploy-ssl', {});
    await stage.ended(jobId);
    const result = await stage.producer.operator.retry(jobId, 'cli:ada');
    if (result.kind !== 'retried') throw new Error(`it is ${result.kind}`);
    expect((await stage.ended(result.jobId)).returnvalue).toMatch(/was ordered at/);
  });

  test('is refused with the reason where its payload is wrong', async () => {
    await using stage = await createStage();
    const id = await stage.add('add-domain', { domain: 'a_b.example.org' });
    await stage.ended(id);
    expect(await stage.producer.operator.retry(id, 'cli:ada')).toEqual({
      id,
      kind: 'refused',
      sentence: expect.stringContaining('underscore'),
    });
    expect(await stage.producer.operator.failed(10)).toHaveLength(1);
  });

  test('is refused for a job that has not failed, or that nobody knows', async () => {
    await using stage = await createStage();
    const id = await stage.add('add-domain', { domain: DOMAIN });
    await stage.ended(id);
    for (const unknown of [id, 'nobody~7']) {
      expect(await stage.producer.operator.retry(unknown, 'cli:ada')).toMatchObject({
        kind: 'refused',
        sentence: messages.noFailedJob(unknown),
      });
    }
    await stage.idle();
  });
});

describe('looking', () => {
  test('tells of a domain what is wanted, what happened, and what is known of its certificate', async () => {
    await using stage = await createStage();
    await stage.producer.requests.enqueue('add-domain', { domain: DOMAIN, requestedBy: 'web-1' });
    await stage.idle();
    const status = await stage.producer.operator.domain(domain, {});
    expect(status).toMatchObject({
      record: {
        request: 'settled',
        by: 'producer',
        for: 'web-1',
        outcome: expect.stringMatching(/attached/),
      },
      job: { state: 'completed', attemptsMade: 1, result: expect.stringMatching(/attached/) },
      certificate: { outcome: expect.stringMatching(/was ordered at 20.* UTC/), isPending: false },
    });
  });

  test('tells how a domain came to where it stands, the newest first, also once it is removed', async () => {
    await using stage = await createStage();
    const stagesOf = async () =>
      (await stage.producer.operator.domain(domain, {}))?.history.map((step) => step.state);
    await stage.producer.requests.enqueue('add-domain', { domain: DOMAIN, requestedBy: 'web-1' });
    await stage.idle();
    expect(await stagesOf()).toEqual(['attached', 'attaching', 'requested']);
    await stage.producer.requests.enqueue('remove-domain', { domain: DOMAIN });
    await stage.idle();
    expect(await stagesOf()).toEqual(['removed', 'removing', 'attached', 'attaching', 'requested']);
  });

  test('tells what Let’s Encrypt still allows for the names of the domain', async () => {
    await using stage = await createStage({ workers: 0 });
    await stage.producer.requests.enqueue('add-domain', { domain: DOMAIN, www: true });
    const status = await stage.producer.operator.domain(domain, {});
    expect(status?.budgets).toEqual(
      expect.arrayContaining([
        { limit: 'certificates-per-week', subject: 'example.org', left: 50, of: 50 },
        { limit: 'failures-per-hour', subject: `www.${DOMAIN}`, left: 5, of: 5 },
      ]),
    );
  });

  test('counts all domains by stage, and shows the newest requests, of all or of some stages', async () => {
    await using stage = await createStage();
    const { requests, operator } = stage.producer;
    for (const name of ['a.example.org', 'b.example.org', 'c.example.org']) {
      await stage.ended((await requests.enqueue('add-domain', { domain: name })).jobId);
    }
    await stage.ended((await requests.enqueue('remove-domain', { domain: 'b.example.org' })).jobId);
    const shownOf = async (limit: number, only?: readonly LifeStage[]) => {
      const { domains, states } = await operator.survey(limit, { states: only });
      expect(states).toEqual({ attached: 2, removed: 1 });
      return domains.map(({ record }) => record.domain);
    };
    expect(await shownOf(2)).toEqual(['b.example.org', 'c.example.org']);
    expect(await shownOf(9, ['attached'])).toEqual(['c.example.org', 'a.example.org']);
    expect(await shownOf(1, ['attached', 'removed'])).toEqual(['b.example.org']);
    expect(await shownOf(9, ['live'])).toEqual([]);
  });

  test('tells of a job that waits for its next try when that is, and why', async () => {
    await using stage = await createStage({ retries: { backoffMs: 60_000, backoffMaxMs: 60_000 } });
    stage.simulator.addFault({ kind: 'status', status: 503, operation: 'list-domains', times: 'always' });
    const before = Date.now();
    const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: DOMAIN });
    await until(async () => (await stage.producer.operator.job(jobId)).state === 'delayed', 'it is delayed');
    const job = await stage.producer.operator.job(jobId);
    expect(job).toMatchObject({ attemptsMade: 1, failedReason: expect.stringMatching(/503/) });
    expect(job.nextRunAt).toBeGreaterThan(before + 29_000);
    expect(job.nextRunAt).toBeLessThan(before + 90_000);
    const status = await stage.producer.operator.domain(domain, {});
    expect(status?.record).toMatchObject({ request: 'pending', code: 'runcloud-unknown-result' });
    expect(await stage.producer.operator.counts()).toMatchObject({ delayed: 1, failed: 0, waiting: 0 });
  });

  test('counts jobs of ours, which have a priority, and foreign ones, which have none, as waiting', async () => {
    await using stage = await createStage({ workers: 0 });
    await stage.producer.requests.enqueue('add-domain', { domain: DOMAIN });
    await stage.add('add-domain', { domain: 'other.example.org' });
    expect(await stage.producer.operator.counts()).toMatchObject({ waiting: 2, active: 0 });
  });

  test('lists failed jobs with name, domain, reason and time, the most recent first', async () => {
    await using stage = await createStage();
    const first = await stage.add('add-domain', { domain: 'a_b.example.org' });
    await stage.ended(first);
    const second = await stage.add('no-such-job', {});
    await stage.ended(second);
    expect(await stage.producer.operator.failed(10)).toMatchObject([
      { id: second, name: 'no-such-job', domain: undefined, reason: expect.stringMatching(/^unknown-job/) },
      { id: first, domain: 'a_b.example.org', attempts: 1, failedAt: expect.any(Number) },
    ]);
    expect(await stage.producer.operator.failed(1)).toHaveLength(1);
  });

  test('tells of a failed job when the same is tried again by itself, and of a wrong one that it is not', async () => {
    await using stage = await createStage(twoAttempts);
    const id = await failedAdd(stage);
    await stage.ended(await stage.add('add-domain', { domain: 'a_b.example.org' }));
    const [wrong, passing] = await stage.producer.operator.failed(10);
    expect(wrong).toMatchObject({ domain: 'a_b.example.org', nextCheckAt: undefined });
    expect(passing).toMatchObject({ id, serverId: 1903, appId: 646, nextCheckAt: expect.any(Number) });
    expect(passing?.nextCheckAt).toBeGreaterThan(passing?.failedAt ?? 0);
  });

  test('knows nothing of a domain that nobody asked for, and asks which web application is meant', async () => {
    await using stage = await createStage({
      workers: 0,
      env: { RUNCLOUD_SERVER_ID: '', RUNCLOUD_APP_ID: '' },
    });
    const { operator } = stage.producer;
    expect(await operator.domain(domain, { serverId: 1903, appId: 646 })).toBeUndefined();
    await expect(operator.domain(domain, {})).rejects.toMatchObject({ code: 'no-web-application' });
    expect(await operator.job('gone')).toMatchObject({ state: 'gone', attemptsMade: 0 });
  });
});
