// Requests that overtake each other, and redeploys that others arrive during: the last request wins, none is forgotten.
import { describe, expect, test } from '@jest/globals';
import { priorities } from '../../src/jobs/catalog.ts';
import { until } from '../helpers/until.ts';
import { APP, createStage, LONG_DELAY, PRIMARY, type Stage } from '../helpers/worker.ts';

const DOMAIN = 'shop.example.org';
const OTHER = 'late.example.org';

describe('add, remove and add again, quickly', () => {
  test('through our producer: the last wins, and the jobs before it make no call', async () => {
    await using stage = await createStage({ workers: 0 });
    const { enqueue } = stage.producer.requests;
    const first = await enqueue('add-domain', { domain: DOMAIN });
    const second = await enqueue('remove-domain', { domain: DOMAIN });
    const third = await enqueue('add-domain', { domain: DOMAIN });
    expect(new Set([first.jobId, second.jobId, third.jobId]).size).toBe(3);
    await stage.startWorker();
    await stage.idle();

    for (const { jobId } of [first, second]) {
      const job = await stage.job(jobId);
      expect(job.returnvalue).toMatch(new RegExp(`newer request for ${DOMAIN} .*${third.jobId}`));
      expect(await stage.logs(jobId)).not.toMatch(/GET|POST|DELETE/);
    }
    expect(stage.calls('attach-domain')).toHaveLength(1);
    expect(stage.calls('delete-domain')).toHaveLength(0);
    expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
  });

  test('through a bare BullMQ client: the last wins', async () => {
    await using stage = await createStage();
    await stage.add('add-domain', { domain: DOMAIN });
    await stage.add('remove-domain', { domain: DOMAIN });
    await stage.add('add-domain', { domain: DOMAIN });
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
    expect(stage.simulator.state.overlappingWrites()).toEqual([]);
    expect(stage.simulator.state.coveredNames()).toContain(DOMAIN);
  });

  test('while the POST of the first is slow: the last wins all the same', async () => {
    await using stage = await createStage();
    const answer = stage.keepWaiting('attach-domain');
    const { enqueue } = stage.producer.requests;
    await enqueue('add-domain', { domain: DOMAIN });
    await until(() => stage.calls('attach-domain').length > 0, 'the POST is under way');
    await enqueue('remove-domain', { domain: DOMAIN });
    answer();
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY]);
    expect(await stage.producer.requests.store.list(1)).toMatchObject([
      { desired: { presence: 'absent' }, request: 'settled' },
    ]);
  });

  test('with settings that changed: the last settings count', async () => {
    await using stage = await createStage({ workers: 0 });
    const { enqueue } = stage.producer.requests;
    await enqueue('add-domain', { domain: DOMAIN, www: false });
    await enqueue('add-domain', { domain: DOMAIN, www: true, redirection: 'www' });
    await stage.startWorker();
    await stage.idle();
    expect(stage.simulator.state.domains()[1]).toMatchObject({ name: DOMAIN, www: true, redirection: 'www' });
    expect(stage.calls('attach-domain')).toHaveLength(1);
  });
});

test('a redeploy that waits for its delay keeps its place before new additions', async () => {
  await using stage = await createStage({ env: LONG_DELAY });
  await stage.ended(await stage.add('add-domain', { domain: DOMAIN }));
  const record = () => stage.producer.requests.certificates.get(APP);
  await until(async () => (await record())?.reasonCode === 'redeploy-delayed', 'it waits');
  const { priority } = await stage.job((await record())?.jobId ?? '');
  expect(priority).toBe(priorities['redeploy-ssl']);
});

