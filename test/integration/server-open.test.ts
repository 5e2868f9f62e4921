// How many requests of one token may be unfinished: what counts, what passes, and that the count does not drift.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { tooManyOpen } from '../../src/server/messages.ts';
import { type Role, startServer, type TestServer } from '../helpers/http-server.ts';
import { until } from '../helpers/until.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

const MAX = 3;
let stage: Stage;
beforeAll(async () => {
  stage = await createStage({ workers: 0 });
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

const start = () => startServer(stage.env, { maxOpen: MAX });
const add = async (server: TestServer, domain: string, as: Role = 'enqueue', more: object = {}) =>
  server.fetch('POST', '/v1/domains', { as, body: { domain, ...more } });
const remove = (server: TestServer, domain: string, as: Role = 'enqueue') =>
  server.fetch('DELETE', `/v1/domains/${domain}`, { as });
/** As if a worker had finished them, or an operator had taken them away. */
async function finishAll(): Promise<void> {
  for (const { id } of await stage.queue.getJobs(['waiting', 'prioritized', 'delayed', 'failed']))
    await stage.queue.remove(id ?? '');
}

test('a token with too many is refused, and another one is not', async () => {
  await using server = await start();
  for (const name of ['a', 'b', 'c']) expect((await add(server, `${name}.one.example`)).status).toBe(202);
  const refused = await add(server, 'd.one.example');
  expect(refused.body).toMatchObject({
    status: 429,
    code: 'too-many-open',
    detail: tooManyOpen(3),
  });
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  const elsewhere = await server.fetch('POST', '/v1/certificates:redeploy', {
    as: 'enqueue',
    body: { serverId: 9, appId: 9 },
  });
  expect(elsewhere.body).toMatchObject({ code: 'too-many-open' });
  expect((await add(server, 'd.one.example', 'operate')).status).toBe(202);

  // The same again, and the removal of what is still being added, pass; adding it anew after that does not.
  expect((await add(server, 'a.one.example')).body).toMatchObject({ coalesced: true });
  expect((await remove(server, 'a.one.example')).status).toBe(202);
  expect((await add(server, 'a.one.example')).body).toMatchObject({ code: 'too-many-open' });
  expect((await remove(server, 'unknown.example')).body).toMatchObject({ code: 'too-many-open' });
  await finishAll();
});

test('each line of a batch counts, and those beyond are refused one by one', async () => {
  await using server = await start();
  const lines = Array.from({ length: 40 }, (_, i) => ({ domain: `n${i}.two.example` }));
  // On a machine that is busy for longer than the server waits for Redis, lines come back to be sent again.
  const batch = (key: string) =>
    until(async () => {
      const reply = await server.fetch('POST', '/v1/domains:batch', {
        as: 'enqueue',
        body: lines,
        headers: { 'idempotency-key': key },
      });
      return reply.body.results.some(({ status }: { status: number }) => status === 503) ? undefined : reply;
    }, 'Redis took all lines in time');
  // Requests at the same moment may exceed it: a batch sends several at a time.
  const first = await batch('two');
  expect(first.body.accepted).toBeGreaterThanOrEqual(MAX);
  expect(first.body.refused).toBeGreaterThan(0);
  const statuses = new Set(first.body.results.map(({ status }: { status: number }) => status));
  expect([...statuses].toSorted()).toEqual([202, 429]);
  await finishAll();
  // It is to be sent again: the answer is not kept.
  const again = await until(async () => {
    const reply = await batch('two');
    return reply.body.accepted > 0 ? reply : undefined;
  }, 'there is room');
  expect(again.headers).not.toHaveProperty('idempotency-replayed');
  await finishAll();
});

test('the count is taken anew before a refusal, by any server, whatever became of the jobs', async () => {
  await using one = await start();
  await using other = await start();
  for (let round = 0; round < 2; round += 1) {
    for (let i = 0; i < MAX; i += 1) {
      const server = i % 2 ? one : other;
      await until(
        async () => (await add(server, `r${round}-${i}.three.example`)).status === 202,
        'there is room',
      );
    }
    // Each one counts the other's with its own next request.
    await add(one, `r${round}-0.three.example`);
    await add(other, `r${round}-0.three.example`);
    expect((await add(one, 'x.three.example')).status).toBe(429);
    expect((await add(other, 'x.three.example')).status).toBe(429);
    await finishAll();
  }
  await until(async () => (await add(one, 'y.three.example')).status === 202, 'there is room');
  const key = stage.producer.requests.keyOf('open:enqueue-1');
  expect(await stage.redis.zcard(key)).toBeLessThanOrEqual(MAX);
  await finishAll();
});
