// Several web applications: a domain is found wherever it is, and who names none is asked which one he means before a domain is
// attached a second time, or removed where it is not.
import { describe, expect, test } from '@jest/globals';
import { showFailed } from '../../src/cli/commands/failed.ts';
import { retry } from '../../src/cli/commands/retry.ts';
import { judgeFlags, type StatusFlags, showDomain, showQueue } from '../../src/cli/commands/status.ts';
import { enqueue } from '../../src/cli/enqueue.ts';
import { BAD_IDS, badCode } from '../../src/cli/messages.ts';
import {
  alsoRequested,
  severalApps,
  unknownDomain,
  unknownThere,
} from '../../src/cli/output/status-messages.ts';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import type { JobName } from '../../src/jobs/catalog.ts';
import { startServer } from '../helpers/http-server.ts';
import { recordedTerminal } from '../helpers/terminal.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

const CLUB = 'club.example.org';
const SHOP = 'shop.example.org';
/** The configured one is 646. */
const OTHER = { serverId: 1903, appId: 701 };

const ask = (stage: Stage, name: JobName, domain: string, more: object = {}) =>
  stage.producer.requests.enqueue(name, { domain, ...more });

async function removedFrom({ producer }: Stage, appId: number): Promise<void> {
  const key = { serverId: 1903, appId, domain: parseDomainName(CLUB) };
  const { store, enqueue: enqueueJob } = producer.requests;
  const { jobId } = await enqueueJob('remove-domain', { ...key });
  await store.settle(key, jobId, {
    request: 'settled',
    outcome: 'gone',
    report: { state: 'removed', reasonCode: 'removed' },
  });
}

async function status({ producer }: Stage, domain: string | undefined, flags: StatusFlags = {}) {
  expect(judgeFlags(domain, flags)).toBeUndefined();
  const terminal = recordedTerminal();
  const code =
    domain === undefined
      ? await showQueue(producer, flags, terminal)
      : await showDomain(domain, producer, flags, terminal);
  return { code, text: terminal.text(), errors: terminal.errors.join('\n') };
}

describe('status of a domain', () => {
  test('finds it on another web application than the configured one, and says which', async () => {
    await using stage = await createStage({ workers: 0 });
    await ask(stage, 'add-domain', CLUB, OTHER);
    expect(await status(stage, CLUB)).toMatchObject({
      code: 0,
      text: expect.stringMatching(/web application 701/),
    });
    const { text } = await status(stage, CLUB, { json: true });
    expect(JSON.parse(text)).toMatchObject({ domain: CLUB, appId: 701 });
  });

  test('lists the web applications where several have it, and --app chooses', async () => {
    await using stage = await createStage({ workers: 0 });
    await ask(stage, 'add-domain', CLUB, OTHER);
    await ask(stage, 'add-domain', CLUB);
    const both = await status(stage, CLUB);
    expect(both.code).toBe(0);
    expect(both.text.split('\n')).toContain(severalApps(CLUB, 2));
    expect(both.text).toMatch(/^646 +1903 +attach/m);
    expect(both.text).toMatch(/^701 +1903 +attach/m);
    expect(JSON.parse((await status(stage, CLUB, { json: true })).text).applications).toMatchObject([
      { appId: 646 },
      { appId: 701 },
    ]);
    expect((await status(stage, CLUB, { app: '701' })).text).toMatch(/web application 701/);
    const neither = await status(stage, CLUB, { app: '9' });
    expect(neither).toMatchObject({
      code: 1,
      errors: unknownThere(CLUB, 'web application 9', 'web applications 646 (requested) and 701 (requested)'),
    });
  });

  test('shows where it is, and that it was removed from another', async () => {
    await using stage = await createStage({ workers: 0 });
    await removedFrom(stage, 646);
    await ask(stage, 'add-domain', CLUB, OTHER);
    const { text } = await status(stage, CLUB);
    expect(text).toMatch(/: attach.* \(web application 701\)/);
    expect(text).toContain(alsoRequested('web application 646 (removed)'));
  });

  test('of an unknown domain says so', async () => {
    await using stage = await createStage({ workers: 0 });
    expect(await status(stage, CLUB)).toMatchObject({
      code: 1,
      errors: unknownDomain(CLUB),
    });
  });
});

describe('the list', () => {
  test('has a column for the web application where there are several', async () => {
    await using stage = await createStage({ workers: 0 });
    await ask(stage, 'add-domain', SHOP);
    expect((await status(stage, undefined)).text).toMatch(/^DOMAIN +REQUESTED/m);
    await ask(stage, 'add-domain', CLUB, OTHER);
    const { text } = await status(stage, undefined);
    expect(text).toMatch(/^DOMAIN +APP +REQUESTED/m);
    expect(text).toMatch(/^club\.example\.org +701 +attach/m);
    const one = (await status(stage, undefined, { app: '701' })).text;
    expect(one).toMatch(/^Domains: 1 requested$/m);
    expect(one).not.toContain(SHOP);
  });
});

