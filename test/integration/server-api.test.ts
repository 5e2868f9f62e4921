// Each route of the HTTP API, through real HTTP and on a real Redis; what it answers fits the schema that documents it.
import { describe, expect, test } from '@jest/globals';
import { addDelivery, toDeliveryId } from '../../src/callbacks/queue.ts';
import { toTargets } from '../../src/callbacks/targets.ts';
import type { Route } from '../../src/server/routes/route.ts';
import { routes } from '../../src/server/routes/table.ts';
import { type FetchOptions, type Reply, startServer, type TestServer } from '../helpers/http-server.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

interface Bench extends AsyncDisposable {
  readonly stage: Stage;
  readonly server: TestServer;
  /** Asks a route of the table by its name, and checks what it answers against its schema. */
  call(
    id: string,
    options?: FetchOptions & { params?: Record<string, string>; query?: string },
  ): Promise<Reply>;
}

async function createBench(workers = 0, env: Record<string, string> = {}): Promise<Bench> {
  await using stack = new AsyncDisposableStack();
  const stage = stack.use(await createStage({ workers }));
  const server = stack.use(await startServer({ ...stage.env, ...env }));
  const releases = stack.move();
  return {
    stage,
    server,
    async call(id, { params = {}, query = '', ...options } = {}) {
      const route = routes.find((each) => each.id === id) as Route;
      const path = route.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(params[name] ?? ''));
      const reply = await server.fetch(route.method, `${path}${query}`, options);
      if (reply.status < 400) {
        expect(reply.status).toBe(route.answer.status);
        if (!route.answer.contentType)
          expect(route.answer.schema.safeParse(reply.body).error).toBeUndefined();
      }
      return reply;
    },
    [Symbol.asyncDispose]: () => releases.disposeAsync(),
  };
}

describe('a domain', () => {
  test('is added, and its record has its history', async () => {
    await using bench = await createBench(1);
    const { status, body, headers } = await bench.call('addDomain', {
      as: 'enqueue',
      body: { domain: 'Bücher.Example.ORG', siteId: 42, colour: 'red' },
    });
    expect(status).toBe(202);
    expect(body).toEqual({
      jobId: expect.stringMatching(/~\d+$/),
      domain: 'xn--bcher-kva.example.org',
      serverId: 1903,
      appId: 646,
      state: 'requested',
      coalesced: false,
      unknownFields: ['colour'],
    });
    expect(headers.location).toBe('/v1/domains/xn--bcher-kva.example.org');
    await bench.stage.ended(body.jobId);
    const record = await bench.call('getDomain', { as: 'read', params: { domain: 'bücher.example.org' } });
    expect(record.body).toMatchObject({
      domain: 'xn--bcher-kva.example.org',
      siteId: '42',
      state: 'attached',
      request: 'settled',
      by: 'api:enqueue-1',
      for: null,
      mustAct: null,
      reason: expect.stringMatching(/\w/),
      since: expect.stringMatching(/Z$/),
    });
    expect(record.body.history.at(-1)).toMatchObject({
      state: 'requested',
      reasonCode: 'requested',
      by: 'api:enqueue-1',
    });
  });

  test('that is requested twice is one job; its removal is another', async () => {
    await using bench = await createBench();
    const body = { domain: 'a.example.org' };
    const first = await bench.call('addDomain', { body });
    const again = await bench.call('addDomain', { body });
    expect(again.body).toMatchObject({ jobId: first.body.jobId, coalesced: true, state: 'requested' });
    const gone = await bench.call('removeDomain', {
      as: 'enqueue',
      params: { domain: 'a.example.org' },
      query: '?requestedBy=shop&colour=red',
    });
    expect(gone.status).toBe(202);
    expect(gone.body).toMatchObject({ state: 'removing', coalesced: false, unknownFields: ['colour'] });
    expect((await bench.stage.job(gone.body.jobId)).data).toMatchObject({
      by: 'api:enqueue-1',
      requestedBy: 'shop',
    });
    const record = await bench.call('getDomain', { params: { domain: 'a.example.org' } });
    expect(record.body).toMatchObject({ state: 'removing', desired: { presence: 'absent' } });
  });

  test('of another web application is another domain', async () => {
    await using bench = await createBench();
    await bench.call('addDomain', { body: { domain: 'a.example.org', serverId: '7', appId: 8 } });
    const at = (query: string) => bench.call('getDomain', { params: { domain: 'a.example.org' }, query });
    expect((await at('?serverId=7&appId=8')).body).toMatchObject({ serverId: 7, appId: 8 });
    expect((await at('?serverId=1903&appId=646')).body).toMatchObject({ status: 404, code: 'not-found' });
  });
});

