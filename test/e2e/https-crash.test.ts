// Proves that a domain on its way to HTTPS survives the death of its worker in each state: it ends live, and nothing is ordered twice.
// test/slow/https-redis-crash.test.ts does the same with Redis.
import { expect, test } from '@jest/globals';
import { HERE } from '../helpers/https-stage.ts';
import { inParallel, until } from '../helpers/until.ts';
import { add, atEachMoment, HANG_MS } from './https-moments.ts';
import { createScene, type Scene } from './https-scene.ts';
import { PATIENCE_MS } from './processes.ts';
import { APP } from './world.ts';

test(
  'the only worker is killed in each state of a domain: the next one brings it live, with one order',
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

const KINDS = [
  { ssl: 'basic', operation: 'redeploy-ssl', webapp: {} },
  { ssl: 'advanced', operation: 'install-domain-ssl', webapp: { advancedSsl: true, covers: 'all' } },
] as const;

const EARLY = KINDS.flatMap((kind) => (['on', 'off'] as const).map((tlsProbe) => ({ ...kind, tlsProbe })));

/** The next worker finds the order on its way, and neither an answer to it nor its certificate. */
async function playEarly({ operation, tlsProbe }: (typeof EARLY)[number], scene: Scene): Promise<void> {
  const { world, dns } = scene;
  world.simulator.setSettings({ issuanceLagMs: HANG_MS });
  world.simulator.addFault({ kind: 'never-answer', operation, appliesWrite: true, times: 1 });
  const first = await scene.start();
  dns(HERE);
  await add(scene);
  await until(() => world.simulator.state.orders.length === 1, 'it is ordered', PATIENCE_MS);
  await first.kill();
  await scene.start();
  // The first one waits for its answer, and dies. Before the order it has said that the redeploy is delayed.
  const code = async () => (await world.producer.requests.certificates.get(APP))?.reasonCode ?? '';
  const isFound = async () => ['already-ordered', 'order-answer-lost'].includes(await code());
  await until(() => isFound().catch(() => false), 'the next one has checked', PATIENCE_MS);
  world.simulator.finishOrders();
  await scene.stands(tlsProbe === 'on' ? 'live' : 'attached');
  await world.verify();
  expect(world.simulator.state.orders.map(({ status }) => status)).toEqual(['issued']);
}

test(
  'a worker that takes over before the certificate is issued sees it as soon as it is there, and orders no second one',
  async () => {
    const outcomes = await inParallel(EARLY, 2, async (row) => {
      try {
        // Ten minutes of SSL_COOLDOWN, as by default: nobody waits for its end here.
        await using scene = await createScene({ TLS_PROBE: row.tlsProbe }, {}, { ...row.webapp });
        await playEarly(row, scene);
        return [];
      } catch (error) {
        return [
          `${row.ssl}, TLS_PROBE=${row.tlsProbe}: ${error instanceof Error ? error.message : String(error)}`,
        ];
      }
    });
    expect(outcomes.flat()).toEqual([]);
  },
  HANG_MS,
);
