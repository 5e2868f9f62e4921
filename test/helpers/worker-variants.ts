// The whole path (add, redeploy, remove, redeploy) under every answer that RunCloud's documents leave open, for one API version.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { VARIANT_CASES, type VariantCase } from '../../packages/simulator/src/index.ts';
import { inParallel } from './until.ts';
import { createStage, PRIMARY, type Stage } from './worker.ts';

const DOMAIN = 'shop.example.org';
const ADVANCED = 'customer-648-1.example.com';
const seed = {
  webapps: [
    {},
    { id: 647, certificate: 'none' },
    { id: 648, advancedSsl: true, covers: 'all', domainCount: 2 },
  ],
} as const;

/** What the path left behind: plain values, compared by the tests. */
interface Trace {
  readonly failed: readonly string[];
  readonly attached: boolean;
  readonly covered: boolean;
  readonly removed: boolean;
  readonly writes: Readonly<Record<string, number>>;
  readonly bare: string;
  readonly advancedOrders: readonly string[];
}

const redeployedNames = ({ calls }: Stage): string[] =>
  calls('redeploy-domain-ssl').flatMap(({ domain }) => domain ?? []);

async function walk(version: 'v2' | 'v3', { name, value }: VariantCase): Promise<Trace> {
  await using stage = await createStage({
    version,
    simulator: { seed, defaultDns: 'server', variants: { [name]: value } },
    // No call may be given up for slowness here, however starved the machine: what is written twice would be our fault.
    env: { RUNCLOUD_TIMEOUT: '60s' },
  });
  const bare = await stage.add('redeploy-ssl', { appId: 647 });
  await stage.add('redeploy-ssl', { appId: 648, domain: ADVANCED });
  await stage.add('add-domain', { domain: DOMAIN });
  await stage.idle();
  const attached = stage.names().includes(DOMAIN);
  const covered = stage.simulator.state.coveredNames().includes(DOMAIN);
  await stage.add('remove-domain', { domain: DOMAIN });
  await stage.idle();

  const { byOperation } = stage.simulator.state.counters;
  const count = (operation: string): number => byOperation[operation] ?? 0;
  const failed = (await stage.queue.getFailed()).filter(({ id }) => id !== bare);
  return {
    failed: failed.map(({ failedReason }) => failedReason),
    attached,
    covered,
    removed: stage.names().join() === PRIMARY,
    writes: {
      attach: count('attach-domain'),
      delete: count('delete-domain'),
      redeploy: count('redeploy-ssl'),
    },
    bare: (await stage.job(bare)).failedReason,
    advancedOrders: redeployedNames(stage),
  };
}

export const testVariants = (version: 'v2' | 'v3'): void =>
  describe(`API ${version}`, () => {
    const traces = new Map<VariantCase, Trace | Error>();

    beforeAll(async () => {
      await inParallel(VARIANT_CASES, 24, async (variant) => {
        const trace = await walk(version, variant).catch((error: Error) => error);
        traces.set(variant, trace);
      });
    }, 300_000);

    afterAll(() => traces.clear());

    test.each(VARIANT_CASES)('$name: $value: add, redeploy, remove and redeploy work', (variant) => {
      const takesNewNames = !(variant.name === 'redeployNames' && variant.value === 'unchanged');
      expect(traces.get(variant)).toEqual({
        failed: [],
        attached: true,
        covered: takesNewNames,
        removed: true,
        writes: { attach: 1, delete: 1, redeploy: 2 },
        bare: expect.stringMatching(/^no-certificate: /),
        advancedOrders: [ADVANCED],
      });
    });
  });
