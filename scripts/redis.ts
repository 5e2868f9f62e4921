// The Redis of the demo and of the tests: the one named by a variable, a local program, a container, or an
// installed one. Never uses or stops a system service. A named one is neither started nor stopped.
import { once } from 'node:events';
import { connect } from 'node:net';
import { runQuietly, type Say } from './apt.ts';
import {
  findRedisBinary,
  howToGetRedis,
  installRedis,
  type RedisBinary,
  startRedisServer,
} from './redis-server.ts';

export interface RunningRedis extends AsyncDisposable {
  readonly url: string;
  /** By a variable: others may use it too. */
  readonly isNamed: boolean;
  /** For a person: which program or container, where. Contains no password. */
  readonly description: string;
  stop(): Promise<void>;
}

export interface StartRedisOptions {
  readonly use: 'demo' | 'test';
  /** Gets one line before anything is installed, and one for each way that failed. */
  readonly say: Say;
  /** Further arguments for a server that is started here. */
  readonly args?: readonly string[];
}

type Found = Pick<RunningRedis, 'url' | 'description' | 'stop'>;
type Way = (options: StartRedisOptions) => Promise<Found | undefined>;

const variables = { demo: 'REDIS_URL', test: 'TEST_REDIS_URL' } as const;
const connectTimeoutMs = 3000;

async function mustListen(url: URL, variable: string): Promise<void> {
  const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 6379) });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(connectTimeoutMs) });
  } catch {
    throw new Error(
      `No Redis answers at ${url.host} (${variable}). Start it, or unset ${variable} to get a private one.`,
    );
  } finally {
    socket.destroy();
  }
}

const named: Way = async ({ use }) => {
  const variable = variables[use];
  const url = process.env[variable];
  if (!url) return undefined;
  if (!/^rediss?:\/\/[^/]/.test(url) || !URL.canParse(url))
    throw new Error(`${variable} is not the URL of a Redis. Example: redis://127.0.0.1:6379`);
  await mustListen(new URL(url), variable);
  const description = `the one at ${new URL(url).host} (${variable}; neither started nor stopped here)`;
  return { url, description, stop: async () => undefined };
};

const start = async (binary: RedisBinary | undefined, { args = [] }: StartRedisOptions) =>
  binary && (await startRedisServer({ binary, args }));

const local: Way = (options) => start(findRedisBinary(), options);

const installed: Way = async (options) => start(await installRedis(options.say), options);

const image = 'redis:7-alpine';

/** Testcontainers removes the container when this process is gone. Its import is slow, so it is here. */
const container: Way = async ({ args = [], say }) => {
  // The program alone proves nothing: an engine has to answer.
  if (!(await runQuietly(['docker', 'info'])).ok) return undefined;
  try {
    const { GenericContainer } = await import('testcontainers');
    const plain = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'];
    const running = await new GenericContainer(image)
      .withExposedPorts(6379)
      .withCommand(['redis-server', ...plain, ...args])
      .start();
    const address = `${running.getHost()}:${running.getMappedPort(6379)}`;
    return {
      url: `redis://${address}`,
      description: `a ${image} container at ${address}, private to this run`,
      stop: async () => void (await running.stop()),
    };
  } catch (error) {
    say(`Docker could not start a Redis: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
};

const orders: Record<StartRedisOptions['use'], readonly Way[]> = {
  demo: [named, local, installed, container],
  test: [named, container, local, installed],
};

/** A Redis that answers, by the first way that works. Throws a sentence that says what to do if none does. */
export async function startRedis(options: StartRedisOptions): Promise<RunningRedis> {
  for (const way of orders[options.use]) {
    const redis = await way(options);
    if (redis) return { ...redis, isNamed: way === named, [Symbol.asyncDispose]: redis.stop };
  }
  throw new Error(howToGetRedis(variables[options.use]));
}
