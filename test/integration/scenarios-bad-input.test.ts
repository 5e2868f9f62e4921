// Names and payloads that cannot be (scenario 21): refused with the field and the reason at each door, and what stands in
// Redis all the same fails at once, without a call and without stalling.
import { describe, expect, test } from '@jest/globals';
import type { Job } from 'bullmq';
import { createProducer, type Producer } from '../../src/index.ts';
import { runCli } from '../helpers/cli.ts';
import { startServer } from '../helpers/http-server.ts';
import { APP, createStage, type Stage } from '../helpers/worker.ts';

const badNames: readonly (readonly [name: string, reason: RegExp])[] = [
  ['', /is empty/],
  ['.', /is empty/],
  [' shop.example.org', /space or line break/],
  ['shop.example.org\n', /space or line break/],
  ['shop.example.org\t', /space or line break/],
  ['shop\u0000.example.org', /invisible or control character/],
  ['shop\u200b.example.org', /invisible or control character/],
  ['%61.example.org', /no domain name has: "%"/],
  ['a/b.example.org', /contains a path/],
  ['a.example.org:8080', /contains a port/],
  ['someone@example.org', /e-mail address/],
  ['https://a.example.org/x', /is a web address/],
  ['2130706433', /is an IP address/],
  ['0x7f.1', /is an IP address/],
  ['shop.example.123', /ends in a number/],
  ['127.0.0.1', /is an IP address/],
  ['[::1]', /is an IP address/],
  ['example..com', /empty part/],
  ['-bad.example.org', /begins or ends with a hyphen/],
  ['bad-.example.org', /begins or ends with a hyphen/],
  ['a_b.example.org', /contains an underscore/],
  ['*.example.org', /is a wildcard/],
  ['localhost', /has no dot/],
  [`${'a'.repeat(64)}.example.org`, /has 64 characters; at most 63/],
  [`${'a.'.repeat(130)}example.org`, /has \d+ characters; at most 253/],
  ['x'.repeat(100_000), /has 100000 characters; at most 253/],
  ['xn--a.example.org', /is not valid Punycode|cannot be written/],
];

/** What a client in any language may have put there; `data` as JSON. */
const badPayloads: readonly (readonly [what: string, name: string, data: unknown, reason: RegExp])[] = [
  ['no domain', 'add-domain', {}, /^invalid-domain: .*domain: .*got nothing/],
  ['a number for a domain', 'add-domain', { domain: 7 }, /^invalid-domain: .*must be a text/],
  ['a list for a domain', 'remove-domain', { domain: ['a.example.org'] }, /^invalid-domain: .*a list/],
  ['an object for a domain', 'add-domain', { domain: { $gt: '' } }, /^invalid-domain: .*type object/],
  [
    'null for a server',
    'add-domain',
    { domain: 'a.example.org', serverId: null },
    /^invalid-payload: .*serverId: /,
  ],
  [
    '0 for a web application',
    'add-domain',
    { domain: 'a.example.org', appId: 0 },
    /^invalid-payload: .*appId: /,
  ],
  ['a fraction', 'add-domain', { domain: 'a.example.org', appId: 1.5 }, /^invalid-payload: .*appId: /],
  ['a path for a web application', 'redeploy-ssl', { appId: '646/../1' }, /^invalid-payload: .*appId: /],
  [
    'an unknown www',
    'add-domain',
    { domain: 'a.example.org', www: 'yes' },
    /^invalid-payload: .*www: must be/,
  ],
  [
    'an unknown redirection',
    'add-domain',
    { domain: 'a.example.org', redirection: '301' },
    /^invalid-payload: .*redirection: must be/,
  ],
  [
    'an object for who asks',
    'add-domain',
    { domain: 'a.example.org', requestedBy: {} },
    /requestedBy: must be/,
  ],
  [
    'too long a site',
    'add-domain',
    { domain: 'a.example.org', siteId: 's'.repeat(101) },
    /^invalid-payload: .*siteId: .*100/,
  ],
  ['null', 'add-domain', null, /^invalid-payload: /],
  ['a list', 'add-domain', [{ domain: 'a.example.org' }], /^invalid-payload: /],
  ['a text', 'remove-domain', 'a.example.org', /^invalid-payload: /],
  ['a number', 'redeploy-ssl', 42, /^invalid-payload: /],
  ['true', 'redeploy-ssl', true, /^invalid-payload: /],
  [
    'an unknown name',
    'delete-everything',
    { domain: 'a.example.org' },
    /^unknown-job: .*"delete-everything"/,
  ],
  ['no name (as a board’s form may send it)', '', {}, /^unknown-job: There is no job named ""/],
  ['a name that every object has', '__proto__', {}, /^unknown-job: /],
];

/** Nothing listens there: whoever is answered by us has not asked Redis. */
function aloof(): Producer & AsyncDisposable {
  const producer = createProducer({ redisUrl: 'redis://127.0.0.1:1', ...APP });
  return { ...producer, [Symbol.asyncDispose]: producer.close };
}

const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'it was accepted',
    (error: unknown) => error,
  );

