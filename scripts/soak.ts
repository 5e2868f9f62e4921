// `npm run soak -- --minutes 30`: two worker processes under continuous requests and mixed faults (5xx, dropped connections, HTML,
// slowness, writes that take effect late, a list that lags behind, an account that is refused, 429, kill -9 and freezing of workers,
// restarts of Redis); reports what was lost, duplicated, stuck or grew.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { createSimulator, type FaultRule, type Simulator } from '../packages/simulator/src/index.ts';
import { createProducerApp, type ProducerApp } from '../src/app/app.ts';
import { parseConfig } from '../src/config/load.ts';
import { hasCode } from '../src/errors.ts';
import { findViolations, type Requested } from '../test/helpers/invariants.ts';
import { UNPROVEN } from '../test/helpers/unproven.ts';
import { until } from '../test/helpers/until.ts';
import { type RedisServer, startRedisServer } from './redis-server.ts';
import { type Crew, createCrew } from './soak-crew.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const RATE = 3000;
const DOMAINS = 150;
const PREFIX = 'soak';
/** Of a write that takes effect after the client's timeout of a second. */
const LONGEST_DELAY_MS = 3_000;
const LONGEST_LAG_MS = 3_000;

const any = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)] as T;

const faults: readonly FaultRule[] = [
  { kind: 'status', status: 500, probability: 0.3 },
  { kind: 'html', status: 502, appliesWrite: true, probability: 0.3 },
  { kind: 'html', status: 200, probability: 0.2 },
  { kind: 'drop-before', probability: 0.2 },
  { kind: 'drop-after', probability: 0.2 },
  { kind: 'reset', probability: 0.2 },
  { kind: 'truncated-json', probability: 0.3 },
  { kind: 'never-answer', probability: 0.1 },
  { kind: 'slow', delayMs: 400, probability: 0.3 },
  { kind: 'slow', delayMs: LONGEST_DELAY_MS, appliesWrite: false, probability: 0.1 },
  { kind: 'html', status: 403, probability: 0.3 },
  { kind: 'html', status: 404, probability: 0.3 },
  { kind: 'status', status: 402, times: 'always' },
  { kind: 'status', status: 403, times: 'always' },
  { kind: 'status', status: 429, headers: { 'Retry-After': '2' }, probability: 0.02 },
];

interface Soak {
  readonly simulator: Simulator;
  readonly server: RedisServer;
  readonly redis: Redis;
  readonly producer: ProducerApp;
  readonly crew: Crew;
  readonly requested: Requested[];
  readonly counts: { refused: number; redisRestarts: number };
  readonly stopping: AbortSignal;
}

const envOf = (simulator: Simulator, redisUrl: string): Record<string, string> => ({
  RUNCLOUD_API_URL: `${simulator.url}/api/v3`,
  RUNCLOUD_API_TOKEN: simulator.credentials.token,
  RUNCLOUD_SERVER_ID: '1903',
  RUNCLOUD_APP_ID: '646',
  RUNCLOUD_TIMEOUT: '1s',
  RUNCLOUD_RATE_PER_MINUTE: String(RATE),
  REDIS_URL: redisUrl,
  QUEUE_PREFIX: PREFIX,
  ...UNPROVEN,
  SSL_REDEPLOY_DELAY: '1s',
  LOG_FORMAT: 'json',
  LOG_LEVEL: 'debug',
});

/** Sends until it is accepted, as an app server would. */
async function request(
  { producer, requested, counts }: Soak,
  domain: string,
  presence: Requested['presence'],
): Promise<void> {
  for (;;) {
    try {
      const { jobId } = await producer.requests.enqueue(
        presence === 'present' ? 'add-domain' : 'remove-domain',
        {
          domain,
        },
      );
      requested.push({ domain, presence, jobId });
      return;
    } catch (error) {
      if (!hasCode(error, 'redis-unavailable')) throw error;
      counts.refused += 1;
      await sleep(200);
    }
  }
}

/** Repeats `act` until the soak ends, `everyMs` apart, give or take a half. */
async function nowAndThen(
  { stopping }: Soak,
  everyMs: number,
  act: () => Promise<void> | void,
): Promise<void> {
  while (!stopping.aborted) {
    await sleep(everyMs * (0.5 + Math.random()), undefined, { signal: stopping }).catch(() => undefined);
    if (!stopping.aborted) await act();
  }
}

