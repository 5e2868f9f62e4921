// A private Redis in a container, where a Docker engine answers. A `docker` program alone proves nothing.
import { existsSync } from 'node:fs';
import { get, type RequestOptions } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';

const image = 'redis:7-alpine';
const pingTimeoutMs = 300;

export interface RedisContainer {
  readonly url: string;
  readonly description: string;
  stop(): Promise<void>;
}

function engines(): RequestOptions[] {
  const configured = process.env.DOCKER_HOST;
  if (configured?.startsWith('unix://')) return [{ socketPath: configured.slice('unix://'.length) }];
  if (configured && URL.canParse(configured)) {
    const { hostname, port } = new URL(configured);
    return [{ host: hostname, port: port || 2375 }];
  }
  const runtime = process.env.XDG_RUNTIME_DIR;
  const sockets = ['/var/run/docker.sock', join(homedir(), '.docker/run/docker.sock')];
  if (runtime) sockets.push(join(runtime, 'docker.sock'));
  return sockets.filter((path) => existsSync(path)).map((socketPath) => ({ socketPath }));
}

function answersPing(engine: RequestOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ ...engine, path: '/_ping', timeout: pingTimeoutMs, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
    request.once('close', () => resolve(false));
  });
}

/** Whether a Docker engine answers; takes 300 ms at most for each place where one may be. */
export async function dockerAnswers(): Promise<boolean> {
  const answers = await Promise.all(engines().map(answersPing));
  return answers.includes(true);
}

/** Testcontainers removes the container when we are gone; its import is slow, hence only here. */
export async function startRedisContainer(args: readonly string[] = []): Promise<RedisContainer> {
  const { GenericContainer } = await import('testcontainers');
  const plain = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'];
  const container = await new GenericContainer(image)
    .withExposedPorts(6379)
    .withCommand(['redis-server', ...plain, ...args])
    .start();
  const address = `${container.getHost()}:${container.getMappedPort(6379)}`;
  return {
    url: `redis://${address}`,
    description: `a ${image} container at ${address}, private to this run`,
    stop: async () => void (await container.stop()),
  };
}
