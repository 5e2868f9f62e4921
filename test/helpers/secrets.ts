// What must be found nowhere, how RunCloud may give it away, and where to look for it.
import type { Redis } from 'ioredis';
import { PLANTED_SECRETS } from '../../packages/simulator/src/index.ts';
import type { Stage } from './worker.ts';

type Reader = (redis: Redis, key: string) => Promise<unknown>;

const readers: Record<string, Reader> = {
  string: (redis, key) => redis.get(key),
  hash: (redis, key) => redis.hgetall(key),
  list: (redis, key) => redis.lrange(key, 0, -1),
  set: (redis, key) => redis.smembers(key),
  zset: (redis, key) => redis.zrevrange(key, 0, -1),
  stream: (redis, key) => redis.xrange(key, '-', '+'),
};

/** Every key below the prefix, with all that it holds. */
export async function dump({ redis, config }: Stage): Promise<string> {
  const texts: string[] = [];
  for await (const keys of redis.scanStream({ match: `${config.queuePrefix}*`, count: 500 })) {
    for (const key of keys as string[]) {
      const read = readers[await redis.type(key)];
      texts.push(key, JSON.stringify(read ? await read(redis, key) : undefined));
    }
  }
  return texts.join('\n');
}

/** What this worker logs in with, and could give away. */
function credentialsOf({ config }: Stage): string[] {
  const { credentials } = config.runcloud;
  if (credentials?.kind === 'token') return [credentials.token];
  const { key = '', secret = '' } = credentials ?? {};
  return [key, secret, Buffer.from(`${key}:${secret}`).toString('base64')];
}

/** What may be found nowhere: the above, Redis' password, and what RunCloud's replies hold beside what we read. */
export const secretsOf = (stage: Stage): string[] => [
  ...credentialsOf(stage),
  new URL(stage.config.redisUrl).password,
  ...Object.values(PLANTED_SECRETS),
];

export const found = (text: string, secrets: readonly string[]): string[] =>
  secrets.filter((secret) => text.includes(secret));

/** What a reply holds that gives back what it was called with. */
export function echoOf(stage: Stage): { message: string; errors: object } {
  const leak = credentialsOf(stage).join(' ');
  return { message: `Bad credentials ${leak}`, errors: { name: [leak] } };
}

/** Replies that give back what they were called with, as debug pages do; and every way to fail. */
export function misbehave(stage: Stage): void {
  const { simulator } = stage;
  const echo = echoOf(stage);
  simulator.addFault({ kind: 'status', status: 500, body: echo, operation: 'list-domains' });
  simulator.addFault({ kind: 'status', status: 422, body: echo, domain: 'rejected.example.org' });
  const always = { times: 'always', domain: 'forbidden.example.org' } as const;
  simulator.addFault({ kind: 'status', status: 403, body: echo, ...always });
  simulator.addFault({ kind: 'status', status: 503, body: echo.message, domain: 'flaky.example.org' });
  simulator.addFault({ kind: 'html', status: 503, domain: 'html.example.org' });
  simulator.addFault({ kind: 'drop-after', domain: 'dropped.example.org' });
  simulator.addFault({ kind: 'status', status: 500, body: echo, operation: 'redeploy-ssl' });
}
