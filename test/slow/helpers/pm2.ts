// A PM2 of its own for one test: home, daemon and log files in a temporary folder, ended by process ids.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../../helpers/until.ts';
import { execute } from './execute.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

export interface Pm2Process {
  readonly name: string;
  readonly pid: number;
  readonly status: string;
  readonly mode: string;
}

export interface Pm2 extends AsyncDisposable {
  /** Runs `npm run pm2 -- <args>`; throws with what it printed where it fails. */
  run(...args: string[]): Promise<string>;
  /** By name. */
  processes(): Promise<Pm2Process[]>;
  daemonPid(): number;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

interface Listed {
  readonly name: string;
  readonly pid: number;
  readonly pm2_env: { readonly status: string; readonly exec_mode: string };
}

/** `env` is the whole configuration that its processes see. */
export function createPm2(env: Readonly<Record<string, string>>): Pm2 {
  // Short: it holds sockets, whose paths may have 107 characters.
  const home = mkdtempSync(join(tmpdir(), 'pm2-'));
  const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
  const all = { PATH, NODE_COMPILE_CACHE, HOME: home, PM2_HOME: home, NO_COLOR: '1', ...env };
  const run = (...args: string[]): Promise<string> =>
    execute(process.execPath, ['scripts/run.mjs', 'pm2', ...args], { cwd: root, env: all });
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
