// Replies that are lost, late, no reply at all, or never asked for (scenarios 1 to 3): what happened is found out by looking,
// and each domain is attached by one write.

import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { createSimulator, type FaultRule } from '../../packages/simulator/src/index.ts';
import { isAttached } from '../../src/domains/messages.ts';
import { redeployFollows } from '../../src/jobs/messages.ts';
import { checkInvariants } from '../helpers/invariants.ts';
import { until } from '../helpers/until.ts';
import { createStage, type Stage, type StageOptions } from '../helpers/worker.ts';

const DOMAIN = 'shop.example.org';
/** Far above what a call takes that is answered, however busy the machine. */
const TIMEOUT_MS = 2_500;

async function settled(
  stage: Stage,
  jobId: string,
  presence: 'present' | 'absent' = 'present',
): Promise<void> {
  const { simulator, redis, config } = stage;
  const asked = [{ domain: DOMAIN, presence, jobId }];
  await checkInvariants({ simulator, redis, prefix: config.queuePrefix, requested: asked });
}

const applied = (stage: Stage): number =>
  stage.calls('attach-domain').filter(({ writeApplied }) => writeApplied).length;

/** Attaches one domain while `fault` spoils the POST; resolves when all is quiet. */
async function attachDespite(stage: Stage, fault: FaultRule): Promise<{ jobId: string }> {
  stage.simulator.addFault({ ...fault, operation: 'attach-domain' });
  const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: DOMAIN });
  await stage.ended(jobId);
  await stage.idle();
  return { jobId };
}

describe('scenario 1: the POST took effect and its reply was lost:', () => {
  const lost: readonly (readonly [string, FaultRule])[] = [
    ['the connection was closed', { kind: 'drop-after' }],
    ['the connection was reset', { kind: 'reset', appliesWrite: true }],
    ['no reply came in time', { kind: 'never-answer', appliesWrite: true }],
    ['the reply came too late', { kind: 'slow', delayMs: 2 * TIMEOUT_MS }],
  ];

  test.each(lost)(
    '%s: done at the first try, by that one POST, and no failure is shown',
    async (_, fault) => {
      await using stage = await createStage({ env: { RUNCLOUD_TIMEOUT: `${TIMEOUT_MS}ms` } });
      const { jobId } = await attachDespite(stage, fault);
      const job = await stage.job(jobId);
      expect(job).toMatchObject({ attemptsMade: 1, returnvalue: expect.stringMatching(/attached/) });
      expect(job.failedReason).toBeFalsy();
      expect(stage.calls('attach-domain')).toHaveLength(1);
      expect(await stage.logs(jobId)).toContain('Checking whether the list shows shop.example.org');
      expect(await stage.producer.requests.store.list(1)).toMatchObject([
        { request: 'settled', code: undefined },
      ]);
      expect(stage.simulator.state.coveredNames()).toContain(DOMAIN);
      await settled(stage, jobId);
    },
  );

  test('and the looks after it fail too: still that one POST, and its certificate follows', async () => {
    await using stage = await createStage();
    stage.simulator.addFault({ kind: 'status', status: 503, operation: 'list-domains', skip: 1, times: 2 });
    const { jobId } = await attachDespite(stage, { kind: 'drop-after' });
    expect((await stage.job(jobId)).returnvalue).toBe(redeployFollows(isAttached(DOMAIN, [])));
    expect(stage.calls('attach-domain')).toHaveLength(1);
    expect(stage.calls('redeploy-ssl')).toHaveLength(1);
    await settled(stage, jobId);
  });

  test('the same for the DELETE of a removal', async () => {
    await using stage = await createStage({ simulator: { seed: { webapps: [{ domains: [DOMAIN] }] } } });
    stage.simulator.addFault({ kind: 'drop-after', operation: 'delete-domain' });
    const { jobId } = await stage.producer.requests.enqueue('remove-domain', { domain: DOMAIN });
    expect((await stage.ended(jobId)).attemptsMade).toBe(1);
    await stage.idle();
    expect(stage.calls('delete-domain')).toHaveLength(1);
    await settled(stage, jobId, 'absent');
  });
});

