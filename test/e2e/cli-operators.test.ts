// What operators type: pause and resume, tokens and passwords, and the audit log that remembers them.
import { userInfo } from 'node:os';
import { expect, test } from '@jest/globals';
import { verifyPassword, verifyToken } from '../../src/config/credential-hashes.ts';
import { parseConfig } from '../../src/config/load.ts';
import { type CliResult, runCli } from '../helpers/cli.ts';
import { until } from '../helpers/until.ts';
import { createReceiver, SECRET } from '../helpers/webhook-receiver.ts';
import { createStage } from '../helpers/worker.ts';

const me = `cli:${userInfo().username}`;

test('pause, status, pauses, resume and audit tell one story', async () => {
  await using stage = await createStage({ workers: 0 });
  const cli = (...args: string[]): Promise<CliResult> => runCli(args, { env: stage.env });
  const token = stage.simulator.credentials.token;

  const paused = await cli('pause', '--app', '646', '--for', '2h', '--reason', `ticket 4711 ${token}`);
  expect(paused).toMatchObject({ code: 0, err: '' });
  expect(paused.out).toMatch(/^paused: web application 646 of server 1903, until 2\d{3}-.*Z;/);
  expect((await cli('pause', '--reason', 'all of it')).out).toMatch(
    /^paused: everything, until it is resumed/,
  );
  // Most of a command's time is its start.
  const [status, pauses] = await Promise.all([cli('status'), cli('pauses', '--json')]);
  expect(status.out).toMatch(
    /^paused: everything, by cli:.*: all of it\npaused: web application 646 of server 1903, by .*, ends in 2 h: ticket 4711/m,
  );
  expect(JSON.parse(pauses.out)).toMatchObject([
    { scope: { kind: 'all' }, by: me, until: null },
    { scope: { kind: 'app', serverId: 1903, appId: 646 }, until: expect.stringMatching(/Z$/) },
  ]);

  const [resumed, unknown] = await Promise.all([cli('resume'), cli('resume', '--site', '7')]);
  expect(resumed).toMatchObject({ code: 0, out: 'resumed: everything; its jobs go on within a minute\n' });
  expect(resumed.err).toMatch(/^still paused: web application 646/);
  expect(unknown).toMatchObject({ code: 1, out: '' });

  const [{ out }, newest] = await Promise.all([cli('audit', '--json'), cli('audit', '--limit', '1')]);
  expect(JSON.parse(out)).toMatchObject([
    { who: me, what: 'resume', detail: 'everything' },
    { who: me, what: 'pause', detail: 'everything, until it is resumed: all of it' },
    { who: me, what: 'pause', detail: expect.stringMatching(/^web application 646 .*: ticket 4711 \*\*\*$/) },
  ]);
  expect(out).not.toContain(token);
  expect(newest.out.trim().split('\n')).toHaveLength(2);
}, 300_000);

test('a retry stands in the audit log with its domains', async () => {
  await using stage = await createStage({ env: { JOB_ATTEMPTS: '1' } });
  stage.simulator.addFault({ kind: 'status', status: 422, operation: 'list-domains', times: 1 });
  const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: 'shop.example.org' });
  await stage.ended(jobId);
  expect((await runCli(['retry', '--all'], { env: stage.env })).code).toBe(0);
  // The worker's own entry of the request comes a moment later, or not.
  expect(await stage.producer.audit.list({ limit: 5, what: ['retry'] })).toMatchObject([
    { who: me, what: 'retry', domains: ['shop.example.org'], detail: `1 failed: ${jobId}` },
  ]);
  await stage.idle();
});

test('what a person reads fits into the terminal, and what a program reads is whole', async () => {
  await using stage = await createStage({ workers: 0 });
  const name = `${'a'.repeat(60)}.${'b'.repeat(36)}.example.org`;
  const cli = (env: Record<string, string>, ...args: string[]) =>
    runCli(args, { env: { ...stage.env, ...env } });
  const asked = await cli({ COLUMNS: '80' }, 'add', name);
  const [list, one, audit, whole] = await Promise.all([
    cli({ COLUMNS: '80' }, 'status'),
    cli({ COLUMNS: '80' }, 'status', name),
    cli({ COLUMNS: '80' }, 'audit'),
    cli({}, 'status'),
  ]);
  for (const { out, code } of [asked, list, one, audit]) {
    expect(code).toBe(0);
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  }
  expect(whole.out).toContain(name);
}, 300_000);