describe('an add that lands while a redeploy runs', () => {
  test('gets a later redeploy, which covers it', async () => {
    await using stage = await createStage();
    const answer = stage.keepWaiting('redeploy-ssl');
    await stage.add('add-domain', { domain: DOMAIN });
    await until(() => stage.calls('redeploy-ssl').length === 1, 'the redeploy is under way');
    const late = await stage.ended(await stage.add('add-domain', { domain: OTHER }));
    expect(late.returnvalue).toMatch(/attached/);
    expect(stage.calls('redeploy-ssl')[0]?.endedAt).toBeNull();
    answer();
    await stage.idleSoon();

    const [first, second, ...more] = stage.calls('redeploy-ssl');
    expect(more).toEqual([]);
    expect(second?.startedAt).toBeGreaterThanOrEqual(first?.endedAt ?? Number.POSITIVE_INFINITY);
    expect(stage.simulator.state.coveredNames()).toEqual([PRIMARY, DOMAIN, OTHER]);
  });

  test('waits for its turn where several workers run: redeploys of one web application never overlap', async () => {
    await using stage = await createStage({ workers: 2, env: { SSL_REDEPLOY_DELAY: '50ms' } });
    for (let round = 0; round < 3; round += 1) {
      const answer = stage.keepWaiting('redeploy-ssl');
      await stage.ended(await stage.add('add-domain', { domain: `d${round}.example.org` }));
      const isOpen = () => stage.calls('redeploy-ssl').some(({ endedAt }) => endedAt === null);
      await until(isOpen, 'a redeploy began');
      await stage.ended(await stage.add('add-domain', { domain: `late${round}.example.org` }));
      const { jobId = '' } = (await stage.producer.requests.certificates.get(APP)) ?? {};
      await until(async () => /Another redeploy .* is running/.test(await stage.logs(jobId)), 'it waits');
      answer();
      await stage.idleSoon();
    }
    const puts = stage.calls('redeploy-ssl');
    for (const [i, put] of puts.slice(1).entries()) {
      expect(put.startedAt).toBeGreaterThanOrEqual(puts[i]?.endedAt ?? Number.POSITIVE_INFINITY);
    }
    expect(stage.simulator.state.coveredNames()).toHaveLength(7);
  });
});

describe('advanced SSL', () => {
  const seed = { webapps: [{ advancedSsl: true, covers: 'all', domainCount: 4 }] } as const;
  const names = [1, 2, 3, 4].map((i) => `customer-646-${i}.example.com`);

  test('redeploys only the name that was asked for', async () => {
    await using stage = await createStage({ simulator: { seed } });
    const job = await stage.ended(await stage.add('redeploy-ssl', { domain: names[1] }));
    expect(job.returnvalue).toMatch(/certificates of 1 domain/);
    expect(stage.calls('redeploy-domain-ssl').map(({ domain }) => domain)).toEqual([names[1]]);
    expect(stage.calls('redeploy-ssl')).toHaveLength(0);
  });

  test('redeploys every name where none was named', async () => {
    await using stage = await createStage({ simulator: { seed } });
    await stage.ended(await stage.add('redeploy-ssl', {}));
    expect(stage.calls('redeploy-domain-ssl').map(({ domain }) => domain)).toEqual([PRIMARY, ...names]);
  });

  test('does not order again, on a retry, what was done before the failure', async () => {
    await using stage = await createStage({ simulator: { seed } });
    for (const domain of [names[0], names[2]]) {
      await stage.producer.requests.certificates.requestRedeploy(APP, {
        domain: domain as never,
        atOnce: true,
      });
    }
    stage.simulator.addFault({ kind: 'status', status: 503, operation: 'redeploy-domain-ssl', skip: 1 });
    await stage.producer.requests.enqueue('redeploy-ssl', { domain: names[0] });
    await stage.idle();
    const orders = stage.calls('redeploy-domain-ssl').filter(({ writeApplied }) => writeApplied);
    expect(orders.map(({ domain }) => domain)).toEqual([names[0], names[2]]);
  });

  test('installs the certificate that a name lacks, and redeploys the others', async () => {
    await using stage = await createStage({ simulator: { seed } });
    stage.simulator.attachDomain({ name: OTHER });
    const job = await stage.ended(await stage.add('redeploy-ssl', {}));
    expect(job.returnvalue).toContain('6 domains');
    expect(stage.calls('redeploy-domain-ssl')).toHaveLength(5);
    expect(stage.calls('install-domain-ssl').map(({ domain }) => domain)).toEqual([OTHER]);
  });
});

describe('an explicit redeploy', () => {
  test('takes over from the one that waits for its delay: one order in all', async () => {
    await using stage = await createStage({ env: LONG_DELAY });
    await stage.ended(await stage.add('add-domain', { domain: DOMAIN }));
    const { jobId } = await stage.producer.requests.enqueue('redeploy-ssl', {});
    await stage.ended(jobId);
    expect(stage.simulator.state.coveredNames()).toContain(DOMAIN);
    await stage.passDelay();
    await stage.idle();
    expect(stage.calls('redeploy-ssl')).toHaveLength(1);
  });
});

