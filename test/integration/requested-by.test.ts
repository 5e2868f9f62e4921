// Who asked for what: what we know of the caller, and what the caller says, stand apart everywhere, and nobody can pass off the
// second as the first. Every request stands in the audit log, many at once in one entry.
import { expect, test } from '@jest/globals';
import { enqueue } from '../../src/cli/enqueue.ts';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { createProducer } from '../../src/index.ts';
import { type FetchOptions, type Reply, startServer } from '../helpers/http-server.ts';
import { recordedTerminal } from '../helpers/terminal.ts';
import { until } from '../helpers/until.ts';
import { APP, createStage, type Stage } from '../helpers/worker.ts';

const FORGED = 'somebody-else by cli:root" ';

async function createBench(workers = 0) {
  await using stack = new AsyncDisposableStack();
  const stage = stack.use(await createStage({ workers }));
  const server = stack.use(await startServer(stage.env));
  const releases = stack.move();
  const audit = async () =>
    (await server.fetch('GET', '/v1/audit?limit=100')).body.entries as { [field: string]: unknown }[];
  return { stage, server, audit, [Symbol.asyncDispose]: () => releases.disposeAsync() };
}

const recordOf = async ({ producer }: Stage, domain: string) =>
  await producer.requests.store.get({ ...APP, domain: parseDomainName(domain) });

interface Door {
  readonly send: (
    ask: (method: string, path: string, ask?: FetchOptions) => Promise<Reply>,
  ) => Promise<Reply>;
  readonly what: string;
}
const query = `requestedBy=${encodeURIComponent(FORGED)}`;
const said = { domain: 'a.example.org', requestedBy: FORGED, by: 'cli:root' };
const writers: Record<string, Door> = {
  'POST /v1/domains': {
    what: 'add',
    send: (ask) => ask('POST', '/v1/domains', { as: 'enqueue', body: said }),
  },
  'POST /v1/domains:batch': {
    what: 'add',
    send: (ask) => ask('POST', '/v1/domains:batch', { as: 'enqueue', body: [said] }),
  },
  'DELETE /v1/domains/a.example.org': {
    what: 'remove',
    send: (ask) => ask('DELETE', `/v1/domains/a.example.org?${query}&by=cli:root`, { as: 'enqueue' }),
  },
  'POST /v1/certificates:redeploy': {
    what: 'redeploy',
    send: (ask) =>
      ask('POST', '/v1/certificates:redeploy', {
        as: 'enqueue',
        body: { requestedBy: FORGED, domain: said.domain },
      }),
  },
};

test.each(Object.entries(writers))('%s: the token is named, whatever the request says', async (_, door) => {
  await using bench = await createBench();
  const { body, status } = await door.send(bench.server.fetch);
  expect(status).toBeLessThan(300);
  expect(await bench.audit()).toMatchObject([
    { who: 'api:enqueue-1', for: FORGED.trim(), what: door.what, domains: ['a.example.org'], domainCount: 1 },
  ]);
  const jobId: string = body.jobId ?? body.results[0].jobId;
  expect((await bench.stage.job(jobId)).data).toMatchObject({ by: 'api:enqueue-1', requestedBy: FORGED });
  if (door.what === 'redeploy') return;
  const record = await bench.server.fetch('GET', '/v1/domains/a.example.org');
  expect(record.body).toMatchObject({ by: 'api:enqueue-1', for: FORGED });
  expect(record.body.history[0]).toMatchObject({
    by: 'api:enqueue-1',
    for: FORGED,
    reason: expect.stringMatching(/requested by api:enqueue-1 for "somebody-else by cli:root {2}"$/),
  });
});

test('a batch is one entry with all its domains, without those that were refused', async () => {
  await using bench = await createBench();
  const lines = Array.from({ length: 300 }, (_, i) => ({
    domain: `d${i}.example.org`,
    requestedBy: `r${i % 2}`,
  }));
  const { body } = await bench.server.fetch('POST', '/v1/domains:batch', {
    body: [...lines, { domain: 'a b' }],
  });
  expect(body).toMatchObject({ accepted: 300, refused: 1 });
  const [entry, ...more] = await bench.audit();
  expect(more).toEqual([]);
  expect(entry).toMatchObject({ what: 'add', domainCount: 300, detail: 'web application 646' });
  expect(new Set(entry?.domains as string[])).toEqual(new Set(lines.map(({ domain }) => domain)));
  expect(entry?.for).toMatch(/^r[01], r[01]$/);
});

