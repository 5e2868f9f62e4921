// Plays one history against two real workers, a simulator and Redis, lets everything come to rest as it would by itself
// (time that would only be waited for is taken out of Redis), and checks the invariants.
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { createSimulator, isWrite, type Simulator } from '../../packages/simulator/src/index.ts';
import { createProducerApp, type ProducerApp } from '../../src/app/app.ts';
import { type Config, parseConfig } from '../../src/config/load.ts';
import { createReconciler, type Reconciler } from '../../src/queue/reconcile.ts';
import { createRunCloud } from '../../src/runcloud/client.ts';
import { createDirectory } from '../../src/runcloud/directory.ts';
import { endBackoffs, promoteRedeploys } from './backoff.ts';
import { domainName, type Event, type History, panelName } from './history.ts';
import { checkInvariants, type Requested } from './invariants.ts';
import { bury, dispose, end, envOf, openLimiter, RATE, startWorker, type Worker } from './mortal-worker.ts';
import { PATIENT } from './patient.ts';
import { until } from './until.ts';

const WORKERS = 2;
/** A hang guard: sixteen lanes share what a starved machine has. */
const REST_GUARD_MS = 600_000;

/** One place where histories are played one after the other. */
export interface Lane extends AsyncDisposable {
  play(history: History): Promise<void>;
}

interface LaneParts {
  readonly redisUrl: string;
  readonly simulator: Simulator;
  readonly redis: Redis;
  /** What is left of each history (dead workers, keys) goes while the next ones are played. */
  readonly funerals: Promise<void>[];
}

export async function createLane(redisUrl: string, prefix: string): Promise<Lane> {
  await using stack = new AsyncDisposableStack();
  const simulator = stack.use(await createSimulator({ rateLimit: 0 }));
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  redis.setMaxListeners(0);
  stack.defer(() => redis.disconnect());
  const funerals: Promise<void>[] = [];
  stack.defer(async () => {
    await Promise.all(funerals);
  });
  const releases = stack.move();
  let played = 0;
  return {
    async play(history) {
      played += 1;
      simulator.reset();
      const here = `${prefix}-${played}`;
      await using theatre = await createTheatre({ redisUrl, simulator, redis, funerals }, here);
      for (const event of history) await theatre.happen(event);
      await theatre.comeToRest();
      await theatre.check();
    },
    [Symbol.asyncDispose]: () => releases.disposeAsync(),
  };
}

async function removeKeys(redis: Redis, prefix: string): Promise<void> {
  for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 1000 }))
    if ((keys as string[]).length > 0) await redis.unlink(...(keys as string[]));
}

class Theatre implements AsyncDisposable {
  readonly #parts: LaneParts;
  readonly #prefix: string;
  readonly #env: Record<string, string>;
  readonly #config: Config;
  readonly #producer: ProducerApp;
  readonly #queue: Queue;
  readonly #reconciler: Reconciler;
  readonly #closeClient: () => void;
  readonly #asked: Requested[] = [];
  readonly #jobs: string[] = [];
  readonly #panel = new Set<string>();
  readonly #workers: (Worker | undefined)[] = Array.from({ length: WORKERS });
  #dead: Worker[] = [];
  readonly #buried: Worker[] = [];