describe('GET /v1/domains/{domain} without appId', () => {
  test('answers for the one that has it, refuses with the list where several have, and knows none', async () => {
    await using stage = await createStage({ workers: 0 });
    await using server = await startServer(stage.env);
    const get = (query = '') => server.fetch('GET', `/v1/domains/${CLUB}${query}`, { as: 'read' });
    expect((await get()).body).toMatchObject({ status: 404, code: 'not-found' });
    await ask(stage, 'add-domain', CLUB, OTHER);
    expect((await get()).body).toMatchObject({ appId: 701, state: 'requested' });
    expect((await get('?appId=646')).body).toMatchObject({
      status: 404,
      detail: expect.stringMatching(/ 646\b.* 701 \(requested\)/),
    });
    await ask(stage, 'add-domain', CLUB);
    expect((await get()).body).toMatchObject({
      status: 409,
      code: 'several-applications',
      applications: [
        { appId: 646, serverId: 1903, state: 'requested', desired: { presence: 'present' } },
        { appId: 701, serverId: 1903 },
      ],
    });
    expect((await get('?appId=701')).body).toMatchObject({ appId: 701 });
    await removedFrom(stage, 646);
    expect((await get()).body).toMatchObject({ appId: 701 });
  });
});

describe('a request that names no web application, for a domain that another has', () => {
  const say = async (stage: Stage, name: JobName, flags: Parameters<typeof enqueue>[2] = {}) => {
    const terminal = recordedTerminal();
    const code = await enqueue(name, [CLUB], flags, stage.producer, terminal);
    return { code, text: terminal.text(), errors: terminal.errors.join('\n') };
  };
  const isPending = async ({ producer }: Stage, appId = 646): Promise<boolean> =>
    (await producer.requests.store.get({ serverId: 1903, appId, domain: parseDomainName(CLUB) })) !==
    undefined;

  test.each(['add-domain', 'remove-domain', 'redeploy-ssl'] as const)('%s asks first', async (name) => {
    await using stage = await createStage({ workers: 0 });
    await ask(stage, 'add-domain', CLUB, OTHER);
    const asked = await say(stage, name);
    expect(asked).toMatchObject({
      code: 2,
      text: '',
      errors: expect.stringMatching(
        /is on web application 701 \(requested\)\. Nothing was done\. Name the web application: `\w+ club\.example\.org --app 701`/,
      ),
    });
    const { errors } = await say(stage, name);
    expect(errors.includes('--also')).toBe(name === 'add-domain');
    expect(errors).not.toMatch(/appId/);
    expect(await isPending(stage)).toBe(false);
    expect((await say(stage, name, { app: '701' })).code).toBe(0);
  });

  test('goes on with --also, or where its own web application is named', async () => {
    for (const flags of [{ also: true }, { app: '646' }]) {
      await using stage = await createStage({ workers: 0 });
      await ask(stage, 'add-domain', CLUB, OTHER);
      expect((await say(stage, 'add-domain', flags)).code).toBe(0);
      expect(await isPending(stage)).toBe(true);
      // It is there already: a repetition.
      expect((await say(stage, 'add-domain')).text).toMatch(/already queued/);
      // But what shall be removed may be either.
      expect((await say(stage, 'remove-domain')).errors).toMatch(/on web application 646 and on 701/);
    }
  });

  test('goes on where the other is to be rid of it, or was', async () => {
    await using stage = await createStage({ workers: 0 });
    await ask(stage, 'remove-domain', CLUB, OTHER);
    expect((await say(stage, 'add-domain')).code).toBe(0);
  });

  test('over the API is a conflict with the list, in a batch that line’s alone', async () => {
    await using stage = await createStage({ workers: 0 });
    await using server = await startServer(stage.env);
    await ask(stage, 'add-domain', CLUB, OTHER);
    const conflict = { status: 409, code: 'on-another-application', applications: [{ appId: 701 }] };
    const post = (body: object) => server.fetch('POST', '/v1/domains', { as: 'enqueue', body });
    expect((await post({ domain: CLUB })).body).toMatchObject(conflict);
    const batch = await server.fetch('POST', '/v1/domains:batch', {
      body: [{ domain: CLUB }, { domain: SHOP }],
    });
    expect(batch.body).toMatchObject({ accepted: 1, results: [{ problem: conflict }, { status: 202 }] });
    const gone = await server.fetch('DELETE', `/v1/domains/${CLUB}`, { as: 'enqueue' });
    expect(gone.body).toMatchObject({
      ...conflict,
      detail: expect.stringMatching(/Name the web application: appId: 701$/),
    });
    expect(
      (await server.fetch('POST', '/v1/certificates:redeploy', { body: { domain: CLUB } })).body,
    ).toMatchObject(conflict);
    expect(await isPending(stage)).toBe(false);
    const also = await post({ domain: CLUB, also: true });
    expect(also.body).toMatchObject({ appId: 646, unknownFields: [] });
    expect((await post({ domain: CLUB, appId: 701 })).body).toMatchObject({ appId: 701, coalesced: true });
  });

  test('is a conflict for a www name too, which goes with its domain there', async () => {
    await using stage = await createStage({ workers: 0 });
    await using server = await startServer(stage.env);
    await ask(stage, 'add-domain', 'shop-a.com', OTHER);
    const conflict = {
      status: 409,
      code: 'on-another-application',
      detail: expect.stringMatching(/on web application 701 \(requested, as the www name of shop-a\.com\)/),
      applications: [{ appId: 701 }],
    };
    const www = 'www.shop-a.com';
    const gone = await server.fetch('DELETE', `/v1/domains/${www}`, { as: 'enqueue' });
    expect(gone.body).toMatchObject(conflict);
    const post = (body: object) => server.fetch('POST', '/v1/domains', { as: 'enqueue', body });
    expect((await post({ domain: www })).body).toMatchObject(conflict);
    expect(
      (await server.fetch('POST', '/v1/certificates:redeploy', { body: { domain: www } })).body,
    ).toMatchObject(conflict);
    expect(await stage.queue.getJobCountByTypes('waiting', 'prioritized')).toBe(1);
    expect((await post({ domain: www, also: true })).body).toMatchObject({ appId: 646 });
  });

  test('is a conflict for a domain whose www name stands by itself there, unless it goes without', async () => {
    await using stage = await createStage({ workers: 0 });
    await using server = await startServer(stage.env);
    await ask(stage, 'add-domain', 'www.shop-a.com', OTHER);
    const post = (body: object) => server.fetch('POST', '/v1/domains', { as: 'enqueue', body });
    expect((await post({ domain: 'shop-a.com' })).body).toMatchObject({
      code: 'on-another-application',
      detail: expect.stringMatching(/on web application 701 \(requested, by its www name www\.shop-a\.com\)/),
    });
    expect((await post({ domain: 'shop-a.com', www: false })).status).toBe(202);
    expect((await server.fetch('DELETE', '/v1/domains/shop-a.com', { as: 'enqueue' })).status).toBe(202);
  });

  test('goes on for a www name whose domain is there without it', async () => {
    await using stage = await createStage({ workers: 0 });
    await using server = await startServer(stage.env);
    await ask(stage, 'add-domain', 'shop-a.com', { ...OTHER, www: false });
    const body = { domain: 'www.shop-a.com' };
    expect((await server.fetch('POST', '/v1/domains', { as: 'enqueue', body })).status).toBe(202);
  });

  test('of a program’s own producer is taken as it is: nobody is there to be asked', async () => {
    await using stage = await createStage({ workers: 0 });
    await ask(stage, 'add-domain', CLUB, OTHER);
    expect(await ask(stage, 'add-domain', CLUB)).toMatchObject({ appId: 646, coalesced: false });
  });
});

