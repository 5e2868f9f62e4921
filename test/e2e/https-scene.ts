// One domain on its way to HTTPS: a world with DNS, TLS and Let's Encrypt, and workers in a hurry that a test may kill.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Seed, Variants } from '../../packages/simulator/src/index.ts';
import type { DomainRecord } from '../../src/domains/domain.ts';
import { edgeEnv, HERE } from '../helpers/https-stage.ts';
import { until } from '../helpers/until.ts';
import { PATIENCE_MS } from './processes.ts';
import { createWorld, PRIMARY, type World } from './world.ts';

export const SHOP = 'shop.example.org';

export interface Running extends AsyncDisposable {
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

export interface Scene extends AsyncDisposable {
  readonly world: World;
  /** Starts one, in place of one that was killed. */
  start(): Promise<Running>;
  stands(stage: DomainRecord['state'], more?: (record: DomainRecord) => boolean): Promise<DomainRecord>;
  dns(a: string): void;
}

export async function createScene(
  env: Readonly<Record<string, string>> = {},
  variants: Partial<Variants> = {},
  webapp: NonNullable<Seed['webapps']>[number] = {},
): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(
    await createWorld({
      simulator: {
        edge: true,
        seed: { servers: [{ ipAddress: HERE }], webapps: [webapp], dns: { [PRIMARY]: { a: HERE } } },
        variants: { validation: 'http-01', ...variants },
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
          const record = await world.record(SHOP).catch(() => undefined);
          return record?.state === stage && more(record) ? record : undefined;
        },
        `the shop is ${stage}`,
        PATIENCE_MS,
      ).catch(async (error) => {
        const { state: is, outcome, nextRunAt = 0, jobId = '' } = (await world.record(SHOP)) ?? {};
        const job = await world.queue.getJobState(jobId);
        const dueInMs = nextRunAt - Date.now();
        throw new Error(`${error.message}; it is ${is}: ${outcome}; its job is ${job}, due in ${dueInMs} ms`);
      }),
    dns: (a) => simulator.edge?.setDns(SHOP, { a }),
    [Symbol.asyncDispose]: () => releases.disposeAsync(),
  };
}
