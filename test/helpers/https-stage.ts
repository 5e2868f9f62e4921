// A stage on which HTTPS can be proven: the simulator with its DNS, its Let's Encrypt and its TLS endpoint, and workers that look
// at all three, in a hurry: a minute of waiting is 60 ms.
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EdgeControls, Seed, Simulator } from '../../packages/simulator/src/index.ts';
import { createProbesOf } from '../../src/app/probes.ts';
import { createLedger, type LastOrder } from '../../src/certificates/ledger.ts';
import type { Backoff } from '../../src/domains/backoff.ts';
import type { DomainRecord } from '../../src/domains/domain.ts';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { QUEUE_NAME } from '../../src/jobs/catalog.ts';
import { createLogger } from '../../src/logger/logger.ts';
import { createMonitor as createQueueMonitor } from '../../src/queue/monitor.ts';
import { createKeys } from '../../src/redis/keys.ts';
import { createRunCloud } from '../../src/runcloud/client.ts';
import { createDirectory } from '../../src/runcloud/directory.ts';
import { createFacts } from '../../src/runcloud/facts.ts';
import { endBackoffs, promoteRedeploys } from './backoff.ts';
import { until } from './until.ts';
import { APP, createStage, PRIMARY, type Stage, type StageOptions } from './worker.ts';

export const HERE = '127.0.0.1';
export const ELSEWHERE = '198.51.100.9';

/** A thousandth of the real one. */
export const FAST: Backoff = {
  dnsFirstMs: 60,
  dnsLongestMs: 600,
  tlsFirstMs: 80,
  tlsLongestMs: 800,
  issuanceMs: 100,
  heldMs: 1_000,
  checkMs: 100,
  lateTimeouts: 0,
  lateMs: 100,
  lagMs: 0,
  missingMs: 50,
};

export interface HttpsStage extends Stage {
  readonly edge: EdgeControls;
  /** The lifecycle record. */
  record(domain: string): Promise<DomainRecord>;
  /** Resolves when the domain stands so. */
  stands(domain: string, stage: DomainRecord['state']): Promise<DomainRecord>;
  /** The stages that it went through, the oldest first. */
  path(domain: string): Promise<string[]>;
  /** As if the time after a failed issuance were over: the ledger's backoff, and the redeploy that waits for it. */
  passBackoff(): Promise<void>;
  /** A write to the web application as somebody may make it in RunCloud's panel. */
  panel(method: 'POST' | 'PATCH', path: string, body: object): Promise<void>;
  /** Points the names at the web application. */
  point(...names: string[]): void;
  /** The last order of the shared certificate, or of this domain's own, as the ledger has it. */
  lastOrder(domain?: string): Promise<LastOrder | undefined>;
  /** Watches once, as a worker does when its turn comes, and resolves with the lines that it logged. */
  watch(how?: WatchHow): Promise<LogLine[]>;
}

export type LogLine = Readonly<Record<string, unknown>>;

export interface WatchHow {
  /** MONITOR_REPAIR */
  readonly repair?: boolean;
  /** RunCloud is down, as far as the rate limiter knows. */
  readonly isUnavailable?: boolean;
}

type Webapp = NonNullable<Seed['webapps']>[number];

export interface HttpsStageOptions extends Omit<StageOptions, 'simulator' | 'backoff'> {
  /** What differs from FAST. */
  readonly backoff?: Partial<Backoff>;
  readonly webapp?: Webapp;
  readonly simulator?: StageOptions['simulator'];
}

