// The TLS probe against real servers on loopback, whose certificates come from throw-away authorities.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { noHandshake } from '../../src/probes/messages.ts';
import { createTlsProbe, type TlsProbeOptions } from '../../src/probes/tls.ts';
import {
  createCa,
  type KeyAndCertificate,
  startSilentServer,
  startTlsServer,
  type TlsServerOptions,
} from '../helpers/tls-server.ts';
import { until } from '../helpers/until.ts';

const name = 'shop.example.org';
const ca = await createCa();
const staging = await createCa("(STAGING) Let's Encrypt", 'Pretend Pear X1');
const good = await ca.issue({ names: [name, '*.example.net'] });
const dayMs = 86_400_000;
const fromNow = (days: number): Date => new Date(Date.now() + days * dayMs);

let stack: AsyncDisposableStack;
beforeEach(() => {
  stack = new AsyncDisposableStack();
});
afterEach(() => stack.disposeAsync());

const serve = async (certificates: Record<string, KeyAndCertificate>, more: Partial<TlsServerOptions> = {}) =>
  stack.use(await startTlsServer({ certificates, ...more }));

const probeOf = (options: TlsProbeOptions = {}) => createTlsProbe({ ca: ca.certificate, ...options });

const isLeftAlone = (server: { readonly open: ReadonlySet<unknown> }) =>
  until(() => server.open.size === 0, 'the probe has closed its connection');

describe('a handshake', () => {
  test('shows the certificate for the name, and the status of the site', async () => {
    const server = await serve({ [name]: good });
    const finding = await probeOf().check(name, server);
    expect(finding).toEqual({
      name,
      verdict: 'covers',
      sentence: expect.stringContaining(name),
      address: `127.0.0.1:${server.port}`,
      certificate: {
        subject: name,
        issuer: 'Throw-away Test CA',
        names: [name],
        moreNames: 1,
        notBefore: expect.any(Number),
        notAfter: expect.any(Number),
      },
      httpStatus: 200,
    });
    expect(finding.certificate?.notAfter).toBeGreaterThan(Date.now() + 88 * dayMs);
    expect(server.requests).toEqual([
      expect.stringMatching(`^HEAD / HTTP/1\\.1\r\nHost: ${name.replaceAll('.', '\\.')}\r\n`),
    ]);
    await isLeftAlone(server);
  });

  test('works over IPv6', async () => {
    const server = await serve({ [name]: good }, { host: '::1' });
    expect(await probeOf().check(name, server)).toMatchObject({
      verdict: 'covers',
      address: `[::1]:${server.port}`,
    });
  });

  test('asks for this very name: another one gets its own certificate', async () => {
    const server = await serve({
      [name]: good,
      'other.example': await ca.issue({ names: ['other.example'] }),
    });
    expect(await probeOf().check('other.example', server)).toMatchObject({ verdict: 'covers' });
    expect(await probeOf().check(name, server)).toMatchObject({ verdict: 'covers' });
  });
});

describe('a certificate', () => {
  const cases: readonly (readonly [string, Promise<KeyAndCertificate>, string, RegExp])[] = [
    [
      'for another site is told without that name',
      ca.issue({ names: ['other-site.example'] }),
      'wrong-name',
      /^(?!.*other-site)/,
    ],
    [
      'that has only a common name does not count',
      ca.issue({ names: [name], withoutAltNames: true }),
      'wrong-name',
      /./,
    ],
    [
      'that has expired is told as that',
      ca.issue({ names: [name], notBefore: fromNow(-90), notAfter: fromNow(-1) }),
      'expired',
      /20\d\d-\d\d-\d\d/,
    ],
    [
      'whose time has not come is told as that',
      ca.issue({ names: [name], notBefore: fromNow(1) }),
      'not-yet-valid',
      /20\d\d-\d\d-\d\d/,
    ],
    [
      'by an authority that browsers do not know is told by its issuer',
      staging.issue({ names: [name] }),
      'untrusted',
      /\(STAGING\) Let's Encrypt Pretend Pear X1.*UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
    ],
  ];

  test.each(cases)('%s', async (_sentence, certificate, verdict, fact) => {
    const server = await serve({ '*': await certificate });
    const finding = await probeOf().check(name, server);
    expect(finding).toMatchObject({ verdict, sentence: expect.stringMatching(fact), httpStatus: 200 });
  });

  test('with very many names is judged by all of them, and its own are kept', async () => {
    const own = [`www.${name}`, '*.example.org', name];
    const names = [...Array.from({ length: 150 }, (_, i) => `n${i}.example.org`), ...own];
    const server = await serve({ [name]: await ca.issue({ names }) });
    const finding = await probeOf().check(name, server);
    expect(finding.verdict).toBe('covers');
    expect(finding.certificate?.names).toEqual(own);
    expect(finding.certificate?.moreNames).toBe(150);
  });

  test('with names that are none is kept cleaned and cut', async () => {
    const server = await serve({ '*': await ca.issue({ names: [`a\u0007${'x'.repeat(3_000)}`] }) });
    const { certificate } = await probeOf().check(name, server);
    expect(certificate).toMatchObject({ names: [], moreNames: 1 });
    for (const text of [certificate?.subject, ...(certificate?.names ?? [])]) {
      expect(text?.length).toBeLessThanOrEqual(255);
      expect(text).not.toContain('\u0007');
    }
  });

  test('of a throw-away authority is not trusted unless that is said', async () => {
    const server = await serve({ [name]: good });
    expect(await createTlsProbe().check(name, server)).toMatchObject({ verdict: 'untrusted' });
  });

  test('authority that is no PEM is refused before the first look', () => {
    expect(() => createTlsProbe({ ca: 'not a certificate' })).toThrow();
  });
});