describe('the list of domains', () => {
  test('goes page by page, the newest request first, and has each domain once', async () => {
    await using bench = await createBench();
    const names = Array.from({ length: 25 }, (_, i) => `d${i}.example.org`);
    for (const domain of names) await bench.call('addDomain', { body: { domain } });
    const listed: string[] = [];
    let cursor = '';
    let pages = 0;
    do {
      const { body } = await bench.call('listDomains', { as: 'read', query: `?limit=10${cursor}` });
      listed.push(...body.domains.map(({ domain }: { domain: string }) => domain));
      cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
      pages += 1;
    } while (cursor !== '');
    expect(pages).toBe(3);
    expect(listed).toEqual(names.toReversed());
  });

  test('does not lose domains that were requested in one millisecond, however many', async () => {
    await using bench = await createBench();
    const names = Array.from({ length: 450 }, (_, i) => `d${i}.example.org`);
    const lines = names.map((domain) => ({ domain }));
    await bench.call('addDomains', { body: lines });
    const { requests } = bench.stage.producer;
    const all = requests.keys.all;
    for (const member of await bench.stage.redis.zrange(all, '0', '-1'))
      await bench.stage.redis.zadd(all, '1', member);
    const listed = new Set<string>();
    let cursor = '';
    do {
      const { body } = await bench.call('listDomains', { query: `?limit=199${cursor}` });
      for (const { domain } of body.domains) listed.add(domain);
      cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
    } while (cursor !== '');
    expect([...listed].toSorted()).toEqual(names.toSorted());
  });

  test('is filtered by state, site and a part of the name', async () => {
    await using bench = await createBench();
    await bench.call('addDomain', { body: { domain: 'first.example.org', siteId: '1' } });
    await bench.call('addDomain', { body: { domain: 'two.example.org', siteId: '2' } });
    await bench.call('removeDomain', { params: { domain: 'gone.example.org' } });
    const find = async (query: string) =>
      (await bench.call('listDomains', { query })).body.domains.map(
        ({ domain }: { domain: string }) => domain,
      );
    expect(await find('?site=2')).toEqual(['two.example.org']);
    expect(await find('?search=FIRST.')).toEqual(['first.example.org']);
    expect(await find('?state=removing')).toEqual(['gone.example.org']);
    expect(await find('?state=requested,removing&search=example')).toHaveLength(3);
    for (const query of ['?state=lost', '?limit=0', '?limit=201', '?cursor=nonsense', '?colour=red'])
      expect((await bench.call('listDomains', { query })).body).toMatchObject({ code: 'invalid-payload' });
  });
});

