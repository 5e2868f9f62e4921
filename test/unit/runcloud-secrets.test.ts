// Plants secrets wherever RunCloud may send or echo one, makes every kind of call succeed and fail, and then looks
// for them in all that comes out: values, reports, and errors in every way a person or a logger may print them.
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import type { Credentials, RunCloudClient } from '../../src/runcloud/client.ts';
import type { CallOptions } from '../../src/runcloud/runcloud.ts';
import { app, type Script, send, startScripted } from './runcloud-scripted-server.ts';

const planted = {
  token: 'PLANTED-token/9f+3c',
  key: 'PLANTED-key-71aa',
  secret: 'PLANTED-secret-0be4',
  pem: '-----BEGIN PRIVATE KEY-----\nPLANTEDpemMIIEvQ\nPLANTEDpem2\n-----END PRIVATE KEY-----',
  pull: 'PLANTED-pull-key',
};
const basic = btoa(`${planted.key}:${planted.secret}`);

const domain = {
  id: 7,
  name: 'shop.example.org',
  type: undefined,
  www: undefined,
  redirection: undefined,
} as const;
const desired = { name: domain.name, www: false, redirection: 'none' } as const;
const certificate = { id: 88, method: undefined, validUntil: undefined };
const install = { environment: 'live', challenge: 'http-01' } as const;

const calls: ((r: RunCloudClient, o: CallOptions) => Promise<unknown>)[] = [
  (r, o) => r.ping(o),
  (r, o) => r.getServer(1903, o),
  (r, o) => r.getWebApplication(app, o),
  (r, o) => r.listDomains(app, o),
  (r, o) => r.attachDomain(app, desired, o),
  (r, o) => r.changeDomain(app, domain, { www: true, redirection: 'none' }, o),
  (r, o) => r.detachDomain(app, domain, o),
  (r, o) => r.getSslMode(app, o),
  (r, o) => r.getCertificate(app, o),
  (r, o) => r.redeployCertificate(app, certificate, o),
  (r, o) => r.getDomainCertificate(app, domain, o),
  (r, o) => r.redeployDomainCertificate(app, domain, certificate, o),
  (r, o) => r.installCertificate(app, install, o),
  (r, o) => r.removeCertificate(app, certificate, o),
  (r, o) => r.installDomainCertificate(app, domain, install, o),
  (r, o) => r.removeDomainCertificate(app, domain, certificate, o),
  (r, o) => r.listCertificates(app, o),
  (r, o) => r.switchDomainToHttp01(app, domain, certificate, o),
  (r, o) => r.readLog(app, 0, o),
];

/** Every way of printing that might dig up what a value carries along. */
function print(value: unknown): string {
  const options = { depth: 20, showHidden: true, getters: true, maxStringLength: null } as const;
  const parts = [inspect(value, options), JSON.stringify(value) ?? ''];
  for (let error = value; error instanceof Error; error = error.cause) {
    parts.push(error.message, error.stack ?? '', String(error));
  }
  return parts.join('\n');
}

const secretFields = {
  privateKey: planted.pem,
  certificate: planted.pem,
  pullKey1: planted.pull,
  pullKey2: planted.pull,
};
const object = { id: 7, name: domain.name, method: 'letsencrypt', advancedSSL: true, ...secretFields };

/** What the request carried, and what RunCloud may add to it, in one text. */
const echo = (auth: string): string =>
  `You sent ${auth} = ${planted.token} ${planted.key}:${planted.secret} ${basic} ` +
  `{"privateKey":"${planted.pull}","pullKey1":"${planted.pull}"} token=${planted.pull} ${planted.pem}`;

type Body = (auth: string) => unknown;
const bodies: Record<string, Body> = {
  'an object with secret fields': () => object,
  'the same under data': () => ({ data: object }),
  'rows with secret fields': () => ({ data: [{ id: 7, name: domain.name, ...secretFields, ssl: object }] }),
  'a message that echoes': (auth) => ({ message: echo(auth) }),
  'field errors that echo': (auth) => ({ message: 'No.', errors: { name: [echo(auth)], [echo(auth)]: 'x' } }),
  'a text that echoes': (auth) => echo(auth),
  'a page that echoes': (auth) => `<html><title>${echo(auth)}</title><p>${echo(auth)}`,
  'half a document': () => JSON.stringify(object).slice(0, -2),
  'half an error': (auth) => `{"pullKey1":"${planted.pull}","message":"${echo(auth)}`,
};

async function printAll(credentials: Credentials, script: Script): Promise<string> {
  await using server = await startScripted(script);
  const client = server.client({ credentials, timeoutMs: 1000 });
  const printed: string[] = [];
  const options: CallOptions = { onCall: (call) => printed.push(print(call)) };
  for (const call of calls) {
    const outcome = await call(client, options).catch((error: unknown) => error);
    printed.push(print(outcome));
  }
  expect(printed.length).toBeGreaterThanOrEqual(2 * calls.length);
  return printed.join('\n');
}

const allCredentials: [string, Credentials][] = [
  ['token', { kind: 'token', token: planted.token }],
  ['key', { kind: 'key', key: planted.key, secret: planted.secret }],
];

describe.each(allCredentials)('with a %s', (kind, credentials) => {
  const mine = kind === 'token' ? [planted.token] : [planted.key, planted.secret, basic];
  // What the other kind of credentials holds is not known to this client, so it cannot hide it in plain prose.
  const mustNotShow = [...mine, 'PLANTEDpem', planted.pull];

  const expectClean = (text: string): void => {
    for (const secret of mustNotShow) expect(text).not.toContain(secret);
  };

  const statuses = [200, 201, 302, 400, 401, 403, 404, 408, 409, 422, 429, 500, 503];
  test.each(Object.entries(bodies))('%s, whatever the status', async (_, body) => {
    for (const status of statuses) {
      const script: Script = ({ headers }, response) =>
        send(response, status, body(headers.authorization ?? ''), { location: '/login' });
      expectClean(await printAll(credentials, script));
    }
  });

  test.each<[string, Script]>([
    ['a dropped connection', (_, r) => r.socket?.destroy()],
    [
      'a reply that is cut off',
      (_, r) => {
        r.writeHead(200, { 'content-length': '9999' });
        r.write(JSON.stringify(object));
        setTimeout(() => r.socket?.destroy(), 10);
      },
    ],
    ['a header that echoes', (_, r) => send(r, 429, {}, { 'retry-after': planted.token })],
  ])('%s', async (_, script) => {
    expectClean(await printAll(credentials, script));
  });

  test('nobody listening', async () => {
    await using server = await startScripted(() => undefined);
    const client = server.client({ credentials, url: 'http://127.0.0.1:1/api/v3' });
    for (const call of calls) expectClean(print(await call(client, {}).catch((error: unknown) => error)));
  });

  test('a timeout and a stop', async () => {
    await using server = await startScripted(() => undefined);
    const client = server.client({ credentials, timeoutMs: 50 });
    expectClean(print(await client.ping().catch((error: unknown) => error)));
    const signal = AbortSignal.timeout(20);
    expectClean(print(await client.ping({ signal }).catch((error: unknown) => error)));
  });

  test('the client itself', async () => {
    await using server = await startScripted(() => undefined);
    expectClean(print(server.client({ credentials })));
  });
});
