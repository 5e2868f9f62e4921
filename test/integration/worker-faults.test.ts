// When RunCloud misbehaves: nothing is attached twice, nothing is forgotten, and what cannot heal fails with its code.

import { describe, expect, test } from '@jest/globals';
import type { FaultRule } from '../../packages/simulator/src/index.ts';
import { isAttached } from '../../src/domains/messages.ts';
import { until } from '../helpers/until.ts';
import { APP, createStage, PRIMARY } from '../helpers/worker.ts';

const DOMAIN = 'shop.example.org';

const faults: readonly (readonly [string, FaultRule])[] = [
  ['a 503 as JSON', { kind: 'status', status: 503 }],
  ['a 500 though the write took effect', { kind: 'status', status: 500, appliesWrite: true }],
  ['a page of HTML with 503', { kind: 'html', status: 503 }],
  ['a page of HTML with 200', { kind: 'html', status: 200 }],
  ['half an answer', { kind: 'truncated-json' }],
  ['a connection dropped before the write took effect', { kind: 'drop-before' }],
  ['a connection dropped after the write took effect', { kind: 'drop-after' }],
  ['a reset', { kind: 'reset' }],
  ['a reset after the write took effect', { kind: 'reset', appliesWrite: true }],
];

describe.each(faults)('%s', (_, fault) => {
  test('to the POST: the domain is attached once, by one write that counted', async () => {
    await using stage = await createStage();
    stage.simulator.addFault({ ...fault, operation: 'attach-domain' });
    const job = await stage.ended(await stage.add('add-domain', { domain: DOMAIN }));
    await stage.idle();
    expect(job.returnvalue).toMatch(/attached/);
    expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
    expect(stage.calls('attach-domain').filter(({ writeApplied }) => writeApplied)).toHaveLength(1);
    expect(stage.calls('redeploy-ssl')).toHaveLength(1);
    expect(stage.simulator.state.coveredNames()).toContain(DOMAIN);
  });

  test('to the DELETE: the domain is gone, and the certificate follows', async () => {
    await using stage = await createStage({ simulator: { seed: { webapps: [{ domains: [DOMAIN] }] } } });
    stage.simulator.addFault({ ...fault, operation: 'delete-domain' });
    const job = await stage.ended(await stage.add('remove-domain', { domain: DOMAIN }));
    await stage.idle();
    expect(job.returnvalue).toMatch(/removed/);
    expect(stage.names()).toEqual([PRIMARY]);
    expect(stage.calls('redeploy-ssl')).toHaveLength(1);
  });

  test('to the list: it is read again, and nothing is written on a guess', async () => {
    await using stage = await createStage({ simulator: { seed: { webapps: [{ domains: [DOMAIN] }] } } });
    stage.simulator.addFault({ ...fault, operation: 'list-domains' });
    const job = await stage.ended(await stage.add('add-domain', { domain: DOMAIN }));
    expect(job.returnvalue).toBe(isAttached(DOMAIN, []));
    expect(job.attemptsMade).toBe(2);
    expect(stage.simulator.state.counters.writes).toBe(0);
  });

  test('to the redeploy: it is tried again until the certificate covers the domain', async () => {
    await using stage = await createStage();
    stage.simulator.addFault({ ...fault, operation: 'redeploy-ssl' });
    await stage.add('add-domain', { domain: DOMAIN });
    await stage.idle();
    expect(stage.simulator.state.coveredNames()).toContain(DOMAIN);
    expect(await stage.queue.getFailedCount()).toBe(0);
  });
});

test('a reply that never comes counts as unknown after the timeout: the list is read before any second write', async () => {
  await using stage = await createStage({ env: { RUNCLOUD_TIMEOUT: '2500ms' } });
  stage.simulator.addFault({ kind: 'never-answer', appliesWrite: true, operation: 'attach-domain' });
  const job = await stage.ended(await stage.add('add-domain', { domain: DOMAIN }));
  await stage.idle();
  expect(job.returnvalue).toMatch(/attached/);
  expect(stage.calls('attach-domain')).toHaveLength(1);
  expect(stage.names()).toEqual([PRIMARY, DOMAIN]);
  expect(stage.calls('redeploy-ssl')).toHaveLength(1);
});

