// The system's package manager: installs a package where that is possible without asking anybody.
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export type Say = (line: string) => void;

/** Where programs live that a plain user's PATH does not name. */
const furtherFolders = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/opt/homebrew/bin'];

/** Those of PATH, and some that PATH often lacks. */
export const programFolders = (): string[] => [
  ...(process.env.PATH ?? '').split(delimiter).filter(Boolean),
  ...furtherFolders,
];

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface PackageManager {
  readonly command: 'apt-get' | 'dnf' | 'apk' | 'brew';
  readonly install: readonly string[];
  readonly refresh?: readonly string[];
  readonly asRoot: boolean;
}

/** No unattended upgrade may make us fail: wait for dpkg's lock. */
const aptInstall = ['install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'];

const managers: readonly PackageManager[] = [
  { command: 'apt-get', install: aptInstall, refresh: ['update', '-qq'], asRoot: true },
  { command: 'dnf', install: ['install', '-y'], asRoot: true },
  { command: 'apk', install: ['add', '--no-cache'], asRoot: true },
  { command: 'brew', install: ['install'], asRoot: false },
];

export const findManager = (): PackageManager | undefined =>
  managers.find(({ command }) => programFolders().some((folder) => isExecutable(join(folder, command))));

/** How to call the manager without a question to anybody, or undefined where we may not. */
export function allowedPrefix({ asRoot }: PackageManager): readonly string[] | undefined {
  const isRoot = process.getuid?.() === 0;
  if (!asRoot) return isRoot ? undefined : [];
  if (isRoot) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined;
}

export interface Ended {
  readonly ok: boolean;
  readonly output: string;
}

export function runQuietly(words: readonly string[], cwd?: string): Promise<Ended> {
  const [command = '', ...args] = [...words];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', HOMEBREW_NO_AUTO_UPDATE: '1' };
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk));
    child.once('error', (error) => resolve({ ok: false, output: error.message }));
    child.once('close', (code) => resolve({ ok: code === 0, output }));
  });
}

/** Installs one package; refreshes the package lists only when that fails without. */
export async function installPackage(
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
