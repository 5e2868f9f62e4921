// A batch: each line has its own answer, and a bad one harms no other.
import { describe, expect, test } from '@jest/globals';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { QUEUE_NAME } from '../../src/jobs/catalog.ts';
import { createKeys } from '../../src/redis/keys.ts';
import { batchResult } from '../../src/server/routes/batch.ts';
import { type FetchOptions, startServer } from '../helpers/http-server.ts';
import { createStage } from '../helpers/worker.ts';

async function createBench() {
  await using stack = new AsyncDisposableStack();
  const stage = stack.use(await createStage({ workers: 0 }));
  const server = stack.use(await startServer(stage.env));
  const releases = stack.move();
  return {
    stage,
    async post(options: FetchOptions) {
      const reply = await server.fetch('POST', '/v1/domains:batch', { as: 'enqueue', ...options });
      if (reply.status === 200) expect(batchResult.safeParse(reply.body).error).toBeUndefined();
      return reply;
    },
    [Symbol.asyncDispose]: () => releases.disposeAsync(),
  };
}

const lines = { headers: { 'content-type': 'application/x-ndjson' } };
const good = (i: number): string => JSON.stringify({ domain: `d${i}.example.org`, siteId: i });

describe('a batch', () => {
  test('of 1000 lines with bad ones among them enqueues all good ones, behind everything else', async () => {
    await using bench = await createBench();
    const bad = new Map([
      [3, '{"domain":'],
      [500, '{"domain":"a_b.example.org"}'],
      [501, '"text"'],
      [998, '{"domain":"x.example.org","www":"yes"}'],
    ]);
    const text = Array.from({ length: 1000 }, (_, i) => bad.get(i) ?? good(i)).join('\n');
    const { status, body } = await bench.post({ text, ...lines });
    expect(status).toBe(200);
    expect(body).toMatchObject({ accepted: 996, refused: 4 });
    expect(body.results.map(({ line }: { line: number }) => line)).toEqual(
      Array.from({ length: 1000 }, (_, i) => i + 1),
    );
    expect(body.results[3]).toMatchObject({ status: 400, problem: { code: 'bad-request' } });
    expect(body.results[500]).toMatchObject({ problem: { code: 'invalid-domain', field: 'domain' } });
    expect(body.results[501]).toMatchObject({ problem: { code: 'invalid-payload' } });
    expect(body.results[998]).toMatchObject({ problem: { code: 'invalid-payload', field: 'www' } });
    expect(body.results[0]).toMatchObject({ status: 202, domain: 'd0.example.org', coalesced: false });
    const jobs = await bench.stage.queue.getPrioritized(0, -1);
    expect(jobs).toHaveLength(996);
    expect(new Set(jobs.map(({ opts }) => (opts.priority ?? 0) % 16))).toEqual(new Set([10]));

    const again = await bench.post({ text, ...lines });
    expect(again.body).toMatchObject({ accepted: 996, refused: 4 });
    expect(again.body.results[0]).toMatchObject({ coalesced: true, jobId: body.results[0].jobId });
    expect(await bench.stage.queue.getPrioritizedCount()).toBe(996);
  });

  test('may be a JSON array; blank lines and fields that nobody knows do no harm', async () => {
    await using bench = await createBench();
    const array = await bench.post({ body: [{ domain: 'a.example.org', colour: 'red' }, 7] });
    expect(array.body.results).toMatchObject([{ unknownFields: ['colour'] }, { status: 400 }]);
    const text = `\uFEFF\n${good(1)}\r\n\n${good(2)}\n`;
    expect((await bench.post({ text, ...lines })).body).toMatchObject({ accepted: 2, refused: 0 });
    expect((await bench.post({ text: '', ...lines })).body).toMatchObject({ accepted: 0, refused: 0 });
    expect((await bench.post({ body: { domain: 'a.example.org' } })).body).toMatchObject({
      code: 'invalid-payload',
    });
  });

  test.each<readonly [string, (text: string) => Buffer]>([
    ['UTF-16', (text) => Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['lines that end with CR alone', (text) => Buffer.from(text.replaceAll('\n', '\r'))],
  ])('is read in %s', async (_, encode) => {
    await using bench = await createBench();
    const text = encode(`${good(1)}\n${good(2)}\n`);
    expect((await bench.post({ text, ...lines })).body).toMatchObject({ accepted: 2, refused: 0 });
  });

  test('is answered without invisible characters, though a parser gets the same text', async () => {
    await using bench = await createBench();
    const { text, body } = await bench.post({ body: [{ domain: 'a.example.org', 'a\u202eb': 'red' }] });
    expect(text).not.toMatch(/\p{Cf}/u);
    expect(body.results).toMatchObject([{ status: 202, unknownFields: ['a\u202eb'] }]);
  });

  test('in broken UTF-8 is refused whole, by its line, and so is any body', async () => {
    await using bench = await createBench();
    const text = Buffer.from(`${good(1)}\n{"domain":"b\xfccher.example.org"}`, 'latin1');
    const detail = expect.stringMatching(/line 2\b/);
    for (const options of [{ text, ...lines }, { text }])
      expect(await bench.post(options)).toMatchObject({ status: 400, body: { code: 'bad-request', detail } });
  });

  test('with a line that Redis cannot take harms no other, and is not kept under its Idempotency-Key: sent again, it does it', async () => {
    await using bench = await createBench();
    const { redis, config } = bench.stage;
    const domain = parseDomainName('d1.example.org');
    const blockedBy = createKeys(config.queuePrefix, QUEUE_NAME).record({
      serverId: 1903,
      appId: 646,
      domain,
    });
    await redis.lpush(blockedBy, 'no record');
    const options = {
      text: [0, 1, 2].map(good).join('\n'),
      headers: { ...lines.headers, 'idempotency-key': 'half' },
    };
    const first = await bench.post(options);
    expect(first.body.results[1]).toMatchObject({ status: 500, problem: { code: 'unexpected' } });
    expect(first.body).toMatchObject({ accepted: 2, refused: 1 });
    await redis.del(blockedBy);
    const second = await bench.post(options);
    expect(second.headers).not.toHaveProperty('idempotency-replayed');
    expect(second.body).toMatchObject({ accepted: 3, refused: 0 });
    expect((await bench.post(options)).headers).toMatchObject({ 'idempotency-replayed': 'true' });
  });

  test('of more than 1000 lines is refused as a whole', async () => {
    await using bench = await createBench();
    const text = Array.from({ length: 1001 }, (_, i) => good(i)).join('\n');
    expect((await bench.post({ text, ...lines })).body).toMatchObject({
      status: 413,
      code: 'payload-too-large',
    });
    expect(await bench.stage.queue.getPrioritizedCount()).toBe(0);
  });

  test('that names a domain twice leaves the later request', async () => {
    await using bench = await createBench();
    const settings = ['www', 'non-www', 'none', 'www', 'none', 'non-www'];
    const body = settings.map((redirection, i) => ({
      domain: ['a.example.org', 'A.example.org', 'a.example.org.'][i % 3],
      www: true,
      redirection,
    }));
    const { body: answer } = await bench.post({ body });
    const { jobId } = answer.results.at(-1);
    const key = { ...{ serverId: 1903, appId: 646 }, domain: 'a.example.org' as never };
    const record = await bench.stage.producer.requests.store.get(key);
    expect(record).toMatchObject({ jobId, desired: { redirection: 'non-www' } });
  });
});
