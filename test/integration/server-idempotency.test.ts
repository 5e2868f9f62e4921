// Idempotency-Key: the same request is done once, whoever repeats it and whenever.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createIdempotency, isAnswer } from '../../src/server/idempotency.ts';
import { type FetchOptions, startServer, type TestServer } from '../helpers/http-server.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

let stage: Stage;
let server: TestServer;

beforeAll(async () => {
  stage = await createStage({ workers: 0 });
  server = await startServer(stage.env);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

const pause = (key: string, reason: string, options: FetchOptions = {}) =>
  server.fetch('POST', '/v1/pauses', { ...options, body: { reason }, headers: { 'idempotency-key': key } });
const audited = async (): Promise<number> =>
  (await server.fetch('GET', '/v1/audit?limit=100')).body.entries.length;

test('the second of two equal requests gets the answer of the first, and does nothing', async () => {
  const before = await audited();
  const first = await pause('once', 'a');
  const second = await pause('once', 'a');
  expect(first.headers).not.toHaveProperty('idempotency-replayed');
  expect(second.headers).toMatchObject({ 'idempotency-replayed': 'true' });
  expect([second.status, second.text]).toEqual([first.status, first.text]);
  expect(await audited()).toBe(before + 1);
});

test('a replayed 202 has its Location, too', async () => {
  const options = { body: { domain: 'a.example.org' }, headers: { 'idempotency-key': 'located' } };
  const replies = [
    await server.fetch('POST', '/v1/domains', options),
    await server.fetch('POST', '/v1/domains', options),
  ];
  expect(replies[1]?.body).toMatchObject({ coalesced: false });
  for (const { headers } of replies) expect(headers.location).toBe('/v1/domains/a.example.org');
});

test('of 20 at once one is done; the others get its answer, or have to wait', async () => {
  const before = await audited();
  const replies = await Promise.all(Array.from({ length: 20 }, () => pause('race', 'a')));
  expect(await audited()).toBe(before + 1);
  const done = replies.filter(({ status }) => status === 200);
  expect(new Set(done.map(({ text }) => text)).size).toBe(1);
  for (const { status, body, headers } of replies.filter((reply) => reply.status !== 200)) {
    expect([status, body.code, headers['retry-after']]).toEqual([409, 'idempotency-in-flight', '1']);
  }
});

test('the same key for another request is refused', async () => {
  await pause('other', 'a');
  expect((await pause('other', 'b')).body).toMatchObject({ status: 422, code: 'idempotency-mismatch' });
  const options = { headers: { 'idempotency-key': 'other' } };
  expect((await server.fetch('DELETE', '/v1/pauses', options)).status).toBe(422);
});

test('the keys of two tokens never meet', async () => {
  const send = (as: 'enqueue' | 'operate', domain: string) =>
    server.fetch('POST', '/v1/domains', { as, body: { domain }, headers: { 'idempotency-key': 'shared' } });
  expect((await send('enqueue', 'x.example.org')).body).toMatchObject({ domain: 'x.example.org' });
  expect((await send('operate', 'y.example.org')).body).toMatchObject({ domain: 'y.example.org' });
});

test('a refusal is not kept: it may be corrected under the same key', async () => {
  const send = (domain: string) =>
    server.fetch('POST', '/v1/domains', { body: { domain }, headers: { 'idempotency-key': 'mended' } });
  expect((await send('a_b.example.org')).status).toBe(400);
  expect((await send('ab.example.org')).status).toBe(202);
  const retry = () =>
    server.fetch('POST', '/v1/jobs/nothing~1:retry', { headers: { 'idempotency-key': 'gone' } });
  expect((await retry()).status).toBe(404);
  expect((await retry()).status).toBe(404);
});

describe('of a batch', () => {
  const batch = (key: string, lines: readonly unknown[]) =>
    server.fetch('POST', '/v1/domains:batch', { body: lines, headers: { 'idempotency-key': key } });
  const stored = async (): Promise<number> => {
    const keys = await stage.redis.keys(stage.producer.requests.keyOf('idempotency:*'));
    const sizes = await Promise.all(keys.map((key) => stage.redis.strlen(key)));
    return sizes.reduce((sum, size) => sum + size, 0);
  };

  test('nothing is kept where no line was accepted', async () => {
    const before = await stored();
    for (let i = 0; i < 3; i += 1) {
      const reply = await batch(`refused-${i}`, Array(1000).fill(0));
      expect(reply.body).toMatchObject({ accepted: 0, refused: 1000 });
    }
    expect(await stored()).toBe(before);
    // The key is free: it may be corrected.
    const mended = await batch('refused-0', [{ domain: 'mended.example.org' }]);
    expect(mended.body).toMatchObject({ accepted: 1 });
  });

  test('what is kept of a long answer is short, and is the whole answer', async () => {
    const before = await stored();
    const lines = [{ domain: 'one.example.org' }, ...Array(999).fill(0)];
    const first = await batch('long', lines);
    expect(first.text.length).toBeGreaterThan(300_000);
    expect((await stored()) - before).toBeLessThan(20_000);
    const again = await batch('long', lines);
    expect(again.headers).toMatchObject({ 'idempotency-replayed': 'true' });
    expect(again.text).toBe(first.text);
  });
});

test('only a retry that was confirmed is kept', async () => {
  const retry = (confirm: boolean) =>
    server.fetch('POST', '/v1/jobs:retry', {
      body: { filter: {}, confirm },
      headers: { 'idempotency-key': `retry-${confirm}` },
    });
  for (const [confirm, replayed] of [
    [false, undefined],
    [true, 'true'],
  ] as const) {
    await retry(confirm);
    expect((await retry(confirm)).headers['idempotency-replayed']).toBe(replayed);
  }
});

test('each line of a batch counts as a request', async () => {
  await using slow = await startServer({ ...stage.env, API_RATE_PER_MINUTE: '10' });
  const batch = (lines: number) =>
    slow.fetch('POST', '/v1/domains:batch', { as: 'enqueue', body: Array(lines).fill(0) });
  // More than a minute's worth passes once, or no large batch ever could.
  expect((await batch(50)).status).toBe(200);
  const held = await batch(1);
  expect([held.status, held.body.code]).toEqual([429, 'too-many-requests']);
  expect(Number(held.headers['retry-after'])).toBeGreaterThan(200);
  expect((await slow.fetch('GET', '/v1/pauses', { as: 'read' })).status).toBe(200);
});

test('batches at once do not pass together on what is left for one', async () => {
  await using slow = await startServer({ ...stage.env, API_RATE_PER_MINUTE: '10' });
  const replies = await Promise.all(
    Array.from({ length: 5 }, () =>
      slow.fetch('POST', '/v1/domains:batch', { as: 'enqueue', body: Array(50).fill(0) }),
    ),
  );
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
});

describe('in Redis', () => {
  const request = { caller: 'shop', key: 'k', method: 'POST', url: '/x', body: '{}' };
  const create = (name: string) =>
    createIdempotency({ redis: stage.redis, prefix: stage.producer.requests.keyOf(`${name}:`) });
  const ttls = async (name: string) =>
    Promise.all(
      (await stage.redis.keys(`${stage.producer.requests.keyOf(`${name}:`)}*`)).map((key) =>
        stage.redis.pttl(key),
      ),
    );

  test('a claim lasts a minute at most, an answer for a day, and neither holds the key itself', async () => {
    const claim = await create('t1').claim(request);
    if (isAnswer(claim)) throw new Error('there was nothing to keep');
    const [claimed = 0] = await ttls('t1');
    expect(claimed).toBeGreaterThan(50_000);
    expect(claimed).toBeLessThanOrEqual(60_000);
    await claim.keep({ status: 200, body: 'x', headers: {} });
    const [kept = 0] = await ttls('t1');
    expect(kept).toBeGreaterThan(23.9 * 3_600_000);
    expect(kept).toBeLessThanOrEqual(24 * 3_600_000);
  });

  test('answers are bounded: one that is too long is not kept, and a token has so many a day', async () => {
    const idempotency = create('t5');
    const claimOf = async (key: string) => {
      const claim = await idempotency.claim({ ...request, key });
      if (isAnswer(claim)) throw new Error('there was nothing to keep');
      return claim;
    };
    const noise = (bytes: number) => randomBytes(bytes).toString('base64');
    await (await claimOf('long')).keep({ status: 200, body: noise(70_000), headers: {} });
    await (await claimOf('long')).release(); // it is free
    let kept = 0;
    const keepAll = async (): Promise<void> => {
      for (; kept < 1000; kept += 1)
        await (await claimOf(`k${kept}`)).keep({ status: 200, body: noise(40_000), headers: {} });
    };
    await expect(keepAll()).rejects.toMatchObject({ code: 'idempotency-full' });
    expect(kept).toBeGreaterThan(200);
    // What was kept is given all the same, and another token has its own.
    expect(isAnswer(await idempotency.claim({ ...request, key: 'k0' }))).toBe(true);
    expect(isAnswer(await idempotency.claim({ ...request, caller: 'other', key: 'k0' }))).toBe(false);
    const [day = ''] = await stage.redis.keys(`${stage.producer.requests.keyOf('t5:')}day:*`);
    expect(await stage.redis.pttl(day)).toBeGreaterThan(0);
  });

  test('another process waits for a claim; the one that made it and forgot it does not', async () => {
    const [mine, other] = [create('t2'), create('t2')];
    const claim = await mine.claim(request);
    await expect(other.claim(request)).rejects.toMatchObject({ code: 'idempotency-in-flight' });
    await expect(mine.claim(request)).rejects.toMatchObject({ code: 'idempotency-in-flight' });
    // Redis was away when it should have been released.
    const lost = stage.redis.eval;
    stage.redis.eval = (() => Promise.reject(new Error('away'))) as never;
    if (!isAnswer(claim)) await expect(claim.release()).rejects.toThrow('away');
    stage.redis.eval = lost;
    await expect(other.claim(request)).rejects.toMatchObject({ code: 'idempotency-in-flight' });
    expect(isAnswer(await mine.claim(request))).toBe(false);
  });

  test('what was done while Redis could not take the answer is not done again', async () => {
    const mine = create('t4');
    const claim = await mine.claim(request);
    if (isAnswer(claim)) throw new Error('there was nothing to keep');
    const lost = stage.redis.eval;
    stage.redis.eval = (() => Promise.reject(new Error('away'))) as never;
    await expect(claim.keep({ status: 202, body: 'done', headers: {} })).rejects.toThrow('away');
    stage.redis.eval = lost;
    expect(await mine.claim(request)).toMatchObject({ status: 202, body: 'done' });
    await expect(mine.claim({ ...request, body: '{"other":1}' })).rejects.toMatchObject({
      code: 'idempotency-mismatch',
    });
  });

  test('who comes after his claim has run out changes nothing of the next one', async () => {
    const [slow, next] = [create('t3'), create('t3')];
    const late = await slow.claim(request);
    const [key = ''] = await stage.redis.keys(`${stage.producer.requests.keyOf('t3:')}*`);
    await stage.redis.del(key);
    await next.claim(request);
    const before = await stage.redis.get(key);
    if (isAnswer(late)) throw new Error('there was nothing to keep');
    await late.keep({ status: 200, body: 'late', headers: {} });
    await late.release();
    expect(await stage.redis.get(key)).toBe(before);
  });
});
