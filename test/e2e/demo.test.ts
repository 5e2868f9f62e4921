// The demo as a person runs it: it tells its story to the end, its commands work, and nothing of it stays behind.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { mustActLine } from '../../src/cli/output/status-messages.ts';
import { runCli } from '../helpers/cli.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Hang guards, far above what a demo needs on a busy machine. */
const guardMs = 400_000;

interface RunningDemo extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly errors: () => string;
  /** Resolves when the output holds `text`. */
  shows(text: string): Promise<void>;
  /** Resolves with the exit code. */
  ended(): Promise<unknown>;
  /** What is left in its temporary folder. */
  leftovers(): string[];
}

/** Settings of a real installation that must not reach the worker, and broken ones that must not stop the demo. */
const hostile = {
  RUNCLOUD_API_KEY: 'a-real-key',
  RUNCLOUD_SERVER_ID: '99',
  QUEUE_PREFIX: 'not a prefix',
  RETRY_FOR: 'long',
  WU_RUNCLOUD_API_TOKEN: 'a-real-token',
};

function startDemo(args: string[], env: Record<string, string> = {}): RunningDemo {
  const folder = mkdtempSync(join(tmpdir(), 'runcloud-domains-test-'));
  const child = spawn(process.execPath, ['demo/demo.ts', ...args], {
    cwd: root,
    env: { PATH: process.env.PATH, TMPDIR: folder, ...hostile, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk));
  const closed = once(child, 'close');
  const shows = async (text: string): Promise<void> => {
    for (const deadline = Date.now() + guardMs; !output.includes(text); await sleep(20))
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`no "${text}" in:\n${output}${errors}`);
  };
  return {
    child,
    output: () => output,
    errors: () => errors,
    shows,
    ended: async () => (await closed)[0],
    leftovers: () => readdirSync(folder),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) child.kill('SIGINT');
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const found = (demo: RunningDemo, pattern: RegExp): string => {
  const value = pattern.exec(demo.output())?.[1];
  if (value === undefined) throw new Error(`no ${pattern} in:\n${demo.output()}${demo.errors()}`);
  return value;
};

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const refuses = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('error', () => resolve(true));
    socket.once('connect', () => resolve(socket.destroy() && false));
  });

async function expectNothingLeft(demo: RunningDemo): Promise<void> {
  expect(isAlive(Number(found(demo, /worker +process (\d+)/)))).toBe(false);
  expect(await refuses(Number(found(demo, /API v3 at http:\/\/127\.0\.0\.1:(\d+)/)))).toBe(true);
  expect(demo.leftovers()).toEqual([]);
}

const privatePort = (demo: RunningDemo): number => Number(found(demo, /redis-?\S* .*:(\d+), private/));