export async function createHttpsStage({
  webapp = {},
  env = {},
  simulator = {},
  backoff = {},
  limits = {},
  ...options
}: HttpsStageOptions = {}): Promise<HttpsStage> {
  const { variants, ...more } = simulator;
  const stage = await createStage({
    ...options,
    limits,
    backoff: { ...FAST, ...backoff },
    simulator: {
      edge: true,
      seed: { servers: [{ ipAddress: HERE }], webapps: [webapp], dns: { [PRIMARY]: { a: HERE } } },
      variants: { validation: 'http-01', ...variants },
      issuanceLagMs: 50,
      ...more,
    },
    env: async (made) => ({
      ...(await edgeEnv(made)),
      ...(typeof env === 'function' ? await env(made) : env),
    }),
  });
  const { simulator: made, producer } = stage;
  const { store } = producer.requests;
  const { edge } = made;
  if (!edge) throw new Error('the simulator was made without an edge');
  const watch = createMonitor(stage);
  const dispose = stage[Symbol.asyncDispose];
  const record = async (domain: string): Promise<DomainRecord> => {
    const record = await store.get({ ...APP, domain: parseDomainName(domain) });
    if (!record) throw new Error(`${domain} was never asked for`);
    return record;
  };
  return Object.assign(stage, {
    edge,
    record,
    stands: (domain: string, desired: DomainRecord['state']) =>
      until(async () => {
        const record = await store.get({ ...APP, domain: parseDomainName(domain) });
        return record?.state === desired ? record : undefined;
      }, `${domain} is ${desired}`).catch(async (error) => {
        const { state: is, outcome } = await record(domain);
        throw new Error(`${error.message}; it is ${is}: ${outcome}`);
      }),
    async path(domain: string) {
      const steps = await store.history({ ...APP, domain: parseDomainName(domain) });
      return steps.map((step) => step.state).reverse();
    },
    async passBackoff() {
      await until(async () => {
        await endBackoffs(stage.redis, stage.config.queuePrefix);
        if ((await promoteRedeploys(stage.queue)) > 0) return true;
        // It may have gone on by itself, and be over.
        const jobs = await stage.queue.getJobs(['waiting', 'prioritized', 'active', 'delayed']);
        return !jobs.some((job) => job?.name === 'redeploy-ssl');
      }, 'a redeploy waits, or none is left');
    },
    async panel(method: 'POST' | 'PATCH', path: string, body: object) {
      const url = `${made.url}/api/v3/servers/${APP.serverId}/webapps/${APP.appId}/${path}`;
      const headers = {
        accept: 'application/json',
        authorization: `Bearer ${made.credentials.token}`,
        'content-type': 'application/json',
      };
      const reply = await fetch(url, { method, headers, body: JSON.stringify(body) });
      if (!reply.ok) throw new Error(`the panel was answered ${reply.status}: ${await reply.text()}`);
    },
    point(...names: string[]) {
      for (const name of names) edge.setDns(name, { a: HERE });
    },
    lastOrder: (domain?: string) => ledgerOf(stage).last(APP, domain),
    watch: watch.once,
    async [Symbol.asyncDispose]() {
      watch.close();
      await dispose();
    },
  });
}

function ledgerOf({ redis, config }: Stage) {
  const keys = createKeys(config.queuePrefix, QUEUE_NAME);
  const limits = { ...config.limits, duplicatesPerWeek: 5, failuresPerHour: 5 };
  return createLedger({ redis, keys, limits, cooldownMs: config.ssl.cooldownMs });
}

/** A watcher with parts like a worker's, which live as long as the stage: what it knows of RunCloud it may remember. */
function createMonitor(stage: Stage) {
  const { config, producer, redis } = stage;
  const { requests } = producer;
  const { url, timeoutMs, credentials, version } = config.runcloud;
  if (!credentials) throw new Error('the stage has no credentials');
  const runcloud = createRunCloud({ url, version: version === 2 ? 'v2' : 'v3', timeoutMs, credentials });
  const directory = createDirectory({ runcloud, now: requests.store.now });
  const facts = createFacts({ runcloud });
  const probes = createProbesOf({ config, facts, requests, runcloud });
  const lines: LogLine[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) };
  const logger = createLogger({ level: 'debug', format: 'json', secrets: [], destination });
  return {
    async once({ repair = false, isUnavailable = false }: WatchHow = {}): Promise<LogLine[]> {
      lines.length = 0;
      const changesWww = version === 3;
      const ledger = ledgerOf(stage);
      const parts = {
        redis,
        requests,
        ...probes,
        directory,
        ledger,
        logger,
        intervalMs: 3_600_000,
        changesWww,
      };
      await createQueueMonitor({ ...parts, repair, isUnavailable: async () => isUnavailable }).check();
      return [...lines];
    },
    close: () => runcloud.close(),
  };
}

export async function edgeEnv({ edge, port }: Simulator): Promise<Record<string, string>> {
  if (!edge) throw new Error('the simulator was made without an edge');
  const caFile = join(tmpdir(), `runcloud-domains-test-ca-${process.pid}-${port}.pem`);
  await writeFile(caFile, edge.caPem);
  return {
    TLS_PROBE: 'on',
    TLS_PROBE_ADDRESS: edge.tlsAddress,
    TLS_CA_FILE: caFile,
    DNS_SERVERS: edge.dnsAddress,
    DNS_GATE: 'auto',
    SSL_COOLDOWN: '10m',
    SSL_REDEPLOY_DELAY: '150ms',
    CERTIFICATE_DEADLINE: '2s',
  };
}