async function trouble(soak: Soak): Promise<void> {
  const { simulator, crew, server, counts, stopping } = soak;
  await Promise.all([
    nowAndThen(soak, 100, () =>
      request(soak, `site-${Math.floor(Math.random() * DOMAINS)}.example.com`, any(['present', 'absent'])),
    ),
    nowAndThen(soak, 4_000, () => {
      simulator.clearFaults();
      if (Math.random() < 0.7) simulator.addFault(any(faults));
    }),
    nowAndThen(soak, 10_000, () => {
      const listLagMs = Math.random() < 0.5 ? 0 : Math.floor(Math.random() * LONGEST_LAG_MS);
      simulator.setSettings({ listLagMs });
    }),
    nowAndThen(soak, 20_000, () => crew.kill()),
    nowAndThen(soak, 45_000, () => crew.freeze(14_000, stopping)),
    nowAndThen(soak, 60_000, async () => {
      counts.redisRestarts += 1;
      await server.kill();
      await sleep(1_000 + Math.random() * 3_000);
      await server.restart();
    }),
  ]);
}

async function rest({ simulator, redis }: Soak): Promise<void> {
  simulator.clearFaults();
  simulator.setSettings({ listLagMs: 0 });
  const queue = new Queue('runcloud-domains', { connection: redis, prefix: PREFIX });
  const isIdle = async (): Promise<boolean> => {
    const counts = await queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed');
    return Object.values(counts).every((count) => count === 0);
  };
  // Twice the longest pause between reconciles: then nothing is left to repair.
  const quietMs = 25_000;
  let idleSince = performance.now();
  await until(
    async () => {
      if (!(await isIdle())) idleSince = performance.now();
      return performance.now() - idleSince > quietMs;
    },
    'everything has come to rest',
    300_000,
  );
  await queue.close();
}

const usedMemory = async (redis: Redis): Promise<number> =>
  Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1] ?? 0);

const toMb = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MB`;

async function report(soak: Soak, memoryBefore: number): Promise<number> {
  const { simulator, redis, crew, requested, counts } = soak;
  const violations = await findViolations({
    ...{ simulator, redis, requested, prefix: PREFIX, ratePerMinute: RATE },
    logs: crew.leaked(),
  });
  const { requests, writesApplied, faults: spoilt } = simulator.state.counters;
  const of = (...numbers: string[]): number =>
    violations.filter((line) => numbers.some((number) => line.startsWith(number))).length;
  say(
    `requests accepted ${requested.length}, refused while Redis was away (and sent again) ${counts.refused}`,
  );
  say(
    `workers killed ${crew.killed()}, frozen ${crew.frozen()}; Redis killed and restarted ${counts.redisRestarts}`,
  );
  say(`calls ${requests}, of them spoilt ${spoilt}, writes applied ${writesApplied}`);
  say(`lost ${of('I1')}, overlapping ${of('I2')}, duplicated or strange ${of('I3')}, stuck ${of('I4')}`);
  say(`too fast ${of('I5')}, leaked ${of('I6')}, unanswered or failed ${of('I7')}`);
  say(`memory of the longest-lived worker: ${crew.memory()}`);
  say(
    `memory of Redis: ${toMb(memoryBefore)} after a tenth of the time, ${toMb(await usedMemory(redis))} at the end`,
  );
  for (const violation of violations.slice(0, 50)) say(violation);
  return violations.length;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '30' } } });
  const minutes = Number(values.minutes);
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startRedisServer({ aof: true, say }));
  const simulator = stack.use(await createSimulator({ rateLimit: 0 }));
  const env = envOf(simulator, server.url);
  const producer = createProducerApp(parseConfig(env).config);
  stack.defer(() => producer.close());
  const redis = new Redis(server.url, { maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  stack.defer(() => redis.disconnect());
  const crew = stack.use(createCrew(env, 2));
  const ending = new AbortController();
  const counts = { refused: 0, redisRestarts: 0 };
  const soak: Soak = {
    simulator,
    server,
    redis,
    producer,
    crew,
    requested: [],
    counts,
    stopping: ending.signal,
  };
  say(`${minutes} minutes, two workers, ${DOMAINS} domains, on ${server.description}`);
  const timer = setTimeout(() => ending.abort(), minutes * 60_000);
  once(process, 'SIGINT').then(() => ending.abort());
  const ran = trouble(soak);
  await sleep(minutes * 6_000, undefined, { signal: ending.signal }).catch(() => undefined);
  const memoryBefore = await usedMemory(redis);
  await ran;
  clearTimeout(timer);
  say('no more trouble; waiting for everything to come to rest');
  await rest(soak).catch((error: unknown) => say(String(error)));
  return (await report(soak, memoryBefore)) === 0 ? 0 : 1;
}

process.exit(await main());
