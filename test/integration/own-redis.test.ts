// The Redis that the demo and the tests start for themselves: it is private, obeys its owner and never outlives it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { findRedisBinary, startRedisServer } from '../../scripts/redis-server.ts';
import { testRedis } from '../helpers/redis.ts';
import { until } from '../helpers/until.ts';

const connect = (url: string): Redis =>
  new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null, disconnectTimeout: 50 }).on(
    'error',
    () => undefined,
  );

/** Asks the port and not the process table, where a container without an init keeps the dead. */
const refuses = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connectTcp({ host: '127.0.0.1', port });
    socket.once('error', () => resolve(true));
    socket.once('connect', () => resolve(false)).once('connect', () => socket.destroy());
  });

test('it can be killed, restarted and frozen; with aof its data stays', async () => {
  const server = await startRedisServer({ aof: true });
  const client = connect(server.url);
  try {
    await client.set('key', 'value');
    await server.kill();
    expect(server.pid()).toBeUndefined();
    await server.restart();
    expect(await client.get('key')).toBe('value');
    server.pause();
    const reply = client.get('key');
    const silence = new Promise((resolve) => setTimeout(resolve, 100, 'silence'));
    expect(await Promise.race([reply, silence])).toBe('silence');
    server.resume();
    expect(await reply).toBe('value');
  } finally {
    client.disconnect();
    await server.stop();
  }
  expect(existsSync(server.dir)).toBe(false);
});

test('it listens on loopback only, evicts nothing and writes nothing by default', async () => {
  await using server = await startRedisServer();
  const client = connect(server.url);
  try {
    const config = await Promise.all(
      ['bind', 'maxmemory-policy', 'appendonly', 'save'].map((name) => client.config('GET', name)),
    );
    expect(config.flat()).toEqual([
      'bind',
      '127.0.0.1',
      'maxmemory-policy',
      'noeviction',
      'appendonly',
      'no',
      'save',
      '',
    ]);
  } finally {
    client.disconnect();
  }
});

test('it ends, and its folder goes, when its owner is killed by SIGKILL', async () => {
  const module = new URL('../../scripts/redis-server.ts', import.meta.url).href;
  const program = `
    const { startRedisServer } = await import(${JSON.stringify(module)});
    const server = await startRedisServer();
    console.log(JSON.stringify([server.port, server.dir]));
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line]: unknown[] = await once(owner.stdout, 'data');
  const [port, dir]: [number, string] = JSON.parse(String(line));
  expect(await refuses(port)).toBe(false);
  owner.kill('SIGKILL');
  await until(() => refuses(port), 'the server has ended');
  await until(() => !existsSync(dir), 'its folder is gone');
});

test('one that cannot start says why and leaves nothing', async () => {
  await expect(startRedisServer({ args: ['--no-such-option', '1'] })).rejects.toThrow(/did not start/);
});

test('the server program is found under its own name before its double in redis-tools', () => {
  const folder = mkdtempSync(join(tmpdir(), 'runcloud-domains-test-'));
  try {
    expect(findRedisBinary([folder])).toBeUndefined();
    const double = join(folder, 'redis-check-rdb');
    writeFileSync(double, '#!/bin/sh\necho no server\n');
    chmodSync(double, 0o755);
    expect(findRedisBinary([folder])).toBeUndefined();
    const real = findRedisBinary();
    if (real) {
      rmSync(double);
      symlinkSync(real.path, join(folder, real.argv0));
      expect(findRedisBinary([folder])).toEqual({ path: join(folder, real.argv0), argv0: real.argv0 });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a test gets keys of its own only, and a clean-up that tells on an open connection', async () => {
  const redis = await testRedis({ leakGraceMs: 100 });
  const client = connect(redis.url);
  await client.set(`${redis.prefix}:key`, 'value');
  await expect(client.set('elsewhere', 'value')).rejects.toThrow(/NOPERM/);
  await client.client('SETNAME', 'forgotten');
  await expect(redis.cleanup()).rejects.toThrow(/1 Redis connection\(s\) left open:\nname=forgotten/);
  client.disconnect();

  await using other = await testRedis();
  const second = connect(other.url);
  expect(await second.exists(`${redis.prefix}:key`).catch(() => 'forbidden')).toBe('forbidden');
  await second.quit();
});
