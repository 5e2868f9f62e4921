// The simulated web server shows by SNI what was issued in the simulated world, or the lie it was told to show.
import { request } from 'node:https';
import { connect, type PeerCertificate } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  createSimulator,
  DEFAULT_CREDENTIALS,
  type EdgedSimulator,
} from '../../packages/simulator/src/index.ts';

const PRIMARY = 'network.example.org';
const SHOP = 'shop.example.com';
const SSL = '/servers/1903/webapps/646/ssl';
const DAY_MS = 86_400_000;

let simulator: EdgedSimulator;
/** How far the simulator's clock is ahead of Node's. */
let aheadMs = 0;

// One for the file: keys take a moment, and a reset makes all new.
beforeAll(async () => {
  simulator = await createSimulator({ edge: true, rateLimit: 0, now: () => Date.now() + aheadMs });
});

beforeEach(() => {
  aheadMs = 0;
  simulator.reset();
});

afterAll(() => simulator.close());

interface Seen {
  names: string[];
  problem: string | null;
  certificate: PeerCertificate;
}

/** Shakes hands without insisting, so that a bad certificate can be looked at. */
function look(name: string | undefined, ca = simulator.edge.caPem): Promise<Seen> {
  const { promise, resolve, reject } = Promise.withResolvers<Seen>();
  const sni = name === undefined ? {} : { servername: name };
  const socket = connect({
    host: '127.0.0.1',
    port: simulator.edge.tlsPort,
    ca,
    rejectUnauthorized: false,
    ...sni,
  });
  socket.setTimeout(1000, () => socket.destroy(new Error('silence')));
  socket.once('error', reject);
  socket.once('secureConnect', () => {
    const certificate = socket.getPeerCertificate();
    const names = (certificate.subjectaltname ?? '').split(', ').map((entry) => entry.replace('DNS:', ''));
    const error = socket.authorizationError as unknown as { code?: string } | string | null;
    const problem = typeof error === 'string' ? error : (error?.code ?? null);
    resolve({ names, problem, certificate });
    socket.destroy();
  });
  return promise;
}

async function ask(method: string, path: string, body?: unknown): Promise<void> {
  const { status } = await fetch(`${simulator.url}/api/v3${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${DEFAULT_CREDENTIALS.token}`,
      Accept: 'application/json',
      'Content-Type': 'application/json',
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  expect(status).toBe(200);
}

const redeploy = () => ask('PUT', `${SSL}/88`);

function get(name: string, method = 'HEAD'): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const { tlsPort: port, caPem: ca } = simulator.edge;
  const options = { host: '127.0.0.1', port, path: '/', method, agent: false as const };
  const asked = request({
    ...options,
    ca,
    servername: name,
    rejectUnauthorized: false,
    headers: { Host: name },
  });
  asked.once('error', reject);
  asked.once('response', (response) => {
    response.resume();
    resolve(response.statusCode);
  });
  asked.end();
  return promise;
}

