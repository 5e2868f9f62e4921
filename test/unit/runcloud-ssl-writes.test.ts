// The writes for certificates: what is sent, that a reply is not looked into, and what a failure says about the write.
import { describe, expect, jest, test } from '@jest/globals';
import type { RunCloudClient } from '../../src/runcloud/client.ts';
import {
  CallAbortedError,
  TooManyRequestsError,
  UnauthorizedError,
  wasSent,
} from '../../src/runcloud/errors.ts';
import type {
  AttachedDomain,
  CallLimiter,
  CallOptions,
  Certificate,
  InstallSettings,
} from '../../src/runcloud/runcloud.ts';
import { until } from '../helpers/until.ts';
import { app, failureOf, send, startScripted } from './runcloud-scripted-server.ts';

const domain: AttachedDomain = {
  id: 7,
  name: 'shop.example.org',
  type: 'alias',
  www: false,
  redirection: 'none',
};
const certificate = { id: 88, method: 'letsencrypt', validUntil: undefined };
const live: InstallSettings = { environment: 'live', challenge: 'http-01' };

type Write = (runcloud: RunCloudClient, options?: CallOptions) => Promise<void>;
const writes: [string, Write, string, string][] = [
  ['installCertificate', (r, o) => r.installCertificate(app, live, o), 'POST', '/ssl'],
  ['redeployCertificate', (r, o) => r.redeployCertificate(app, certificate, o), 'PUT', '/ssl/88'],
  ['removeCertificate', (r, o) => r.removeCertificate(app, certificate, o), 'DELETE', '/ssl/88'],
  [
    'installDomainCertificate',
    (r, o) => r.installDomainCertificate(app, domain, live, o),
    'POST',
    '/domains/7/ssl',
  ],
  [
    'redeployDomainCertificate',
    (r, o) => r.redeployDomainCertificate(app, domain, certificate, o),
    'PUT',
    '/domains/7/ssl/88',
  ],
  [
    'removeDomainCertificate',
    (r, o) => r.removeDomainCertificate(app, domain, certificate, o),
    'DELETE',
    '/domains/7/ssl/88',
  ],
  [
    'switchDomainToHttp01',
    (r, o) => r.switchDomainToHttp01(app, domain, certificate, o),
    'PATCH',
    '/domains/7/ssl/88',
  ],
];

const openLimiter: CallLimiter = { acquire: async () => undefined, report: async () => 'ok' };

describe.each(writes)('%s', (operation, write, method, path) => {
  test('is one request, reported under its name', async () => {
    await using server = await startScripted((_, response) => send(response, 200, {}));
    const onCall = jest.fn();
    await write(server.client(), { onCall });
    const full = `/servers/1903/webapps/646${path}`;
    expect(server.requests).toMatchObject([{ method, path: full }]);
    expect(onCall.mock.calls).toMatchObject([[{ operation, method, path: full, status: 200 }]]);
  });

  test.each<[number, unknown]>([
    [200, {}],
    [201, { id: 'no id', privateKey: 'x' }],
    [202, { message: 'queued' }],
    [204, undefined],
    [200, []],
    [200, null],
  ])('takes %i %j for a success', async (status, body) => {
    await using server = await startScripted((_, response) => send(response, status, body));
    expect(await write(server.client())).toBeUndefined();
  });

  test('is not sent where it may not be', async () => {
    await using server = await startScripted((_, response) => send(response, 200, {}));
    const error = await failureOf(write(server.client(), { mayWrite: async () => false }));
    expect(error).toMatchObject({ name: 'CallAbortedError', sent: false, operation });
    expect(wasSent(error)).toBe(false);
    expect(server.requests).toEqual([]);
  });
});

describe('the body of an install', () => {
  const basic = { provider: 'letsencrypt', enableHttp: true, enableHsts: false };
  test.each<[InstallSettings, object]>([
    [live, { authorizationMethod: 'http-01', environment: 'live' }],
    [
      { environment: 'staging', challenge: 'dns-01', dnsIntegration: 5 },
      { authorizationMethod: 'dns-01', environment: 'staging', externalApi: 5 },
    ],
    [
      { environment: 'live', challenge: 'http-01', dnsIntegration: 5 },
      { authorizationMethod: 'http-01', environment: 'live' },
    ],
    [
      { environment: 'live', challenge: 'dns-01', dnsIntegration: undefined },
      { authorizationMethod: 'dns-01', environment: 'live' },
    ],
  ])('%j', async (settings, rest) => {
    await using server = await startScripted((_, response) => send(response, 200, {}));
    await server.client().installCertificate(app, settings);
    await server.client().installDomainCertificate(app, domain, settings);
    const bodies = server.requests.map(({ body }) => JSON.parse(body) as unknown);
    expect(bodies).toEqual([
      { ...basic, ...rest },
      { advancedSSL: true, autoSSL: false, ...basic, ...rest },
    ]);
  });
});

