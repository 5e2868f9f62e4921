// Dockerfile and docker-compose.yml in a real Docker engine: what the image holds, a job through to RunCloud (the simulator), a worker
// that is killed, an update, the stop; and the project's own tests on a Redis container. The tests go on from each other.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { z } from 'zod';
import { until } from '../helpers/until.ts';
import { provideBaseImages } from './helpers/base-images.ts';
import { type ContainerStage, createContainerStage, root, type Service } from './helpers/container-stage.ts';
import { type Engine, lackOfEngine, provideEngine } from './helpers/engine.ts';
import { execute } from './helpers/execute.ts';
import { testUnless } from './helpers/requirement.ts';

const IMAGE = 'runcloud-domains-slow-test:1';
const UPDATE = 'runcloud-domains-slow-test:2';
/** Of what we add to the base image; 73 MB when this was written. */
const LARGEST_MB = 100;
/** `stop_grace_period` of docker-compose.yml. */
const GRACE_MS = 40_000;
const HOUR_MS = 3_600_000;
/** One certificate holds 100 names. */
const BACKOFF_MS = 1000;

const lack = await lackOfEngine();
const test = testUnless(lack);

let engine: Engine;
let stage: ContainerStage;
let token = '';
const sizes = { base: 0, image: 0 };

async function buildImage(node: string, tag: string, ...more: string[]): Promise<number> {
  const args = ['--network', 'host', '--build-arg', `NODE_IMAGE=${node}`, '--tag', tag, ...more];
  await engine.docker('build', ...args, root);
  return sizeOf(tag);
}

const sizeOf = async (image: string): Promise<number> =>
  Number(await engine.docker('image', 'inspect', '--format', '{{.Size}}', image));

const runIn = (image: string, entry: string, ...args: string[]): Promise<string> =>
  engine.docker('run', '--rm', '--init', '--entrypoint', entry, image, ...args);

beforeAll(async () => {
  if (lack !== undefined && !process.env.CI) return;
  engine = await provideEngine();
  const { node, redis, description } = await provideBaseImages(engine);
  console.log(
    `Docker engine: ${engine.isOurs ? 'our own' : 'the one of this machine'}; base images: ${description}`,
  );
  sizes.base = await sizeOf(node);
  sizes.image = await buildImage(node, IMAGE);
  await buildImage(node, UPDATE, '--label', 'update=2');
  const created = await runIn(
    IMAGE,
    'node',
    'dist/cli/main.js',
    'token',
    'create',
    '--name',
    'shop',
    '--role',
    'operate',
  );
  token = String(/^token: (.+)$/m.exec(created)?.[1]);
  const apiTokens = String(/^entry: (.+)$/m.exec(created)?.[1]);
  stage = await createContainerStage({ engine, image: IMAGE, redisImage: redis, apiTokens });
});

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await engine?.docker('image', 'rm', '--force', IMAGE, UPDATE);
  await engine?.[Symbol.asyncDispose]();
});

/** The HTTP API, as an app server uses it: what is refused or cut off while the server is replaced it asks again. */
function ask(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  return until(async () => {
    const response = await fetch(new URL(path, stage.url), init).catch(() => undefined);
    return response?.ok ? ((await response.json()) as Record<string, unknown>) : undefined;
  }, `${method} ${path} is answered`);
}

const add = (domain: string) => ask('POST', '/v1/domains', { domain });

const untilLive = (domain: string) =>
  until(async () => (await ask('GET', `/v1/domains/${domain}`)).state === 'live', `${domain} is live`);

const untilHealthy = (service: Service) =>
  until(
    async () => (await stage.inspect(service)).State.Health?.Status === 'healthy',
    `${service} is healthy`,
  );

/** The next attachment is carried out, and not answered until the returned function is called. */
function holdAttachments(domain: string) {
  const { id } = stage.simulator.addFault({
    kind: 'slow',
    delayMs: HOUR_MS,
    operation: 'attach-domain',
    domain,
  });
  const isHeld = () => stage.simulator.state.domains().some(({ name }) => name === domain);
  return { isHeld, release: () => stage.simulator.removeFault(id) };
}