test('a list of names on the command line is one entry a thousand, and says whose account it was', async () => {
  await using stage = await createStage({ workers: 0 });
  const names = Array.from({ length: 1_100 }, (_, i) => `d${i}.example.org`);
  for (const job of ['add-domain', 'remove-domain'] as const)
    expect(await enqueue(job, [...names, 'a b'], {}, stage.producer, recordedTerminal())).toBe(2);
  const entries = await stage.producer.audit.list({ limit: 100 });
  expect(entries.map(({ what, domainCount }) => [what, domainCount])).toEqual([
    ['remove', 100],
    ['remove', 1000],
    ['add', 100],
    ['add', 1000],
  ]);
  expect(new Set(entries.flatMap(({ domains }) => domains))).toEqual(new Set(names));
  for (const { who } of entries) expect(who).toMatch(/^cli:/);
  expect(await recordOf(stage, 'd7.example.org')).toMatchObject({ by: entries[0]?.who, for: undefined });
});

test('what a program asks for through the producer stands there too, and it cannot choose who it is', async () => {
  await using stage = await createStage({ workers: 0 });
  const { redisUrl, queuePrefix } = stage.config;
  const producer = createProducer({ redisUrl, queuePrefix, ...APP });
  const options = { bulk: true, by: 'cli:root', refuseElsewhere: true };
  for (let i = 0; i < 30; i += 1)
    await producer.addDomain({ domain: `d${i}.example.org`, requestedBy: 'web-1' }, options);
  // What another one has overtaken before a worker took it stands there too.
  await producer.removeDomain({ domain: 'd0.example.org', requestedBy: 'web-1' });
  await producer.redeploySsl({ requestedBy: 'web-1' });
  await producer.close();
  // The program's Redis user need not be able to write there: a worker does it.
  expect(await stage.producer.audit.list({ limit: 100 })).toEqual([]);
  await stage.startWorker();
  await stage.idle();
  // A renewal by the reconcile loop is not the program's.
  const record = await recordOf(stage, 'd9.example.org');
  if (record) await stage.producer.requests.reenqueue(record, 'reconcile');
  await stage.idle();
  const all = await until(async () => {
    const entries = await stage.producer.audit.list({ limit: 100 });
    return entries.flatMap(({ domains }) => domains).length === 31 ? entries : undefined;
  }, 'all of them stand in the audit log');
  expect(all.map(({ what }) => what)).toEqual(expect.arrayContaining(['add', 'remove', 'redeploy']));
  const entries = all.filter(({ what }) => what === 'add');
  expect(entries.length).toBeLessThan(30);
  expect(entries.flatMap(({ domains }) => domains)).toHaveLength(30);
  for (const entry of entries) expect(entry).toMatchObject({ who: 'producer', for: 'web-1', what: 'add' });
  expect(await recordOf(stage, 'd7.example.org')).toMatchObject({ by: 'producer', for: 'web-1' });
});

test('what is refused stands nowhere', async () => {
  await using bench = await createBench();
  await bench.server.fetch('POST', '/v1/domains', { body: { domain: 'a b' } });
  await bench.server.fetch('POST', '/v1/domains:batch', { body: [{ domain: 'a b' }] });
  expect(await bench.audit()).toEqual([]);
});

test('a bare client proves nothing: it is a producer, whatever its job says, and a burst is two entries', async () => {
  await using bench = await createBench(1);
  const { stage } = bench;
  const names = Array.from({ length: 20 }, (_, i) => `d${i}.example.org`);
  const jobs = names.map((domain) => ({
    name: 'add-domain',
    data: { domain, requestedBy: 'web-1', by: 'cli:root' },
  }));
  const added = await stage.queue.addBulk(jobs);
  for (const { id = '' } of added) await stage.ended(id);
  expect(await recordOf(stage, 'd0.example.org')).toMatchObject({ by: 'producer', for: 'web-1' });
  expect(await stage.logs(added[0]?.id ?? '')).not.toMatch(/by cli:root/);
  const named = await until(async () => {
    const entries = await bench.audit();
    return entries.flatMap(({ domains }) => domains as string[]).length === names.length
      ? entries
      : undefined;
  }, 'all of them stand in the audit log');
  expect(named.length).toBeLessThan(names.length);
  for (const entry of named) expect(entry).toMatchObject({ who: 'producer', for: 'web-1', what: 'add' });
});