describe('scenario 21: a bad name', () => {
  test.each(badNames)(
    '%j is refused by the producer, with the reason, before Redis is asked',
    async (name, reason) => {
      await using producer = aloof();
      for (const ask of [producer.addDomain, producer.removeDomain]) {
        expect(await errorOf(ask({ domain: name }))).toMatchObject({
          code: 'invalid-domain',
          message: expect.stringMatching(new RegExp(`domain: .*${reason.source}`)),
        });
      }
    },
  );

  test('is refused by the command line in a line of its own; of all, only the good one is sent', async () => {
    await using stage = await createStage({ workers: 0 });
    const printable = badNames.filter(
      ([name]) => name !== '' && !name.includes('\u0000') && name.length < 1000,
    );
    const args = ['add', 'good.example.org', '--', ...printable.map(([name]) => name)];
    const { code, err } = await runCli(args, { env: stage.env });
    expect(code).toBe(2);
    for (const [, reason] of printable) expect(err).toMatch(new RegExp(`: rejected: .*${reason.source}`));
    const sent = await stage.queue.getJobs();
    expect(sent.map(({ data }) => data.domain)).toEqual(['good.example.org']);
  });

  test('in a job is refused by the worker at once, and no call is made', async () => {
    await using stage = await createStage();
    const ids = await Promise.all(badNames.map(([domain]) => stage.add('add-domain', { domain })));
    for (const [i, [, reason]] of badNames.entries()) {
      const job = await stage.ended(ids[i] ?? '');
      expect(job.failedReason).toMatch(new RegExp(`^invalid-domain: .*domain: .*${reason.source}`));
      expectAtOnce(job);
    }
    expect(stage.simulator.state.counters.requests).toBe(0);
  });
});