test('who asks for one domain does not wait behind the sixty of another caller', async () => {
  await using stage = await createStage({ workers: 0, env: { WORKER_CONCURRENCY: '1' } });
  const { enqueue } = stage.producer.requests;
  for (let i = 0; i < 60; i += 1)
    await enqueue('add-domain', { domain: `bulky-${i}.example.org` }, { by: 'api:bulky' });
  const { jobId } = await enqueue('add-domain', { domain: OTHER }, { by: 'api:small' });
  await stage.startWorker();
  await stage.ended(jobId);
  await stage.idle();
  const order = stage.simulator.state.domains().map(({ name }) => name);
  expect(order).toHaveLength(62);
  // Behind the primary domain, and one of the other caller's.
  expect(order.indexOf(OTHER)).toBeLessThanOrEqual(3);
});

describe('five hundred of one caller, each on a web application that does not exist', () => {
  const LOST = 500;
  const HOUR_MS = 3_600_000;
  const env = { ...LONG_DELAY, WORKER_CONCURRENCY: '1' };
  const retries = { backoffMs: HOUR_MS, backoffMaxMs: HOUR_MS };
  /** The worker ends with the job that is at its call. */
  const HANDFUL = 4;

  const askLost = async ({ producer }: Stage): Promise<void> => {
    for (let i = 0; i < LOST; i += 1) {
      const lost = { domain: `lost-${i}.example.org`, serverId: APP.serverId, appId: 20_000 + i };
      await producer.requests.enqueue('add-domain', lost, { by: 'api:bulky' });
    }
  };
  const workUntil = async (stage: Stage, isOver: () => boolean | Promise<boolean>): Promise<void> => {
    const worker = await stage.startWorker();
    await until(isOver, 'the worker has come so far');
    await worker.close();
  };
  /** Two others ask, and all that was tried before is due; resolves with the calls that went before theirs. */
  const callsBefore = async (stage: Stage, name: string): Promise<number> => {
    const { calls } = stage.simulator.state;
    const { enqueue } = stage.producer.requests;
    const add = await enqueue('add-domain', { domain: `${name}.example.org` }, { by: `api:${name}` });
    const remove = { domain: `old-${name}.example.org` };
    const removal = await enqueue('remove-domain', remove, { by: `api:third-${name}` });
    await stage.queue.promoteJobs();
    const before = calls.length;
    const hasEnded = async (id: string) => (await stage.queue.getJobState(id)) === 'completed';
    await workUntil(stage, async () => (await hasEnded(add.jobId)) && hasEnded(removal.jobId));
    const theirs = calls.map(({ path }, i) => (path.includes(`/webapps/${APP.appId}/`) ? i : -1));
    return Math.max(...theirs) + 1 - before - theirs.filter((i) => i >= before).length;
  };

  test('do not stand before what others ask for, once they are tried again; and they go on', async () => {
    await using stage = await createStage({ workers: 0, env, retries });
    const { calls } = stage.simulator.state;
    await askLost(stage);
    await workUntil(stage, () => calls.length >= 0.6 * LOST);
    // What was tried before comes due while the rest waits for its first turn.
    expect(await callsBefore(stage, 'first')).toBeLessThanOrEqual(HANDFUL);

    const tried = async () => (await stage.queue.getDelayedCount()) >= LOST;
    await workUntil(stage, tried);
    expect(await callsBefore(stage, 'second')).toBeLessThanOrEqual(HANDFUL);
    const { length } = calls;
    await workUntil(stage, () => calls.length >= length + LOST / 2);
  });

  test('a redeploy for each of sixty does not stand before them either: so many as a caller has in a turn', async () => {
    await using stage = await createStage({ workers: 0, env, retries });
    const { enqueue } = stage.producer.requests;
    for (let i = 0; i < 60; i += 1)
      await enqueue('redeploy-ssl', { serverId: APP.serverId, appId: 20_000 + i }, { by: 'api:bulky' });
    const { jobId } = await enqueue('add-domain', { domain: OTHER }, { by: 'api:small' });
    await workUntil(stage, async () => (await stage.queue.getJobState(jobId)) === 'completed');
    const asked = stage.simulator.state.calls.map(({ path }) => /webapps\/(\d+)/.exec(path)?.[1]);
    const before = asked.slice(0, asked.indexOf(String(APP.appId)));
    expect(new Set(before.filter(Boolean)).size).toBeLessThanOrEqual(9);
  });
});
