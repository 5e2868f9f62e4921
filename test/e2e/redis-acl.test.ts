// The Redis users of docs/guides/security.md, made by its steps: workers, server and command line do all their work as it. (What it cannot do:
// test/integration/redis-users.test.ts.)
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { startRedisServer } from '../../scripts/redis-server.ts';
import { BOARD_USERS, logInAt, OWN } from '../helpers/board-login.ts';
import { runCli } from '../helpers/cli.ts';
import { startServer } from '../helpers/http-server.ts';
import { connected, createUser, refused } from '../helpers/redis-users.ts';
import { until } from '../helpers/until.ts';
import { createReceiver, SECRET } from '../helpers/webhook-receiver.ts';
import { spawnWorker, untilReady } from './processes.ts';
import { createWorld, type World } from './world.ts';

const limitedUrl = ({ redis, server }: World): Promise<string> =>
  createUser(redis, server.url, 'runcloud-domains');

test('the steps leave nobody in without a login, nor a connection from before, and let each user in', async () => {
  const text = readFileSync(new URL('../../docs/guides/security.md', import.meta.url), 'utf8');
  const steps = [...text.matchAll(/^(?:ACL SETUSER|AUTH|CLIENT KILL) .*$/gm)].map(([line]) =>
    line.split(' '),
  );
  expect(steps).toHaveLength(6);
  await using server = await startRedisServer();
  const before = await connected(server.url);
  const admin = await connected(server.url);
  const ended = new Promise((resolve) => before.once('close', resolve));
  try {
    for (const [command = '', ...rest] of steps) await admin.call(command, ...rest);
    await ended;
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname).end('KEYS *\r\n');
    expect((await buffer(socket)).toString()).toMatch(/^-NOAUTH/);
    for (const [username, password] of [
      ['admin', 'ADMIN-PASSWORD'],
      ['runcloud-domains', 'PASSWORD'],
      ['runcloud-domains-app', 'PASSWORD'],
    ]) {
      const redis = await connected(Object.assign(new URL(server.url), { username, password }).href);
      expect(await redis.ping()).toBe('PONG');
      redis.disconnect();
    }
  } finally {
    before.disconnect();
    admin.disconnect();
  }
});

test('suffices for all that workers, server and command line do', async () => {
  await using receiver = await createReceiver();
  await using world = await createWorld();
  const REDIS_URL = await limitedUrl(world);
  const env = {
    ...world.env,
    REDIS_URL,
    BOARD_USERS,
    CALLBACK_URLS: receiver.url,
    CALLBACK_SECRETS: SECRET,
    MONITOR_INTERVAL: '1s',
  };
  world.simulator.addFault({ kind: 'status', status: 422, domain: 'bad.example.org', times: 1 });
  await using worker = await untilReady(spawnWorker({ env, tuning: { reconcileIntervalMs: 500 } }));
  await using server = await startServer({ ...env, LOG_LEVEL: 'silent' });
  const { fetch: ask } = server;
  const accepted = async (domain: string): Promise<string> => {
    const headers = { 'idempotency-key': domain };
    const reply = await ask('POST', '/v1/domains', { body: { domain, siteId: 7 }, headers });
    expect(reply.status).toBe(202);
    return reply.body.jobId;
  };
  await accepted('good.example.org');
  const bad = await accepted('bad.example.org');
  const failed = () => until(async () => (await world.queue.getJobState(bad)) === 'failed', 'it has failed');
  await failed();
  await until(() => receiver.types().includes('domain.failed'), 'the outside was told');

  const text = '{"domain":"c.example.org"}\n{"domain":"d.example.org"}';
  const ndjson = { 'content-type': 'application/x-ndjson' };
  expect((await ask('POST', '/v1/domains:batch', { text, headers: ndjson })).status).toBe(200);
  expect(
    (await ask('POST', '/v1/pauses', { body: { scope: { kind: 'site', siteId: '9' }, reason: 'x' } })).status,
  ).toBe(200);
  expect((await ask('DELETE', '/v1/pauses?kind=site&siteId=9')).status).toBe(200);
  expect((await ask('POST', '/v1/certificates:redeploy', { body: {} })).status).toBe(202);
  expect((await ask('DELETE', '/v1/domains/good.example.org')).status).toBe(202);
  const [delivery] = (await ask('GET', '/v1/callbacks/deliveries')).body.deliveries;
  await until(async () => {
    const { status } = await ask('POST', `/v1/callbacks/deliveries/${delivery.id}:replay`);
    return status === 202;
  }, 'it is replayed');
  const cookie = await logInAt(server, 'ada');
  const board = (method: string, path: string) =>
    ask(method, `/board${path}`, { headers: { ...OWN, cookie } });
  const jobPath = `/api/queues/runcloud-domains/${encodeURIComponent(bad)}`;
  const list = '/api/queues?activeQueue=runcloud-domains&status=failed&page=1&jobsPerPage=10';
  for (const path of [list, jobPath, `${jobPath}/logs`]) expect((await board('GET', path)).status).toBe(200);
  expect((await board('PUT', `${jobPath}/retry`)).status).toBe(204);
  await world.idle();
  for (const path of ['/readyz', '/workers', '/metrics', '/v1/domains', '/v1/audit', '/v1/pauses'])
    expect([path, (await ask('GET', path)).status]).toEqual([path, 200]);
  const cli = async (...args: string[]) =>
    expect([args, (await runCli(args, { env })).code]).toEqual([args, 0]);
  await cli('doctor', '--redis-only');
  await cli('add', 'e.example.org', '--wait');
  await cli('status', 'e.example.org');
  await cli('failed');
  await cli('retry', '--all');
  await cli('callbacks', 'list');
  await world.idle();
  worker.child.kill('SIGTERM');
  expect((await worker.ended).code).toBe(0);
  expect(JSON.stringify(worker.lines())).not.toMatch(/NOPERM|redis-error|worker-error/);
  expect(await refused(world.redis)).toEqual([]);
}, 300_000);
