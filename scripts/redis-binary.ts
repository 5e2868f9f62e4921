// Finds a Redis (or Valkey) server program on this machine, or installs one with the system's package manager.
// Starts no server, and never touches one that already runs.
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export type Say = (line: string) => void;

/** A program and the name to call it by: `spawn(path, args, { argv0 })`. */
export interface RedisBinary {
  readonly path: string;
  readonly argv0: string;
}

/** Where servers live that a plain user's PATH does not name. */
const furtherFolders = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/opt/homebrew/bin'];

/**
 * Redis decides by its name what it is, so Debian ships the server once, as `redis-check-rdb` in `redis-tools`,
 * and `redis-server` as a link to it in a package that also starts a service. The former is all that we need.
 */
const standIns = [
  { name: 'redis-check-rdb', argv0: 'redis-server' },
  { name: 'valkey-check-rdb', argv0: 'valkey-server' },
];

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isServer({ path, argv0 }: RedisBinary): boolean {
  const { stdout } = spawnSync(path, ['--version'], { argv0, encoding: 'utf8', timeout: 5000 });
  return /^(Redis|Valkey) server v=/.test(stdout ?? '');
}

/** The first server program in `folders`: by default those of PATH and some that PATH often lacks. */
export function findRedisBinary(folders: readonly string[] = defaultFolders()): RedisBinary | undefined {
  const inFolders = (name: string, argv0: string): RedisBinary[] =>
    folders.map((folder) => ({ path: join(folder, name), argv0 })).filter(({ path }) => isExecutable(path));
  const servers = ['redis-server', 'valkey-server'].flatMap((name) => inFolders(name, name));
  return servers[0] ?? standIns.flatMap(({ name, argv0 }) => inFolders(name, argv0)).find(isServer);
}

function defaultFolders(): string[] {
  return [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...furtherFolders];
}

interface PackageManager {
  readonly command: string;
  /** Tried in order until a server is found. */
  readonly packages: readonly string[];
  readonly install: readonly string[];
  readonly refresh?: readonly string[];
  readonly asRoot: boolean;
  readonly byHand: string;
}

/** No unattended upgrade may make us fail: wait for dpkg's lock. */
const aptInstall = ['install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'];

const managers: readonly PackageManager[] = [
  {
    command: 'apt-get',
    packages: ['redis-tools', 'redis-server', 'valkey-server'],
    install: aptInstall,
    refresh: ['update', '-qq'],
    asRoot: true,
    byHand: 'sudo apt-get install redis-server',
  },
  {
    command: 'dnf',
    packages: ['redis', 'valkey'],
    install: ['install', '-y'],
    asRoot: true,
    byHand: 'sudo dnf install redis',
  },
  {
    command: 'apk',
    packages: ['redis', 'valkey'],
    install: ['add', '--no-cache'],
    asRoot: true,
    byHand: 'sudo apk add redis',
  },
  {
    command: 'brew',
    packages: ['redis'],
    install: ['install'],
    asRoot: false,
    byHand: 'brew install redis',
  },
];

function findManager(): PackageManager | undefined {
  return managers.find(({ command }) =>
    defaultFolders().some((folder) => isExecutable(join(folder, command))),
  );
}

/** How to call the manager without a question to anybody, or undefined where we may not. */
function allowedPrefix({ asRoot }: PackageManager): readonly string[] | undefined {
  const isRoot = process.getuid?.() === 0;
  if (!asRoot) return isRoot ? undefined : [];
  if (isRoot) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined;
}

interface Ended {
  readonly ok: boolean;
  readonly output: string;
}

function runQuietly(words: readonly string[]): Promise<Ended> {
  const [command = '', ...args] = [...words];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', HOMEBREW_NO_AUTO_UPDATE: '1' };
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk));
    child.once('error', (error) => resolve({ ok: false, output: error.message }));
    child.once('close', (code) => resolve({ ok: code === 0, output }));
  });
}

/** Installs one package; refreshes the package lists only when that fails without. */
async function installPackage(
  manager: PackageManager,
  prefix: readonly string[],
  name: string,
): Promise<Ended> {
  const install = [...prefix, manager.command, ...manager.install, name];
  const first = await runQuietly(install);
  if (first.ok || !manager.refresh) return first;
  const refreshed = await runQuietly([...prefix, manager.command, ...manager.refresh]);
  return refreshed.ok ? runQuietly(install) : refreshed;
}

const lastLines = (output: string): string => output.trim().split('\n').slice(-3).join('\n  ');

/** Installs a server where that is possible without asking; says before what it does. */
export async function installRedis(say: Say): Promise<RedisBinary | undefined> {
  const manager = findManager();
  const prefix = manager && allowedPrefix(manager);
  if (!manager || !prefix) return undefined;
  for (const name of manager.packages) {
    const words = [...prefix, manager.command, manager.install[0], name].join(' ');
    say(`No Redis here: installing one (${words}); no system service is needed or used ...`);
    const startedAt = performance.now();
    const { ok, output } = await installPackage(manager, prefix, name);
    const found = findRedisBinary();
    if (found) {
      say(`Installed in ${((performance.now() - startedAt) / 1000).toFixed(1)} s: ${found.path}`);
      return found;
    }
    if (!ok) say(`That did not work:\n  ${lastLines(output)}`);
  }
  return undefined;
}

/** What a person can do when there is no Redis and we may not install one. */
export function howToGetRedis(variable: string): string {
  const byHand = findManager()?.byHand;
  const install = byHand ? `install one with \`${byHand}\`` : 'install redis-server or valkey-server';
  return `No Redis could be found: ${install} (or start Docker, or set ${variable} to the URL of one that runs), then run the same command again.`;
}
