// Proves that a domain on its way to HTTPS survives the death of its worker and a restart of Redis at each stage: it ends live, and
// nothing is ordered twice. The scenes run side by side, inside one test: jest forbids the simulator's late import between tests.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import type { Intent } from '../../src/intent/intent.ts';
import { ELSEWHERE, edgeEnv, HERE } from '../helpers/https-stage.ts';
import { inParallel, until } from '../helpers/until.ts';
import { PATIENCE_MS } from './processes.ts';
import { createWorld, PRIMARY, type World } from './world.ts';

const SHOP = 'shop.example.org';
const HANG_MS = 300_000;

interface Running extends AsyncDisposable {
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  isAlive(): boolean;
  out(): string;
}

/** A process of https-worker.ts that takes jobs. */
async function startWorker(env: Readonly<Record<string, string>>): Promise<Running> {
  const { PATH = '', HOME = '' } = process.env;
  const file = fileURLToPath(new URL('./https-worker.ts', import.meta.url));
  const child = spawn(process.execPath, [file], {
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  const closed = once(child, 'close');
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  const kill = async (): Promise<void> => {
    if (isAlive()) child.kill('SIGKILL');
    await closed;
  };
  await using stack = new AsyncDisposableStack();
  stack.defer(kill);
  await until(() => text.includes('"event":"ready"') || !isAlive(), 'the worker is ready', PATIENCE_MS);
  if (!isAlive()) throw new Error(`the worker ended at its start: ${text}`);
  stack.move();
  return { kill, isAlive, out: () => text, [Symbol.asyncDispose]: kill };
}

interface Scene extends AsyncDisposable {
  readonly world: World;
  /** Starts one, in place of one that was killed. */
  start(): Promise<Running>;
  stands(stage: Intent['stage'], more?: (intent: Intent) => boolean): Promise<Intent>;
  dns(a: string): void;
}

async function createScene(env: Readonly<Record<string, string>>): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(
    await createWorld({
      simulator: {
        edge: true,
        seed: { servers: [{ ipAddress: HERE }], dns: { [PRIMARY]: { a: HERE } } },
        variants: { validation: 'http-01' },
        issuanceLagMs: 50,
      },
    }),
  );
  const { simulator } = world;
  const all = { ...world.env, ...(await edgeEnv(simulator)), CERTIFICATE_DEADLINE: '30s', ...env };
  const releases = stack.move();
  return {
    world,
    start: async () => releases.use(await startWorker(all)),
    stands: (stage, more = () => true) =>
      until(
        async () => {
          const intent = await world.intent(SHOP).catch(() => undefined);
          return intent?.stage === stage && more(intent) ? intent : undefined;
        },
        `the shop is ${stage}`,
        PATIENCE_MS,
      ).catch(async (error) => {
        const { stage: is, outcome, nextRunAt = 0, jobId = '' } = (await world.intent(SHOP)) ?? {};
        const job = await world.queue.getJobState(jobId);
        const dueInMs = nextRunAt - Date.now();
        throw new Error(`${error.message}; it is ${is}: ${outcome}; its job is ${job}, due in ${dueInMs} ms`);
      }),
    dns: (a) => simulator.edge?.setDns(SHOP, { a }),
    [Symbol.asyncDispose]: () => releases.disposeAsync(),
  };
}

interface Moment {
  readonly env?: Readonly<Record<string, string>>;
  /** Brings the shop there; a worker runs. */
  readonly before: (scene: Scene) => Promise<void>;
  /** What lets it go on. */
  readonly after?: (scene: Scene) => Promise<void>;
}

const add = async ({ world }: Scene): Promise<void> => {
  await world.producer.requests.enqueue('add-domain', { domain: SHOP, www: false });
  world.wish(SHOP, 'present');
};

const moments: Readonly<Record<string, Moment>> = {
  'waits for DNS': {
    async before(scene) {
      scene.dns(ELSEWHERE);
      await add(scene);
      await scene.stands('waiting-for-dns');
    },
    after: async (scene) => scene.dns(HERE),
  },
  'is being attached': {
    async before(scene) {
      scene.world.simulator.addFault({ kind: 'slow', delayMs: 2_000, operation: 'attach-domain' });
      scene.dns(HERE);
      await add(scene);
      await until(() => scene.world.names().includes(SHOP), 'the POST took effect', PATIENCE_MS);
      await scene.stands('attaching');
    },
  },
  'is attached, and its certificate is not ordered yet': {
    env: { SSL_REDEPLOY_DELAY_MS: '2000' },
    async before(scene) {
      scene.dns(HERE);
      await add(scene);
      await scene.stands('attached');
    },
  },
  'has its certificate on order': {
    async before(scene) {
      scene.world.simulator.addFault({ kind: 'slow', delayMs: 1_500, operation: 'redeploy-ssl' });
      scene.world.simulator.setSettings({ issuanceLagMs: 3_000 });
      scene.dns(HERE);
      await add(scene);
      await until(() => scene.world.simulator.state.orders.length === 1, 'it is ordered', PATIENCE_MS);
      await scene.stands('waiting-for-certificate');
    },
  },
  'waits for a certificate that was ordered': {
    async before(scene) {
      scene.world.simulator.setSettings({ issuanceLagMs: 4_000 });
      scene.dns(HERE);
      await add(scene);
      await scene.stands('waiting-for-certificate', ({ outcome }) => /was ordered at/.test(outcome ?? ''));
    },
  },
  'is held': {
    env: { DNS_DEADLINE: '1ms' },
    async before(scene) {
      scene.dns(ELSEWHERE);
      await add(scene);
      await scene.stands('held');
    },
    after: async (scene) => scene.dns(HERE),
  },
  'is live and watched': {
    env: { WATCH_INTERVAL: '300ms' },
    async before(scene) {
      scene.dns(HERE);
      await add(scene);
      await scene.stands('live');
    },
    async after({ world, stands }) {
      world.simulator.edge?.serve(SHOP, { expired: true });
      await stands('held');
      world.simulator.edge?.serve(SHOP);
    },
  },
};

/** It is live, nobody wrote more than was needed, and no invariant is broken. */
async function proveLive({ world, stands }: Scene): Promise<void> {
  await stands('live');
  await world.verify();
  expect(world.simulator.state.orders).toMatchObject([{ status: 'issued' }]);
  expect(world.simulator.state.overlappingWrites({ by: 'webapp' })).toEqual([]);
  expect(world.calls('attach-domain').filter((call) => call.writeApplied)).toHaveLength(1);
  expect(world.calls('delete-domain')).toEqual([]);
  const failed = await world.queue.getFailed();
  expect(failed.map(({ id, failedReason }) => [id, failedReason])).toEqual([]);
}

/** Side by side: one after the other they would take minutes. All of them end before one that went wrong is told. */
async function atEachMoment(play: (moment: Moment, scene: Scene) => Promise<void>): Promise<void> {
  const outcomes = await inParallel(Object.entries(moments), 4, async ([name, moment]) => {
    try {
      await using scene = await createScene(moment.env ?? {});
      await play(moment, scene);
      await proveLive(scene);
      return [];
    } catch (error) {
      return [`while the domain ${name}: ${error instanceof Error ? error.message : String(error)}`];
    }
  });
  expect(outcomes.flat()).toEqual([]);
}

test(
  'the only worker is killed at each stage of a domain: the next one brings it live, with one order',
  () =>
    atEachMoment(async ({ before, after }, scene) => {
      const first = await scene.start();
      await before(scene);
      await first.kill();
      const second = await scene.start();
      await after?.(scene);
      await scene.stands('live');
      expect(second.isAlive()).toBe(true);
    }),
  HANG_MS,
);

test(
  'Redis is killed and restarted at each stage of a domain: the same worker brings it live, with one order',
  () =>
    atEachMoment(async ({ before, after }, scene) => {
      const worker = await scene.start();
      await before(scene);
      await scene.world.server.kill();
      await scene.world.server.restart();
      await after?.(scene);
      await scene.stands('live');
      expect(worker.isAlive()).toBe(true);
    }),
  HANG_MS,
);
