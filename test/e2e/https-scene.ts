// One domain on its way to HTTPS: a world with DNS, TLS and Let's Encrypt, and workers in a hurry that a test may kill.
import type { Seed, Variants } from '../../packages/simulator/src/index.ts';
import type { Tuning } from '../../src/app/tuning.ts';
import type { DomainRecord } from '../../src/domains/domain.ts';
import { edgeEnv, FAST, HERE } from '../helpers/https-stage.ts';
import { until } from '../helpers/until.ts';
import { PATIENCE_MS, type WorkerProcess } from './processes.ts';
import { createWorld, PRIMARY, type World } from './world.ts';

export const SHOP = 'shop.example.org';

/** A minute between two checks is 60 ms, and a dead worker's job is taken over within two seconds. */
const HURRIED: Tuning = { backoff: FAST, limits: {}, recovery: { lockMs: 2000, stalledCheckMs: 500 } };

export interface Scene extends AsyncDisposable {
  readonly world: World;
  /** Starts one, in place of one that was killed. */
  start(): Promise<WorkerProcess>;
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
    start: () => world.startWorker(all, { tuning: HURRIED }),
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
