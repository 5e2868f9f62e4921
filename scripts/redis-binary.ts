// Finds a Redis (or Valkey) server program on this machine, or installs one with the system's package manager.
// Starts no server, and never touches one that already runs.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import {
  allowedPrefix,
  findManager,
  installPackage,
  isExecutable,
  type PackageManager,
  programFolders,
  type Say,
} from './system-packages.ts';

export type { Say } from './system-packages.ts';

/** A program and the name to call it by: `spawn(path, args, { argv0 })`. */
export interface RedisBinary {
  readonly path: string;
  readonly argv0: string;
}

/**
 * Redis decides by its name what it is, so Debian ships the server once, as `redis-check-rdb` in `redis-tools`,
 * and `redis-server` as a link to it in a package that also starts a service. The former is all that we need.
 */
const standIns = [
  { name: 'redis-check-rdb', argv0: 'redis-server' },
  { name: 'valkey-check-rdb', argv0: 'valkey-server' },
];

function isServer({ path, argv0 }: RedisBinary): boolean {
  const { stdout } = spawnSync(path, ['--version'], { argv0, encoding: 'utf8', timeout: 5000 });
  return /^(Redis|Valkey) server v=/.test(stdout ?? '');
}

/** The first server program in `folders`: by default those of PATH and some that PATH often lacks. */
export function findRedisBinary(folders: readonly string[] = programFolders()): RedisBinary | undefined {
  const inFolders = (name: string, argv0: string): RedisBinary[] =>
    folders.map((folder) => ({ path: join(folder, name), argv0 })).filter(({ path }) => isExecutable(path));
  const servers = ['redis-server', 'valkey-server'].flatMap((name) => inFolders(name, name));
  return servers[0] ?? standIns.flatMap(({ name, argv0 }) => inFolders(name, argv0)).find(isServer);
}

/** Tried in order until a server is found. */
const packages: Readonly<Record<PackageManager['command'], readonly string[]>> = {
  'apt-get': ['redis-tools', 'redis-server', 'valkey-server'],
  dnf: ['redis', 'valkey'],
  apk: ['redis', 'valkey'],
  brew: ['redis'],
};
const byHand: Readonly<Record<PackageManager['command'], string>> = {
  'apt-get': 'sudo apt-get install redis-server',
  dnf: 'sudo dnf install redis',
  apk: 'sudo apk add redis',
  brew: 'brew install redis',
};

const lastLines = (output: string): string => output.trim().split('\n').slice(-3).join('\n  ');

/** Installs a server where that is possible without asking; says before what it does. */
export async function installRedis(say: Say): Promise<RedisBinary | undefined> {
  const manager = findManager();
  const prefix = manager && allowedPrefix(manager);
  if (!manager || !prefix) return undefined;
  for (const name of packages[manager.command]) {
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
  const manager = findManager();
  const install = manager
    ? `install one with \`${byHand[manager.command]}\``
    : 'install redis-server or valkey-server';
  return `No Redis could be found: ${install} (or start Docker, or set ${variable} to the URL of one that runs), then run the same command again.`;
}
