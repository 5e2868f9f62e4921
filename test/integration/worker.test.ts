// The main job, end to end on a real Redis and the simulator: what a bare BullMQ client adds is made so, at its price.

import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { isAttached } from '../../src/domains/messages.ts';
import { domainAttached, domainRemoved, redeployFollows } from '../../src/jobs/messages.ts';
import { until } from '../helpers/until.ts';
import { APP, createStage, LONG_DELAY, PRIMARY, PROMPT, type Stage } from '../helpers/worker.ts';

const versions = ['v2', 'v3'] as const;
const many = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `customer-${i + 1}.shops.example.org`);

/** GETs of the list that begin anew, however many pages each has. */
const listReadings = ({ calls }: Stage): number =>
  calls('list-domains').filter(({ path }) => !/[?&]page=(?!1(?!\d))/.test(path)).length;

function expectAllCovered(stage: Stage, names: readonly string[]): void {
  const covered = stage.simulator.state.coveredNames();
  expect(names.filter((name) => !covered.includes(name))).toEqual([]);
}

describe.each(versions)('with API %s', (version) => {
  test('a bare BullMQ job attaches its domain, and after the delay exactly one redeploy covers it', async () => {
    await using stage = await createStage({ version, env: { SSL_REDEPLOY_DELAY: '300ms' } });
    const id = await stage.add('add-domain', { domain: 'Shop.Example.ORG' });
    const job = await stage.ended(id);
    expect(job.returnvalue).toBe(redeployFollows(domainAttached('shop.example.org', undefined)));
    await stage.idle();

    const attached = stage.calls('attach-domain');
    const redeployed = stage.calls('redeploy-ssl');
    expect([attached.length, redeployed.length]).toEqual([1, 1]);
    const waited = (redeployed[0]?.startedAt ?? 0) - (attached[0]?.endedAt ?? 0);
    expect(waited).toBeGreaterThanOrEqual(stage.config.ssl.redeployDelayMs - 50);
    expect(stage.simulator.state.certificateOrders).toBe(1);
    expect(stage.simulator.state.certificates()[0]?.names).toEqual([PRIMARY, 'shop.example.org']);
    expect(await stage.producer.requests.store.list(10)).toMatchObject([
      { domain: 'shop.example.org', request: 'settled' },
    ]);
  });

  test('a burst of 100 adds costs 100 POSTs, one list reading and one redeploy', async () => {
    await using stage = await createStage({ version, env: LONG_DELAY });
    const names = many(100);
    await stage.queue.addBulk(names.map((domain) => ({ name: 'add-domain', data: { domain } })));
    await stage.completed(100);
    await stage.passDelay();
    await stage.idle();

    expect(stage.calls('attach-domain')).toHaveLength(100);
    expect(listReadings(stage)).toBe(1);
    expect(stage.calls('redeploy-ssl')).toHaveLength(1);
    expect(stage.names()).toHaveLength(101);
    expectAllCovered(stage, names);
    expect(stage.simulator.state.overlappingWrites()).toEqual([]);
  });
});

test('100 adds one by one, while the worker runs, cost the same as a burst', async () => {
  await using stage = await createStage({ env: LONG_DELAY });
  const names = many(100);
  for (const domain of names) await stage.add('add-domain', { domain });
  await stage.completed(100);
  await stage.passDelay();
  await stage.idle();

  expect(stage.calls('attach-domain')).toHaveLength(100);
  expect(listReadings(stage)).toBe(1);
  expect(stage.calls('redeploy-ssl')).toHaveLength(1);
  expectAllCovered(stage, names);
});

test('two workers that share a burst attach each domain once', async () => {
  await using stage = await createStage({ workers: 2, env: LONG_DELAY });
  const names = many(40);
  await stage.queue.addBulk(names.map((domain) => ({ name: 'add-domain', data: { domain } })));
  await stage.completed(40);
  await stage.passDelay();
  await stage.idle();

  expect(stage.calls('attach-domain')).toHaveLength(40);
  expect(stage.names().toSorted()).toEqual([PRIMARY, ...names].toSorted());
  expect(stage.simulator.state.overlappingWrites()).toEqual([]);
  expect(stage.calls('redeploy-ssl')).toHaveLength(1);
  expectAllCovered(stage, names);
});

test('a domain that is attached already is left alone: no write, no certificate order', async () => {
  await using stage = await createStage({
    simulator: { seed: { webapps: [{ domains: ['a.example.org'] }] } },
  });
  const job = await stage.ended(await stage.add('add-domain', { domain: 'a.example.org' }));
  await stage.idle();
  expect(job.returnvalue).toBe(isAttached('a.example.org', []));
  expect(stage.simulator.state.counters.writes).toBe(0);
});

test('the same domain added three times is attached once and ordered once', async () => {
  await using stage = await createStage();
  for (let i = 0; i < 3; i += 1) await stage.add('add-domain', { domain: 'a.example.org' });
  await stage.idle();
  expect(stage.calls('attach-domain')).toHaveLength(1);
  expect(stage.calls('redeploy-ssl')).toHaveLength(1);
  expect(stage.names()).toEqual([PRIMARY, 'a.example.org']);
});

test('a domain that is not attached needs no removal: no write, no certificate order', async () => {
  await using stage = await createStage();
  const job = await stage.ended(await stage.add('remove-domain', { domain: 'a.example.org' }));
  await stage.idle();
  expect(job.returnvalue).toMatch(/nothing to remove/);
  expect(stage.simulator.state.counters.writes).toBe(0);
});