describe('jobs', () => {
  async function withFailedJob(bench: Bench, domain: string): Promise<string> {
    const { body } = await bench.call('addDomain', { body: { domain } });
    const id = body.jobId as string;
    await bench.stage.redis.zrem(bench.stage.queue.toKey('prioritized'), id);
    await bench.stage.redis.zadd(bench.stage.queue.toKey('failed'), Date.now(), id);
    const reason = 'runcloud-rejected: RunCloud says no';
    await bench.stage.redis.hset(
      bench.stage.queue.toKey(id),
      'failedReason',
      reason,
      'finishedOn',
      Date.now(),
    );
    return id;
  }

  test('have a status; a failed one can be retried, and the audit log says by whom', async () => {
    await using bench = await createBench();
    const id = await withFailedJob(bench, 'a.example.org');
    const job = await bench.call('getJob', { as: 'read', params: { id } });
    expect(job.body).toMatchObject({
      ...{ id, state: 'failed', code: 'runcloud-rejected' },
      failedReason: expect.stringMatching(/says no/),
    });
    const retried = await bench.call('retryJob', { params: { id } });
    expect(retried.body).toEqual({ id, jobId: expect.not.stringMatching(id) });
    expect(retried.headers.location).toBe(`/v1/jobs/${encodeURIComponent(retried.body.jobId)}`);
    const next = await bench.call('getJob', { params: { id: retried.body.jobId } });
    expect(next.body).toMatchObject({ state: 'waiting' });
    const again = await bench.call('retryJob', { params: { id: retried.body.jobId } });
    expect(again.body).toMatchObject({ status: 409, code: 'not-failed' });
    const lost = await bench.call('retryJob', { params: { id: 'nothing~1' } });
    expect(lost.body).toMatchObject({ status: 404, code: 'not-found' });
    const unknown = await bench.call('listAudit', { as: 'read', query: '?what=retry,ad' });
    expect(unknown.body).toMatchObject({ status: 400, field: 'what' });
    const audit = await bench.call('listAudit', { as: 'read' });
    expect(audit.body.entries).toMatchObject([
      { who: 'api:operate-1', what: 'retry', domains: ['a.example.org'] },
      { who: 'api:operate-1', what: 'add', domains: ['a.example.org'] },
    ]);
  });

  test('that a newer request has overtaken stay as they are', async () => {
    await using bench = await createBench();
    const id = await withFailedJob(bench, 'a.example.org');
    await bench.call('removeDomain', { params: { domain: 'a.example.org' } });
    const { body } = await bench.call('retryJob', { params: { id } });
    expect(body).toMatchObject({
      status: 409,
      code: 'not-failed',
    });
  });

  test('are retried by a filter, after they were counted', async () => {
    await using bench = await createBench();
    const ids = [await withFailedJob(bench, 'a.example.org'), await withFailedJob(bench, 'b.example.org')];
    const count = await bench.call('retryJobs', { body: { filter: { code: 'runcloud-rejected' } } });
    expect(count.body).toMatchObject({ confirmed: false, matching: 2, retried: 0, remaining: 2 });
    for (const example of count.body.examples)
      expect(example).toMatchObject({ reasonCode: 'runcloud-rejected' });
    for (const id of ids) expect((await bench.call('getJob', { params: { id } })).body.state).toBe('failed');
    const none = await bench.call('retryJobs', { body: { filter: { code: 'unexpected' }, confirm: true } });
    expect(none.body).toMatchObject({ confirmed: true, matching: 0, retried: 0 });
    const one = await bench.call('retryJobs', {
      body: { filter: { domain: 'B.example.org' }, confirm: true },
    });
    expect(one.body).toMatchObject({ matching: 1, retried: 1, remaining: 0 });
    const rest = await bench.call('retryJobs', { body: { filter: {}, confirm: true } });
    expect(rest.body).toMatchObject({ matching: 1, retried: 1 });
    const audit = await bench.call('listAudit', { query: '?limit=1' });
    expect(audit.body.entries).toMatchObject([{ what: 'retry', domains: ['a.example.org'], domainCount: 1 }]);
    const older = await bench.call('listAudit', { query: `?limit=1&cursor=${audit.body.nextCursor}` });
    expect(older.body.entries).toMatchObject([{ what: 'retry', domains: ['b.example.org'] }]);
  });
});

test('a redeploy is queued, and is in the audit log', async () => {
  await using bench = await createBench();
  const first = await bench.call('redeployCertificate', { as: 'enqueue' });
  expect(first.body).toMatchObject({ domain: null, coalesced: false });
  const second = await bench.call('redeployCertificate', { body: { domain: 'a.example.org' } });
  expect(second.body).toMatchObject({ domain: 'a.example.org' });
  expect((await bench.call('listAudit')).body.entries).toMatchObject([
    { who: 'api:operate-1', what: 'redeploy', domains: ['a.example.org'] },
    { who: 'api:enqueue-1', what: 'redeploy', domains: [] },
  ]);
  const unknown = await bench.call('redeployCertificate', { body: { domains: [] } });
  expect(unknown.body).toMatchObject({ code: 'invalid-payload', field: 'domains' });
});