const attachments = (domain: string) =>
  stage.simulator.state.calls.filter((call) => call.operation === 'attach-domain' && call.domain === domain);

/** By SIGKILL from within; the shell has no `pidof`. */
const KILL_NODE = `for p in /proc/[0-9]*; do
  case "$(readlink $p/exe)" in */node) kill -9 "\${p#/proc/}";; esac
done`;

describe('the image', () => {
  const lock = z.object({ packages: z.record(z.string(), z.object({ dev: z.boolean().optional() })) });
  const inspected = z.tuple([
    z.object({
      Config: z.object({ User: z.string(), Entrypoint: z.array(z.string()), Cmd: z.array(z.string()) }),
    }),
  ]);

  test('starts the worker by node itself, and not as root', async () => {
    const [{ Config }] = inspected.parse(JSON.parse(await engine.docker('image', 'inspect', IMAGE)));
    expect(Config).toEqual({ User: 'node', Entrypoint: ['node', 'dist/cli/main.js'], Cmd: ['worker'] });
    expect(Number(await runIn(IMAGE, 'sh', '-c', 'id -u'))).toBeGreaterThan(0);
  });

  test('holds the built program and the packages that it needs, and no others', async () => {
    expect((await runIn(IMAGE, 'ls', '-A', '/app')).trim().split('\n').sort()).toEqual([
      'dist',
      'node_modules',
      'package.json',
    ]);
    const sources = "find dist -type f ! -name '*.js' ! -name '*.d.ts'";
    expect(await runIn(IMAGE, 'sh', '-c', sources)).toBe('');
    const { packages } = lock.parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')));
    const there = (
      await runIn(IMAGE, 'sh', '-c', "find node_modules -name package.json -path '*node_modules*'")
    )
      .split('\n')
      .map((path) => path.replace(/\/package\.json$/, ''));
    const development = Object.keys(packages).filter((path) => packages[path]?.dev);
    expect(development.length).toBeGreaterThan(100);
    expect(development.filter((path) => there.includes(path))).toEqual([]);
    expect(there.filter((path) => path.includes('typescript'))).toEqual([]);
    const desired = Object.keys(
      z
        .object({ dependencies: z.record(z.string(), z.string()) })
        .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).dependencies,
    );
    expect(desired.filter((name) => !there.includes(`node_modules/${name}`))).toEqual([]);
  });

  test('adds little to its base image', () => {
    const addedMb = (sizes.image - sizes.base) / 1e6;
    console.log(`The image is ${Math.round(sizes.image / 1e6)} MB, ${Math.round(addedMb)} MB of them ours`);
    expect(addedMb).toBeLessThan(LARGEST_MB);
  });
});

