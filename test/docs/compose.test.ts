// docker-compose.yml, Dockerfile and ecosystem.config.js against the configuration: what they promise must hold.
// No container is started here.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseConfig, variables } from '../../src/config.ts';

const text = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const service = z.object({
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
    services: z.object({ redis: service, worker: service }),
    volumes: z.record(z.string(), z.unknown()),
  })
  .parse(parse(text('docker-compose.yml')));
const { redis, worker } = compose.services;

const ecosystem: unknown = await import(new URL('../../ecosystem.config.js', import.meta.url).href);
const app = z.object({ kill_timeout: z.number(), interpreter: z.string() }).loose();
const { apps } = z.object({ apps: z.array(app) }).parse(ecosystem);

const shutdownTimeoutMs = Number(variables.SHUTDOWN_TIMEOUT_MS.default);
const dockerfile = text('Dockerfile');

describe('docker-compose.yml', () => {
  test('sets only variables that the configuration knows, to values that it accepts', () => {
    const unknown = Object.keys(worker.environment).filter((name) => !(name in variables));
    expect(unknown).toEqual([]);
    expect(() => parseConfig(worker.environment)).not.toThrow();
  });

  test('points the worker at its own Redis, which must be healthy first', () => {
    expect(new URL(worker.environment.REDIS_URL ?? '').hostname).toBe('redis');
    expect(worker.depends_on).toEqual({ redis: { condition: 'service_healthy' } });
  });

  test.each([
    ['--appendonly', 'yes'],
    ['--appendfsync', 'always'],
    ['--maxmemory-policy', 'noeviction'],
  ])('starts Redis with %s %s', (flag, value) => {
    expect(redis.command[redis.command.indexOf(flag) + 1]).toBe(value);
    expect(redis.command).toContain(flag);
  });

  test('keeps the data of Redis in a named volume and opens no port to the outside', () => {
    const [volume, folder] = redis.volumes[0]?.split(':') ?? [];
    expect(folder).toBe('/data');
    expect(compose.volumes).toHaveProperty(volume ?? '');
    expect([...redis.ports, ...worker.ports]).toEqual([]);
  });

  test('gives the worker more time to stop than its own shutdown takes', () => {
    const [, seconds] = /^(\d+)s$/.exec(worker.stop_grace_period ?? '') ?? [];
    expect(Number(seconds) * 1000).toBeGreaterThan(shutdownTimeoutMs);
  });

  test('asks for health in the same way as the Dockerfile', () => {
    const [, command = '[]'] = /^HEALTHCHECK[^[]*(\[.*\])$/m.exec(dockerfile) ?? [];
    expect(worker.healthcheck.test).toEqual(['CMD', ...z.array(z.string()).parse(JSON.parse(command))]);
  });
});

describe('Dockerfile', () => {
  test('builds on the Node major that package.json asks for and does not run as root', () => {
    const { engines } = z
      .object({ engines: z.object({ node: z.string() }) })
      .parse(JSON.parse(text('package.json')));
    const majors = [...dockerfile.matchAll(/^FROM node:(\d+)-/gm)].map(([, major]) => `>=${major}`);
    expect(majors).toEqual([engines.node, engines.node]);
    expect(dockerfile.lastIndexOf('\nUSER node\n')).toBeGreaterThan(dockerfile.lastIndexOf('\nFROM '));
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
  test('waits longer for a worker to stop than its own shutdown takes', () => {
    expect(apps.map(({ kill_timeout }) => kill_timeout > shutdownTimeoutMs)).toEqual([true]);
  });

  test('runs the built worker by a Node that is new enough, in fork mode, one after the other', () => {
    const [worker] = apps;
    expect(worker).toMatchObject({
      script: './dist/cli.js',
      args: 'worker',
      exec_mode: 'fork',
      wait_ready: true,
    });
    expect(worker?.interpreter).toBe(process.execPath);
  });

  test('names no variable that the configuration does not know', () => {
    const named = text('ecosystem.config.js').match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? [];
    expect(named.filter((name) => !(name in variables))).toEqual([]);
  });
});