test('a pause is made, shown and ended, and the audit log has both', async () => {
  await using bench = await createBench();
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const all = await bench.call('pause', { body: { reason: 'moving house', until } });
  expect(all.body).toMatchObject({ scope: { kind: 'all' }, by: 'api:operate-1', until });
  const site = await bench.call('pause', {
    body: { scope: { kind: 'site', siteId: '7' }, reason: 'ticket 12' },
  });
  expect(site.body).toMatchObject({ until: null });
  const app = await bench.call('pause', { body: { scope: { kind: 'app' }, reason: 'ticket 13' } });
  expect(app.body.scope).toEqual({ kind: 'app', serverId: 1903, appId: 646 });
  expect((await bench.call('listPauses', { as: 'read' })).body.pauses).toHaveLength(3);
  expect((await bench.call('resume')).body).toMatchObject({ resumed: { reason: 'moving house' } });
  expect((await bench.call('resume')).body).toEqual({ resumed: null });
  expect((await bench.call('resume', { query: '?kind=site&siteId=7' })).body.resumed).not.toBeNull();
  expect(
    (await bench.call('resume', { query: '?kind=app&serverId=1903&appId=646' })).body.resumed,
  ).not.toBeNull();
  expect((await bench.call('resume', { query: '?kind=site' })).body).toMatchObject({
    code: 'invalid-payload',
  });
  const past = await bench.call('pause', { body: { reason: 'late', until: '2020-01-01T00:00:00Z' } });
  expect(past.body).toMatchObject({ status: 400, code: 'invalid-payload' });
  const { entries } = (await bench.call('listAudit')).body;
  expect(entries.map(({ what }: { what: string }) => what)).toEqual([
    ...['resume', 'resume', 'resume'],
    ...['pause', 'pause', 'pause'],
  ]);
});

describe('callbacks', () => {
  test('are not there where none are configured', async () => {
    await using bench = await createBench();
    for (const id of ['listDeliveries', 'replayDelivery'])
      expect((await bench.call(id, { params: { id: 'x' } })).body).toMatchObject({
        status: 404,
        code: 'not-configured',
      });
  });

  test('are listed; one that is not there is not replayed', async () => {
    await using bench = await createBench(0, {
      CALLBACK_URLS: 'https://app.example.org/hook',
      CALLBACK_SECRETS: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
    });
    const list = await bench.call('listDeliveries', { as: 'read', query: '?failed=true' });
    expect(list.body).toEqual({ deliveries: [], nextCursor: null });
    const lost = await bench.call('replayDelivery', { params: { id: 'msg_1_x' } });
    expect(lost.body).toMatchObject({ status: 404, code: 'not-found' });
  });

  test('a pending one is not sent twice: 409', async () => {
    await using bench = await createBench(0, {
      CALLBACK_URLS: 'https://app.example.org/hook',
      CALLBACK_SECRETS: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
    });
    // No worker runs, so it stays where it is.
    const [target = ''] = toTargets(['https://app.example.org/hook']).keys();
    const queue = bench.stage.producer.deliveryQueues.of(target);
    const messageId = 'msg_0000000000a_5f0c0f6f2a3b4c5d';
    const id = toDeliveryId(messageId, target);
    const delivery = { messageId, target, at: 10, domain: 'shop.example.org', body: '{}', seal: '' };
    await addDelivery(queue, id, 'domain.live', delivery);
    const refused = await bench.call('replayDelivery', { params: { id } });
    expect(refused.body).toMatchObject({ status: 409, code: 'not-replayable' });
  });
});

test('the documents are readable by anyone, and need nothing from elsewhere', async () => {
  await using bench = await createBench();
  const document = await bench.call('getOpenApi', { as: null });
  expect(document.body).toMatchObject({ openapi: '3.1.0', info: { title: 'runcloud-domains' } });
  const page = await bench.call('getDocs', { as: null });
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
  expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-/);
  for (const { path } of routes) expect(page.text).toContain(path);
  expect(page.text).not.toMatch(/<script|(src|href)="(https?:)?\/\//);
});

test('the board, health and metrics are on the same server; /metrics needs a token', async () => {
  await using bench = await createBench();
  const { fetch: send } = bench.server;
  expect((await send('GET', '/healthz', { as: null })).status).toBe(200);
  expect((await send('GET', '/board', { as: null })).status).toBe(403); // no BOARD_USERS here
  expect((await send('GET', '/metrics', { as: null })).body).toMatchObject({ code: 'unauthorized' });
  expect((await send('GET', '/metrics', { as: 'enqueue' })).body).toMatchObject({ code: 'forbidden' });
  expect((await send('GET', '/metrics', { as: 'read' })).text).toContain('# TYPE');
});