test('callbacks lists what was told, and sends it again', async () => {
  await using receiver = await createReceiver();
  const env = { CALLBACK_URLS: receiver.url, CALLBACK_SECRETS: SECRET };
  await using stage = await createStage({ env });
  const cli = (...args: string[]): Promise<CliResult> => runCli(['callbacks', ...args], { env: stage.env });
  await stage.producer.requests.enqueue('remove-domain', { domain: 'shop.example.org' });
  await until(() => receiver.received.length === 1, 'the outside was told');
  await until(async () => (await stage.producer.deliveries.counts()).completed === 1, 'it is written down');
  const { deliveries } = JSON.parse((await cli('list', '--json')).out);
  expect(deliveries).toMatchObject([
    { type: 'domain.removed', domain: 'shop.example.org', state: 'delivered' },
  ]);
  const replayed = await cli('replay', deliveries[0].id);
  expect(replayed).toMatchObject({ code: 0, out: expect.stringMatching(/on its way again as msg_/) });
  await until(() => receiver.received.length === 2, 'it was told again');
  expect(receiver.messages()).toHaveLength(1);
  const [listed, failed, unknown] = await Promise.all([
    cli('list', '--limit', '1'),
    cli('replay', '--failed'),
    cli('replay', 'msg_1_2_3'),
  ]);
  expect(listed.out).toMatch(/^DELIVERY .*\nmsg_\S+ +domain.removed .*\nmore: --before msg_/);
  expect(failed).toMatchObject({ code: 0, out: 'no delivery has failed\n' });
  expect(unknown).toMatchObject({ code: 1, err: expect.stringMatching(/refused: no delivery has the id/) });
}, 300_000);

test.each([
  [['pause'], /--reason/],
  [['pause', '--reason', ' '], /say why/],
  [['pause', '--reason', 'x', '--for', '2'], /--for must be a whole number with its unit/],
  [['pause', '--reason', 'x', '--server', '1903'], /name the web application too/],
  [['pause', '--reason', 'x', '--app', 'shop'], /take RunCloud's numeric ids/],
  [['resume', '--app', '646', '--site', '7'], /not both/],
  [['resume', '--app', '646'], /name the server/],
  [['callbacks', 'list', '--limit', '0'], /--limit must be/],
  [['callbacks', 'replay'], /name deliveries/],
  [['callbacks', 'replay', 'msg_1', '--failed'], /or say --failed/],
  [['callbacks', 'repaly'], /unknown command 'repaly'\n\(Did you mean replay\?\)/],
  [['audit', '--limit', '0'], /--limit must be/],
  [['audit', '--before', 'x'], /--before takes/],
  [['audit', '--what', 'ad'], /--what must be one of add, remove, .*; got "ad"/],
  [['audit', '--what', 'add,', '--json'], /--what must be one of .*; got ""/],
  [['token', 'create', '--name', 'x'], /--role/],
  [['token', 'create', '--name', 'x', '--role', 'admin'], /Allowed choices are enqueue, read, operate/],
  [['token', 'create', '--name', 'a b', '--role', 'read'], /--name takes/],
])('%j ends with 2 and says what is wrong', async (args, problem) => {
  await using stage = await createStage({ workers: 0 });
  const { REDIS_URL = '', QUEUE_PREFIX = '' } = stage.env;
  const { code, out, err } = await runCli(args, { env: { REDIS_URL, QUEUE_PREFIX } });
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(problem);
});

test('token create prints the token once, and an entry that API_TOKENS takes; it needs no Redis', async () => {
  const { code, out } = await runCli(['token', 'create', '--name', 'shop', '--role', 'enqueue']);
  expect(code).toBe(0);
  const [, token = '', entry = ''] = /^token: (\S+)\nentry: (\S+)\n$/.exec(out) ?? [];
  const [known] = parseConfig({ API_TOKENS: entry }).config.server.tokens;
  expect(known).toMatchObject({ name: 'shop', role: 'enqueue' });
  expect(verifyToken(token, known?.hash ?? '')).toBe(true);
});

test('board password hashes what it reads, and shows it nowhere', async () => {
  const password = 'correct horse battery';
  const args = ['board', 'password', '--name', 'ada', '--role', 'viewer'];
  const { code, out, err } = await runCli(args, { input: `${password}\n` });
  expect(code).toBe(0);
  const [user] = parseConfig({ BOARD_USERS: out.trim() }).config.server.boardUsers;
  expect(await verifyPassword(password, user?.hash ?? '')).toBe(true);
  expect(out + err).not.toContain(password);
});