describe('whether a write was sent', () => {
  const install: Write = (runcloud, options) => runcloud.installCertificate(app, live, options);

  test.each([302, 401, 403, 404, 409, 422, 429, 500])('%i: it was', async (status) => {
    await using server = await startScripted((_, response) => send(response, status, {}));
    expect(wasSent(await failureOf(install(server.client())))).toBe(true);
  });

  test('no connection: it was not', async () => {
    await using server = await startScripted(() => undefined);
    const client = server.client({ url: 'http://127.0.0.1:1/api/v3' });
    expect(wasSent(await failureOf(install(client)))).toBe(false);
  });

  test('credentials that no header may carry: it was not', async () => {
    await using server = await startScripted((_, response) => send(response, 200, {}));
    const client = server.client({ credentials: { kind: 'token', token: 'pasted\nbadly' } });
    const error = await failureOf(install(client));
    expect([error instanceof UnauthorizedError, wasSent(error)]).toEqual([true, false]);
    expect(server.requests).toEqual([]);
  });

  test('stopped while it was under way: it was; before: it was not', async () => {
    await using server = await startScripted(() => undefined);
    const stop = new AbortController();
    const failure = failureOf(install(server.client(), { signal: stop.signal }));
    await until(() => server.requests.length > 0, 'it is under way');
    stop.abort();
    const during = await failure;
    expect([during instanceof CallAbortedError, wasSent(during)]).toEqual([true, true]);
    const before = await failureOf(install(server.client(), { signal: AbortSignal.abort() }));
    expect([before instanceof CallAbortedError, wasSent(before)]).toEqual([true, false]);
    expect(server.requests).toHaveLength(1);
  });

  test('stopped while it waited for the rate limiter: it was not', async () => {
    await using server = await startScripted((_, response) => send(response, 200, {}));
    const limiter: CallLimiter = {
      ...openLimiter,
      acquire: (_, signal) =>
        new Promise((_resolve, reject) =>
          signal?.addEventListener('abort', () => reject(signal.reason as Error)),
        ),
    };
    const error = await failureOf(
      install(server.client({ limiter }), { waitSignal: AbortSignal.timeout(50) }),
    );
    expect([error instanceof CallAbortedError, wasSent(error)]).toEqual([true, false]);
    expect(server.requests).toEqual([]);
  });

  test('a limiter whose report of a successful write fails: the write was sent', async () => {
    await using server = await startScripted((_, response) => send(response, 200, {}));
    const limiter: CallLimiter = { ...openLimiter, report: () => Promise.reject(new Error('Redis is away')) };
    const error = await failureOf(install(server.client({ limiter })));
    expect([error.message, wasSent(error)]).toEqual(['Redis is away', true]);
    expect(server.requests).toHaveLength(1);
  });

  test('a 429 closes the gate for everybody', async () => {
    await using server = await startScripted((_, response) =>
      send(response, 429, {}, { 'retry-after': '7' }),
    );
    const report = jest.fn<CallLimiter['report']>().mockResolvedValue('throttled');
    const error = await failureOf(install(server.client({ limiter: { ...openLimiter, report } })));
    expect(error).toBeInstanceOf(TooManyRequestsError);
    expect(report.mock.calls).toMatchObject([[{ result: 'throttled', retryAfterMs: 7000 }]]);
  });
});

describe('a switch to http-01', () => {
  const sent = async (settings: Partial<Certificate>): Promise<unknown> => {
    await using server = await startScripted((_, response) => send(response, 200, {}));
    await server.client().switchDomainToHttp01(app, domain, { ...certificate, ...settings });
    return JSON.parse(server.requests[0]?.body ?? '');
  };

  test('sends along what stays', async () => {
    const kept = { enableHttp: false, enableHsts: true, sslProtocolId: 3 };
    const before = { ...kept, authorizationMethod: 'dns-01', apiId: 5 };
    expect(await sent(before)).toEqual({ authorizationMethod: 'http-01', ...kept });
  });

  test('leaves out what RunCloud did not tell', async () => {
    expect(await sent({ enableHttp: true })).toEqual({ authorizationMethod: 'http-01', enableHttp: true });
  });
});
