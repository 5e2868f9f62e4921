// The simulated Let's Encrypt says no to names whose DNS is not right, in every way an order can come about.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  createSimulator,
  DEFAULT_CREDENTIALS,
  DEFAULT_IP_ADDRESS,
  type DnsRecord,
  type Simulator,
} from '../../packages/simulator/src/index.ts';

const WEBAPP = '/servers/1903/webapps/646';
const SSL = `${WEBAPP}/ssl`;
const PRIMARY = 'network.example.org';
const SHOP = 'shop.example.com';
const HERE: DnsRecord = { a: DEFAULT_IP_ADDRESS };
const MESSAGE = "any of your domains aren't pointed to your server or SSL limit is reached";
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

describe('validation', () => {
  test('an order whose names all resolve to the server is issued', async () => {
    simulator.attachDomain({ name: SHOP, www: true });
    simulator.setDns(SHOP, HERE);
    simulator.setDns(`www.${SHOP}`, { cname: SHOP });
    await redeploy();
    expect(covered()).toEqual([PRIMARY, SHOP, `www.${SHOP}`]);
    expect(simulator.state.orders).toEqual([
      {
        certificateId: 88,
        webappId: 646,
        names: [PRIMARY, SHOP, `www.${SHOP}`],
        failedNames: [],
        status: 'issued',
        refusedBy: null,
        isRenewal: false,
        orderedAt: now,
        readyAt: now,
      },
    ]);
  });

  test.each<[string, DnsRecord | null]>([
    ['does not exist', null],
    ['has no address', {}],
    ['points elsewhere', { a: '203.0.113.99' }],
    ['points elsewhere too', { a: [DEFAULT_IP_ADDRESS, '203.0.113.99'] }],
    ['has a foreign IPv6 address', { ...HERE, aaaa: '2001:db8::99' }],
    ['leads nowhere', { cname: 'nobody.example.net' }],
    ['cannot be looked up', { ...HERE, fails: 'servfail' }],
    ['gets no answer', { fails: 'silent' }],
    ['may only be signed by others', { ...HERE, caa: { tag: 'issue', value: 'pki.goog' } }],
    ['may not be signed', { ...HERE, caa: { tag: 'issue', value: ';' } }],
    [
      'may be signed by another validation only',
      { ...HERE, caa: { tag: 'issue', value: 'letsencrypt.org; validationmethods=dns-01' } },
    ],
    [
      'may be signed for another account only',
      { ...HERE, caa: { tag: 'issue', value: 'letsencrypt.org; accounturi=https://acme.example/acct/1' } },
    ],
    ['has a critical record that nobody knows', { ...HERE, caa: { flags: 128, tag: 'tbs', value: 'x' } }],
  ])('a name that %s fails the whole order, and the certificate keeps its names', async (_, record) => {
    simulator.attachDomain({ name: SHOP });
    if (record !== null) simulator.setDns(SHOP, record);
    expect((await redeploy()).status).toBe(200);
    expect(covered()).toEqual([PRIMARY]);
    expect(last()).toMatchObject({ status: 'failed', failedNames: [SHOP], names: [PRIMARY, SHOP] });
    expect(simulator.state.certificates()[0]?.pendingNames).toEqual([]);
    expect(simulator.state.limitBreaches).toBe(0);
  });

  test.each<[string, DnsRecord, boolean]>([
    [
      'allows Let’s Encrypt',
      { caa: { tag: 'issue', value: 'letsencrypt.org; validationmethods=http-01' } },
      true,
    ],
    ['speaks of wildcards only', { caa: { tag: 'issuewild', value: ';' } }, true],
    ['forbids it', { caa: { tag: 'issue', value: 'pki.goog' } }, false],
    ['cannot be looked up', { fails: 'servfail' }, false],
  ])(
    'the CAA record of the parent counts where the name has none: one that %s',
    async (_, record, isIssued) => {
      simulator.attachDomain({ name: SHOP });
      simulator.setDns(SHOP, HERE);
      simulator.setDns('example.com', record);
      await redeploy();
      expect(covered().includes(SHOP)).toBe(isIssued);
    },
  );

  test('what counts is the DNS when the order is due, not when somebody looks', async () => {
    simulator.setSettings({ issuanceLagMs: 30_000 });
    simulator.attachDomain({ name: SHOP });
    await redeploy();
    simulator.setDns(SHOP, HERE);
    now += 30_000;
    simulator.removeDns(SHOP);
    expect(covered()).toContain(SHOP);
  });

  test('by default every order is good, and with defaultDns unknown names are', async () => {
    simulator.attachDomain({ name: SHOP });
    simulator.setVariants({ validation: 'none' });
    await redeploy();
    expect(covered()).toContain(SHOP);
    simulator.reset();
    simulator.setSettings({ defaultDns: 'server' });
    simulator.attachDomain({ name: SHOP });
    await redeploy();
    expect(covered()).toContain(SHOP);
  });

  test('badName: left-out issues for the good names, and fails without any', async () => {
    simulator.setVariants({ badName: 'left-out' });
    simulator.attachDomain({ name: SHOP });
    simulator.attachDomain({ name: 'good.example.net' });
    simulator.setDns('good.example.net', HERE);
    await redeploy();
    expect(covered()).toEqual([PRIMARY, 'good.example.net']);
    expect(last()).toMatchObject({ status: 'issued', failedNames: [SHOP] });
    simulator.removeDns(PRIMARY);
    simulator.removeDns('good.example.net');
    await redeploy();
    expect(last()?.status).toBe('failed');
    expect(covered()).toEqual([PRIMARY, 'good.example.net']);
  });

  test('dns-01 does not need the address', async () => {
    simulator.reset({ webapps: [{ certificate: 'none' }] });
    await ask('POST', SSL, { ...LETS_ENCRYPT, authorizationMethod: 'dns-01', externalApi: 1 });
    expect(covered()).toEqual([PRIMARY]);
  });
});

