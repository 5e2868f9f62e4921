// A PM2 of its own for one test: home, daemon and log files in a temporary folder, ended by process ids.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from '../../../scripts/run/install.mjs';
import { until } from '../../helpers/until.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = join(root, 'tools/pm2');
const program = join(folder, 'node_modules/pm2/bin/pm2');

export interface Pm2Process {
  readonly name: string;
  readonly pid: number;
  readonly status: string;
  readonly mode: string;
}

export interface Pm2 extends AsyncDisposable {
  /** Runs `pm2 <args>` in the project's folder; throws with what it printed where it fails. */
  run(...args: string[]): Promise<string>;
  /** By name. */
  processes(): Promise<Pm2Process[]>;
  daemonPid(): number;
  /** What the processes have written, for a test that fails. */
  logs(): Promise<string>;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function execute(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { cwd: root, env });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(out);
      else reject(new Error(`pm2 ${args.join(' ')} ended with ${code}:\n${out}\n${err}`));
    });
  });
}

interface Listed {
  readonly name: string;
  readonly pid: number;
  readonly pm2_env: { readonly status: string; readonly exec_mode: string };
}

/** `env` is the whole configuration that its processes see. */
export async function createPm2(env: Readonly<Record<string, string>>): Promise<Pm2> {
  await ensureInstalled(folder, { what: 'PM2', note: 'npm ci; once', node: process.execPath });
  // Short: it holds sockets, whose paths may have 107 characters.
  const home = mkdtempSync(join(tmpdir(), 'pm2-'));
  const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
  const all = { PATH, NODE_COMPILE_CACHE, HOME: home, PM2_HOME: home, NO_COLOR: '1', ...env };
  const run = (...args: string[]): Promise<string> => execute(args, all);
  const daemonPid = (): number => Number(readFileSync(join(home, 'pm2.pid'), 'utf8'));
  return {
    run,
    daemonPid,
    async processes() {
      const printed = await run('jlist');
      const list = JSON.parse(printed.slice(printed.indexOf('['))) as Listed[];
      return list
        .map(({ name, pid, pm2_env: { status, exec_mode: mode } }) => ({ name, pid, status, mode }))
        .sort((a, b) => a.name.localeCompare(b.name));
    },
    logs: () => run('logs', '--nostream', '--lines', '200'),
    async [Symbol.asyncDispose]() {
      const pid = await endDaemon(run, daemonPid);
      if (pid !== undefined) await until(() => !isAlive(pid), 'the daemon of PM2 has ended');
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Its processes end with it. */
async function endDaemon(run: Pm2['run'], daemonPid: () => number): Promise<number | undefined> {
  let pid: number;
  try {
    pid = daemonPid();
  } catch {
    return undefined;
  }
  if (isAlive(pid)) await run('kill');
  return pid;
}
