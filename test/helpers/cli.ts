// The command line: called in this process (`runCli`), or started as a process of its own
// (`startCli`, `spawnCli`).
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { OutputStream } from '../../src/cli/output/streams.ts';
import { run } from '../../src/cli/program.ts';
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
  /** Redis is away on purpose: a command that does not reach it is not run again. */
  readonly isRedisAway?: boolean;
}

export interface SpawnOptions extends CliOptions {
  /** Another script than the command line. */
  readonly script?: string;
}

export interface CallOptions extends CliOptions {
  /** In place of a stream that only collects the text. */
  readonly stdout?: OutputStream;
  readonly stderr?: OutputStream;
  /** Resolves where a person would press Ctrl-C. */
  readonly stopped?: Promise<string>;
}

/** Sees no configuration but `env`: neither this process's environment nor a `.env` file. */
export function startCli(
  args: readonly string[],
  { env = {}, input, script = program }: SpawnOptions = {},
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

/** A stream that collects what is written. */
function collector(): OutputStream & { text(): string } {
  let text = '';
  return {
    text: () => text,
    on: () => undefined,
    write(chunk, _encoding, done) {
      text += chunk;
      done();
      return true;
    },
  };
}

async function callCli(args: readonly string[], options: CallOptions): Promise<CliResult> {
  const { env = {}, input = '', stopped = new Promise<string>(() => undefined) } = options;
  const [out, err] = [collector(), collector()];
  const directory = mkdtempSync(join(tmpdir(), 'runcloud-domains-cli-'));
  try {
    const code = await run(args, {
      env,
      directory,
      streams: {
        stdin: Readable.from([Buffer.from(input)]),
        stdout: options.stdout ?? out,
        stderr: options.stderr ?? err,
      },
      clock: Date.now,
      nodeVersion: process.versions.node,
      isClusterWorker: false,
      untilSignal: () => stopped,
      announceReady: () => undefined,
    });
    return { code, signal: null, out: out.text(), err: err.text() };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function spawnOnce(args: readonly string[], options: SpawnOptions): Promise<CliResult> {
  await using cli = startCli(args, options);
  return await cli.ended;
}

/**
 * On a machine that is busy for longer than the second that a command waits for Redis, it does what
 * the command says: it runs it again.
 */
async function untilRedisAnswers(
  args: readonly string[],
  { isRedisAway }: CliOptions,
  attempt: () => Promise<CliResult>,
): Promise<CliResult> {
  if (isRedisAway) return attempt();
  return until(
    async () => {
      const result = await attempt();
      return result.code === 3 && result.err.includes('did not answer within') ? undefined : result;
    },
    `Redis answered ${args.join(' ')} in time`,
  );
}

/** In this process; sees no configuration but `env`. */
export const runCli = (args: readonly string[], options: CallOptions = {}): Promise<CliResult> =>
  untilRedisAnswers(args, options, () => callCli(args, options));

/** In a process of its own. */
export const spawnCli = (args: readonly string[], options: SpawnOptions = {}): Promise<CliResult> =>
  untilRedisAnswers(args, options, () => spawnOnce(args, options));