describe('docker-compose.yml', () => {
  test('comes up healthy, and a domain becomes live', async () => {
    expect(token).toMatch(/\S{20,}/);
    await stage.compose('up', '--detach', '--no-build');
    for (const service of ['redis', 'worker', 'server'] as const) await untilHealthy(service);
    expect(await ask('GET', '/readyz')).toMatchObject({ ok: true });
    await add('first.example.org');
    await untilLive('first.example.org');
    expect(attachments('first.example.org').map(({ status }) => status)).toEqual([200]);
  });

  test.each(['worker', 'server'] as const)(
    'the %s can write nowhere but in /tmp, and has no capability',
    async (service) => {
      expect((await stage.inspect(service)).HostConfig).toMatchObject({
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges:true'],
        Init: true,
      });
      for (const path of ['/app/dist/x', '/app/x', '/home/node/x', '/etc/x'])
        await expect(stage.shell(service, `echo > ${path}`)).rejects.toThrow(/Read-only file system/);
      await stage.shell(service, 'echo > /tmp/x');
      const status = await stage.shell(service, 'cat /proc/1/status');
      for (const set of ['CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
        expect(status).toMatch(new RegExp(`^${set}:\\s*0+$`, 'm'));
      expect(status).toMatch(/^NoNewPrivs:\s*1$/m);
      expect(status).not.toMatch(/^Uid:\s*0\b/m);
    },
  );

  test('a worker that is killed in the middle of a write: the job is done after its restart, the write not twice', async () => {
    const held = holdAttachments('killed.example.org');
    await add('killed.example.org');
    await until(held.isHeld, 'the worker waits for the answer');
    await engine.docker('kill', await stage.container('worker'));
    held.release();
    expect((await stage.inspect('worker')).State.Status).toBe('exited');
    await stage.compose('up', '--detach', '--no-build');
    await untilLive('killed.example.org');
    expect(attachments('killed.example.org')).toHaveLength(1);
  });

  test('a worker that dies by itself is started again by the engine', async () => {
    const held = holdAttachments('died.example.org');
    await add('died.example.org');
    await until(held.isHeld, 'the worker waits for the answer');
    const before = (await stage.inspect('worker')).RestartCount;
    await stage.shell('worker', KILL_NODE).catch(() => undefined);
    await until(async () => (await stage.inspect('worker')).RestartCount > before, 'it is started again');
    held.release();
    await untilLive('died.example.org');
    expect(attachments('died.example.org')).toHaveLength(1);
  });

  test('an update replaces worker and server, and loses nothing that was accepted meanwhile', async () => {
    const before = await Promise.all([stage.container('worker'), stage.container('server')]);
    const accepted: string[] = [];
    let isOver = false;
    const asking = (async () => {
      for (let i = 0; !isOver; i += 1) {
        await add(`update-${i}.example.org`);
        accepted.push(`update-${i}.example.org`);
        await sleep(BACKOFF_MS);
      }
    })();
    try {
      await until(() => accepted.length > 3, 'requests are accepted');
      stage.use(UPDATE);
      await stage.compose('up', '--detach', '--no-build');
      await Promise.all([untilHealthy('worker'), untilHealthy('server')]);
      const soFar = accepted.length;
      await until(() => accepted.length > soFar + 3, 'requests are accepted by the new server');
    } finally {
      isOver = true;
      await asking;
    }
    const after = await Promise.all([stage.container('worker'), stage.container('server')]);
    expect(after.filter((id) => before.includes(id))).toEqual([]);
    const [update] = JSON.parse(await engine.docker('image', 'inspect', UPDATE)) as [{ Id: string }];
    for (const service of ['worker', 'server'] as const)
      expect((await stage.inspect(service)).Image).toBe(update.Id);
    const isThere = (name: string) => stage.simulator.state.domains().some((domain) => domain.name === name);
    await until(() => accepted.every(isThere), 'all that was accepted is carried out');
    expect(stage.simulator.state.overlappingWrites()).toEqual([]);
    console.log(`${accepted.length} domains were accepted around the update`);
  });

  test('stops within its grace period with a job at work, which goes on at the next start', async () => {
    const held = holdAttachments('stopped.example.org');
    await add('stopped.example.org');
    await until(held.isHeld, 'the worker waits for the answer');
    const startedAt = performance.now();
    await stage.compose('stop');
    expect(performance.now() - startedAt).toBeLessThan(GRACE_MS);
    const codes = await Promise.all(
      (['worker', 'server', 'redis'] as const).map(async (service) => [
        service,
        (await stage.inspect(service)).State.ExitCode,
      ]),
    );
    expect(codes).toEqual([
      ['worker', 0],
      ['server', 0],
      ['redis', 0],
    ]);
    held.release();
    await stage.compose('start');
    await untilLive('stopped.example.org');
    expect(attachments('stopped.example.org')).toHaveLength(1);
  });
});

describe('the tests of the project', () => {
  test('run on a Redis container', async () => {
    const { TEST_REDIS_URL_IN_USE: _url, JEST_SUMMARY_FILE: _file, JEST_WORKER_ID: _id, ...env } = engine.env;
    const jest = [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
    ];
    const files = [
      'test/integration/store.test.ts',
      'test/integration/worker.test.ts',
      'test/integration/operator.test.ts',
    ];
    const script = 'exec "$@" 2>&1';
    const said = await execute('sh', ['-c', script, 'sh', process.execPath, ...jest, ...files], {
      env,
      cwd: root,
    });
    expect(said).toMatch(/Redis for the tests: a redis:7-alpine container/);
    expect(said).toMatch(/Test Suites: 3 passed, 3 total/);
  });
});
