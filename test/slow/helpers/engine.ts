// The Docker engine of a test: the one that answers on this machine, else one of our own below a temporary folder, which ends with
// the test. In CI its programs are installed first.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aptGet, aptInstall, findProgram } from '../../../scripts/apt.ts';
import { until } from '../../helpers/until.ts';
import { execute, succeeds } from './execute.ts';

export interface Engine extends AsyncDisposable {
  /** With what `docker`, compose and testcontainers need to find it. */
  readonly env: NodeJS.ProcessEnv;
  /** Started here for this test: its images are nobody else's. */
  readonly isOurs: boolean;
  docker(...args: string[]): Promise<string>;
  /** Of a compose project in this folder; by docker-compose or `docker compose`. */
  compose(folder: string, ...args: string[]): Promise<string>;
}

/** Program and Debian's package. */
const needed = {
  dockerd: 'docker.io',
  docker: 'docker.io',
  'docker-compose': 'docker-compose',
  iptables: 'iptables',
  debootstrap: 'debootstrap',
} as const;

const isThere = (name: string): boolean => findProgram(name) !== undefined;

const missing = (): string[] => [
  ...new Set(Object.entries(needed).flatMap(([name, of]) => (isThere(name) ? [] : [of]))),
];

const answers = (env: NodeJS.ProcessEnv): Promise<boolean> =>
  isThere('docker') ? succeeds('docker', ['info'], { env }) : Promise.resolve(false);

/** Why there can be none here, or undefined. */
export async function lackOfEngine(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'containers that reach this test: needs Linux';
  if (await answers(process.env)) return undefined;
  if (process.getuid?.() !== 0) return 'no Docker engine answers, and only root can start one';
  const packages = missing();
  if (packages.length === 0 || process.env.CI) return undefined;
  return `no Docker engine answers; to start one for the test, install ${packages.join(', ')} (with CI=true that is done)`;
}

async function installMissing(): Promise<void> {
  const apt = aptGet();
  if (!apt) return;
  for (const name of missing()) {
    const { ok, output } = await aptInstall(apt, name);
    if (!ok) throw new Error(`${name} could not be installed: ${output.slice(-2000)}`);
  }
}

async function toEngine(
  env: NodeJS.ProcessEnv,
  isOurs: boolean,
  close: () => Promise<void>,
): Promise<Engine> {
  const hasPlugin = await succeeds('docker', ['compose', 'version'], { env });
  const [command, ...first] = hasPlugin ? ['docker', 'compose'] : ['docker-compose'];
  return {
    env,
    isOurs,
    docker: (...args) => execute('docker', args, { env }),
    compose: (folder, ...args) => execute(String(command), [...first, ...args], { env, cwd: folder }),
    [Symbol.asyncDispose]: close,
  };
}

/**
 * A shell in a session of its own reads our pipe: when we close it, or are gone, however that went, the engine ends with its
 * containers, and its folder goes.
 */
const GUARD = `
folder=$1
shift
dockerd "$@" > "$folder/log" 2>&1 &
engine=$!
while read -r line; do :; done
kill -TERM "$engine"
wait "$engine"
awk -v inside="$folder/" 'index($2, inside) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount
rm -rf -- "$folder"
`;
const START_MS = 120_000;

async function startOwn(): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), 'engine-'));
  const host = `unix://${folder}/socket`;
  const places = [
    '--data-root',
    `${folder}/data`,
    '--exec-root',
    `${folder}/exec`,
    '--pidfile',
    `${folder}/pid`,
  ];
  const args = ['-c', GUARD, 'engine-guard', folder, '--host', host, ...places];
  const guard = spawn('sh', args, { stdio: ['pipe', 'ignore', 'inherit'], detached: true });
  const ended = once(guard, 'exit');
  const close = async (): Promise<void> => {
    guard.stdin.end();
    await ended;
  };
  const env = {
    ...process.env,
    DOCKER_HOST: host,
    DOCKER_CONFIG: join(folder, 'config'),
    // The newer builder is a plug-in, which is not everywhere.
    DOCKER_BUILDKIT: '0',
    TESTCONTAINERS_RYUK_DISABLED: 'true',
  };
  try {
    await until(() => answers(env), 'the Docker engine answers', START_MS);
    return await toEngine(env, true, close);
  } catch (error) {
    const said = readFileSync(join(folder, 'log'), 'utf8').slice(-3000);
    await close();
    throw new Error(`dockerd said: ${said}`, { cause: error });
  }
}

export async function provideEngine(): Promise<Engine> {
  if (await answers(process.env)) return toEngine(process.env, false, async () => undefined);
  await installMissing();
  return startOwn();
}