  constructor(parts: LaneParts, prefix: string) {
    this.#parts = parts;
    this.#prefix = prefix;
    this.#env = envOf(parts.simulator, parts.redisUrl, prefix);
    this.#config = parseConfig(this.#env).config;
    this.#producer = createProducerApp(this.#config, PATIENT);
    const connection = parts.redis;
    this.#queue = new Queue('runcloud-domains', { connection, prefix, skipWaitingForReady: true });
    this.#queue.on('error', () => undefined);
    const { url, credentials } = this.#config.runcloud;
    if (!credentials) throw new Error('no credentials');
    const runcloud = createRunCloud({ url, version: 'v3', timeoutMs: 5_000, credentials });
    this.#closeClient = () => runcloud.close();
    const { requests } = this.#producer;
    this.#reconciler = createReconciler({
      ...{ redis: parts.redis, requests },
      directory: createDirectory({ runcloud, now: requests.store.now }),
      logger: pino({ level: 'silent' }),
      intervalMs: 60_000,
      isUnavailable: async () => false,
    });
  }

  async start(): Promise<void> {
    await this.#producer.ready();
    await this.#startMissing();
  }

  async #startMissing(): Promise<void> {
    for (let at = 0; at < WORKERS; at += 1)
      this.#workers[at] ??= await startWorker(this.#env, this.#parts.simulator);
  }

  async happen(event: Event): Promise<void> {
    switch (event.kind) {
      case 'ask':
        return this.#ask(event);
      case 'redeploy':
        this.#jobs.push(
          event.by === 'bare'
            ? ((await this.#queue.add('redeploy-ssl', {})).id ?? '')
            : (await this.#producer.requests.enqueue('redeploy-ssl', {})).jobId,
        );
        return;
      case 'lag':
        this.#parts.simulator.setSettings({ listLagMs: event.ms });
        return;
      case 'late':
      case 'refusal':
      case 'fault':
        this.#parts.simulator.addFault(event.rule);
        return;
      case 'pass':
        await sleep(event.ms);
        return;
      case 'stop':
        await this.#stop(event.worker);
        return this.#startMissing();
      case 'kill':
        return this.#kill(event.worker);
      case 'recover':
        return this.#recover();
      case 'panel':
        return this.#panelChange(panelName(event.domain));
      case 'retry':
        await this.#retryFailed();
        return;
      case 'sweep':
        // RunCloud may not answer: the next run of the loop checks again.
        await this.#reconciler.reconcile().catch(() => undefined);
        return;
    }
  }

  async #ask({ domain: number, presence, by }: Extract<Event, { kind: 'ask' }>): Promise<void> {
    const domain = domainName(number);
    const name = presence === 'present' ? 'add-domain' : 'remove-domain';
    const { requests } = this.#producer;
    if (by === 'producer' || by === 'bulk') {
      const { jobId } = await requests.enqueue(name, { domain }, { bulk: by === 'bulk' });
      this.#asked.push({ domain, presence, jobId });
      return;
    }
    const skew = by === 'skewed' ? { timestamp: Date.now() + (number % 2 === 0 ? 300_000 : -300_000) } : {};
    const { id = '' } = await this.#queue.add(name, { domain }, skew);
    this.#asked.push({ domain, presence, jobId: id });
  }

  #panelChange(name: string): void {
    const { simulator } = this.#parts;
    if (this.#panel.delete(name)) simulator.detachDomain({ name });
    else {
      this.#panel.add(name);
      simulator.attachDomain({ name });
    }
  }

  async #stop(at: number): Promise<void> {
    const worker = this.#workers[at];
    this.#workers[at] = undefined;
    if (worker) await end(worker);
  }

  #kill(at: number): void {
    const worker = this.#workers[at];
    this.#workers[at] = undefined;
    if (!worker) return;
    worker.redisLine.cut();
    worker.httpLine.cut();
    this.#dead.push(worker);
  }

  async #recover(): Promise<void> {
    await bury(this.#dead, this.#parts.redis, this.#prefix);
    this.#buried.push(...this.#dead);
    this.#dead = [];
    await this.#startMissing();
  }

  async #retryFailed(): Promise<number> {
    const { operator } = this.#producer;
    let retried = 0;
    for (const { id } of await operator.failed(100))
      if ((await operator.retry(id, 'cli:ada')).kind === 'retried') retried += 1;
    return retried;
  }

  async comeToRest(): Promise<void> {
    const { simulator } = this.#parts;
    simulator.clearFaults();
    simulator.setSettings({ listLagMs: 0 });
    await this.#recover();
    // A write may take effect after everybody has given it up, and its list may lag behind: nobody concludes anything before.
    const isOver = (): boolean =>
      simulator.state.calls.every((call) => !isWrite(call) || call.startedAt < Date.now() - 400);
    for (let round = 0; round < 10; round += 1) {
      const rests = async (): Promise<boolean> => (await this.#isIdle()) && isOver();
      await until(rests, 'everything has come to rest', REST_GUARD_MS);
      const { reenqueued, quarantined, redeploys } = await this.#reconciler.reconcile();
      if (reenqueued + quarantined + redeploys + (await this.#retryFailed()) === 0 && (await this.#isIdle()))
        return;
    }
    throw new Error('the reconcile loop finds something to repair each time');
  }

  async #isIdle(): Promise<boolean> {
    await openLimiter(this.#parts.redis, this.#prefix);
    const counts = await this.#queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed');
    const { delayed = 0, ...others } = counts;
    if (Object.values(others).some((count) => count > 0)) return false;
    // An order that was refused backs off for minutes: not waited for either.
    if (delayed > 0 && (await endBackoffs(this.#parts.redis, this.#prefix)) > 0)
      await promoteRedeploys(this.#queue);
    return delayed === 0;
  }

  check(): Promise<void> {
    const { simulator, redis } = this.#parts;
    const others = [...this.#panel];
    const [asked, prefix, jobs] = [this.#asked, this.#prefix, this.#jobs];
    return checkInvariants({ simulator, redis, prefix, requested: asked, others, jobs, ratePerMinute: RATE });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker && end(worker)));
    const { funerals, redis } = this.#parts;
    const dead = [...this.#dead, ...this.#buried];
    funerals.push(Promise.all(dead.map(dispose)).then(() => removeKeys(redis, this.#prefix)));
    this.#closeClient();
    await this.#queue.close();
    await this.#producer.close();
  }
}

async function createTheatre(parts: LaneParts, prefix: string): Promise<Theatre> {
  const theatre = new Theatre(parts, prefix);
  await theatre.start();
  return theatre;
}
