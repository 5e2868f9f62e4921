// Requests for one domain that overtake each other (scenarios 6 to 9): the last one wins, at no more than its price.

import { describe, expect, test } from '@jest/globals';
import type { Operation } from '../../packages/simulator/src/index.ts';
import { isRemoved } from '../../src/domains/messages.ts';
import { redeployFollows } from '../../src/jobs/messages.ts';
import { checkInvariants, type Requested } from '../helpers/invariants.ts';
import { until } from '../helpers/until.ts';
import { createStage, PRIMARY, type Stage } from '../helpers/worker.ts';

const DOMAIN = 'shop.example.org';
/** Longer than any guard of these tests: whoever waited for the backoff would fail. */
const LONG_BACKOFF = { backoffMs: 600_000, backoffMaxMs: 600_000 };

type Want = Requested['presence'];
const nameOf = (presence: Want): 'add-domain' | 'remove-domain' =>
  presence === 'present' ? 'add-domain' : 'remove-domain';

/** Through our producer, or as a bare BullMQ client does. */
const writers = {
  'our producer': async (stage: Stage, presence: Want): Promise<Requested> => {
    const { jobId } = await stage.producer.requests.enqueue(nameOf(presence), { domain: DOMAIN });
    return { domain: DOMAIN, presence, jobId };
  },
  'a bare BullMQ client': async (stage: Stage, presence: Want): Promise<Requested> => ({
    domain: DOMAIN,
    presence,
    jobId: await stage.add(nameOf(presence), { domain: DOMAIN }),
  }),
};
const eachDoor = Object.entries(writers);

const check = ({ simulator, redis, config }: Stage, asked: readonly Requested[]): Promise<void> =>
  checkInvariants({ simulator, redis, prefix: config.queuePrefix, requested: asked });

const writesOf = (stage: Stage): Operation[] =>
  stage.simulator.state.calls.flatMap(({ operation }) =>
    operation === 'attach-domain' || operation === 'delete-domain' ? [operation] : [],
  );

describe.each(eachDoor)('scenario 6: an add in backoff, then a remove, through %s:', (_, ask) => {
  async function addInBackoff(stage: Stage): Promise<Requested> {
    const add = await ask(stage, 'present');
    await until(
      async () => (await stage.queue.getJobState(add.jobId)) === 'delayed',
      'the add is in backoff',
    );
    return add;
  }

  test('the remove does not wait; the add, when its turn comes, makes no call', async () => {
    await using stage = await createStage({ retries: LONG_BACKOFF });
    stage.simulator.addFault({ kind: 'status', status: 503, operation: 'list-domains' });
    const add = await addInBackoff(stage);
    const remove = await ask(stage, 'absent');
    expect((await stage.ended(remove.jobId)).returnvalue).toMatch(/nothing to remove/);
    expect(await stage.queue.getJobState(add.jobId)).toBe('delayed');

    const { requests } = stage.simulator.state.counters;
    await (await stage.job(add.jobId)).promote();
    expect((await stage.ended(add.jobId)).returnvalue).toMatch(new RegExp(`newer request .*${remove.jobId}`));
    expect(stage.simulator.state.counters.requests).toBe(requests);
    await check(stage, [add, remove]);
  });

  test('whose POST took effect unseen: the remove undoes it, and the certificate follows', async () => {
    await using stage = await createStage({ retries: LONG_BACKOFF });
    stage.simulator.addFault({ kind: 'drop-after', operation: 'attach-domain' });
    stage.simulator.addFault({ kind: 'status', status: 503, operation: 'list-domains', skip: 1 });
    const add = await addInBackoff(stage);
    expect(stage.names()).toContain(DOMAIN);
    const remove = await ask(stage, 'absent');
    expect((await stage.ended(remove.jobId)).returnvalue).toBe(redeployFollows(isRemoved(DOMAIN)));
    expect(stage.names()).toEqual([PRIMARY]);
    await (await stage.job(add.jobId)).promote();
    await stage.idle();
    expect(writesOf(stage)).toEqual(['attach-domain', 'delete-domain']);
    await check(stage, [add, remove]);
  });
});

describe.each(eachDoor)('scenario 7: 50 alternating requests through %s:', (_, ask) => {
  test.each(['present', 'absent'] as const)('made while two workers run; the last is %s', async (last) => {
    await using stage = await createStage({ workers: 2 });
    const other = last === 'present' ? 'absent' : 'present';
    const wants = Array.from({ length: 50 }, (_unused, i): Want => (i % 2 === 0 ? other : last));
    const asked: Requested[] = [];
    for (const presence of wants) asked.push(await ask(stage, presence));
    await stage.idle();
    expect(stage.names()).toEqual(last === 'present' ? [PRIMARY, DOMAIN] : [PRIMARY]);
    // Each write turns what was there: none was in vain, so there were no more than there were turns.
    const writes = writesOf(stage);
    for (const [i, write] of writes.entries()) expect(write).toBe(i % 2 ? 'delete-domain' : 'attach-domain');
    expect(writes.length).toBeLessThanOrEqual(50);
    await check(stage, asked);
  });

  test('made while no worker runs cost what the last of them costs', async () => {
    await using stage = await createStage({ workers: 0 });
    const asked: Requested[] = [];
    for (let i = 0; i < 50; i += 1) asked.push(await ask(stage, i % 2 === 0 ? 'absent' : 'present'));
    await stage.startWorker();
    await stage.startWorker();
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
    const writes = writesOf(stage);
    // A bare client's jobs carry no record: each is known only when it is taken, so earlier ones may have run.
    if (ask === writers['our producer']) expect(writes).toEqual(['attach-domain']);
    for (const [i, write] of writes.entries()) expect(write).toBe(i % 2 ? 'delete-domain' : 'attach-domain');
    await check(stage, asked);
  });
});