/** Names that Let's Encrypt never signs: on a shared certificate one of them would stop everybody. */
const uncertifiable: readonly (readonly [name: string, reason: RegExp])[] = [
  ['zz--cd.example.net', /"zz--cd" has hyphens in places 3 and 4/],
  ['a.b.c.d.e.f.g.h.i.example.org', /has 11 parts/],
  ['CO.UK', /"co\.uk" is a public suffix/],
  ['abc.onion', /"\.onion", which is Tor's/],
  ['shop.internal', /"\.internal"/],
  ['nas.home.arpa', /"\.arpa"/],
  ['printer.local', /"\.local"/],
  ['shop.bogus', /no top-level domain of the internet.*TOP_LEVEL_DOMAINS=any/],
];

describe('a name that no public authority signs', () => {
  test('is refused by the producer, before Redis is asked; its removal is not', async () => {
    await using producer = aloof();
    for (const [domain, reason] of [...uncertifiable, ['shop.example', /TOP_LEVEL_DOMAINS=test/] as const]) {
      const code = 'invalid-domain';
      const refused = { code, message: expect.stringMatching(reason) };
      expect(await errorOf(producer.addDomain({ domain }))).toMatchObject(refused);
      expect(await errorOf(producer.removeDomain({ domain }))).toMatchObject({ code: 'redis-unavailable' });
    }
  });

  test('is refused by the command line, by the API with its field, and in a bare client’s job', async () => {
    await using stage = await createStage();
    const { code, err } = await runCli(['add', ...uncertifiable.map(([name]) => name)], { env: stage.env });
    expect(code).toBe(2);
    for (const [, reason] of uncertifiable) expect(err).toMatch(new RegExp(`: rejected: .*${reason.source}`));

    await using api = await startServer(stage.env);
    for (const [domain, reason] of uncertifiable) {
      const { status, body } = await api.fetch('POST', '/v1/domains', { body: { domain } });
      expect([status, body]).toEqual([
        400,
        expect.objectContaining({
          code: 'invalid-domain',
          field: 'domain',
          detail: expect.stringMatching(reason),
        }),
      ]);
    }
    const lines = [{ domain: 'co.uk' }, { domain: 'good.example.org' }];
    const batch = await api.fetch('POST', '/v1/domains:batch', { body: lines });
    expect(batch.body).toMatchObject({ accepted: 1, refused: 1 });

    for (const [domain, reason] of uncertifiable) {
      const job = await stage.ended(await stage.add('add-domain', { domain }));
      expect(job.failedReason).toMatch(new RegExp(`^invalid-domain: .*${reason.source}`));
      expectAtOnce(job);
    }
    const asked = (await stage.producer.requests.store.list(50)).map(({ domain }) => domain);
    expect(asked).toEqual(['good.example.org']);
  });

  test('of tests is taken beside a stand-in for RunCloud, and any other where TOP_LEVEL_DOMAINS says so', async () => {
    await using stage = await createStage();
    const job = await stage.ended(await stage.add('add-domain', { domain: 'shop.example' }));
    expect(job.returnvalue).toMatch(/attached/);
    await using free = await createStage({ env: { TOP_LEVEL_DOMAINS: 'any' } });
    const { code } = await runCli(['add', 'intranet.corp', '--wait'], { env: free.env });
    expect([code, free.names()]).toEqual([0, expect.arrayContaining(['intranet.corp'])]);
  });
});

function expectAtOnce(job: Job): void {
  expect({ attemptsMade: job.attemptsMade, stalled: job.stalledCounter }).toEqual({
    attemptsMade: 1,
    stalled: 0,
  });
  // A reason goes into logs and pages: it quotes little.
  expect(job.failedReason.length).toBeLessThan(500);
}

describe('scenario 21: a bad payload', () => {
  test('in a job fails at once, by its field, and no call is made', async () => {
    await using stage = await createStage();
    const ids = await Promise.all(badPayloads.map(([, name, data]) => stage.add(name, data)));
    for (const [i, [, , , reason]] of badPayloads.entries()) {
      const job = await stage.ended(ids[i] ?? '');
      expect(job.failedReason).toMatch(reason);
      expectAtOnce(job);
    }
    expect(stage.simulator.state.counters.requests).toBe(0);
    expect(await stage.producer.requests.store.list(10)).toEqual([]);
  });

  test.each(badPayloads.filter(([, name]) => /^(add|remove)-domain$|^redeploy-ssl$/.test(name)))(
    '(%s) is refused by the producer as well',
    async (_, name, data, reason) => {
      await using producer = aloof();
      const { addDomain, removeDomain, redeploySsl } = producer;
      const ask = { 'add-domain': addDomain, 'remove-domain': removeDomain, 'redeploy-ssl': redeploySsl };
      const error = await errorOf(ask[name as keyof typeof ask](data as { domain: string }));
      expect(error).toMatchObject({ code: expect.stringMatching(/^invalid-/) });
      const { code, message } = error as { code: string; message: string };
      expect(`${code}: ${message}`).toMatch(reason);
    },
  );
});

/** Puts a good job into the queue, then breaks its record in Redis before any worker runs. */
async function spoiltJob(stage: Stage, field: string, value: string | undefined): Promise<string> {
  const id = await stage.add('add-domain', { domain: 'a.example.org' });
  const key = `${stage.config.queuePrefix}:runcloud-domains:${id}`;
  await (value === undefined ? stage.redis.hdel(key, field) : stage.redis.hset(key, field, value));
  return id;
}

describe('scenario 21: a job whose record in Redis is broken fails at once, never by stalling:', () => {
  const manyFields = JSON.stringify(
    Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`field number ${i}`, 'x'.repeat(20)])),
  );
  const spoilt: readonly (readonly [
    what: string,
    field: string,
    value: string | undefined,
    reason: RegExp,
  ])[] = [
    ['data that is no JSON', 'data', '{"domain":', /^invalid-payload: /],
    ['data that is empty', 'data', '', /^invalid-domain: /],
    ['data in another format', 'data', 'a:1:{s:6:"domain";s:13:"a.example.org";}', /^invalid-payload: /],
    ['data that is null', 'data', 'null', /^invalid-payload: /],
    ['data that is a list', 'data', '[]', /^invalid-payload: /],
    [
      'data nested ten thousand deep',
      'data',
      `${'['.repeat(10_000)}${']'.repeat(10_000)}`,
      /^invalid-payload: /,
    ],
    ['data with fifty thousand fields', 'data', manyFields, /^invalid-domain: /],
    ['no data', 'data', undefined, /^invalid-domain: /],
    ['an empty name', 'name', '', /^unknown-job: /],
    ['no name', 'name', undefined, /^unknown-job: /],
  ];

  test('each of them, and the good job behind them is done', async () => {
    await using stage = await createStage({ workers: 0 });
    const ids: string[] = [];
    for (const [, field, value] of spoilt) ids.push(await spoiltJob(stage, field, value));
    const good = await stage.add('add-domain', { domain: 'good.example.org' });
    await stage.startWorker({ WORKER_CONCURRENCY: '1' });
    expect((await stage.ended(good)).returnvalue).toMatch(/attached/);
    for (const [i, [what, , , reason]] of spoilt.entries()) {
      // Read without BullMQ, which cannot read what is no JSON.
      const key = `${stage.config.queuePrefix}:runcloud-domains:${ids[i]}`;
      const [failedReason, attempts, stalls] = await stage.redis.hmget(key, 'failedReason', 'atm', 'stc');
      expect({ what, failedReason }).toEqual({ what, failedReason: expect.stringMatching(reason) });
      expect({ what, attempts, stalls }).toEqual({ what, attempts: '1', stalls: null });
      expect(failedReason?.length).toBeLessThan(500);
    }
    await stage.idle();
    expect(stage.simulator.state.domains()).toHaveLength(2);
  });

  test('a good job with a huge further field is done, and its log names the field, not its content', async () => {
    await using stage = await createStage();
    const payload = { domain: 'a.example.org', picture: 'x'.repeat(3_000_000), ...JSON.parse(manyFields) };
    const id = await stage.add('add-domain', payload);
    expect((await stage.ended(id)).returnvalue).toMatch(/attached/);
    const log = await stage.logs(id);
    expect(log).toMatch(/Unknown fields ignored: picture, field number 0, .*and 49981 more/);
    expect(log.length).toBeLessThan(5_000);
    await stage.idle();
  });
});