test.each([
  ['x~1', 'an id that only ends as ours do'],
  ['b.example.org~999', 'half of ours'],
  ['d.example.org_1903_646~1', 'the one of another domain'],
  ['a.example.org_1903_646~1', 'one that might be ours, of a number that was given out'],
  ['a.example.org_1903_646~999', 'one that might be ours, of a number that was not'],
])('a bare client’s job %s (%s) is a producer’s, and stands in the audit log', async (jobId) => {
  await using bench = await createBench(1);
  const { stage } = bench;
  // The counter has begun.
  const payload = { domain: 'c.example.org', www: false };
  await stage.producer.requests.enqueue('add-domain', payload, { by: 'api:shop' });
  await stage.idle();
  const forged = { ...said, ...APP, domain: 'a.example.org', www: false, redirection: 'none' };
  await stage.queue.add('add-domain', forged, { jobId });
  await until(async () => (await bench.audit()).length > 0, 'it stands in the audit log');
  await stage.idle();
  expect(await bench.audit()).toMatchObject([{ who: 'producer', what: 'add', domains: ['a.example.org'] }]);
  expect(await recordOf(stage, 'a.example.org')).toMatchObject({ by: 'producer', for: FORGED });
  expect(await stage.logs(jobId)).not.toMatch(/requested by cli:root/);
});

test.each(['add-domain', 'redeploy-ssl'] as const)(
  '%s: nor does the id of a job of ours that has gone',
  async (name) => {
    await using bench = await createBench(1);
    const { stage } = bench;
    const payload = name === 'add-domain' ? { domain: 'a.example.org', www: false } : {};
    const { jobId } = await stage.producer.requests.enqueue(name, payload, { by: 'api:shop' });
    await stage.ended(jobId);
    await stage.idle();
    expect(await bench.audit()).toEqual([]);
    await (await stage.job(jobId)).remove();
    await stage.queue.add(name, { ...payload, ...APP, by: 'cli:root' }, { jobId });
    await until(async () => (await bench.audit()).length > 0, 'it stands in the audit log');
    await stage.ended(jobId);
    expect(await bench.audit()).toMatchObject([{ who: 'producer' }]);
    expect(await stage.logs(jobId)).not.toMatch(/requested by cli:root/);
  },
);

test('a job whose record Redis has lost is carried out, asked by nobody we can prove', async () => {
  await using bench = await createBench();
  const { stage } = bench;
  await bench.server.fetch('POST', '/v1/domains', { as: 'enqueue', body: said });
  await stage.redis.del(
    stage.producer.requests.keys.record({ ...APP, domain: parseDomainName('a.example.org') }),
  );
  await stage.startWorker();
  await stage.idle();
  expect(await recordOf(stage, 'a.example.org')).toMatchObject({
    by: 'producer',
    for: FORGED,
    state: 'attached',
  });
});

test('who tries again stands in the history, and who asked first stays in the record', async () => {
  await using stage = await createStage({ workers: 0 });
  const { requests, operator } = stage.producer;
  const { jobId } = await requests.enqueue('add-domain', { domain: 'a.example.org' }, { by: 'api:shop' });
  const key = { ...APP, domain: parseDomainName('a.example.org') };
  await requests.store.settle(key, jobId, {
    request: 'failed',
    outcome: 'no',
    report: { state: 'failed', reasonCode: 'unexpected' },
  });
  await stage.redis.zrem(stage.queue.toKey('prioritized'), jobId);
  await stage.redis.zadd(stage.queue.toKey('failed'), Date.now(), jobId);
  expect(await operator.retry(jobId, 'cli:ada')).toMatchObject({ kind: 'retried' });
  expect((await requests.store.history(key))[0]).toMatchObject({
    reason: 'requested again by cli:ada (first by api:shop)',
    by: 'cli:ada',
  });
  expect(await requests.store.get(key)).toMatchObject({ by: 'api:shop' });
});

test('a repetition counts as asked by who repeated it', async () => {
  await using stage = await createStage({ workers: 0 });
  const { requests } = stage.producer;
  const payload = { domain: 'a.example.org' };
  await requests.enqueue('add-domain', payload, { by: 'api:shop' });
  expect(await requests.enqueue('add-domain', payload, { by: 'cli:ada' })).toMatchObject({ coalesced: true });
  expect(await recordOf(stage, 'a.example.org')).toMatchObject({ by: 'cli:ada' });
});
