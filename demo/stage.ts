// Sets the stage: Redis, the simulated RunCloud, the worker, the app servers' producers. It releases what it acquired, last in first
// out, even if an interruption comes while something is still starting.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createSimulator,
  DEFAULT_SERVER_ID,
  DEFAULT_WEBAPP_ID,
  type Edge,
  type EdgedSimulator,
} from '../packages/simulator/src/index.ts';
import { type RunningRedis, startRedis } from '../scripts/redis.ts';
import { createProducerApp } from '../src/app/app.ts';
import { parseConfig } from '../src/config/load.ts';
import { parseDomainName } from '../src/domains/domain-name.ts';
import { createProducer, type Producer } from '../src/index.ts';
import type { Operator } from '../src/queue/operator.ts';
import { ISSUANCE_LAG_MS, scriptFaults, seed } from './cast.ts';
import { type DemoRedis, forgetUserSettings, toConnection, toWorkerEnvironment } from './environment.ts';
import { abortable } from './interruption.ts';
import { createNarrator, type Narrator } from './narrator.ts';
import { deleteKeys } from './redis-keys.ts';
import type { Screen } from './screen.ts';
import { type DemoWorker, startWorker } from './worker.ts';

/** A limit against hanging, with room for a busy machine. */
const TIMEOUT_MS = 20_000;

export const WEB_APPLICATION = `/servers/${DEFAULT_SERVER_ID}/webapps/${DEFAULT_WEBAPP_ID}`;

/** An app server: it sends requests and knows nothing of RunCloud. */
export interface Requester {
  readonly name: string;
  readonly producer: Producer;
}

export interface Stage {
  readonly redis: DemoRedis;
  readonly simulator: EdgedSimulator;
  readonly worker: DemoWorker;
  readonly narrator: Narrator;
  readonly requesters: { readonly first: Requester; readonly second: Requester };
  /** Reads the jobs' status from Redis. */
  readonly operator: Operator;
}

export interface Theatre {
  readonly screen: Screen;
  readonly ending: AbortController;
  readonly releases: AsyncDisposableStack;
}

export async function setStage(theatre: Theatre): Promise<Stage> {
  const { screen, releases } = theatre;
  const redis = await openRedis(theatre);
  const simulator = await openSimulator(theatre);
  const cwd = openFolder(theatre);
  const connection = toConnection(redis, simulator);
  const operator = await openOperator(theatre, connection);
  // After the check that Redis takes commands, before anything writes there.
  if (redis.isNamed) releases.defer(() => deleteKeys(redis.url, redis.prefix));
  const narrator = createNarrator({ screen, base: WEB_APPLICATION, redeployOf: toRedeployOf(operator) });
  const worker = await openWorker(theatre, { narrator, connection, cwd, edge: simulator.edge });
  const openAppServer = (name: string): Requester => {
    const producer = within(cwd, () => createProducer(toProducerOptions(redis)));
    releases.defer(() => producer.close());
    return { name, producer };
  };
  const requesters = { first: openAppServer('app-server-1'), second: openAppServer('app-server-2') };
  return { redis, simulator, worker, narrator, requesters, operator };
}

/** Registers the release before the thing is there. */
function acquire<T>(
  { releases, ending }: Theatre,
  making: Promise<T>,
  release: (thing: T) => Promise<void>,
): Promise<T> {
  releases.defer(async () => {
    const thing = await making.catch(() => undefined);
    if (thing !== undefined) await release(thing);
  });
  return abortable(making, ending.signal);
}

async function openRedis(theatre: Theatre): Promise<DemoRedis> {
  const { screen } = theatre;
  const say = (text: string): void => screen.entry({ actor: 'redis', text });
  // With an append-only file, as in production; otherwise the worker warns.
  const making = startRedis({ use: 'demo', say, args: ['--appendonly', 'yes'] });
  const { url, isNamed, description } = await acquire(theatre, making, (redis: RunningRedis) => redis.stop());
  forgetUserSettings();
  const prefix = isNamed ? `demo-${crypto.randomUUID().slice(0, 8)}` : 'bull';
  say(isNamed ? `${description}; keys begin with ${prefix}: and are deleted at the end` : description);
  return { url, prefix, isNamed };
}

async function openSimulator(theatre: Theatre): Promise<EdgedSimulator> {
  const making = createSimulator({
    seed,
    edge: true,
    variants: { validation: 'http-01' },
    issuanceLagMs: ISSUANCE_LAG_MS,
  });
  const simulator = await acquire(theatre, making, (made) => made.close());
  scriptFaults(simulator);
  const { dnsAddress, tlsAddress } = simulator.edge;
  for (const text of [
    `simulated, API v3 at ${simulator.url}; below, … stands for ${WEB_APPLICATION}`,
    `its web server at ${tlsAddress} shows certificates of a simulated Let's Encrypt`,
    `simulated DNS at ${dnsAddress}, for that Let's Encrypt and for the worker`,
  ])
    theatre.screen.entry({ actor: 'runcloud', text });
  return simulator;
}

function openFolder({ releases }: Theatre): string {
  const folder = mkdtempSync(join(tmpdir(), 'runcloud-domains-demo-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  releases.defer(remove);
  process.once('exit', remove);
  return folder;
}

async function openOperator(
  { releases, ending }: Theatre,
  connection: Record<string, string>,
): Promise<Operator> {
  const app = createProducerApp(parseConfig(connection).config, { deadlineMs: TIMEOUT_MS });
  releases.defer(() => app.close());
  await abortable(app.ready(), ending.signal);
  return app.operator;
}

const toRedeployOf = (operator: Operator) => async (domain: string) => {
  const { id, nextRunAt } = (await operator.domain(parseDomainName(domain), {}))?.redeploy ?? {};
  return id === undefined || nextRunAt === undefined ? undefined : { jobId: id, at: nextRunAt };
};

interface WorkerParts {
  readonly narrator: Narrator;
  readonly connection: Record<string, string>;
  readonly cwd: string;
  readonly edge: Edge;
}

async function openWorker(
  { screen, ending, releases }: Theatre,
  { narrator, connection, cwd, edge }: WorkerParts,
): Promise<DemoWorker> {
  const caFile = join(cwd, 'authority.pem');
  writeFileSync(caFile, edge.caPem);
  const worker = startWorker({
    environment: toWorkerEnvironment(connection, edge, caFile),
    cwd,
    signal: ending.signal,
    onLine: narrator.show,
    onDeath: (error) => ending.abort(error),
  });
  releases.defer(() => worker.stop());
  // From here on the worker's log is only about its stop.
  releases.defer(() => narrator.mute());
  screen.entry({
    actor: 'worker',
    text: `process ${worker.pid}: as src/cli/main.ts worker, with short delays`,
  });
  await worker.until('its line "ready"', ({ event }) => event === 'ready');
  return worker;
}

const toProducerOptions = ({ url, prefix }: DemoRedis) => ({
  redisUrl: url,
  queuePrefix: prefix,
  serverId: DEFAULT_SERVER_ID,
  appId: DEFAULT_WEBAPP_ID,
  // The demo's names are nobody's.
  topLevelDomains: 'test' as const,
});

/** Runs `work` in a folder without a `.env`. */
function within<T>(folder: string, work: () => T): T {
  const before = process.cwd();
  process.chdir(folder);
  try {
    return work();
  } finally {
    process.chdir(before);
  }
}
