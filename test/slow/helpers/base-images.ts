// The images that Dockerfile and docker-compose.yml begin with: as they name them, where a registry answers; else stand-ins made of
// Debian's packages and of the Node.js and npm that run this test.
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Engine } from './engine.ts';
import { execute } from './execute.ts';

const text = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8');

/** As the project's files have them. */
export const named = {
  node: String(/^ARG NODE_IMAGE=(\S+)$/m.exec(text('Dockerfile'))?.[1]),
  redis: String(/image: (redis:\S+)/.exec(text('docker-compose.yml'))?.[1]),
};

/** What the tests' Redis container is called (scripts/redis.ts). */
const REDIS_TAG = 'redis:7-alpine';
const SUITE = 'bookworm';

export interface BaseImages {
  readonly node: string;
  readonly redis: string;
  /** For a person. */
  readonly description: string;
}

const isPulled = (engine: Engine, image: string): Promise<boolean> =>
  engine.docker('pull', '--quiet', image).then(
    () => true,
    () => false,
  );

export async function provideBaseImages(engine: Engine): Promise<BaseImages> {
  const folder = mkdtempSync(join(tmpdir(), 'base-images-'));
  try {
    const isReal = (await isPulled(engine, named.node)) && (await isPulled(engine, named.redis));
    if (!isReal && !engine.isOurs)
      throw new Error(
        `${named.node} and ${named.redis} cannot be pulled: let the Docker engine reach a registry`,
      );
    if (!isReal) await makeStandIns(engine, folder);
    const base = isReal ? named : { node: STAND_INS.node, redis: STAND_INS.redis };
    // The machine's own way to npm's registry, which the Dockerfile does not know.
    const node = engine.isOurs ? await withWayToNpm(engine, folder, base.node) : base.node;
    return {
      node,
      redis: base.redis,
      description: isReal ? 'the real ones' : `stand-ins from Debian ${SUITE}`,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const STAND_INS = { system: 'stand-in/debian', node: 'stand-in/node', redis: 'stand-in/redis' };

/** As the official image does: on all addresses, without protected mode. */
const REDIS_ENTRY = `#!/bin/sh
[ "$1" = redis-server ] || exec "$@"
shift
exec redis-server --bind '*' --protected-mode no "$@"
`;

async function makeStandIns(engine: Engine, folder: string): Promise<void> {
  const root = join(folder, 'root');
  const { env } = engine;
  const packages = '--include=redis-server,ca-certificates';
  await execute('debootstrap', ['--variant=minbase', packages, SUITE, root], { env });
  const pack = 'tar -C "$1" -c . | docker import - "$2"';
  await execute('sh', ['-c', pack, 'sh', root, STAND_INS.system], { env });
  rmSync(root, { recursive: true, force: true });
  const redis = join(folder, 'redis');
  mkdirSync(redis);
  writeFileSync(join(redis, 'entry'), REDIS_ENTRY, { mode: 0o755 });
  const lines = [
    `FROM ${STAND_INS.system}`,
    'COPY entry /usr/local/bin/entry',
    'WORKDIR /data',
    'ENTRYPOINT ["/usr/local/bin/entry"]',
    'CMD ["redis-server"]',
  ];
  await build(engine, redis, lines, STAND_INS.redis);
  await engine.docker('tag', STAND_INS.redis, REDIS_TAG);
  await makeNode(engine, join(folder, 'node'));
}

async function makeNode(engine: Engine, folder: string): Promise<void> {
  const modules = join(folder, 'lib/node_modules');
  mkdirSync(join(folder, 'bin'), { recursive: true });
  copyFileSync(process.execPath, join(folder, 'bin/node'));
  cpSync(npmFolder(), join(modules, 'npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(folder, 'bin/npm'));
  const lines = [
    `FROM ${STAND_INS.system}`,
    'COPY bin /usr/local/bin/',
    'COPY lib /usr/local/lib/',
    'RUN useradd --uid 1000 --create-home node',
    'CMD ["node"]',
  ];
  await build(engine, folder, lines, STAND_INS.node);
}

function npmFolder(): string {
  const onPath = (process.env.PATH ?? '').split(delimiter).map((path) => join(path, 'npm'));
  const script = [process.env.npm_execpath, ...onPath].find((path) => path && existsSync(path));
  if (!script) throw new Error('there is no npm on this machine');
  return dirname(dirname(realpathSync(script)));
}

async function build(engine: Engine, folder: string, lines: readonly string[], tag: string): Promise<void> {
  writeFileSync(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
  await engine.docker('build', '--quiet', '--tag', tag, folder);
}

async function withWayToNpm(engine: Engine, parent: string, image: string): Promise<string> {
  const folder = join(parent, 'way');
  mkdirSync(folder);
  const lines = [`FROM ${image}`];
  const npmrc = join(homedir(), '.npmrc');
  if (existsSync(npmrc)) {
    copyFileSync(npmrc, join(folder, 'npmrc'));
    lines.push('COPY npmrc /root/.npmrc');
  }
  const authorities = process.env.NODE_EXTRA_CA_CERTS;
  if (authorities && existsSync(authorities)) {
    copyFileSync(authorities, join(folder, 'authorities.pem'));
    lines.push(
      'COPY authorities.pem /etc/ssl/authorities.pem',
      'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/authorities.pem',
    );
  }
  if (lines.length === 1) return image;
  const tag = 'stand-in/node-with-a-way-to-npm';
  await build(engine, folder, lines, tag);
  return tag;
}
