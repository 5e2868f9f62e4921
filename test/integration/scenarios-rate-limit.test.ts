// RunCloud slows us down, stumbles, goes away or is asked for too much at once: nobody calls while it says no, nothing fails,
// nothing is lost, and the one who waits at a screen goes first. (The rate limiter itself: rate-limit.test.ts.)
import { expect, test } from '@jest/globals';
import { createSimulator, type Simulator } from '../../packages/simulator/src/index.ts';
import { add, names, proveBurst } from '../helpers/burst.ts';
import { checkInvariants, type Requested } from '../helpers/invariants.ts';
import { openLimiter } from '../helpers/mortal-worker.ts';
import { until } from '../helpers/until.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

const check = (
  stage: Stage,
  asked: readonly Requested[],
  simulator: Simulator = stage.simulator,
): Promise<void> => {
  const { redis, config } = stage;
  const ratePerMinute = config.runcloud.ratePerMinute;
  return checkInvariants({ simulator, redis, prefix: config.queuePrefix, requested: asked, ratePerMinute });
};

/** Failed tries of each job. */
async function attemptsSpent(stage: Stage, asked: readonly Requested[]): Promise<number[]> {
  const jobs = await Promise.all(asked.map(({ jobId }) => stage.job(jobId)));
  return jobs.map(({ attemptsMade, finishedOn }) => attemptsMade - (finishedOn ? 1 : 0));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** Until the fifth failure in a row nobody can know that it is an outage. */
const BEFORE_IT_IS_KNOWN = 4;

const quiet = { SSL_REDEPLOY_DELAY: '1d' };

test.concurrent('scenario 17: after a 429 with Retry-After 3 nobody of two workers calls for 3 s, then no burst', async () => {
  // 600 a minute: 100 at once, then one each 120 ms.
  const env = { RUNCLOUD_RATE_PER_MINUTE: '600', WORKER_CONCURRENCY: '5' };
  await using stage = await createStage({ workers: 2, env });
  const { simulator } = stage;
  simulator.addFault({ kind: 'status', status: 429, headers: { 'Retry-After': '3' }, skip: 6 });
  const asked = await add(stage, names(30));
  await stage.idle();
  const { calls } = simulator.state;
  const closedAt = calls.find(({ status }) => status === 429)?.endedAt ?? Number.NaN;
  const after = calls.map(({ startedAt }) => startedAt - closedAt);
  // What had left before RunCloud's answer was known may still arrive, on a busy machine late: one call at most of each other
  // job at work (two workers of five), and none of a job that has begun since.
  const onTheWay = after.filter((ms) => ms > 0 && ms < 3_000 - 1);
  expect(onTheWay.length).toBeLessThanOrEqual(9);
  expect(Math.max(0, ...onTheWay)).toBeLessThan(2_000);
  const reopened = after.filter((ms) => ms >= 3_000 - 1);
  expect(reopened.length).toBeGreaterThanOrEqual(15);
  // However late a call arrives, it cannot be earlier than one by one from the opening on.
  const early = reopened.filter((ms, at) => ms < 3_000 - 1 + at * 120);
  expect(early).toEqual([]);
  expect(sum(await attemptsSpent(stage, asked))).toBe(0);
  await check(stage, asked);
});

test.concurrent('scenario 17: a storm of 429 fails no job and costs no attempt', async () => {
  await using stage = await createStage({ workers: 2, retries: { attempts: 1 }, env: { ...quiet } });
  const headers = { 'Retry-After': '1' };
  stage.simulator.addFault({ kind: 'status', status: 429, headers, times: 4 });
  const asked = await add(stage, names(20));
  await until(() => stage.simulator.state.faults[0]?.remaining === 0, 'the storm is over');
  const storm = stage.simulator.state.calls.filter(({ status }) => status === 429);
  expect(storm.length).toBe(4);
  // The deadline of a redeploy lies a day ahead; everything else must end by itself.
  await until(async () => (await stage.queue.getCompletedCount()) === asked.length, 'all are done');
  expect(sum(await attemptsSpent(stage, asked))).toBe(0);
  expect(await stage.queue.getFailedCount()).toBe(0);
});

test.concurrent('scenario 19: with 30 % of 5xx all jobs end without a person, and retries are bounded', async () => {
  const retries = { attempts: 40 };
  await using stage = await createStage({ workers: 2, retries, simulator: { randomSeed: 19 } });
  const { simulator } = stage;
  simulator.addFault({ kind: 'status', status: 500, probability: 0.15 });
  simulator.addFault({ kind: 'html', status: 502, appliesWrite: true, probability: 0.176 });
  const asked = await add(stage, names(100));
  const ended = async (): Promise<boolean> => {
    const { waiting = 0, prioritized = 0, active = 0, delayed = 0 } = await stage.queue.getJobCounts();
    return waiting + prioritized + active + delayed === 0;
  };
  await until(ended, 'all have ended', 150_000);
  const { counters } = simulator.state;
  expect(counters.faults / counters.requests).toBeGreaterThan(0.2);
  expect(counters.byOperation['attach-domain']).toBeLessThan(2 * asked.length);
  // One write each without faults; a failed call costs its retry and a look that others share.
  expect(counters.requests).toBeLessThan(5 * asked.length);
  expect(await stage.queue.getFailedCount()).toBe(0);
  await check(stage, asked);
}, 300_000);

test.concurrent(
  'scenario 20: a remove behind 700 adds gets one of the first free slots, and each add is applied once',
  () => proveBurst(700),
  420_000,
);

test.concurrent('an outage without answers: all jobs wait, probes go out one by one, everything resumes by itself', async () => {
  const env = { RUNCLOUD_TIMEOUT: '2500ms' };
  await using stage = await createStage({ workers: 2, env });
  const { simulator, producer } = stage;
  simulator.addFault({ kind: 'never-answer', times: 'always' });
  const asked = await add(stage, names(20));
  const unavailable = await until(() => producer.operator.unavailable(), 'the outage is noticed');
  expect(unavailable.kind).toBe('outage');
  await until(() => simulator.state.counters.inFlight === 0, 'all who had called before have given up');
  const seen = simulator.state.calls.length;
  await openLimiter(stage.redis, stage.config.queuePrefix);
  await until(() => simulator.state.calls.length > seen, 'a probe goes out');
  await until(() => simulator.state.counters.inFlight === 0, 'it has had no answer');
  expect(simulator.state.calls).toHaveLength(seen + 1);
  const spent = await attemptsSpent(stage, asked);
  simulator.clearFaults();
  await openLimiter(stage.redis, stage.config.queuePrefix);
  await stage.idle();
  expect(Math.max(...spent)).toBeLessThanOrEqual(BEFORE_IT_IS_KNOWN);
  // Neither the outage nor its probes cost anything.
  expect(await attemptsSpent(stage, asked)).toEqual(spent);
  await check(stage, asked);
});

test.concurrent('an outage with refused connections: nothing is lost, one POST each once RunCloud is back', async () => {
  await using stage = await createStage({ workers: 2 });
  const { port } = stage.simulator;
  await stage.simulator.close();
  const asked = await add(stage, names(20));
  await until(() => stage.producer.operator.unavailable(), 'the outage is noticed');
  await using back = await createSimulator({ port, rateLimit: 0 });
  await openLimiter(stage.redis, stage.config.queuePrefix);
  await stage.idle();
  expect(back.state.counters.byOperation['attach-domain']).toBe(asked.length);
  expect(Math.max(...(await attemptsSpent(stage, asked)))).toBeLessThanOrEqual(BEFORE_IT_IS_KNOWN);
  await check(stage, asked, back);
});