test.concurrent(
  'the whole story on a Redis that is given by REDIS_URL: every promise is kept, no key stays',
  async () => {
    const url = process.env.TEST_REDIS_URL_IN_USE ?? '';
    await using demo = startDemo([], { REDIS_URL: url });
    expect([await demo.ended(), demo.errors()]).toEqual([0, '']);
    const output = demo.output();
    for (const fact of [
      'app-server-1  add-domain annas-bakery.example: accepted',
      'app-server-2  add-domain shop.bikes.example: coalesced',
      'add-domain blog.luna.example: attempt 2 of 40, requested by producer for',
      'waiting: studio.mia.example points to 198.51.100.20, not to 203.0.113.7',
      'customer      studio.mia.example: A record set to 203.0.113.7',
      'club.someday.example: held, the customer must act: club.someday.example does',
      'DELETE …/domains/4712  -> no reply',
      'ok  shop.bikes.example: 2 requests, 1 job, 1 POST (200)',
      'ok  blog.luna.example: 2 POST (503, 200)',
      'ok  old-shop.example: gone, 1 DELETE (no reply)',
      'ok  3 of 3 domains with DNS live, by a handshake',
      'ok  studio.mia.example: live, on its own after its DNS came; 1 request',
      'ok  club.someday.example: held, customer must act; no POST',
      'npm run demo -- --keep',
    ])
      expect(output).toContain(fact);
    // Two orders and seven jobs, unless the machine is so slow that the changes take longer than a redeploy waits.
    expect(output).toMatch(
      /ok {2}\d certificate orders \(four changes at once, then the late domain\) cover all 6 names/,
    );
    expect(output).toMatch(
      /ok {2}\d+ jobs completed, 0 failed, 1 open \(club\.someday\.example waits for its DNS\)/,
    );
    expect(output).toMatch(
      /^ {2}annas-bakery\.example +live +its name and www, until 20\d\d-\d\d-\d\d +\d+ +\d$/m,
    );
    expect(output).toMatch(/^ {2}club\.someday\.example +held \(customer\) +none +0 +0$/m);
    // It looks a dozen times, and says once what it sees.
    expect(output.match(/waiting: club\.someday\.example/g)).toHaveLength(1);
    expect(output).not.toContain('\u001b');
    expect(Math.max(...output.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    await expectNothingLeft(demo);
    const redis = new Redis(url);
    try {
      expect(await redis.keys(`${found(demo, /begin with (demo-\w+):/)}*`)).toEqual([]);
    } finally {
      redis.disconnect();
    }
  },
  guardMs,
);

test.concurrent(
  'with --keep on a private Redis the second terminal works as printed; Ctrl-C ends it with 0',
  async () => {
    await using demo = startDemo(['--keep']);
    await demo.shows('Ctrl-C here stops everything.');
    const exported = [...demo.output().matchAll(/^ {2}export (\w+)=(\S+)$/gm)];
    const env = Object.fromEntries(exported.map(([, name, value]) => [name, value]));
    const cli = async (...args: string[]): Promise<string> => {
      const { code, out, err } = await runCli(args, { env });
      expect({ args, code, err }).toEqual({ args, code: 0, err: '' });
      return out;
    };
    expect(await cli('status')).toMatch(/^old-shop\.example +remove +removed/m);
    expect(await cli('status', 'club.someday.example')).toContain(mustActLine('customer', undefined, true));
    expect(await cli('doctor')).not.toMatch(/^(warn|fail)/m);
    const body = found(demo, /-d '(.*)'$/m);
    const setDns = await fetch(found(demo, /curl -s (\S+) /), { method: 'POST', body });
    expect(setDns.status).toBe(200);
    await demo.shows('covers\n                       club.someday.example, valid until');
    const port = privatePort(demo);
    expect(await refuses(port)).toBe(false);
    demo.child.kill('SIGINT');
    expect(await demo.ended()).toBe(0);
    expect(await refuses(port)).toBe(true);
    await expectNothingLeft(demo);
  },
  guardMs,
);

test.concurrent(
  'Ctrl-C in the middle ends all of it there and then',
  async () => {
    await using demo = startDemo([]);
    await demo.shows('2. Two app servers');
    demo.child.kill('SIGINT');
    expect(await demo.ended()).toBe(130);
    // It has not told its story to the end first.
    expect(demo.output()).not.toContain('6. Four changes');
    expect(demo.errors()).toBe('');
    expect(await refuses(privatePort(demo))).toBe(true);
    await expectNothingLeft(demo);
  },
  guardMs,
);

test.concurrent(
  'a worker that dies is told in one sentence, and everything else ends too',
  async () => {
    await using demo = startDemo([]);
    await demo.shows('1. An app server');
    process.kill(Number(found(demo, /worker +process (\d+)/)), 'SIGKILL');
    expect(await demo.ended()).toBe(1);
    expect(demo.errors()).toMatch(/^The worker has ended unexpectedly: .*\n$/);
    expect(await refuses(privatePort(demo))).toBe(true);
    await expectNothingLeft(demo);
  },
  guardMs,
);

test.concurrent('wrong arguments and a Redis that is not there are refused in one sentence', async () => {
  await using unknown = startDemo(['--kep']);
  await using absent = startDemo([], { REDIS_URL: 'redis://127.0.0.1:1' });
  await using help = startDemo(['--help']);
  expect(await unknown.ended()).toBe(2);
  expect(unknown.errors()).toBe('The demo has no option --kep; it knows --keep and --help.\n');
  expect(await absent.ended()).toBe(1);
  expect(absent.errors()).toMatch(/^No Redis answers at 127\.0\.0\.1:1 \(REDIS_URL\).*\n$/);
  expect(await help.ended()).toBe(0);
  expect(help.output()).toMatch(/^Usage: npm run demo/);
});
