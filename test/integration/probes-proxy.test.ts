// A CDN before the web application: web servers on loopback stand for it, and a real DNS server leads to them.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createDnsProbe, type DnsProbe, type DnsProbeOptions } from '../../src/probes/dns.ts';
import * as messages from '../../src/probes/messages.ts';
import { type DnsServer, type DnsZone, startDnsServer } from '../helpers/dns-server.ts';
import { createCa } from '../helpers/tls-server.ts';
import { until } from '../helpers/until.ts';

const name = 'shop.example.org';
const ours = '203.0.113.7';
const wrong = '198.51.100.9';

let stack: AsyncDisposableStack;
let dns: DnsServer;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  dns = stack.use(await startDnsServer());
});
afterEach(() => stack.disposeAsync());

function probeOf(zone: DnsZone, options: DnsProbeOptions = {}): DnsProbe {
  Object.assign(dns.zone, zone);
  return createDnsProbe({ servers: [dns.address], ...options });
}

const check = (zone: DnsZone, options: DnsProbeOptions = {}, expected: readonly string[] = [ours]) =>
  probeOf(zone, options).check(name, expected);

describe('a CDN in front', () => {
  type Handler = (request: IncomingMessage, response: ServerResponse) => void;
  const page: Handler = (_request, response) => void response.end('token 7f3a91\n');
  const cdn = { [name]: { A: ['127.0.0.1'] } };
  let requested: string[];
  beforeEach(() => {
    requested = [];
  });

  interface Where {
    readonly tls?: { key: string; cert: string };
    readonly host?: string;
    readonly port?: number;
  }

  async function serve(handle: Handler, { tls, host = '127.0.0.1', port = 0 }: Where = {}): Promise<number> {
    const listener: Handler = (request, response) => {
      requested.push(`${request.headers.host}${request.url}`);
      handle(request, response);
    };
    const server = tls === undefined ? createServer(listener) : createHttpsServer(tls, listener);
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    stack.defer(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return (server.address() as AddressInfo).port;
  }

  const options = (port: number, scheme = 'http'): DnsProbeOptions => ({
    probeUrl: `${scheme}://{domain}:${port}/probe.txt#7f3a91`,
    reachPrivate: true,
  });

  test('that hands the page on is a proxy', async () => {
    const port = await serve(page);
    expect(await check(cdn, options(port))).toMatchObject({ verdict: 'proxied' });
    expect(requested).toEqual([`${name}:${port}/probe.txt`]);
  });

  test('with a certificate for another name is a proxy too', async () => {
    const port = await serve(page, { tls: await (await createCa()).issue({ names: ['other.example'] }) });
    expect(await check(cdn, options(port, 'https'))).toMatchObject({ verdict: 'proxied' });
  });

  test('is requested only where an address is not ours', async () => {
    const port = await serve(page);
    expect(await check(cdn, options(port), ['127.0.0.1'])).toMatchObject({ verdict: 'here' });
    expect(requested).toEqual([]);
  });

  test('at a private address is never requested', async () => {
    const port = await serve(page);
    const finding = await check(cdn, { ...options(port), reachPrivate: false });
    expect(finding).toMatchObject({
      verdict: 'elsewhere',
      sentence: expect.stringContaining(messages.notReached),
    });
    expect(requested).toEqual([]);
  });

  test('one of whose addresses belongs to somebody else is no proxy', async () => {
    const port = await serve(page);
    await serve((_request, response) => void response.end('hello'), { host: '127.0.0.2', port });
    const finding = await check({ [name]: { A: ['127.0.0.1', '127.0.0.2'] } }, options(port));
    expect(finding.verdict).toBe('elsewhere');
  });

  test('one of whose addresses takes no connection could not be checked', async () => {
    const port = await serve(page);
    const finding = await check({ [name]: { A: ['127.0.0.1', '127.0.0.2'] } }, options(port));
    expect(finding).toMatchObject({
      verdict: 'unchecked',
      sentence: expect.stringContaining('(ECONNREFUSED)'),
    });
  });

  test('that has more addresses than we ask is not said to have been requested', async () => {
    const port = await serve(page);
    const A = Array.from({ length: 9 }, (_, i) => `127.0.0.${i + 1}`);
    const finding = await check({ [name]: { A } }, options(port));
    expect(finding).toMatchObject({ verdict: 'elsewhere', sentence: expect.not.stringContaining('HTTP') });
    expect(requested).toEqual([]);
  });

  test('that follows redirects of the same host is a proxy', async () => {
    const port = await serve((request, response) =>
      request.url === '/3' ? page(request, response) : redirect(response, next(request.url)),
    );
    expect(await check(cdn, options(port))).toMatchObject({ verdict: 'proxied' });
    expect(requested.map((line) => line.split('/')[1])).toEqual(['probe.txt', '1', '2', '3']);
  });

  const redirect = (response: ServerResponse, location: string): void =>
    void response.writeHead(302, { location }).end();
  const next = (url = ''): string => `/${Number(url.slice(1)) + 1 || 1}`;

  const refusals: readonly (readonly [string, Handler])[] = [
    ['that sends us round and round', (request, response) => redirect(response, next(request.url))],
    [
      'that sends us to another host',
      (_request, response) => redirect(response, 'http://localhost/probe.txt'),
    ],
    ['that sends us to another port', (_request, response) => redirect(response, `http://${name}:22/`)],
    ['that sends us to a file', (_request, response) => redirect(response, 'file:///etc/passwd')],
    ['that shows another page', (_request, response) => void response.end('hello')],
    ['that shows the text with an error', (_request, response) => void response.writeHead(404).end('7f3a91')],
  ];

  const answer =
    (status: number): Handler =>
    (_request, response) =>
      void response.writeHead(status).end('7f3a91');

  const silences: readonly (readonly [string, Handler, string])[] = [
    ['that hangs up', (request) => void request.socket.destroy(), 'ECONNRESET'],
    ['that hangs up in the middle', hangUpInTheMiddle, 'ECONNRESET'],
    ['that has lost its origin', answer(522), 'HTTP 522'],
    ['that is down for maintenance', answer(503), 'HTTP 503'],
    ['that takes us for a robot', answer(403), 'HTTP 403'],
    ['that was requested too often', answer(429), 'HTTP 429'],
    ['that wants a password', answer(401), 'HTTP 401'],
    ['that hides the text behind 64 kB', longPage, 'a page of more than 64 kB'],
    ['that packs its page', packed, 'a packed page'],
  ];

  function longPage(_request: IncomingMessage, response: ServerResponse): void {
    response.end(`${'x'.repeat(70_000)}7f3a91`);
  }

  function packed(_request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('7f3a91'));
  }

  function hangUpInTheMiddle(_request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'content-length': 100 }).write('hello');
    setTimeout(() => response.socket?.destroy(), 20);
  }

  test.each(silences)('%s could not be checked', async (_sentence, handle, why) => {
    const port = await serve(handle);
    const finding = await check(cdn, options(port));
    expect(finding).toMatchObject({
      verdict: 'unchecked',
      sentence: expect.stringContaining(`(${why})`),
      changes: { set: [], remove: [] },
    });
  });

  test('that does not answer in time could not be checked', async () => {
    const port = await serve(() => {});
    const finding = await check(cdn, { ...options(port), pageTimeoutMs: 200 });
    expect(finding).toMatchObject({
      verdict: 'unchecked',
      sentence: expect.stringContaining('(ETIMEDOUT)'),
    });
  });

  test.each(refusals)('%s is no proxy', async (_sentence, handle) => {
    const port = await serve(handle);
    expect(await check(cdn, options(port))).toMatchObject({ verdict: 'elsewhere' });
    expect(requested.length).toBeLessThanOrEqual(4);
  });

  test('that never answers can be left by aborting', async () => {
    const port = await serve(() => {});
    const abort = new AbortController();
    const reason = new Error('shutting down');
    const checking = expect(probeOf(cdn, options(port)).check(name, [ours], abort.signal)).rejects.toBe(
      reason,
    );
    await until(() => requested.length > 0, 'the page has been requested for');
    abort.abort(reason);
    await checking;
  });

  test('is not looked for without a probe URL', async () => {
    expect(await check({ [name]: { A: [wrong] } })).toMatchObject({
      verdict: 'elsewhere',
      sentence: expect.not.stringContaining('HTTP'),
    });
  });
});