describe('a site', () => {
  test('that answers with an error still shows its status', async () => {
    const reply = () => 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 503 Service Unavailable\r\n\r\n';
    const server = await serve({ [name]: good }, { reply });
    expect(await probeOf().check(name, server)).toMatchObject({ verdict: 'covers', httpStatus: 503 });
  });

  test('that redirects is not followed', async () => {
    const reply = () => 'HTTP/1.1 301 Moved Permanently\r\nLocation: https://example.com/\r\n\r\n';
    const server = await serve({ [name]: good }, { reply });
    expect(await probeOf().check(name, server)).toMatchObject({ verdict: 'covers', httpStatus: 301 });
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    ['does not speak HTTP', () => 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['never comes to the point', () => 'x'.repeat(100_000)],
    ['never answers', () => undefined],
  ])('that %s is covered all the same, without a status', async (_what, reply) => {
    const server = await serve({ [name]: good }, { reply });
    const finding = await probeOf({ timeoutMs: 1_000 }).check(name, server);
    expect(finding).toMatchObject({ verdict: 'covers', httpStatus: undefined });
    await isLeftAlone(server);
  });
});

describe('without a handshake nothing is known', () => {
  test('where nobody listens', async () => {
    const server = await startSilentServer();
    await server[Symbol.asyncDispose]();
    expect(await probeOf().check(name, server)).toEqual({
      name,
      verdict: 'unknown',
      sentence: noHandshake(name, `127.0.0.1:${server.port}`, 'ECONNREFUSED'),
      address: `127.0.0.1:${server.port}`,
    });
  });

  test('where the server ends it with an alert', async () => {
    const server = await serve({});
    expect(await probeOf().check(name, server)).toMatchObject({ verdict: 'unknown' });
    await isLeftAlone(server);
  });

  test('where the server says nothing', async () => {
    const server = stack.use(await startSilentServer());
    const finding = await probeOf({ timeoutMs: 100 }).check(name, server);
    expect(finding).toMatchObject({ verdict: 'unknown', sentence: expect.stringContaining('(ETIMEDOUT)') });
    await isLeftAlone(server);
  });

  test('where the port is none', async () => {
    expect(await probeOf().check(name, { host: '127.0.0.1', port: 70_000 })).toMatchObject({
      verdict: 'unknown',
      sentence: expect.stringContaining('(ERR_SOCKET_BAD_PORT)'),
    });
  });
});

describe('an aborted look', () => {
  const reason = new Error('shutting down');

  test('throws what it was aborted with, and leaves nothing open', async () => {
    const server = stack.use(await startSilentServer());
    const abort = new AbortController();
    const looking = expect(probeOf().check(name, server, abort.signal)).rejects.toBe(reason);
    await until(() => server.open.size > 0, 'the connection stands');
    abort.abort(reason);
    await looking;
    await isLeftAlone(server);
  });

  test('throws also while the site is being asked', async () => {
    const server = await serve({ [name]: good }, { reply: () => undefined });
    const abort = new AbortController();
    const looking = expect(probeOf().check(name, server, abort.signal)).rejects.toBe(reason);
    await until(() => server.requests.length > 0, 'the site has been asked');
    abort.abort(reason);
    await looking;
    await isLeftAlone(server);
  });

  test('does not even begin where it was aborted before', async () => {
    const server = await serve({ [name]: good });
    await expect(probeOf().check(name, server, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(server.open.size).toBe(0);
  });
});
