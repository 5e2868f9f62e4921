// Output that cannot be written, or that nobody reads; and text of strangers that reaches a terminal.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { program, runCli } from '../helpers/cli.ts';
import { freePort } from '../helpers/port.ts';
import { until } from '../helpers/until.ts';
import { createStage } from '../helpers/worker.ts';

type Stage = Awaited<ReturnType<typeof createStage>>;
let stage: Stage;
const dir = mkdtempSync(join(tmpdir(), 'cli-output-'));

beforeAll(async () => {
  stage = await createStage({ workers: 0 });
});
afterAll(async () => {
  rmSync(dir, { recursive: true });
  await stage[Symbol.asyncDispose]();
});

/** The command line in a shell, with `redirection` behind it. */
function start(args: string, redirection: string, env: Readonly<Record<string, string>> = {}) {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn('bash', ['-c', `exec "$0" "$1" ${args} ${redirection}`, process.execPath, program], {
    cwd: dir,
    env: { PATH, HOME, NO_COLOR: '1', ...stage.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk;
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end('correct horse battery\n');
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }));
  return { child, ended };
}

const run = (args: string, redirection: string) => start(args, redirection).ended;

const onLinux = existsSync('/dev/full') ? describe : describe.skip;

onLinux('a full disk', () => {
  const outputs = [
    '--version',
    '--help',
    'status --help',
    'status --json',
    'failed',
    'failed --json',
    'pauses --json',
    'audit',
    'callbacks list',
    'doctor --redis-only',
    'doctor --redis-only --json',
    'add full-disk.example.org',
    'add full-disk.example.org --json',
  ];

  test.each(outputs)('%s ends with 1, and says so', async (args) => {
    const { code, err } = await run(args, '> /dev/full');
    expect(err).toMatch(
      /^error: standard output could not be written: there is no space left on the device \(ENOSPC\)$/m,
    );
    expect(code).toBe(1);
  });

  const shownOnce = [
    [
      'token create --name shop --role enqueue',
      /^The token was not shown, .*no space left.*make another one\.$/m,
    ],
    ['token create --name shop --role enqueue --json', /^The token was not shown/m],
    [
      'board password --name ada --role operator',
      /^The entry was not shown, .*no space left.*run the command again\.$/m,
    ],
  ] as const;

  test.each(shownOnce)('%s says that it was not shown', async (args, sentence) => {
    const { code, err } = await run(args, '> /dev/full');
    expect(err).toMatch(sentence);
    expect(err).not.toMatch(/rcd_|scrypt|is shown this once|Add the entry/);
    expect(code).toBe(1);
  });

  test('standard error too: the code alone tells', async () => {
    expect(await run('status --json', '> /dev/full 2> /dev/full')).toMatchObject({
      code: 1,
      out: '',
      err: '',
    });
    expect(await run('status --json', '2> /dev/full')).toMatchObject({ code: 0 });
    expect(await run('status a_b.example.org', '2> /dev/full')).toMatchObject({ code: 2 });
  });

  test('a worker and a server whose log cannot be written go on, and stop when they are told', async () => {
    const [worker, server] = [await freePort(), await freePort()];
    const env = { LOG_LEVEL: 'debug', WORKER_ADDRESS: `127.0.0.1:${worker}`, SERVER_PORT: String(server) };
    const running = [start('worker', '> /dev/full 2>&1', env), start('server', '> /dev/full 2>&1', env)];
    const answers = async (port: number): Promise<boolean> =>
      (await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined))?.ok ?? false;
    try {
      await until(() => answers(worker), 'the worker lives');
      await until(() => answers(server), 'the server lives');
    } finally {
      for (const { child } of running) child.kill('SIGTERM');
    }
    expect((await Promise.all(running.map(({ ended }) => ended))).map(({ code }) => code)).toEqual([0, 0]);
  });
});

describe('what is shown once', () => {
  const commands = ['token create --name shop --role enqueue', 'board password --name ada --role operator'];
  const closed = commands.flatMap((args) => ['>&-', '> /dev/null'].map((where) => [args, where] as const));

  test.each(closed)('%s %s says that nobody has seen it', async (args, where) => {
    const { code, err } = await run(args, where);
    expect(err).toMatch(/^The (token|entry) was not shown, .*standard output is closed, or \/dev\/null/m);
    expect(err).not.toMatch(/rcd_|scrypt|is shown this once|Add the entry/);
    expect(code).toBe(1);
  });

  test.each(['>&-', '> /dev/null'])('any other command may be silenced: status %s', async (where) => {
    expect(await run('status --json', where)).toMatchObject({ code: 0, err: '' });
  });
});

describe('a reader that has gone', () => {
  /** Nobody reads, from before the first byte on. */
  const unread = async (args: string) => {
    const { child, ended } = start(args, '');
    child.stdout.destroy();
    return ended;
  };

  test.each(['audit', 'status', '--help'])('%s ends quietly', async (args) => {
    expect(await unread(args)).toMatchObject({ code: 0, err: '' });
  });

  test('status --json | head -1 ends quietly', async () => {
    expect(await run('status --json', '| head -1')).toMatchObject({ code: 0, err: '' });
  });

  test.each(['token create --name shop --role enqueue', 'board password --name ada --role operator'])(
    '%s says that it was not shown',
    async (args) => {
      const { code, err } = await unread(args);
      expect(err).toMatch(/^The (token|entry) was not shown, .*nobody reads it any more/m);
      expect(err).not.toMatch(/rcd_|scrypt/);
      expect(code).toBe(1);
    },
  );
});

test('what strangers write is spelled out where it is not seen', async () => {
  const typed = 'a\u202eb\u2066\u200dc';
  const { out, err } = await runCli(['pause', '--site', '7', '--reason', typed], { env: stage.env });
  expect(`${out}${err}`).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  const [pauses, json] = await Promise.all([
    runCli(['pauses'], { env: stage.env }),
    runCli(['pauses', '--json'], { env: stage.env }),
  ]);
  expect(pauses.out).toContain('a\\u202eb\\u2066\\u200dc');
  for (const text of [pauses.out, json.out]) expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  expect(JSON.parse(json.out)[0].reason).toBe(typed);
  await runCli(['resume', '--site', '7'], { env: stage.env });
});

test.each<readonly [string, (text: string) => Buffer]>([
  ['UTF-16', (text) => Buffer.from(`\ufeff${text}`, 'utf16le')],
  ['UTF-8 with a byte order mark', (text) => Buffer.from(`\ufeff${text}`)],
  ['lines that end with CR alone', (text) => Buffer.from(text.replaceAll('\n', '\r'))],
])('--file is read in %s', async (name, encode) => {
  const file = join(dir, 'domains.txt');
  writeFileSync(file, encode('one.example.org\ntwo.example.org\n'));
  const { code, out } = await runCli(['add', '--file', file, '--json'], { env: stage.env });
  expect({ name, code }).toEqual({ name, code: 0 });
  const results = JSON.parse(out) as { domain: string }[];
  expect(results.map(({ domain }) => domain)).toEqual(['one.example.org', 'two.example.org']);
});

test('--file that is no text is refused with its line and the fix, and nothing of it is done', async () => {
  const file = join(dir, 'latin.txt');
  writeFileSync(file, Buffer.from('one.example.org\nb\xfccher.example.org\n', 'latin1'));
  expect(await runCli(['add', '--file', file], { env: stage.env })).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringMatching(/latin\.txt cannot be read: it is broken UTF-8 in line 2; write it as UTF-8/),
  });
});
