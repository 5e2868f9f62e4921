// What operators type: pause and resume, tokens and passwords, and the audit log.
import { userInfo } from 'node:os';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { auditVerbs } from '../../src/audit/audit.ts';
import {
  BAD_ENTRY_ID,
  BAD_IDS,
  BAD_NAME,
  badChoice,
  badLimit,
  NO_APP,
  NO_DELIVERY_NAMED,
  NO_SERVER,
  noDeliveries,
  notPaused,
  paused as pausedLine,
  pausedUntil,
  queuedAgain,
  REASON_REQUIRED,
  resumed as resumedLine,
  SITE_OR_APP,
} from '../../src/cli/messages.ts';
import { verifyPassword, verifyToken } from '../../src/config/credential-hashes.ts';
import { parseConfig } from '../../src/config/load.ts';
import { type CliResult, runCli } from '../helpers/cli.ts';
import { until } from '../helpers/until.ts';
import { createReceiver, SECRET } from '../helpers/webhook-receiver.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

const me = `cli:${userInfo().username}`;

test('pause, status, pauses, resume and audit agree', async () => {
  await using stage = await createStage({ workers: 0 });
  const cli = (...args: string[]): Promise<CliResult> => runCli(args, { env: stage.env });
  const token = stage.simulator.credentials.token;

  const paused = await cli('pause', '--app', '646', '--for', '2h', '--reason', `ticket 4711 ${token}`);
  expect(paused).toMatchObject({ code: 0, err: '' });
  expect(paused.out).toMatch(/^Paused: web application 646 of server 1903, until 2\d{3}-.*Z\./);
  expect((await cli('pause', '--reason', 'all of it')).out).toBe(
    `${pausedLine('everything', pausedUntil(undefined))}
`,
  );
  const [status, pauses] = await Promise.all([cli('status'), cli('pauses', '--json')]);
  expect(status.out).toMatch(
    /^Paused: everything, by cli:.*: all of it\nPaused: web application 646 of server 1903, by .*, ends in 2 h: ticket 4711/m,
  );
  expect(JSON.parse(pauses.out)).toMatchObject([
    { scope: { kind: 'all' }, by: me, until: null },
    { scope: { kind: 'app', serverId: 1903, appId: 646 }, until: expect.stringMatching(/Z$/) },
  ]);

  const [resumed, unknown] = await Promise.all([cli('resume'), cli('resume', '--site', '7')]);
  expect(resumed).toMatchObject({ code: 0, out: `${resumedLine('everything')}\n` });
  expect(resumed.err).toMatch(/^Still paused: web application 646/);
  expect(unknown).toMatchObject({ code: 1, out: '' });
  expect(unknown.err).toContain(notPaused('site 7'));

  const [{ out }, newest] = await Promise.all([cli('audit', '--json'), cli('audit', '--limit', '1')]);
  expect(JSON.parse(out)).toMatchObject([
    { who: me, what: 'resume', detail: 'everything' },
    { who: me, what: 'pause', detail: `everything, ${pausedUntil(undefined)}: all of it` },
    { who: me, what: 'pause', detail: expect.stringMatching(/^web application 646 .*: ticket 4711 \*\*\*$/) },
  ]);
  expect(out).not.toContain(token);
  expect(newest.out.trim().split('\n')).toHaveLength(2);
}, 300_000);

test('a retry stands in the audit log with its domains', async () => {
  await using stage = await createStage({ retries: { attempts: 1 } });
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
  const added = await cli({ COLUMNS: '80' }, 'add', name);
  const [list, one, audit, whole] = await Promise.all([
    cli({ COLUMNS: '80' }, 'status'),
    cli({ COLUMNS: '80' }, 'status', name),
    cli({ COLUMNS: '80' }, 'audit'),
    cli({}, 'status'),
  ]);
  for (const { out, code } of [added, list, one, audit]) {
    expect(code).toBe(0);
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  }
  expect(whole.out).toContain(name);
}, 300_000);

test('callbacks lists deliveries, and sends them again', async () => {
  await using receiver = await createReceiver();
  const env = { CALLBACK_URLS: receiver.url, CALLBACK_SECRETS: SECRET };
  await using stage = await createStage({ env });
  const cli = (...args: string[]): Promise<CliResult> => runCli(['callbacks', ...args], { env: stage.env });
  await stage.producer.requests.enqueue('remove-domain', { domain: 'shop.example.org' });
  await until(() => receiver.received.length === 1, 'it was delivered');
  await until(async () => (await stage.producer.deliveries.counts()).completed === 1, 'it is written down');
  const { deliveries } = JSON.parse((await cli('list', '--json')).out);
  expect(deliveries).toMatchObject([
    { type: 'domain.removed', domain: 'shop.example.org', state: 'delivered' },
  ]);
  const replayed = await cli('replay', deliveries[0].id);
  expect(replayed).toMatchObject({
    code: 0,
    out: expect.stringContaining(queuedAgain(deliveries[0].id, 'delivery', 'msg_').slice(0, -1)),
  });
  await until(() => receiver.received.length === 2, 'it was delivered again');
  expect(receiver.messages()).toHaveLength(1);
  const [listed, failed, unknown] = await Promise.all([
    cli('list', '--limit', '1'),
    cli('replay', '--failed'),
    cli('replay', 'msg_1_2_3'),
  ]);
  expect(listed.out).toMatch(/^DELIVERY .*\nmsg_\S+ +domain.removed .*\nMore: --before msg_/);
  expect(failed).toMatchObject({ code: 0, out: `${noDeliveries(true)}\n` });
  expect(unknown).toMatchObject({ code: 1, err: expect.stringMatching(/^msg_1_2_3: /) });
}, 300_000);

let stage: Stage;
beforeAll(async () => {
  stage = await createStage({ workers: 0 });
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

test.each([
  [['pause'], /--reason/],
  [['pause', '--reason', ' '], REASON_REQUIRED],
  [['pause', '--reason', 'x', '--for', '2'], /^--for must be /],
  [['pause', '--reason', 'x', '--server', '1903'], NO_APP],
  [['pause', '--reason', 'x', '--app', 'shop'], BAD_IDS],
  [['resume', '--app', '646', '--site', '7'], SITE_OR_APP],
  [['resume', '--app', '646'], NO_SERVER],
  [['callbacks', 'list', '--limit', '0'], badLimit(1000)],
  [['callbacks', 'replay'], NO_DELIVERY_NAMED],
  [['callbacks', 'replay', 'msg_1', '--failed'], NO_DELIVERY_NAMED],
  [['callbacks', 'repaly'], /unknown command 'repaly'\n\(Did you mean replay\?\)/],
  [['audit', '--limit', '0'], badLimit(10_000)],
  [['audit', '--before', 'x'], BAD_ENTRY_ID],
  [['audit', '--what', 'ad'], badChoice('--what', auditVerbs, 'ad')],
  [['audit', '--what', 'add,', '--json'], badChoice('--what', auditVerbs, '')],
  [['token', 'create', '--name', 'x'], /--role/],
  [['token', 'create', '--name', 'x', '--role', 'admin'], /Allowed choices are enqueue, read, operate/],
  [['token', 'create', '--name', 'a b', '--role', 'read'], BAD_NAME],
])('%j ends with 2 and says what is wrong', async (args, problem) => {
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
