// Programs of this machine, and Debian's package manager where it needs no password.
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export type Say = (line: string) => void;

/** The folders of PATH, and some that a plain user's PATH often lacks. */
export const programFolders = (): string[] => [
  ...(process.env.PATH ?? '').split(delimiter).filter(Boolean),
  ...['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/opt/homebrew/bin'],
];

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path of the first of these programs that is there. */
export const findProgram = (...names: string[]): string | undefined =>
  names
    .flatMap((name) => programFolders().map((folder) => join(folder, name)))
    .find((path) => isExecutable(path));

export interface Ended {
  readonly ok: boolean;
  readonly output: string;
}

export function runQuietly(words: readonly string[], cwd?: string): Promise<Ended> {
  const [command = '', ...args] = words;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk));
    child.once('error', (error) => resolve({ ok: false, output: error.message }));
    child.once('close', (code) => resolve({ ok: code === 0, output }));
  });
}

/** `apt-get`, by sudo if necessary; undefined if there is none or it would need a password. */
export function aptGet(): readonly string[] | undefined {
  if (!findProgram('apt-get')) return undefined;
  if (process.getuid?.() === 0) return ['apt-get'];
  const isAllowed = spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;
  return isAllowed ? ['sudo', '-n', 'apt-get'] : undefined;
}

/** Installs one package. Updates the package lists only if that fails without. */
export async function aptInstall(command: readonly string[], name: string): Promise<Ended> {
  // An unattended upgrade may have dpkg's lock: wait for it.
  const options = ['-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'];
  const install = [...command, 'install', ...options, name];
  const first = await runQuietly(install);
  if (first.ok) return first;
  const updated = await runQuietly([...command, 'update', '-qq']);
  return updated.ok ? runQuietly(install) : updated;
}
