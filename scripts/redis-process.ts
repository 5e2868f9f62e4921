// A private Redis server from a local program: free port on 127.0.0.1, folder of its own, gone when we are.
// Its owner can kill, freeze and restart it; port and folder stay the same.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findRedisBinary, howToGetRedis, installRedis, type RedisBinary, type Say } from './redis-binary.ts';
import { type Guard, startGuard } from './redis-guard.ts';

const host = '127.0.0.1';
const startTimeoutMs = 15_000;
const gracefulStopMs = 2000;

export interface RedisServerOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Default: a temporary one, removed at the end. One that is given stays. */
  readonly dir?: string;
  /** Keep data over a restart (appendonly yes, appendfsync always). Default: nothing is written. */
  readonly aof?: boolean;
  /** Further arguments of redis-server; they win over ours. */
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
  /** Starts it again on the same port and folder; ends it before (SIGKILL) if it still runs. */
  restart(): Promise<void>;
  /** Ends it for good. May be called more than once. */
  stop(): Promise<void>;
}

interface Spec {
  readonly binary: RedisBinary;
  readonly port: number;
  readonly dir: string;
  readonly options: RedisServerOptions;
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

function argumentsFor({ port, dir, options }: Spec): string[] {
  const basic = ['--port', String(port), '--bind', host, '--dir', dir, '--logfile', join(dir, 'redis.log')];
  const aof = options.aof ? ['yes', '--appendfsync', 'always'] : ['no'];
  const stored = ['--save', '', '--appendonly', ...aof, '--maxmemory-policy', 'noeviction'];
  return [...basic, '--daemonize', 'no', ...stored, ...(options.args ?? [])];
}

/** What INFO says, or undefined as long as nobody (or a server that still loads) answers there. */
function askInfo(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let reply = '';
    const socket = connect({ host, port });
    const finish = (answer?: string): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => finish());
    socket.once('error', () => finish());
    socket.once('close', () => resolve(undefined));
    socket.on('data', (chunk) => {
      reply += chunk.toString('utf8');
      if (/process_id:\d+\r/.test(reply) || reply.startsWith('-NOAUTH')) finish(reply);
      else if (reply.startsWith('-')) finish();
    });
    socket.write('INFO server\r\n');
  });
}

async function logOf(dir: string): Promise<string> {
  const log = await readFile(join(dir, 'redis.log'), 'utf8').catch(() => '');
  return log.trim().split('\n').slice(-5).join('\n');
}

interface Launched {
  readonly child: ChildProcess;
  readonly version: string;
}

async function waitUntilReady(child: ChildProcess, { port, dir, binary }: Spec): Promise<string> {
  const deadline = performance.now() + startTimeoutMs;
  while (performance.now() < deadline && child.exitCode === null && child.signalCode === null) {
    const info = await askInfo(port);
    const isOurs = info?.includes(`process_id:${child.pid}\r`) || info?.startsWith('-NOAUTH');
    if (info && isOurs) return /(?:valkey|redis)_version:([\d.]+)/.exec(info)?.[1] ?? '';
    await sleep(10);
  }
  child.kill('SIGKILL');
  throw new Error(`${binary.path} did not start on port ${port}; its log ends with:\n${await logOf(dir)}`);
}

async function launch(spec: Spec, guard: Guard): Promise<Launched> {
  const { path, argv0 } = spec.binary;
  // In a session of its own: a Ctrl-C in the terminal ends the program, and the program ends its Redis.
  const child = spawn(path, argumentsFor(spec), { argv0, stdio: 'ignore', detached: true, cwd: spec.dir });
  child.once('error', () => undefined);
  guard.watch(child.pid);
  child.once('exit', () => guard.watch(undefined));
  child.unref();
  return { child, version: await waitUntilReady(child, spec) };
}

/** A free port can be taken by somebody else before Redis has it: then another one. */
async function launchAnywhere(spec: Omit<Spec, 'port'>, guard: Guard): Promise<Launched & Spec> {
  const attempts = spec.options.port === undefined ? 3 : 1;
  for (let attempt = 1; ; attempt += 1) {
    const here = { ...spec, port: spec.options.port ?? (await freePort()) };
    try {
      return { ...here, ...(await launch(here, guard)) };
    } catch (error) {
      if (attempt === attempts) throw error;
    }
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.ref();
  child.kill(signal);
  // A frozen process takes note of no other signal than SIGKILL.
  if (signal !== 'SIGKILL') child.kill('SIGCONT');
  await ended;
}

async function endGracefully(child: ChildProcess): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), gracefulStopMs);
  await end(child, 'SIGTERM');
  clearTimeout(timer);
}

async function someBinary(say: Say): Promise<RedisBinary> {
  const binary = findRedisBinary() ?? (await installRedis(say));
  if (!binary) throw new Error(howToGetRedis('TEST_REDIS_URL'));
  return binary;
}

function control(first: Launched & Spec, guard: Guard): RedisServer {
  const { port, dir, binary, options } = first;
  let { child } = first;
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const kill = (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => end(child, signal);
  const stop = async (): Promise<void> => {
    await (options.dir === undefined ? kill() : endGracefully(child));
    await guard.release();
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
      ({ child } = await launch(first, guard));
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Starts one; resolves when it answers. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const binary = options.binary ?? (await someBinary(options.say ?? (() => undefined)));
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'runcloud-domains-redis-')));
  const guard = startGuard(options.dir === undefined ? dir : undefined);
  try {
    return control(await launchAnywhere({ binary, dir, options }, guard), guard);
  } catch (error) {
    await guard.release();
    throw error;
  }
}
