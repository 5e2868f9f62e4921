// Each state of a domain on its way to HTTPS, as a moment at which something may die. The scenes run side by side, inside one test:
// jest forbids the simulator's late import between tests.
import { expect } from '@jest/globals';

import type { Variants } from '../../packages/simulator/src/index.ts';
import { endBackoffs, promoteRedeploys } from '../helpers/backoff.ts';
import { ELSEWHERE, HERE } from '../helpers/https-stage.ts';
import { patient } from '../helpers/patient.ts';
import { inParallel, until } from '../helpers/until.ts';
import { createScene, type Scene, SHOP } from './https-scene.ts';
import { PATIENCE_MS } from './processes.ts';
import { APP } from './world.ts';

export const HANG_MS = 600_000;
const OTHER = 'other.example.org';

export interface Moment {
  readonly env?: Readonly<Record<string, string>>;
  readonly variants?: Partial<Variants>;
  /** Brings the shop there; a worker runs. */
  readonly before: (scene: Scene) => Promise<void>;
  /** What lets it go on. */
  readonly after?: (scene: Scene) => Promise<void>;
  /** What it costs in the end: one attachment and one order, unless said otherwise. */
  readonly costs?: Partial<Costs>;
}

interface Costs {
  readonly orders: readonly string[];
  /** How many more may have been issued. */
  readonly furtherOrders: number;
  readonly attached: number;
  readonly detached: number;
}

export const add = async ({ world }: Scene): Promise<void> => {
  await patient(world.producer).requests.enqueue('add-domain', { domain: SHOP, www: false });
  world.desired(SHOP, 'present');
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
    env: { SSL_REDEPLOY_DELAY: '2s' },
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
      await scene.stands('waiting-for-certificate', ({ reasonCode }) => reasonCode === 'certificate-ordered');
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
    env: { MONITOR_INTERVAL: '300ms' },
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
  'is detached for the others (SSL_INVALID_NAMES=detach)': {
    env: { SSL_INVALID_NAMES: 'detach' },
    async before(scene) {
      const { world, dns, stands } = scene;
      dns(HERE);
      await add(scene);
      await stands('live');
      dns(ELSEWHERE);
      world.simulator.addFault({ kind: 'slow', delayMs: 2_000, operation: 'delete-domain' });
      await patient(world.producer).requests.enqueue('redeploy-ssl', {});
      await until(() => !world.names().includes(SHOP), 'the DELETE took effect', PATIENCE_MS);
    },
    async after({ world, dns, stands }) {
      await stands('waiting-for-dns');
      const isOver = async () => (await world.producer.requests.certificates.get(APP))?.state === 'done';
      await until(() => isOver().catch(() => false), 'the others have their certificate', PATIENCE_MS);
      dns(HERE);
    },
    // With it; without it and with it again only where a handshake does not show the others as covered (a redeploy that was cut off
    // looks first).
    costs: { furtherOrders: 2, attached: 2, detached: 1 },
  },
  'has its certificate removed, to be installed anew (SSL_REISSUE=reinstall)': {
    env: { SSL_REISSUE: 'reinstall', CERTIFICATE_DEADLINE: '1s' },
    variants: { redeployNames: 'unchanged' },
    async before(scene) {
      const { world, dns, stands } = scene;
      dns(HERE);
      await add(scene);
      await stands('held');
      world.simulator.addFault({ kind: 'slow', delayMs: 2_000, operation: 'delete-ssl' });
      world.simulator.edge?.setDns(OTHER, { a: HERE });
      await patient(world.producer).requests.enqueue('add-domain', { domain: OTHER, www: false });
      world.desired(OTHER, 'present');
      await until(() => world.names().includes(OTHER), 'the other domain is attached', PATIENCE_MS);
      const isGone = async () => {
        // What joins a name that an order failed for waits with it; here that time is over at once.
        await endBackoffs(world.redis, world.config.queuePrefix);
        await promoteRedeploys(world.queue);
        return world.calls('delete-ssl').some(({ writeApplied }) => writeApplied);
      };
      await until(isGone, 'the DELETE took effect', PATIENCE_MS);
    },
    costs: { orders: ['issued', 'issued'], attached: 2 },
  },
};

/** It is live, nobody wrote more than was needed, and no invariant is broken. */
async function proveLive({ world, stands }: Scene, costs: Moment['costs']): Promise<void> {
  const usual: Costs = { orders: ['issued'], furtherOrders: 0, attached: 1, detached: 0 };
  const { orders, furtherOrders, attached, detached } = { ...usual, ...costs };
  await stands('live');
  await world.verify();
  const placed = world.simulator.state.orders.map(({ status }) => status);
  expect(placed.slice(0, orders.length)).toEqual(orders);
  const further = placed.slice(orders.length);
  expect(further.filter((status) => status !== 'issued')).toEqual([]);
  expect(further.length).toBeLessThanOrEqual(furtherOrders);
  expect(world.simulator.state.overlappingWrites()).toEqual([]);
  expect(world.calls('attach-domain').filter((call) => call.writeApplied)).toHaveLength(attached);
  expect(world.calls('delete-domain').filter((call) => call.writeApplied)).toHaveLength(detached);
  const failed = await world.queue.getFailed();
  expect(failed.map(({ id, failedReason }) => [id, failedReason])).toEqual([]);
}

/** Side by side: one after the other they would take minutes. All of them end before one that went wrong is told. */
export async function atEachMoment(play: (moment: Moment, scene: Scene) => Promise<void>): Promise<void> {
  const outcomes = await inParallel(Object.entries(moments), 4, async ([name, moment]) => {
    try {
      await using scene = await createScene(moment.env, moment.variants);
      await play(moment, scene);
      await proveLive(scene, moment.costs);
      return [];
    } catch (error) {
      return [`while the domain ${name}: ${error instanceof Error ? error.message : String(error)}`];
    }
  });
  expect(outcomes.flat()).toEqual([]);
}
