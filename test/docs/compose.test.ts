// docker-compose.yml, Dockerfile and ecosystem.config.js against the configuration: what they promise must hold.
// No container is started here: test/slow/containers.test.ts does.
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { assertServable, entries, parseConfig } from '../../src/config/load.ts';

const text = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const service = z.object({
  image: z.string().optional(),
  build: z.string().optional(),
  command: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  stop_grace_period: z.string().optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
});
const compose = z
  .object({
    services: z.object({ redis: service, worker: service, server: service }),
    volumes: z.record(z.string(), z.unknown()),
  })
  .parse(parse(text('docker-compose.yml'), { merge: true }));
const { redis, worker, server } = compose.services;
const ours = [
  ['worker', worker],
  ['server', server],
] as const;

/** As compose fills in `${NAME:-default}`; `env` is its shell and .env together. */
const filledIn = (
  env: Record<string, string>,
  { environment }: z.output<typeof service> = worker,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value.replace(/\$\{(\w+):-([^}]*)\}/g, (_, of: string, otherwise: string) => env[of] || otherwise),
    ]),
  );

const app = z
  .object({
    kill_timeout: z.number(),
    interpreter: z.string().optional(),
  })
  .loose();
const importApps = async (file: URL) => z.object({ apps: z.array(app) }).parse(await import(file.href)).apps;
const apps = await importApps(new URL('../../ecosystem.config.js', import.meta.url));

const shutdownTimeoutMs = parseConfig({}).config.worker.shutdownTimeoutMs;
const isVariable = (name: string): boolean => entries.some((entry) => entry.name === name);
const dockerfile = text('Dockerfile');

describe('docker-compose.yml', () => {
  test.each(ours)(
    'gives the %s only variables that the configuration knows, and values that it accepts',
    (_, its) => {
      const unknown = Object.keys(its.environment).filter((name) => !isVariable(name));
      expect(unknown).toEqual([]);
      expect(() => parseConfig(filledIn({}, its))).not.toThrow();
    },
  );

  test.each(ours)('points the %s at its own Redis, which must be healthy first', (_, its) => {
    expect(new URL(filledIn({}, its).REDIS_URL ?? '').hostname).toBe('redis');
    const REDIS_URL_IN_COMPOSE = 'redis://runcloud-domains:PASSWORD@redis:6379';
    expect(filledIn({ REDIS_URL_IN_COMPOSE }, its).REDIS_URL).toBe(REDIS_URL_IN_COMPOSE);
    expect(its.depends_on).toEqual({ redis: { condition: 'service_healthy' } });
  });

  test.each([
    ['--appendonly', 'yes'],
    ['--appendfsync', 'always'],
    ['--maxmemory-policy', 'noeviction'],
  ])('starts Redis with %s %s', (flag, value) => {
    expect(redis.command[redis.command.indexOf(flag) + 1]).toBe(value);
    expect(redis.command).toContain(flag);
  });

  test('starts Redis with the same flags where docs/guides/security.md gives it users', () => {
    const [, block = ''] = /```yaml\n(.*?)```/s.exec(text('docs/guides/security.md')) ?? [];
    const override = z
      .object({ services: z.object({ redis: z.object({ command: z.array(z.string()) }) }) })
      .parse(parse(block));
    expect(override.services.redis.command).toEqual([...redis.command, '--aclfile', '/users.acl']);
  });

  test('keeps the data of Redis in a named volume and opens no port to the outside', () => {
    const [volume, folder] = redis.volumes[0]?.split(':') ?? [];
    expect(folder).toBe('/data');
    expect(compose.volumes).toHaveProperty(volume ?? '');
    expect([...redis.ports, ...worker.ports]).toEqual([]);
  });

  test('starts the server where this machine alone reaches it, and not without tokens', () => {
    const { host, port } = parseConfig(filledIn({}, server)).config.server;
    const ports = [`127.0.0.1:\${SERVER_PORT:-${parseConfig({}).config.server.port}}:${port}`];
    expect(server).toMatchObject({ build: '.', command: ['server'], ports });
    expect(host).toBe('0.0.0.0');
    const { config } = parseConfig(filledIn({}, server));
    expect(() => assertServable(config)).toThrow(/API_TOKENS is missing/);
  });

  test.each(ours)('gives the %s more time to stop than its own shutdown takes', (_, its) => {
    const [, seconds] = /^(\d+)s$/.exec(its.stop_grace_period ?? '') ?? [];
    expect(Number(seconds) * 1000).toBeGreaterThan(shutdownTimeoutMs);
  });

  test('asks the worker and the server for health where they answer', () => {
    const { worker: at } = parseConfig(filledIn({})).config;
    const { server: listens } = parseConfig(filledIn({}, server)).config;
    expect(worker.healthcheck.test.join(' ')).toContain(`http://127.0.0.1:${at.address?.port}/healthz`);
    expect(at.address?.host).toBe('127.0.0.1');
    expect(server.healthcheck.test.join(' ')).toContain(`http://127.0.0.1:${listens.port}/healthz`);
  });

  test.each(ours)('knows whether the %s lives', async (_, its) => {
    const status = { of: 200 };
    const answers = createServer((_request, response) => response.writeHead(status.of).end());
    await new Promise<void>((resolve) => answers.listen(0, '127.0.0.1', resolve));
    const { port } = answers.address() as AddressInfo;
    const [, , ...args] = its.healthcheck.test.map((part) => part.replace(/:87\d\d/, `:${port}`));
    const exitCode = () =>
      new Promise((resolve) => spawn(process.execPath, args, { stdio: 'ignore' }).on('exit', resolve));
    expect(await exitCode()).toBe(0);
    status.of = 503;
    expect(await exitCode()).toBe(1);
    await new Promise((resolve) => answers.close(resolve));
    expect(await exitCode()).toBe(1);
  });

  test('asks the worker for health in the same way as the Dockerfile', () => {
    const [, command = '[]'] = /^HEALTHCHECK[^[]*(\[.*\])$/m.exec(dockerfile) ?? [];
    expect(worker.healthcheck.test).toEqual(['CMD', ...z.array(z.string()).parse(JSON.parse(command))]);
  });
});

describe('Dockerfile', () => {
  test('builds on the Node major that package.json asks for and does not run as root', () => {
    const { engines } = z
      .object({ engines: z.object({ node: z.string() }) })
      .parse(JSON.parse(text('package.json')));
    const [, major] = /^ARG NODE_IMAGE=node:(\d+)-/m.exec(dockerfile) ?? [];
    expect(`>=${major}`).toBe(engines.node);
    expect(dockerfile.lastIndexOf('\nUSER node\n')).toBeGreaterThan(dockerfile.lastIndexOf('\nFROM '));
  });

  test('names each base image once, by its digest, as docker-compose.yml does', () => {
    const byDigest = (image: string) => new RegExp(`^${image}@sha256:[0-9a-f]{64}$`);
    expect(/^ARG NODE_IMAGE=(.+)$/m.exec(dockerfile)?.[1]).toMatch(byDigest('node:\\d+-bookworm-slim'));
    const stages = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
    expect(new Set(stages)).toEqual(new Set([`\${NODE_IMAGE}`]));
    expect(redis.image).toMatch(byDigest('redis:\\d+-alpine'));
  });

  test('copies nothing that .dockerignore keeps out', () => {
    const allowed = text('.dockerignore')
      .split('\n')
      .flatMap((line) => /^!(.+)$/.exec(line)?.[1] ?? []);
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
      ([, files]) => files?.split(' ') ?? [],
    );
    expect([...new Set(copied)].sort()).toEqual(allowed.sort());
  });
});