describe('issuanceFailure: 422', () => {
  beforeEach(() => {
    simulator.setVariants({
      issuanceFailure: '422',
      sslIdOnRedeploy: 'new',
      installOverExisting: 'replaces',
    });
    simulator.attachDomain({ name: SHOP });
  });

  test('a redeploy is refused at once, whatever the lag, and does not name the wrong name', async () => {
    simulator.setSettings({ issuanceLagMs: 30_000 });
    expect(await redeploy()).toEqual({ status: 422, body: { message: MESSAGE } });
    expect(last()).toMatchObject({ status: 'failed', failedNames: [SHOP] });
    expect(simulator.state.certificates()[0]).toMatchObject({ id: 88, names: [PRIMARY], pendingNames: [] });
    expect(simulator.state.calls.at(-1)?.writeApplied).toBe(false);
  });

  test('a refused install leaves what was there', async () => {
    expect(await ask('POST', SSL, LETS_ENCRYPT)).toEqual({ status: 422, body: { message: MESSAGE } });
    expect(simulator.state.certificates().map(({ id }) => id)).toEqual([88]);
    simulator.setDns(SHOP, HERE);
    expect((await ask('POST', SSL, LETS_ENCRYPT)).status).toBe(200);
    expect(covered()).toEqual([PRIMARY, SHOP]);
  });

  test('a limit is told the same way', async () => {
    simulator.setDns(SHOP, HERE);
    simulator.setSettings({ duplicatesPerWeek: 1 });
    expect((await redeploy()).status).toBe(200);
    const [certificate] = simulator.state.certificates();
    expect(await redeploy(certificate?.id)).toEqual({ status: 422, body: { message: MESSAGE } });
    expect(simulator.state.limitBreaches).toBe(1);
  });
});

describe('advanced mode and AutoSSL', () => {
  const advanced = { webapps: [{ advancedSsl: true, certificate: 'none' }] } as const;

  test('install and redeploy of one domain are validated', async () => {
    simulator.reset(advanced);
    const path = `${WEBAPP}/domains/4711/ssl`;
    await ask('POST', path, LETS_ENCRYPT);
    expect([covered(), last()?.status]).toEqual([[], 'failed']);
    simulator.setVariants({ issuanceFailure: '422' });
    expect(await ask('PUT', `${path}/88`)).toEqual({ status: 422, body: { message: MESSAGE } });
    simulator.setDns(PRIMARY, HERE);
    expect((await ask('PUT', `${path}/88`)).status).toBe(200);
    expect(covered()).toEqual([PRIMARY]);
  });

  test('a refused install of one domain leaves no certificate', async () => {
    simulator.reset(advanced);
    simulator.setVariants({ issuanceFailure: '422' });
    expect((await ask('POST', `${WEBAPP}/domains/4711/ssl`, LETS_ENCRYPT)).status).toBe(422);
    expect(simulator.state.certificates()).toEqual([]);
  });

  test.each([true, false])(
    'AutoSSL fails without spoiling the attach (advanced: %s)',
    async (advancedSsl) => {
      simulator.reset({ webapps: [{ advancedSsl, autoSsl: true }], dns: { [PRIMARY]: HERE } });
      expect((await ask('POST', `${WEBAPP}/domains`, { name: SHOP })).status).toBe(200);
      expect(last()).toMatchObject({ status: 'failed', failedNames: [SHOP] });
      expect(covered()).toEqual([PRIMARY]);
    },
  );
});