describe('scenario 2: the call never reached RunCloud:', () => {
  const slowRetries: StageOptions = {
    workers: 0,
    retries: { attempts: 50, backoffMs: 400, backoffMaxMs: 400 },
  };

  /** A first worker cannot reach RunCloud; a second one, with the right address, takes the job over. */
  async function tryElsewhereFirst(url: string): Promise<void> {
    await using stage = await createStage(slowRetries);
    const lost = await stage.startWorker({ RUNCLOUD_API_URL: url, RUNCLOUD_TIMEOUT: '500ms' });
    const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: DOMAIN });
    await until(async () => /could not be reached/.test(await stage.logs(jobId)), 'the failed call is told');
    await lost.close();
    expect((await stage.producer.requests.store.list(1))[0]).toMatchObject({
      request: 'pending',
      code: 'runcloud-unreachable',
    });
    await stage.startWorker();
    const job = await stage.ended(jobId);
    await stage.idle();
    expect(job.returnvalue).toMatch(/attached/);
    expect(job.attemptsMade).toBeGreaterThan(1);
    expect(stage.calls('attach-domain')).toHaveLength(1);
    await settled(stage, jobId);
  }

  test('its name is not known (DNS): retried, one POST', async () => {
    await tryElsewhereFirst('https://runcloud.invalid/api/v3');
  });

  test('the connection is never made: retried, one POST', async () => {
    // Takes connections and says nothing, so that TLS never comes to stand.
    const mute = createServer((socket) => socket.on('error', () => undefined).resume());
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    try {
      await tryElsewhereFirst(`https://127.0.0.1:${(mute.address() as AddressInfo).port}/api/v3`);
    } finally {
      mute.close();
    }
  });

  test('the connection is refused: retried until somebody listens again, one POST', async () => {
    await using stage = await createStage(slowRetries);
    const { port, close } = await createSimulator({ rateLimit: 0 });
    await close();
    await stage.startWorker({ RUNCLOUD_API_URL: `http://127.0.0.1:${port}/api/v3` });
    const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: DOMAIN });
    await until(async () => /could not be reached/.test(await stage.logs(jobId)), 'the refused call is told');
    await using back = await createSimulator({ rateLimit: 0, port });
    expect((await stage.ended(jobId)).returnvalue).toMatch(/attached/);
    await stage.idle();
    const { byOperation } = back.state.counters;
    expect(byOperation['attach-domain']).toBe(1);
    const { redis, config } = stage;
    const asked = [{ domain: DOMAIN, presence: 'present' as const, jobId }];
    await checkInvariants({ simulator: back, redis, prefix: config.queuePrefix, requested: asked });
  });
});

describe('scenario 3: a reply that says nothing is verified by reading:', () => {
  const unclear: readonly (readonly [string, FaultRule])[] = [
    ['a page of HTML with 200', { kind: 'html', status: 200 }],
    ['a 502 as a page of HTML', { kind: 'html', status: 502 }],
    ['a 504 as JSON', { kind: 'status', status: 504 }],
  ];
  const both = unclear.flatMap(([name, fault]) => [
    [`${name}, and the POST took effect`, { ...fault, appliesWrite: true }, 1] as const,
    [`${name}, and the POST did not take effect`, { ...fault, appliesWrite: false }, 2] as const,
  ]);
  const cases = [...both, ['half of the JSON', { kind: 'truncated-json' }, 1] as const];

  test.each(cases)('%s', async (_, fault, posts) => {
    await using stage = await createStage();
    const { jobId } = await attachDespite(stage, fault);
    const about = ['list-domains', 'attach-domain'];
    const steps = stage.simulator.state.calls.map(({ operation }) => operation ?? '');
    const [first, post, after, ...rest] = steps.filter((step) => about.includes(step));
    expect([first, post, after]).toEqual(['list-domains', 'attach-domain', 'list-domains']);
    expect(rest.filter((step) => step === 'attach-domain')).toHaveLength(posts - 1);
    expect(applied(stage)).toBe(1);
    expect((await stage.job(jobId)).attemptsMade).toBe(posts);
    await settled(stage, jobId);
  });
});
