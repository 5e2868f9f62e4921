// A private Redis (or Valkey) server: a free port of 127.0.0.1, a temporary folder, gone when this process is.
// Its owner can kill, freeze and restart it. The port and the folder stay the same.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { aptGet, aptInstall, isExecutable, programFolders, type Say } from './apt.ts';

const host = '127.0.0.1';
const startTimeoutMs = 15_000;

/** A program and the name to call it by: `spawn(path, args, { argv0 })`. */
export interface RedisBinary {
  readonly path: string;
  readonly argv0: string;
}

/**
 * Debian's `redis-tools` has the server as `redis-check-rdb`: the program decides by its name what it is.
 * Its package `redis-server` adds a link and starts a service, which nobody needs here.
 */
const standIns = { 'redis-check-rdb': 'redis-server', 'valkey-check-rdb': 'valkey-server' };

function isServer({ path, argv0 }: RedisBinary): boolean {
  const { stdout } = spawnSync(path, ['--version'], { argv0, encoding: 'utf8', timeout: 5000 });
  return /^(Redis|Valkey) server v=/.test(stdout ?? '');
}

/** The first server program in `folders`. */
export function findRedisBinary(folders: readonly string[] = programFolders()): RedisBinary | undefined {
  const inFolders = (name: string, argv0: string): RedisBinary[] =>
    folders.map((folder) => ({ path: join(folder, name), argv0 })).filter(({ path }) => isExecutable(path));
  const servers = ['redis-server', 'valkey-server'].flatMap((name) => inFolders(name, name));
  const others = Object.entries(standIns).flatMap(([name, argv0]) => inFolders(name, argv0));
  return servers[0] ?? others.find(isServer);
}

/** Installs one where apt needs no password. Prints before what it does. */
export async function installRedis(say: Say): Promise<RedisBinary | undefined> {
  const command = aptGet();
  if (!command) return undefined;
  for (const name of ['redis-tools', 'redis-server', 'valkey-server']) {
    say(
      `No Redis here: installing one (${command.join(' ')} install ${name}); it is not started as a service ...`,
    );
    const { ok, output } = await aptInstall(command, name);
    const found = findRedisBinary();
    if (found) return found;
    if (!ok) say(`That did not work:\n  ${output.trim().split('\n').slice(-3).join('\n  ')}`);
  }
  return undefined;
}

/** The advice when there is no Redis and none could be installed. */
export const howToGetRedis = (variable: string): string =>
  'No Redis found. Install one (`sudo apt-get install redis-server`, `brew install redis`), start Docker, ' +
  `or set ${variable} to the URL of a running one. Then run the same command again.`;

export interface RedisServerOptions {
  /** Keep data over a restart (append-only file, fsync at each write). Default: nothing is written. */
  readonly aof?: boolean;
  /** Further arguments of redis-server. They win over ours. */
  readonly args?: readonly string[];
  readonly binary?: RedisBinary;
  readonly say?: Say;
}

export interface RedisServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  readonly description: string;
  /** Undefined while it is not running. */
  pid(): number | undefined;
  /** Ends the process by a signal (default SIGKILL) and waits until it has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Freezes it: connections stay open, nothing is answered. */
  pause(): void;
  resume(): void;
  /** Ends it by SIGKILL if it runs, and starts it again. */
  restart(): Promise<void>;
  /** Ends it for good and removes its folder. May be called more than once. */
  stop(): Promise<void>;
}

interface Spec {
  readonly binary: RedisBinary;
  readonly dir: string;
  readonly port: number;
  readonly options: RedisServerOptions;
}

const logOf = (dir: string): string => join(dir, 'redis.log');

function toArguments({ port, dir, options: { aof = false, args = [] } }: Spec): string[] {
  const place = ['--port', String(port), '--bind', host, '--dir', dir, '--logfile', logOf(dir)];
  const storage = aof ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
  const fixed = ['--daemonize', 'no', '--save', '', '--maxmemory-policy', 'noeviction'];
  return [...place, ...fixed, ...storage, ...args];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return address.port;
}