describe('scenario 8: the same add 10,000 times', () => {
  const keysOf = async ({ redis, config }: Stage): Promise<string[]> => {
    const found: string[] = [];
    for await (const page of redis.scanStream({ match: `${config.queuePrefix}*`, count: 2000 }))
      found.push(...(page as string[]));
    return found;
  };

  test('costs one POST, and a bounded number of keys in Redis, before and while a worker runs', async () => {
    await using stage = await createStage({ workers: 0 });
    const { enqueue } = stage.producer.requests;
    const burst = async (times: number): Promise<Set<string>> => {
      const ids = new Set<string>();
      for (let done = 0; done < times; done += 250) {
        const chunk = Array.from({ length: 250 }, () => enqueue('add-domain', { domain: DOMAIN }));
        for (const { jobId } of await Promise.all(chunk)) ids.add(jobId);
      }
      return ids;
    };
    const before = await burst(8_000);
    expect(before.size).toBe(1);
    expect(await stage.queue.getJobCountByTypes('prioritized', 'waiting', 'delayed')).toBe(1);
    expect((await keysOf(stage)).length).toBeLessThan(20);

    await stage.startWorker();
    const during = await burst(2_000);
    await stage.idle();
    expect(writesOf(stage)).toEqual(['attach-domain']);
    expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
    expect(stage.calls('redeploy-ssl')).toHaveLength(1);
    // A finished job leaves its record and its log; of those, BullMQ keeps at most 2,000. The rest is the queue's, the domain's, the
    // certificate's and the worker's.
    const jobs = before.size + during.size + 1;
    expect((await keysOf(stage)).length).toBeLessThan(2 * Math.min(jobs, 2_000) + 35);
    const asked = [...before, ...during].map(
      (jobId): Requested => ({ domain: DOMAIN, presence: 'present', jobId }),
    );
    await check(stage, asked);
  });
});

describe.each(eachDoor)('scenario 9: an old add that failed, after a newer remove, through %s:', (_, ask) => {
  async function failThenRemove(stage: Stage): Promise<[add: Requested, remove: Requested]> {
    stage.simulator.addFault({ kind: 'status', status: 422, operation: 'attach-domain' });
    const add = await ask(stage, 'present');
    await stage.ended(add.jobId);
    expect(await stage.queue.getJobState(add.jobId)).toBe('failed');
    const remove = await ask(stage, 'absent');
    await stage.ended(remove.jobId);
    return [add, remove];
  }

  test('is not tried again by `retry`: the newer request stands', async () => {
    await using stage = await createStage();
    const [add, remove] = await failThenRemove(stage);
    expect(await stage.producer.operator.retry(add.jobId, 'cli:ada')).toMatchObject({
      kind: 'superseded',
      sentence: expect.stringContaining(remove.jobId),
    });
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY]);
    await check(stage, [add, remove]);
  });

  test('does nothing when BullMQ itself runs it again, as a click on its board does', async () => {
    await using stage = await createStage();
    const [add, remove] = await failThenRemove(stage);
    const { requests } = stage.simulator.state.counters;
    await (await stage.job(add.jobId)).retry('failed');
    await until(async () => (await stage.queue.getJobState(add.jobId)) === 'completed', 'it has run again');
    expect((await stage.job(add.jobId)).returnvalue).toMatch(/newer request/);
    expect(stage.simulator.state.counters.requests).toBe(requests);
    expect(stage.names()).toEqual([PRIMARY]);
    await check(stage, [add, remove]);
  });

  test('does nothing when it is run again beside the remove, while that is at work', async () => {
    await using stage = await createStage({
      simulator: { seed: { webapps: [{ domains: ['a.example.org'] }] } },
    });
    stage.simulator.addFault({ kind: 'status', status: 422, operation: 'attach-domain' });
    const add = await ask(stage, 'present');
    await stage.ended(add.jobId);
    stage.simulator.attachDomain({ name: DOMAIN });
    const answer = stage.keepWaiting('delete-domain');
    const remove = await ask(stage, 'absent');
    await until(() => stage.calls('delete-domain').length > 0, 'the DELETE is under way');
    await (await stage.job(add.jobId)).retry('failed');
    await stage.ended(add.jobId);
    answer();
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY, 'a.example.org']);
    expect(writesOf(stage)).toEqual(['attach-domain', 'delete-domain']);
    const { simulator, redis, config } = stage;
    const others = ['a.example.org'];
    await checkInvariants({ simulator, redis, prefix: config.queuePrefix, requested: [add, remove], others });
  });
});
