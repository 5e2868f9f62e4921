// What the contract tests share: a simulator that is seeded for them, and a client for one API version.

import { afterAll, beforeAll } from '@jest/globals';
import {
  createSimulator,
  type Simulator,
  type SimulatorOptions,
  VARIANT_CASES,
  type VariantCase,
  type Variants,
} from '../../packages/simulator/src/index.ts';
import { createRunCloud, type RunCloudClient, type RunCloudSettings } from '../../src/runcloud/client.ts';
import type { ApiVersion } from '../../src/runcloud/domain-calls.ts';

export const versions = ['v2', 'v3'] as const satisfies readonly ApiVersion[];

/** Basic SSL, 44 domains (the primary first), a certificate. */
export const app = { serverId: 1903, appId: 646 };
/** Basic SSL, one domain, no certificate. */
export const bareApp = { serverId: 1903, appId: 647 };
/** Advanced SSL, 45 domains, a certificate for each. */
export const advancedApp = { serverId: 1903, appId: 648 };

export const MIXED_CASE = 'Mixed.Example.NET';
export const IDN = 'xn--bcher-kva.example';

const seed = {
  webapps: [
    { id: app.appId, domains: [MIXED_CASE, IDN], domainCount: 41 },
    { id: bareApp.appId, certificate: 'none' },
    { id: advancedApp.appId, domainCount: 44, advancedSsl: true, covers: 'all' },
  ],
} as const;

export interface Bench extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly runcloud: RunCloudClient;
  client(settings?: Partial<RunCloudSettings>): RunCloudClient;
}

export async function createBench(version: ApiVersion, options: SimulatorOptions = {}): Promise<Bench> {
  const simulator = await createSimulator({ seed, rateLimit: 0, ...options });
  const { token, key, secret } = simulator.credentials;
  const clients: RunCloudClient[] = [];
  const client = (settings: Partial<RunCloudSettings> = {}): RunCloudClient => {
    const made = createRunCloud({
      url: `${simulator.url}/api/${version}`,
      version,
      credentials: version === 'v2' ? { kind: 'key', key, secret } : { kind: 'token', token },
      timeoutMs: 5000,
      ...settings,
    });
    clients.push(made);
    return made;
  };
  return {
    simulator,
    runcloud: client(),
    client,
    async [Symbol.asyncDispose]() {
      for (const made of clients) made.close();
      await simulator.close();
    },
  };
}

/** Every answer to every open question, one at a time, with the name of its test. */
export const cases = VARIANT_CASES.map((one) => [`${one.name}=${one.value}`, one] as const);

/** Runs a story for one case. */
export type RunCase = (
  story: (bench: Bench, variants: Variants) => Promise<void>,
  which: VariantCase,
) => Promise<void>;

/**
 * One simulator for all cases of a `describe`. Each case resets it, changes one answer and has a client of its own:
 * nothing that a client learned reaches the next case.
 */
export function createCases(version: ApiVersion): RunCase {
  let shared: Bench;
  beforeAll(async () => {
    shared = await createBench(version);
  });
  afterAll(async () => {
    await shared[Symbol.asyncDispose]();
  });
  return async (story, { name, value }) => {
    const { simulator } = shared;
    simulator.reset();
    simulator.setVariants({ [name]: value });
    const runcloud = shared.client();
    try {
      await story({ ...shared, runcloud }, simulator.variants);
    } finally {
      runcloud.close();
    }
  };
}

/** What a call ended with: its value, or the error that it threw. */
export async function outcomeOf<T>(call: Promise<T>): Promise<T | Error> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}
