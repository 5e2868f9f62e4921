// A PM2 of its own for one test: home, daemon and log files in a temporary folder, ended by process ids.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
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
  /** What processes of this name have logged, as `pm2 logs` shows it. */
  logOf(name: string): string;
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
export async function createPm2(env: Readonly<Record<string, string>>): Promise<Pm2> {
  // Short: it holds sockets, whose paths may have 107 characters.
  const home = mkdtempSync(join(tmpdir(), 'pm2-'));
  const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
  const all = { PATH, NODE_COMPILE_CACHE, HOME: home, PM2_HOME: home, NO_COLOR: '1', ...env };
  const call = (args: readonly string[], its: NodeJS.ProcessEnv): Promise<string> =>
    execute(process.execPath, ['scripts/run.mjs', 'pm2', ...args], { cwd: root, env: its });
  const run = (...args: string[]): Promise<string> => call(args, all);
  // The first call installs it, which may need what this machine's environment says of the way to npm.
  await call(['--version'], { ...process.env, PM2_HOME: home });
  const daemonPid = (): number => Number(readFileSync(join(home, 'pm2.pid'), 'utf8'));
  return {
    run,
    daemonPid,
    logOf: (name) =>
      readdirSync(join(home, 'logs'))
        .filter((file) => file.startsWith(`${name}-out`))
        .map((file) => readFileSync(join(home, 'logs', file), 'utf8'))
        .join(''),
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