describe('the truth', () => {
  test('a covered name gets the issued certificate, valid for 90 days, and Node believes it', async () => {
    const { names, problem, certificate } = await look(PRIMARY);
    const issuedAt = simulator.state.certificates()[0]?.issuedAt ?? 0;
    expect([names, problem]).toEqual([[PRIMARY], null]);
    expect(Date.parse(certificate.valid_from)).toBe(Math.floor(issuedAt / 1000) * 1000);
    expect(Date.parse(certificate.valid_to) - Date.parse(certificate.valid_from)).toBe(90 * DAY_MS);
  });

  test.each([6, 45, 64])('certificateDays: %i, from the next issuance on', async (days) => {
    simulator.setSettings({ certificateDays: days });
    const { token } = simulator.credentials;
    const url = `${simulator.url}/api/v3/servers/1903/webapps/646/ssl`;
    const headers = { accept: 'application/json', authorization: `Bearer ${token}` };
    expect((await fetch(`${url}/88`, { method: 'PUT', headers })).status).toBe(200);
    const { certificate } = await look(PRIMARY);
    expect(Date.parse(certificate.valid_to) - Date.parse(certificate.valid_from)).toBe(days * DAY_MS);
    const { data } = (await (await fetch(url, { headers })).json()) as {
      data: { ssl: { validUntil: string } }[];
    };
    const issuedAt = simulator.state.certificates()[0]?.issuedAt ?? 0;
    const until = Date.parse(`${data[0]?.ssl.validUntil.replace(' ', 'T')}Z`);
    expect(until).toBe(Math.floor((issuedAt + days * DAY_MS) / 1000) * 1000);
  });

  test('a handshake that insists goes well too', async () => {
    const { tlsPort: port, caPem: ca } = simulator.edge;
    const socket = connect({ host: '127.0.0.1', port, ca, servername: PRIMARY });
    await new Promise((done, fail) => socket.once('secureConnect', done).once('error', fail));
    expect(socket.authorized).toBe(true);
    socket.destroy();
  });

  test('without caPem nobody believes it', async () => {
    expect((await look(PRIMARY, '')).problem).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  test('the same issuance is the same leaf; a redeploy makes another', async () => {
    const first = await look(PRIMARY);
    expect((await look(PRIMARY)).certificate.serialNumber).toBe(first.certificate.serialNumber);
    simulator.attachDomain({ name: SHOP, www: true });
    await redeploy();
    const second = await look(PRIMARY);
    expect(second.certificate.serialNumber).not.toBe(first.certificate.serialNumber);
    expect(second.names).toEqual([PRIMARY, SHOP, `www.${SHOP}`]);
  });

  test('an attached name that is not covered gets the certificate of another site, until the order is due', async () => {
    simulator.setSettings({ issuanceLagMs: 30_000 });
    simulator.attachDomain({ name: SHOP });
    await redeploy();
    const seen = await look(SHOP);
    expect(seen).toMatchObject({ names: ['other-site.example'], problem: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    aheadMs = 30_000;
    // It becomes valid in 30 s, by a clock that Node does not share: only its names matter here.
    expect((await look(SHOP)).names).toEqual([PRIMARY, SHOP]);
  });

  test('a name that is not attached gets the default one: a stranger, no name, a covered one that was removed', async () => {
    simulator.reset({ webapps: [{ domains: [SHOP], covers: 'all' }] });
    expect((await look(SHOP)).problem).toBeNull();
    simulator.detachDomain({ name: SHOP });
    for (const name of [SHOP, 'stranger.example.net', undefined]) {
      expect((await look(name)).names).toEqual(['other-site.example']);
    }
  });

  test('in advanced mode each domain has its own', async () => {
    simulator.reset({ webapps: [{ domains: [SHOP], covers: 'all', advancedSsl: true }] });
    expect((await look(SHOP)).names).toEqual([SHOP]);
    expect((await look(PRIMARY)).names).toEqual([PRIMARY]);
  });

  test('an attached name has a page, any other gets 404', async () => {
    expect(await get(PRIMARY)).toBe(200);
    expect(await get(PRIMARY, 'GET')).toBe(200);
    expect(await get('stranger.example.net')).toBe(404);
  });
});

describe('lies', () => {
  test('expired', async () => {
    simulator.serve(PRIMARY, { expired: true });
    expect(await look(PRIMARY)).toMatchObject({ names: [PRIMARY], problem: 'CERT_HAS_EXPIRED' });
  });

  test('a wrong name', async () => {
    simulator.serve(PRIMARY, { wrongName: true });
    const seen = await look(PRIMARY);
    expect(seen).toMatchObject({ names: ['wrong-name.example'], problem: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  test('untrusted', async () => {
    simulator.serve(PRIMARY, { untrusted: true });
    const seen = await look(PRIMARY);
    expect(seen).toMatchObject({ names: [PRIMARY], problem: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });

  test('silent: the handshake is never answered', async () => {
    simulator.serve(PRIMARY, { silent: true });
    await expect(look(PRIMARY)).rejects.toThrow('silence');
  });

  test('silent: closing does not wait for the handshake', async () => {
    await using quiet = await createSimulator({ edge: true });
    quiet.serve(PRIMARY, { silent: true });
    const socket = connect({ host: '127.0.0.1', port: quiet.edge.tlsPort, servername: PRIMARY });
    const ended = new Promise((done) => socket.once('close', done).on('error', () => undefined));
    await new Promise((done) => socket.once('connect', done));
    await quiet.close();
    await ended;
    expect(socket.authorized).toBe(false);
  });

  test('another end of validity, for a name that no certificate covers either', async () => {
    const notAfter = Math.floor(Date.now() / 1000) * 1000 + 5 * DAY_MS;
    simulator.serve(SHOP, { notAfter });
    const { names, problem, certificate } = await look(SHOP);
    expect([names, problem, Date.parse(certificate.valid_to)]).toEqual([[SHOP], null, notAfter]);
  });

  test('are for one name, and end with undefined, with a reset, or over HTTP', async () => {
    const pull = (body: unknown) =>
      fetch(`${simulator.url}/_simulator/serve`, { method: 'POST', body: JSON.stringify(body) });
    simulator.reset({ webapps: [{ domains: [SHOP], covers: 'all' }] });
    const isWell = async (name: string) => (await look(name)).problem === null;
    simulator.edge.serve(PRIMARY, { expired: true });
    expect([await isWell(PRIMARY), await isWell(SHOP)]).toEqual([false, true]);
    simulator.edge.serve(PRIMARY, undefined);
    expect(await isWell(PRIMARY)).toBe(true);
    expect(await (await pull({ name: PRIMARY, untrusted: true })).json()).toEqual({
      [PRIMARY]: { untrusted: true },
    });
    expect(await isWell(PRIMARY)).toBe(false);
    await pull({ name: PRIMARY });
    expect(await isWell(PRIMARY)).toBe(true);
    expect((await pull({ name: PRIMARY, untrue: true })).status).toBe(400);
    simulator.serve(PRIMARY, { expired: true });
    simulator.reset();
    expect(await isWell(PRIMARY)).toBe(true);
  });

  test('the truth may be as bad: what the staging environment signs is not trusted', async () => {
    simulator.reset({ webapps: [{ certificate: 'none' }] });
    const authorization = { provider: 'letsencrypt', authorizationMethod: 'http-01', environment: 'staging' };
    await ask('POST', SSL, { ...authorization, enableHttp: true, enableHsts: false });
    expect(await look(PRIMARY)).toMatchObject({ names: [PRIMARY], problem: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });
});