/** Its own log says when it is ready, so no other program on the port is taken for it. */
async function waitUntilReady(child: ChildProcess, { port, dir, binary }: Spec): Promise<string> {
  const deadline = performance.now() + startTimeoutMs;
  const read = (): Promise<string> => readFile(logOf(dir), 'utf8').catch(() => '');
  while (performance.now() < deadline && child.exitCode === null && child.signalCode === null) {
    const log = await read();
    if (log.includes('Ready to accept connections')) return /version=([\d.]+)/.exec(log)?.[1] ?? '';
    await sleep(10);
  }
  child.kill('SIGKILL');
  const lastLines = (await read()).trim().split('\n').slice(-5).join('\n');
  throw new Error(`${binary.path} did not start on port ${port}; its log ends with:\n${lastLines}`);
}

/** A shell in its own session: when our pipe to it closes, it kills the server and removes the folder. */
const REAPER = `
while read -r line; do pid=$line; done
[ -n "$pid" ] && kill -KILL "$pid" 2>/dev/null
rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }
`;

interface Reaper {
  /** The process that must not outlive this one; undefined when it has ended. */
  watch(pid: number | undefined): void;
  release(): Promise<void>;
}

function startReaper(dir: string): Reaper {
  const stdio = ['pipe', 'ignore', 'ignore'] as const;
  const shell = spawn('/bin/sh', ['-c', REAPER, 'redis-reaper', dir], { stdio: [...stdio], detached: true });
  const ended = once(shell, 'exit').catch(() => undefined);
  shell.stdin?.on('error', () => undefined);
  shell.unref();
  if (shell.stdin instanceof Socket) shell.stdin.unref();
  return {
    watch: (pid) => void shell.stdin?.write(`${pid ?? ''}\n`),
    release: async () => {
      if (shell.exitCode !== null) return;
      shell.ref();
      shell.stdin?.end();
      await ended;
    },
  };
}

interface Launched {
  readonly child: ChildProcess;
  readonly version: string;
}

async function launch(spec: Spec, reaper: Reaper): Promise<Launched> {
  const { path, argv0 } = spec.binary;
  await rm(logOf(spec.dir), { force: true });
  // In its own session: a Ctrl-C in the terminal ends the program, and the program ends its Redis.
  const child = spawn(path, toArguments(spec), { argv0, stdio: 'ignore', detached: true, cwd: spec.dir });
  child.once('error', () => undefined);
  reaper.watch(child.pid);
  child.once('exit', () => reaper.watch(undefined));
  child.unref();
  return { child, version: await waitUntilReady(child, spec) };
}

/** Another program may take the free port before Redis does. Then Redis gets another one. */
async function launchAnywhere(spec: Omit<Spec, 'port'>, reaper: Reaper, tries = 3): Promise<Launched & Spec> {
  const here = { ...spec, port: await freePort() };
  try {
    return { ...here, ...(await launch(here, reaper)) };
  } catch (error) {
    if (tries === 1) throw error;
    return launchAnywhere(spec, reaper, tries - 1);
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.ref();
  child.kill(signal);
  // A frozen process reacts to no other signal than SIGKILL.
  if (signal !== 'SIGKILL') child.kill('SIGCONT');
  await ended;
}

function control(first: Launched & Spec, reaper: Reaper): RedisServer {
  const { port, dir, binary } = first;
  let { child } = first;
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const kill = (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => end(child, signal);
  const stop = async (): Promise<void> => {
    await kill();
    await reaper.release();
  };
  return {
    url: `redis://${host}:${port}`,
    port,
    dir,
    description: `${binary.argv0} ${first.version} (${binary.path}) on ${host}:${port}, private to this run`,
    pid: () => (isRunning() ? child.pid : undefined),
    kill,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    restart: async () => {
      await kill();
      ({ child } = await launch(first, reaper));
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Starts one; resolves when it answers. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const binary =
    options.binary ?? findRedisBinary() ?? (await installRedis(options.say ?? (() => undefined)));
  if (!binary) throw new Error(howToGetRedis('TEST_REDIS_URL'));
  const dir = await mkdtemp(join(tmpdir(), 'runcloud-domains-redis-'));
  const reaper = startReaper(dir);
  try {
    return control(await launchAnywhere({ binary, dir, options }, reaper), reaper);
  } catch (error) {
    await reaper.release();
    throw error;
  }
}