describe('ecosystem.config.js', () => {
  test('waits longer for them to stop than their own shutdown takes', () => {
    expect(apps.map(({ kill_timeout }) => kill_timeout > shutdownTimeoutMs)).toEqual([true, true]);
  });

  test('runs workers by a Node that is new enough, and one server whose port PM2 keeps open through a reload', () => {
    const same = { script: './dist/cli/main.js', wait_ready: true };
    expect(apps).toMatchObject([
      { name: 'runcloud-domains', args: 'worker', instances: 2, exec_mode: 'fork', ...same },
      { name: 'runcloud-domains-server', args: 'server', instances: 1, exec_mode: 'cluster', ...same },
    ]);
    expect(apps.map(({ interpreter }) => interpreter)).toEqual([process.execPath, undefined]);
  });

  test('starts both by the Node.js of the project, and says what a reload does, where pm2 itself runs under an older one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ecosystem-'));
    try {
      const node = join(folder, `tools/node/node_modules/node-linux-${process.arch}/bin/node`);
      mkdirSync(dirname(node), { recursive: true });
      writeFileSync(node, '');
      const file = join(folder, 'ecosystem.config.mjs');
      writeFileSync(file, text('ecosystem.config.js'));
      const script = `Object.defineProperty(process.versions, 'node', { value: '20.1.0' });
        const { apps } = await import(${JSON.stringify(pathToFileURL(file))});
        console.log(JSON.stringify(apps.map(({ exec_mode, interpreter }) => [exec_mode, interpreter])));`;
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [
        '--input-type=module',
        '-e',
        script,
      ]);
      const forked = ['fork', node];
      expect(JSON.parse(stdout)).toEqual([forked, forked]);
      expect(stderr).toMatch(/pm2 runs under Node\.js 20\.1\.0, so its reload refuses requests/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('names no variable that the configuration does not know', () => {
    const named = text('ecosystem.config.js').match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? [];
    expect(named.filter((name) => !isVariable(name))).toEqual([]);
  });
});
