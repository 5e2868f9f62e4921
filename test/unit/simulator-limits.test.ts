// The simulated Let's Encrypt says no to orders beyond its limits, by the simulator's clock.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  createSimulator,
  DEFAULT_CREDENTIALS,
  DEFAULT_IP_ADDRESS,
  type Settings,
  type Simulator,
} from '../../packages/simulator/src/index.ts';

const WEBAPP = '/servers/1903/webapps/646';
const SSL = `${WEBAPP}/ssl`;
const PRIMARY = 'network.example.org';
const SHOP = 'shop.example.com';
const HERE = { a: DEFAULT_IP_ADDRESS };
const HOUR_MS = 3_600_000;
const LETS_ENCRYPT = {
  provider: 'letsencrypt',
  enableHttp: true,
  enableHsts: false,
  authorizationMethod: 'http-01',
};

let simulator: Simulator;
let now: number;

beforeEach(async () => {
  now = Date.UTC(2026, 0, 1);
  const seed = { dns: { [PRIMARY]: HERE } };
  simulator = await createSimulator({
    seed,
    rateLimit: 0,
    variants: { validation: 'http-01' },
    now: () => now,
  });
});

afterEach(() => simulator.close());

async function ask(method: string, path: string, body?: unknown) {
  const response = await fetch(`${simulator.url}/api/v3${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${DEFAULT_CREDENTIALS.token}`,
      Accept: 'application/json',
      'Content-Type': 'application/json',
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

const redeploy = (id = 88) => ask('PUT', `${SSL}/${id}`);
const covered = () => simulator.state.coveredNames();
const last = () => simulator.state.orders.at(-1);

describe('limits', () => {
  const limit = (patch: Partial<Settings>) => simulator.setSettings({ defaultDns: 'server', ...patch });
  const attachAndRedeploy = async (name: string) => {
    simulator.attachDomain({ name });
    await redeploy();
  };

  test('certificatesPerWeek counts per registered domain, and forgets after a week', async () => {
    limit({ certificatesPerWeek: 2 });
    for (const name of ['a.example.com', 'b.example.com', 'c.example.com']) await attachAndRedeploy(name);
    expect(last()).toMatchObject({ status: 'failed', refusedBy: 'certificatesPerWeek' });
    expect(covered()).toEqual([PRIMARY, 'a.example.com', 'b.example.com']);
    now += 7 * 24 * HOUR_MS;
    await redeploy();
    expect(covered()).toContain('c.example.com');
    expect(simulator.state.limitBreaches).toBe(1);
  });

  test('certificatesPerWeek counts what is under way, names the domain, and does not see a renewal', async () => {
    simulator.reset({ webapps: [{}, { id: 647, primaryDomain: 'a.example.com', certificate: 'none' }] });
    limit({ certificatesPerWeek: 1, issuanceLagMs: 30_000 });
    await ask('POST', '/servers/1903/webapps/647/ssl', LETS_ENCRYPT);
    await attachAndRedeploy('b.example.com');
    expect(last()).toMatchObject({ status: 'failed', failedNames: ['b.example.com'] });
    simulator.detachDomain({ name: 'b.example.com' });
    for (let at = 0; at < 3; at += 1) await redeploy();
    now += 30_000;
    expect(simulator.state.orders.map(({ status }) => status)).toEqual([
      'issued',
      'failed',
      'issued',
      'issued',
      'issued',
    ]);
  });

  test('duplicatesPerWeek counts the exact set only', async () => {
    limit({ duplicatesPerWeek: 2 });
    for (let at = 0; at < 3; at += 1) await redeploy();
    expect(simulator.state.orders.map(({ refusedBy }) => refusedBy)).toEqual([
      null,
      null,
      'duplicatesPerWeek',
    ]);
    await attachAndRedeploy(SHOP);
    expect(last()?.status).toBe('issued');
    expect(simulator.state.snapshot().limitBreaches).toBe(1);
    const orders = await fetch(`${simulator.url}/_simulator/orders`);
    expect(await orders.json()).toEqual(simulator.state.orders);
  });

  test('failuresPerHour refuses every order with that name for an hour, even a good one', async () => {
    limit({ failuresPerHour: 2 });
    simulator.setDns(SHOP, { a: '203.0.113.99' });
    await attachAndRedeploy(SHOP);
    await redeploy();
    expect(simulator.state.limitBreaches).toBe(0);
    simulator.setDns(SHOP, HERE);
    await redeploy();
    expect(last()).toMatchObject({ status: 'failed', refusedBy: 'failuresPerHour', failedNames: [SHOP] });
    now += HOUR_MS;
    await redeploy();
    expect(last()?.status).toBe('issued');
    expect(simulator.state.limitBreaches).toBe(1);
  });

  test('an order that a limit refused is no failed authorization', async () => {
    limit({ failuresPerHour: 1, duplicatesPerWeek: 1 });
    await redeploy();
    await redeploy();
    await redeploy();
    expect(last()?.refusedBy).toBe('duplicatesPerWeek');
  });

  test.each([
    [99, 'issued'],
    [100, 'failed'],
  ])('the primary and %i more names: %s', async (domainCount, status) => {
    simulator.reset({ webapps: [{ domainCount }] });
    limit({});
    await redeploy();
    expect(last()).toMatchObject({ status, refusedBy: status === 'issued' ? null : 'namesPerCertificate' });
  });

  test('staging has its own, and uses none of these', async () => {
    simulator.reset({ webapps: [{ certificate: 'none' }] });
    limit({ duplicatesPerWeek: 1 });
    await ask('POST', SSL, { ...LETS_ENCRYPT, environment: 'staging' });
    await redeploy();
    await redeploy();
    expect(simulator.state.orders.map(({ status }) => status)).toEqual(['issued', 'issued', 'issued']);
    expect(simulator.state.limitBreaches).toBe(0);
  });

  test('none of them counts by default, and without validation no number of names is too large', async () => {
    simulator.reset({ webapps: [{ domainCount: 200 }] });
    simulator.setVariants({ validation: 'none' });
    for (let at = 0; at < 60; at += 1) await redeploy();
    expect(simulator.state.orders.every(({ status }) => status === 'issued')).toBe(true);
  });
});
