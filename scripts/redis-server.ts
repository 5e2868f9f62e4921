// The Redis that the demo and the tests run on: finds, installs or starts one, and says which one it is.
// Never uses or stops a system service; one that is named by URL is used but neither started nor stopped.
import { once } from 'node:events';
import { connect } from 'node:net';
import { findRedisBinary, howToGetRedis, installRedis, type RedisBinary, type Say } from './redis-binary.ts';
import { dockerAnswers, startRedisContainer } from './redis-docker.ts';
import { startRedisServer } from './redis-process.ts';

export { findRedisBinary, type RedisBinary, type Say } from './redis-binary.ts';
export { type RedisServer, type RedisServerOptions, startRedisServer } from './redis-process.ts';

export interface RunningRedis extends AsyncDisposable {
  readonly url: string;
  readonly kind: 'named' | 'binary' | 'container';
  /** For a person: which program or container, where. Holds no password. */
  readonly description: string;
  stop(): Promise<void>;
}

export interface StartRedisOptions {
  readonly use: 'demo' | 'test';
  /** Gets one line before anything is installed, and when a way had to be given up. */
  readonly say: Say;
  /** Further arguments for a server that we start. */
  readonly args?: readonly string[];
}

type Way = (options: StartRedisOptions) => Promise<Omit<RunningRedis, keyof AsyncDisposable> | undefined>;

const variables = { demo: 'REDIS_URL', test: 'TEST_REDIS_URL' } as const;
const connectTimeoutMs = 3000;

/** Throws a sentence when nothing listens at this URL. */
async function mustListen(url: URL, variable: string): Promise<void> {
  const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 6379) });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(connectTimeoutMs) });
  } catch {
    throw new Error(
      `${variable} names ${url.host}, but no Redis answers there: start it, or unset ${variable} to get a private one.`,
    );
  } finally {
    socket.destroy();
  }
}

const named: Way = async ({ use }) => {
  const variable = variables[use];
  const url = process.env[variable];
  if (!url) return undefined;
  if (!/^rediss?:\/\/[^/]/.test(url) || !URL.canParse(url)) {
    throw new Error(`${variable} is no URL of a Redis; it should look like redis://127.0.0.1:6379`);
  }
  await mustListen(new URL(url), variable);
  const description = `the one at ${new URL(url).host} (${variable}; neither started nor stopped here)`;
  return { url, kind: 'named', description, stop: async () => undefined };
};

async function fromBinary(
  binary: RedisBinary | undefined,
  { args = [] }: StartRedisOptions,
): ReturnType<Way> {
  if (!binary) return undefined;
  const { url, description, stop } = await startRedisServer({ binary, args });
  return { url, kind: 'binary', description, stop };
}

const local: Way = (options) => fromBinary(findRedisBinary(), options);

const installed: Way = async (options) => fromBinary(await installRedis(options.say), options);

const container: Way = async ({ args, say }) => {
  if (!(await dockerAnswers())) return undefined;
  try {
    return { ...(await startRedisContainer(args)), kind: 'container' };
  } catch (error) {
    say(`Docker answers, but could not start a Redis: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
};

const orders: Record<StartRedisOptions['use'], readonly Way[]> = {
  demo: [named, local, installed, container],
  test: [named, container, local, installed],
};

/** A Redis that answers, by the first way that works; throws one sentence with what to do when none does. */
export async function startRedis(options: StartRedisOptions): Promise<RunningRedis> {
  for (const way of orders[options.use]) {
    const redis = await way(options);
    if (redis) return { ...redis, [Symbol.asyncDispose]: redis.stop };
  }
  throw new Error(howToGetRedis(variables[options.use]));
}
