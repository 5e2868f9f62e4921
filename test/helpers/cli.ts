// The command line in a process of its own, as a person or a process manager starts it: the built one where it is fresh.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './until.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

const newestIn = (folder: string, ending: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .reduce((newest, { parentPath, name }) => Math.max(newest, statSync(join(parentPath, name)).mtimeMs), 0);

function findProgram(): string {
  const built = join(root, 'dist/cli/main.js');
  const isFresh = existsSync(built) && statSync(built).mtimeMs > newestIn(join(root, 'src'), '.ts');
  return isFresh ? built : join(root, 'src/cli/main.ts');
}

/** What `process.execPath` runs as the command line. */
export const program = findProgram();

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface RunningCli extends AsyncDisposable {
  readonly child: ChildProcess;
  out(): string;
  err(): string;
  readonly ended: Promise<CliResult>;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Another script than the command line. */
  readonly script?: string;
  /** True where a test wants to see what is said without Redis. */
  readonly isRedisAway?: boolean;
}

/** Sees no configuration but `env`: neither this process's environment nor a `.env` file. */
export function startCli(
  args: readonly string[],
  { env = {}, input, script = program }: CliOptions = {},
): RunningCli {
  const cwd = mkdtempSync(join(tmpdir(), 'runcloud-domains-cli-'));
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env;
  const child = spawn(process.execPath, [script, ...args], {
    cwd,
    env: { PATH, HOME, NODE_COMPILE_CACHE, NODE_OPTIONS: '', NO_COLOR: '1', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk;
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  const ended = once(child, 'close').then(([code, signal]): CliResult => {
    rmSync(cwd, { recursive: true, force: true });
    return { code: code as number | null, signal: signal as NodeJS.Signals | null, out, err };
  });
  return {
    child,
    out: () => out,
    err: () => err,
    ended,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
    },
  };
}

/** On a machine that is busy for longer than the second that a command waits for Redis, what it says to do: it is run again. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const attempt = async (): Promise<CliResult> => {
    await using cli = startCli(args, options);
    return await cli.ended;
  };
  if (options.isRedisAway) return attempt();
  return until(
    async () => {
      const result = await attempt();
      return result.code === 3 && result.err.includes('did not answer within') ? undefined : result;
    },
    `Redis answered ${args.join(' ')} in time`,
  );
}
