// No secret leaves the worker: all that it prints and all that it leaves in Redis is searched, through success and failure.
import { describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { PLANTED_SECRETS } from '../../src/simulator/index.ts';
import { startCli } from '../helpers/cli.ts';
import { until } from '../helpers/until.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

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
async function dump({ redis, config }: Stage): Promise<string> {
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
const secretsOf = (stage: Stage): string[] => [
  ...credentialsOf(stage),
  new URL(stage.config.redisUrl).password,
  ...Object.values(PLANTED_SECRETS),
];

const found = (text: string, secrets: readonly string[]): string[] =>
  secrets.filter((secret) => text.includes(secret));

/** What a reply holds that gives back what it was called with. */
function echoOf(stage: Stage): { message: string; errors: object } {
  const leak = credentialsOf(stage).join(' ');
  return { message: `Bad credentials ${leak}`, errors: { name: [leak] } };
}

/** Replies that give back what they were called with, as debug pages do; and every way to fail. */
function misbehave(stage: Stage): void {
  const { simulator } = stage;
  const echo = echoOf(stage);
  simulator.addFault({ kind: 'status', status: 500, body: echo, operation: 'list-domains' });
  simulator.addFault({ kind: 'status', status: 422, body: echo, domain: 'rejected.example.org' });
  simulator.addFault({ kind: 'status', status: 403, body: echo, domain: 'forbidden.example.org' });
  simulator.addFault({ kind: 'status', status: 503, body: echo.message, domain: 'flaky.example.org' });
  simulator.addFault({ kind: 'html', status: 503, domain: 'html.example.org' });
  simulator.addFault({ kind: 'drop-after', domain: 'dropped.example.org' });
  simulator.addFault({ kind: 'status', status: 500, body: echo, operation: 'redeploy-ssl' });
}

const NAMES = ['good', 'rejected', 'forbidden', 'flaky', 'html', 'dropped'].map((n) => `${n}.example.org`);

describe.each(['v2', 'v3'] as const)('with API %s', (version) => {
  test('nothing secret is in stdout, stderr, jobs, their logs and reasons, or intents', async () => {
    await using stage = await createStage({ version, workers: 0 });
    misbehave(stage);
    await using worker = startCli(['worker'], {
      env: { ...stage.env, LOG_LEVEL: 'trace', LOG_FORMAT: version === 'v2' ? 'json' : 'pretty' },
    });
    await until(() => worker.out().includes('ready for jobs'), 'the worker is ready');
    const added = await Promise.all(NAMES.map((domain) => stage.add('add-domain', { domain })));
    for (const id of added) await stage.ended(id);
    await stage.ended(await stage.add('redeploy-ssl', { appId: 646 }));
    await stage.ended(await stage.add('remove-domain', { domain: 'good.example.org' }));
    await stage.ended(await stage.add('no-such-job', {}));
    await stage.idle();
    // Refused credentials hold everything, so they come last.
    stage.simulator.addFault({ kind: 'status', status: 401, body: echoOf(stage) });
    await stage.add('remove-domain', { domain: 'unauthorized.example.org' });
    await until(() => /HTTP 401|refuse/.test(worker.out()), 'the refusal is told');
    worker.child.kill('SIGTERM');
    const { out, err } = await worker.ended;

    const failed = await stage.queue.getFailed();
    expect(failed.map(({ failedReason }) => failedReason.split(':')[0]).toSorted()).toEqual([
      'runcloud-forbidden',
      'runcloud-rejected',
      'unknown-job',
    ]);
    const kept = await dump(stage);
    // The search would find them: what surrounds the secrets is there.
    expect(kept).toMatch(/Bad credentials/);
    expect(out).toMatch(/Bad credentials/);
    expect(kept).toMatch(/stacktrace/);
    const secrets = secretsOf(stage);
    expect({ stdout: found(out, secrets), stderr: found(err, secrets), redis: found(kept, secrets) }).toEqual(
      {
        stdout: [],
        stderr: [],
        redis: [],
      },
    );
  });
});

test('a worker that cannot reach its Redis does not print the password of its URL', async () => {
  await using worker = startCli(['worker'], {
    env: {
      REDIS_URL: 'redis://somebody:a0secret0password@127.0.0.1:1',
      RUNCLOUD_API_TOKEN: 'a0secret0token0for0nobody',
    },
  });
  await until(() => worker.out().includes('redis-error'), 'it has complained');
  worker.child.kill('SIGTERM');
  const { out, err } = await worker.ended;
  expect(found(out + err, ['a0secret0password', 'a0secret0token0for0nobody'])).toEqual([]);
});