test('a 429 waits as long as RunCloud asks for, and spends no attempt', async () => {
  await using stage = await createStage({ retries: { attempts: 1 } });
  for (const operation of ['list-domains', 'attach-domain', 'redeploy-ssl'] as const) {
    stage.simulator.addFault({ kind: 'status', status: 429, headers: { 'Retry-After': '1' }, operation });
  }
  const id = await stage.add('add-domain', { domain: DOMAIN });
  const first = await until(() => stage.calls('list-domains')[0]?.endedAt, 'the first reading was refused');
  const job = await stage.ended(id);
  await stage.idle();
  expect(job.returnvalue).toMatch(/attached/);
  expect(job.attemptsMade).toBe(1);
  expect((stage.calls('list-domains')[1]?.startedAt ?? 0) - first).toBeGreaterThanOrEqual(950);
  expect(stage.simulator.state.coveredNames()).toContain(DOMAIN);
  expect(await stage.queue.getFailedCount()).toBe(0);
});

test('the budget of attempts is spent on what does not heal, and the record then says so', async () => {
  await using stage = await createStage({ retries: { attempts: 3 } });
  stage.simulator.addFault({ kind: 'status', status: 503, operation: 'list-domains', times: 'always' });
  const job = await stage.ended(await stage.add('add-domain', { domain: DOMAIN }));
  expect(job.attemptsMade).toBe(3);
  expect(job.failedReason).toMatch(/^runcloud-unknown-result: .*503/);
  const [record] = await stage.producer.requests.store.list(1);
  expect(record).toMatchObject({ request: 'failed', code: 'runcloud-unknown-result' });
});

test('with rejected credentials the job waits unspent, and continues once they are corrected', async () => {
  await using stage = await createStage({ version: 'v2', workers: 0 });
  stage.simulator.addFault({ kind: 'status', status: 401, operation: 'list-domains' });
  const refused = await stage.startWorker();
  const id = await stage.add('add-domain', { domain: DOMAIN });
  await until(async () => /HTTP 401/.test(await stage.logs(id)), 'the job’s log tells of it');
  await refused.close();
  expect((await stage.job(id)).attemptsMade).toBe(0);
  expect(stage.simulator.state.counters).toMatchObject({ requests: 1, writes: 0 });
  // API v2 takes the token as well as the key pair: other credentials, as far as anybody can tell.
  const { token } = stage.simulator.credentials;
  await stage.startWorker({ RUNCLOUD_API_KEY: '', RUNCLOUD_API_SECRET: '', RUNCLOUD_API_TOKEN: token });
  const job = await stage.ended(id);
  expect(job.returnvalue).toMatch(/attached/);
  expect(job.attemptsMade).toBe(1);
  await stage.idle();
});

describe('what may pass by itself is tried again, and fails with its code in the end:', () => {
  test.each([
    ['a token that may not do this', 403, 'runcloud-forbidden'],
    ['a web application that is not there', 404, 'runcloud-not-found'],
  ])('%s (%i)', async (_, status, code) => {
    await using stage = await createStage();
    stage.simulator.addFault({ kind: 'status', status, operation: 'list-domains', times: 'always' });
    const job = await stage.ended(await stage.add('add-domain', { domain: DOMAIN }));
    expect(job.failedReason).toMatch(new RegExp(`^${code}: `));
    expect(job.attemptsMade).toBe(stage.retryPolicy.attempts);
    expect(stage.simulator.state.counters.writes).toBe(0);
    const [record] = await stage.producer.requests.store.list(1);
    // And again by itself, ten minutes later.
    expect(record).toMatchObject({ request: 'failed', code });
    expect(Number(record?.nextRunAt) - Number(record?.outcomeAt)).toBe(600_000);
  });
});

