// The command line as a process: exit codes, signals, pipes, a full disk. What it prints is tested
// in this process (cli*.test.ts).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import {
  entryNotShown,
  notWritten,
  outputReason,
  stoppedWaiting,
  tokenNotShown,
} from '../../src/cli/messages.ts';
import { program, spawnCli, startCli } from '../helpers/cli.ts';
import { freePort } from '../helpers/port.ts';
import { testRedis } from '../helpers/redis.ts';
import { until } from '../helpers/until.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

const AWAY = { REDIS_URL: 'redis://127.0.0.1:1', RUNCLOUD_SERVER_ID: '1903', RUNCLOUD_APP_ID: '646' };
const TOKEN = 'token create --name shop --role enqueue';
const PASSWORD = 'board password --name ada --role operator';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage({ workers: 0 });
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

/** In a shell, with `redirection` behind it. */
function start(args: string, redirection: string, env: Readonly<Record<string, string>> = {}) {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn('bash', ['-c', `exec "$0" "$1" ${args} ${redirection}`, process.execPath, program], {
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

/** Nobody reads, from before the first byte on. */
async function unread(args: string) {
  const { child, ended } = start(args, '');
  child.stdout.destroy();
  return ended;
}

describe('the exit code is that of the command', () => {
  test.concurrent.each([
    [0, ['--version']],
    [2, ['add', 'a_b.example.org']],
    [3, ['status']],
  ] as const)('%i', async (code, args) => {
    const result = await spawnCli(args, { env: AWAY, isRedisAway: true });
    expect(result.code).toBe(code);
    expect(result.out + result.err).not.toMatch(/^\s+at .*[:(]\d+|node:internal|Warning:/m);
  });
});

test('what is printed reaches a reader who takes his time, to the last byte', async () => {
  await using corner = await testRedis();
  using releases = new DisposableStack();
  const redis = releases.adopt(new Redis(corner.url), (open) => open.disconnect());
  const env = { REDIS_URL: corner.url, QUEUE_PREFIX: corner.prefix };
  const target = { RUNCLOUD_SERVER_ID: '1903', RUNCLOUD_APP_ID: '646' };
  const names = Array.from({ length: 4_000 }, (_, i) => `d${i}.example.org`);
  await using cli = startCli(['add', '--file', '-', '--json'], {
    env: { ...env, ...target },
    input: names.join('\n'),
  });
  cli.child.stdout?.pause();
  const key = `${corner.prefix}:runcloud-domains:prioritized`;
  await until(async () => (await redis.zcard(key)) === names.length, 'all are accepted');
  // A program that does not wait for its reader has ended by then.
  await Promise.race([once(cli.child, 'exit'), sleep(2_000, undefined, { ref: false })]);
  cli.child.stdout?.resume();
  const { code, out } = await cli.ended;
  expect(code).toBe(0);
  expect(out.length).toBeGreaterThan(500_000);
  expect(JSON.parse(out)).toHaveLength(4_000);
});

test('Ctrl-C ends --wait with 130, and says that the requests continue', async () => {
  await using stage = await createStage({ workers: 0 });
  await using cli = startCli(['add', 'later.example.org', '--wait'], { env: stage.env });
  await until(() => cli.err().includes('waiting for a worker'), 'it waits');
  cli.child.kill('SIGINT');
  expect(await cli.ended).toMatchObject({
    code: 130,
    err: expect.stringContaining(stoppedWaiting('later.example.org')),
  });
});

const onLinux = existsSync('/dev/full') ? describe : describe.skip;

onLinux('a full disk', () => {
  test('ends a command with 1, and is reported', async () => {
    const { code, err } = await start('status --json', '> /dev/full').ended;
    expect({ code, err }).toEqual({ code: 1, err: `${notWritten('ENOSPC')}\n` });
  });

  test('under standard error too: only the exit code is left', async () => {
    const { ended } = start('status --json', '> /dev/full 2> /dev/full');
    expect(await ended).toMatchObject({ code: 1, out: '', err: '' });
  });

  test('a worker and a server whose log cannot be written continue, and a signal stops them', async () => {
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

describe('a reader that is gone', () => {
  test('ends a command quietly', async () => {
    expect(await unread('status')).toMatchObject({ code: 0, err: '' });
    expect(await start('status --json', '| head -1').ended).toMatchObject({ code: 0, err: '' });
  });

  test('is reported when it was to read a secret that is shown once', async () => {
    expect(await unread(TOKEN)).toMatchObject({
      code: 1,
      err: `${tokenNotShown(outputReason('EPIPE'))}\n`,
    });
  });

  test('so is a closed standard output', async () => {
    expect(await start(PASSWORD, '>&-').ended).toMatchObject({
      code: 1,
      err: `${entryNotShown(outputReason('closed'))}\n`,
    });
  });
});