describe.each([
  ['which RunCloud names as such', 'full', 'oldest-first'],
  ['which only its age tells', 'without-type', 'oldest-first'],
  ['which only its age tells, in a list that begins with the newest', 'minimal', 'newest-first'],
] as const)('the primary domain, %s,', (_, domainFields, listOrder) => {
  test('is never removed: the job fails at once with its code', async () => {
    await using stage = await createStage({
      simulator: {
        seed: { webapps: [{ domains: ['a.example.org'] }] },
        variants: { domainFields, listOrder, deletePrimary: 'allowed' },
      },
    });
    const job = await stage.ended(await stage.add('remove-domain', { domain: PRIMARY }));
    expect(job.failedReason).toMatch(/^primary-domain: /);
    expect(job.attemptsMade).toBe(1);
    expect(stage.calls('delete-domain')).toHaveLength(0);
    expect(stage.names()).toEqual([PRIMARY, 'a.example.org']);
  });
});

test('www is attached for a registrable domain, and covered too', async () => {
  await using stage = await createStage();
  await stage.add('add-domain', { domain: 'example.net' });
  await stage.idle();
  expect(stage.simulator.state.domains()[1]).toMatchObject({
    name: 'example.net',
    www: true,
    redirection: 'non-www',
  });
  expectAllCovered(stage, ['example.net', 'www.example.net']);
});

test('a job may name another web application than the configured one', async () => {
  await using stage = await createStage({ simulator: { seed: { webapps: [{}, { id: 647 }] } } });
  await stage.add('add-domain', { domain: 'a.example.org', appId: '647' });
  await stage.idle();
  expect(stage.names()).toEqual([PRIMARY]);
  expect(stage.simulator.state.domains(647).map(({ name }) => name)).toContain('a.example.org');
  expect(stage.simulator.state.coveredNames(647)).toContain('a.example.org');
});

/** Stands before the simulator and takes `perPage` out of every query, as an API would that does not know it. */
async function ignorePerPage(target: string): Promise<{ url: string } & AsyncDisposable> {
  const server: Server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', target);
    url.searchParams.delete('perPage');
    const { method, headers } = incoming;
    const onward = forward(url, { method, headers }, (reply) => {
      outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('of 45 domains', () => {
  const last = 'customer-646-44.example.com';
  const seed = { webapps: [{ domainCount: 44 }] };

  test.each(versions)('the 45th is removed: all pages are read (%s)', async (version) => {
    await using stage = await createStage({ version, simulator: { seed } });
    expect(stage.names().indexOf(last)).toBe(44);
    const job = await stage.ended(await stage.add('remove-domain', { domain: last }));
    await stage.idle();
    expect(job.returnvalue).toMatch(/removed/);
    expect(stage.names()).not.toContain(last);
    expect(stage.names()).toHaveLength(44);
    expect(stage.calls('redeploy-ssl')).toHaveLength(1);
  });

  test('the 45th, on page 3, is removed where perPage is ignored', async () => {
    await using stage = await createStage({ simulator: { seed }, workers: 0 });
    await using proxy = await ignorePerPage(stage.simulator.url);
    const worker = await stage.startWorker({ RUNCLOUD_API_URL: `${proxy.url}/api/v3` });
    const job = await stage.ended(await stage.add('remove-domain', { domain: last }));
    await stage.idle();
    await worker.close();
    expect(job.returnvalue).toMatch(/removed/);
    expect(stage.names()).not.toContain(last);
    expect(stage.calls('list-domains').some(({ path }) => path.includes('page=3'))).toBe(true);
  });

  test('30 removals whose replies do not name the domain are proven by one reading', async () => {
    await using stage = await createStage({
      env: LONG_DELAY,
      backoff: { ...PROMPT, checkMs: 3_600_000 },
      simulator: { seed, variants: { deleteReply: 'empty' } },
    });
    const gone = Array.from({ length: 30 }, (_, i) => `customer-646-${i + 1}.example.com`);
    await stage.queue.addBulk(gone.map((domain) => ({ name: 'remove-domain', data: { domain } })));
    await until(async () => (await stage.queue.getDelayedCount()) === 30, 'all wait for the look');
    // One before the first removal.
    expect(listReadings(stage)).toBe(1);
    await stage.queue.promoteJobs();
    await stage.completed(30);
    expect(listReadings(stage)).toBe(2);
    expect(stage.calls('delete-domain')).toHaveLength(30);
    expect(stage.names()).toHaveLength(15);
    await stage.passDelay();
    await stage.idle();
    expect(stage.calls('redeploy-ssl')).toHaveLength(1);
    const store = await stage.producer.requests.store.list(50);
    expect(store.filter(({ request: state }) => state !== 'settled')).toEqual([]);
  });
});

test('what a person attached in the panel after our last look is found and removed', async () => {
  await using stage = await createStage();
  await stage.ended(await stage.add('remove-domain', { domain: 'a.example.org' }));
  stage.simulator.attachDomain({ name: 'a.example.org' });
  const job = await stage.ended(await stage.add('remove-domain', { domain: 'a.example.org' }));
  expect(job.returnvalue).toBe(redeployFollows(domainRemoved('a.example.org')));
  expect(stage.names()).toEqual([PRIMARY]);
  await stage.idle();
});

test('what a person detached in the panel after our last write is attached again', async () => {
  await using stage = await createStage();
  await stage.ended(await stage.add('add-domain', { domain: 'a.example.org' }));
  stage.simulator.detachDomain({ name: 'a.example.org', webapp: APP.appId });
  const again = await stage.ended(await stage.add('add-domain', { domain: 'a.example.org' }));
  expect(again.returnvalue).toBe(redeployFollows(domainAttached('a.example.org', undefined)));
  expect(stage.names()).toEqual([PRIMARY, 'a.example.org']);
  await stage.idle();
});