describe('what no retry can heal fails at the first try:', () => {
  test('a domain that is attached to another web application: RunCloud’s own message is told', async () => {
    await using stage = await createStage({
      simulator: {
        seed: { webapps: [{}, { id: 647, domains: [DOMAIN] }] },
        variants: { duplicateScope: 'account' },
      },
    });
    const job = await stage.ended(await stage.add('add-domain', { domain: DOMAIN }));
    expect(job.failedReason).toMatch(/^runcloud-rejected: .*already exists/);
    expect(job.attemptsMade).toBe(1);
    await stage.idle();
    expect(stage.calls('redeploy-ssl')).toHaveLength(0);
  });

  test('no certificate to redeploy: the job says what to do', async () => {
    await using stage = await createStage({ simulator: { seed: { webapps: [{ certificate: 'none' }] } } });
    await stage.add('add-domain', { domain: DOMAIN });
    await stage.idle();
    expect(stage.names()).toContain(DOMAIN);
    const [failed] = await stage.queue.getFailed();
    expect(failed?.failedReason).toMatch(/^no-certificate: /);
    expect(failed?.attemptsMade).toBe(1);
    expect(await stage.producer.requests.certificates.get(APP)).toMatchObject({ code: 'no-certificate' });
  });
});

describe('a job of a foreign client that is wrong fails at the first try, without any call:', () => {
  test.each([
    ['a name that no job has', 'add-domian', { domain: DOMAIN }, /^unknown-job: .*"add-domian".*add-domain/],
    ['a name that every object has', 'constructor', { domain: DOMAIN }, /^unknown-job: /],
    [
      'a domain that cannot be one',
      'add-domain',
      { domain: 'a_b.example.org' },
      /^invalid-domain: .*domain: .*underscore/,
    ],
    [
      'a web address for a domain',
      'remove-domain',
      { domain: 'https://a.example.org/x' },
      /^invalid-domain: .*web address/,
    ],
    ['no domain', 'add-domain', {}, /^invalid-domain: .*domain: /],
    [
      'a field of the wrong kind',
      'add-domain',
      { domain: DOMAIN, www: 'maybe' },
      /^invalid-payload: .*www: must be/,
    ],
    ['a payload that is no object', 'add-domain', 'shop.example.org', /^invalid-payload: /],
    ['no payload', 'remove-domain', null, /^invalid-payload: /],
  ])('%s', async (_, name, data, reason) => {
    await using stage = await createStage();
    const job = await stage.ended(await stage.add(name, data));
    expect(job.failedReason).toMatch(reason);
    expect(job.attemptsMade).toBe(1);
    expect(stage.simulator.state.counters.requests).toBe(0);
  });

  test('no web application, neither in the job nor configured', async () => {
    await using stage = await createStage({ env: { RUNCLOUD_SERVER_ID: '', RUNCLOUD_APP_ID: '' } });
    const job = await stage.ended(await stage.add('add-domain', { domain: DOMAIN }));
    expect(job.failedReason).toMatch(/^no-web-application: There is no serverId and appId/);
    expect(stage.simulator.state.counters.requests).toBe(0);
  });
});

test('unknown fields are left out, and the job’s log tells which', async () => {
  await using stage = await createStage();
  const id = await stage.add('add-domain', { domain: DOMAIN, colour: 'red' });
  const job = await stage.ended(id);
  expect(job.returnvalue).toMatch(/attached/);
  expect(await stage.logs(id)).toMatch(/colour/);
  await stage.idle();
});

test('the job’s log has the start, each call, the outcome', async () => {
  await using stage = await createStage();
  stage.simulator.addFault({ kind: 'status', status: 503, operation: 'attach-domain' });
  const id = await stage.add('add-domain', { domain: DOMAIN, requestedBy: 'web-1' });
  await stage.ended(id);
  const log = await stage.logs(id);
  expect(log).toMatch(/add-domain shop\.example\.org: attempt 1 of 5, requested by producer for "web-1"/);
  expect(log).toMatch(/POST \/servers\/1903\/webapps\/646\/domains -> 503/);
  expect(log).toMatch(/retry: .*Next attempt in [\d.]+ s/);
  expect(log).toMatch(/attempt 2 of 5/);
  expect(log).toMatch(/done: shop\.example\.org attached/);
  await stage.idle();
});