describe('failed jobs', () => {
  async function fail(stage: Stage, domain: string, reason: string, app: object = {}): Promise<string> {
    const { jobId } = await ask(stage, 'add-domain', domain, app);
    const { queue, redis } = stage;
    await redis.zrem(queue.toKey('prioritized'), jobId);
    await redis.zadd(queue.toKey('failed'), Date.now(), jobId);
    await redis.hset(queue.toKey(jobId), 'failedReason', reason);
    return jobId;
  }

  test('are listed, and tried again, of one web application or of one cause', async () => {
    await using stage = await createStage({ workers: 0 });
    await using server = await startServer(stage.env);
    const here = await fail(stage, SHOP, 'runcloud-rejected: no');
    const there = await fail(stage, CLUB, 'runcloud-unknown-result: who knows', OTHER);
    const listed = async (flags: Parameters<typeof showFailed>[1]) => {
      const terminal = recordedTerminal();
      expect(await showFailed(stage.producer, { ...flags, json: true }, terminal)).toBe(0);
      return JSON.parse(terminal.text()).map(({ id }: { id: string }) => id);
    };
    expect(await listed({ app: '701' })).toEqual([there]);
    expect(await listed({ code: 'runcloud-rejected' })).toEqual([here]);
    expect(await listed({ app: '646', code: 'runcloud-unknown-result' })).toEqual([]);
    const found = await server.fetch('POST', '/v1/jobs:retry', { body: { filter: { appId: 701 } } });
    expect(found.body).toMatchObject({ matching: 1, examples: [{ id: there }] });
    const terminal = recordedTerminal();
    expect(await retry([], { all: true, app: '701' }, stage.producer, terminal)).toBe(0);
    const [line = ''] = terminal.lines;
    expect(line.startsWith(`${there}: `) && line.includes(CLUB, there.length)).toBe(true);
    expect(terminal.lines).toHaveLength(1);
    expect(await listed({})).toEqual([here]);
  });

  test.each([
    [{ app: 'x' }, BAD_IDS],
    [{ code: 'nonsense' }, badCode('nonsense')],
  ])('%j is refused', async (flags, sentence) => {
    await using stage = await createStage({ workers: 0 });
    const terminal = recordedTerminal();
    expect(await retry([], { all: true, ...flags }, stage.producer, terminal)).toBe(2);
    expect(terminal.errors).toEqual([sentence]);
  });
});
