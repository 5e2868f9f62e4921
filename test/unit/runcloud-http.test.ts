// One exchange: what is sent, how each way to fail is called, and that each exchange is reported once.
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { CodedError } from '../../src/errors.ts';
import { createRunCloud, type RunCloudClient } from '../../src/runcloud/client.ts';
import {
  AccountRefusedError,
  CallAbortedError,
  ForbiddenError,
  InterceptedError,
  NotFoundError,
  RejectedError,
  TooManyRequestsError,
  UnauthorizedError,
  UnknownResultError,
  UnreachableError,
} from '../../src/runcloud/errors.ts';
import * as messages from '../../src/runcloud/messages.ts';
import type { ApiCall, AttachedDomain } from '../../src/runcloud/runcloud.ts';
import { until } from '../helpers/until.ts';
import { app, failureOf, type Script, send, startScripted, TOKEN } from './runcloud-scripted-server.ts';

const domain: AttachedDomain = {
  id: 7,
  name: 'shop.example.org',
  type: 'alias',
  www: false,
  redirection: 'none',
};
const desired = { name: domain.name, www: false, redirection: 'none' } as const;
const certificate = { id: 88, method: 'letsencrypt', validUntil: undefined };

type Call = (runcloud: RunCloudClient) => Promise<unknown>;
const attach: Call = (runcloud) => runcloud.attachDomain(app, desired);

async function failWith(script: Script, call: Call = attach, timeoutMs = 5000): Promise<Error> {
  await using server = await startScripted(script);
  return await failureOf(call(server.client({ timeoutMs })));
}

describe('what is sent', () => {
  const calls: [string, Call, string, string, string][] = [
    ['ping', (r) => r.ping(), 'GET', '/ping', ''],
    ['server', (r) => r.getServer(1903), 'GET', '/servers/1903', ''],
    ['web application', (r) => r.getWebApplication(app), 'GET', '/servers/1903/webapps/646', ''],
    ['list', (r) => r.listDomains(app), 'GET', '/servers/1903/webapps/646/domains', ''],
    [
      'attach',
      attach,
      'POST',
      '/servers/1903/webapps/646/domains',
      '{"name":"shop.example.org","www":false,"redirection":"none","type":"alias"}',
    ],
    [
      'change',
      (r) => r.changeDomain(app, { ...domain, type: 'alias' }, { www: true, redirection: 'non-www' }),
      'PATCH',
      '/servers/1903/webapps/646/domains/7/meta',
      '{"type":"alias","redirection":"non-www","www":true}',
    ],
    [
      'change without a type that is known',
      (r) => r.changeDomain(app, { ...domain, type: undefined }, { www: false, redirection: 'none' }),
      'PATCH',
      '/servers/1903/webapps/646/domains/7/meta',
      '{"redirection":"none","www":false}',
    ],
    ['detach', (r) => r.detachDomain(app, domain), 'DELETE', '/servers/1903/webapps/646/domains/7', ''],
    ['SSL mode', (r) => r.getSslMode(app), 'GET', '/servers/1903/webapps/646/ssl/advanced', ''],
    ['certificate', (r) => r.getCertificate(app), 'GET', '/servers/1903/webapps/646/ssl', ''],
    [
      'redeploy',
      (r) => r.redeployCertificate(app, certificate),
      'PUT',
      '/servers/1903/webapps/646/ssl/88',
      '',
    ],
    [
      "domain's certificate",
      (r) => r.getDomainCertificate(app, domain),
      'GET',
      '/servers/1903/webapps/646/domains/7/ssl',
      '',
    ],
    [
      "domain's redeploy",
      (r) => r.redeployDomainCertificate(app, domain, certificate),
      'PUT',
      '/servers/1903/webapps/646/domains/7/ssl/88',
      '',
    ],
  ];

  test.each(calls)('%s', async (_, call, method, path, body) => {
    const rows = [{ id: 7, name: 'shop.example.org' }];
    const reply = { id: 88, data: rows, total: 1, message: 'pong', advancedSSL: false };
    await using server = await startScripted((request, response) => {
      send(response, 200, request.path === '/servers/1903/webapps/646/domains/7/ssl' ? certificate : reply);
    });
    const client = server.client({ userAgent: 'agent-x' });
    await call(client);
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({ method, path, body });
    expect(server.requests[0]?.headers).toMatchObject({
      accept: 'application/json',
      'content-type': 'application/json',
      authorization: `Bearer ${TOKEN}`,
      'user-agent': 'agent-x',
    });
  });

  test('v2 is not sent a type, and a key pair goes out as Basic', async () => {
    await using server = await startScripted((_, response) => send(response, 200, {}));
    const credentials = { kind: 'key', key: 'the-key', secret: 'the-secret' } as const;
    await server.client({ version: 'v2', credentials }).attachDomain(app, desired);
    expect(server.requests[0]?.body).toBe('{"name":"shop.example.org","www":false,"redirection":"none"}');
    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${btoa('the-key:the-secret')}`);
  });

  test('credentials given as a function are requested each time', async () => {
    await using server = await startScripted((_, response) => send(response, 200, {}));
    let token = 'first';
    const client = server.client({ credentials: () => ({ kind: 'token', token }) });
    await client.ping();
    token = 'second';
    await client.ping();
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer first',
      'Bearer second',
    ]);
  });

  test('a slash at the end of the URL changes nothing', async () => {
    await using server = await startScripted((_, response) => send(response, 200, {}));
    await server.client({ url: `${server.url}/` }).ping();
    expect(server.requests[0]?.path).toBe('/ping');
  });

  test('calls one after the other share a connection', async () => {
    const sockets = new Set<number | undefined>();
    await using server = await startScripted((_, response) => {
      sockets.add(response.socket?.remotePort);
      send(response, 200, {});
    });
    const client = server.client();
    for (let nth = 0; nth < 5; nth += 1) await client.ping();
    expect(sockets.size).toBe(1);
  });
});

describe('a refused call', () => {
  test.each<[number, unknown, new (...a: never[]) => Error, string]>([
    [400, { message: 'Bad.' }, RejectedError, 'runcloud-rejected'],
    [401, { message: 'Missing API Token.' }, UnauthorizedError, 'runcloud-unauthorized'],
    [401, '<title>Log in</title>', InterceptedError, 'runcloud-intercepted'],
    [402, { message: 'Quota.' }, AccountRefusedError, 'runcloud-account-refused'],
    [402, undefined, AccountRefusedError, 'runcloud-account-refused'],
    [403, { message: 'No.' }, ForbiddenError, 'runcloud-forbidden'],
    [403, undefined, ForbiddenError, 'runcloud-forbidden'],
    [403, '<title>Just a moment...</title>', InterceptedError, 'runcloud-intercepted'],
    [403, { success: false, code: 1020 }, InterceptedError, 'runcloud-intercepted'],
    [404, undefined, NotFoundError, 'runcloud-not-found'],
    [404, '<title>404</title>', InterceptedError, 'runcloud-intercepted'],
    [405, undefined, RejectedError, 'runcloud-rejected'],
    [422, '<title>No</title>', InterceptedError, 'runcloud-intercepted'],
    [408, undefined, UnknownResultError, 'runcloud-unknown-result'],
    [409, { message: 'Domain already exists' }, RejectedError, 'runcloud-rejected'],
    [422, { message: 'No.', errors: { name: ['Taken.'] } }, RejectedError, 'runcloud-rejected'],
    [425, undefined, UnknownResultError, 'runcloud-unknown-result'],
    [429, undefined, TooManyRequestsError, 'runcloud-rate-limited'],
    [500, { message: 'Server Error' }, UnknownResultError, 'runcloud-unknown-result'],
    [503, '<title>Down</title>', UnknownResultError, 'runcloud-unknown-result'],
    [302, undefined, InterceptedError, 'runcloud-intercepted'],
    [304, undefined, InterceptedError, 'runcloud-intercepted'],
  ])('HTTP %i %j', async (status, body, kind, code) => {
    const script: Script = ({ path }, response) =>
      path === '/ping' ? send(response, 200, {}) : send(response, status, body, { location: '/login' });
    const error = await failWith(script);
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ code, status, operation: 'attachDomain', name: kind.name });
    expect(error.message).toContain(`(HTTP ${status})`);
  });

  test('says what RunCloud says, and keeps the fields apart', async () => {
    const body = { message: 'Invalid.', errors: { name: ['Taken.'] } };
    const error = await failWith((_, response) => send(response, 422, body));
    const reply = 'Invalid. (name: Taken.)';
    expect(error.message).toBe(
      messages.refused('rejected', { operation: 'attachDomain', status: 422 }, reply),
    );
    expect(error).toMatchObject({ fieldErrors: { name: ['Taken.'] }, reply: 'Invalid. (name: Taken.)' });
  });

  test('a redirect is not followed, and says what is probably wrong', async () => {
    await using server = await startScripted((_, response) =>
      send(response, 302, '', { location: '/login' }),
    );
    const error = await failureOf(attach(server.client()));
    expect(server.requests).toHaveLength(1);
    expect(error.message).toContain(messages.redirected);
  });

  test.each<[Record<string, string>, number | undefined]>([
    [{ 'retry-after': '7' }, 7000],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ])('429 with %j waits %j ms', async (headers, retryAfterMs) => {
    const error = await failWith((_, response) => send(response, 429, '', headers));
    expect(error).toMatchObject({ retryAfterMs });
  });

  test('nothing is retried', async () => {
    for (const status of [408, 413, 429, 500, 502, 503, 504, 521]) {
      await using server = await startScripted((_, response) =>
        send(response, status, '', { 'retry-after': '0' }),
      );
      await failureOf(server.client().ping());
      expect(server.requests).toHaveLength(1);
    }
  });
});

describe('a reply of unknown result', () => {
  const notJson = messages.unusableReply('attachDomain', messages.faults.noJson);
  const noAnswer = messages.noAnswer('attachDomain', '');

  test.each<[string, Script, string]>([
    ['200 with HTML', (_, r) => send(r, 200, '<html><title>Login</title>'), notJson],
    ['201 with half a document', (_, r) => send(r, 201, '{"id":7,"na'), notJson],
    ['dropped before a reply', (_, r) => r.socket?.destroy(), noAnswer],
    ['reset before a reply', (_, r) => (r.socket as Socket).resetAndDestroy(), noAnswer],
    [
      'cut off in the body',
      (_, r) => {
        r.writeHead(200, { 'content-length': '100' });
        r.write('{"id":');
        setTimeout(() => r.socket?.destroy(), 30);
      },
      noAnswer,
    ],
    [
      'cut off in a chunked body',
      (_, r) => {
        r.writeHead(200);
        r.write('{"id":7,');
        setTimeout(() => r.socket?.destroy(), 30);
      },
      noAnswer,
    ],
    [
      '5 MB of zeros',
      (_, r) => send(r, 200, `[${'0,'.repeat(3_000_000)}0]`),
      messages.tooLong('attachDomain'),
    ],
    ['wrongly compressed', (_, r) => send(r, 200, 'not gzip', { 'content-encoding': 'gzip' }), noAnswer],
  ])('%s', async (_, script, message) => {
    const error = await failWith(script);
    expect(error).toBeInstanceOf(UnknownResultError);
    expect(error.message).toContain(message);
  });

  test.each<[string, Script]>([
    ['no reply in time', () => undefined],
    [
      'a body that never ends',
      (_, r) => {
        r.writeHead(200);
        r.write('{"id":');
      },
    ],
  ])('%s', async (_, script) => {
    const error = await failWith(script, attach, 200);
    expect(error).toBeInstanceOf(UnknownResultError);
    expect(error.cause).toMatchObject({ code: 'ETIMEDOUT' });
  });

  test.each<[string, Call]>([
    ['ping', (r) => r.ping()],
    ['server', (r) => r.getServer(1903)],
    ['web application', (r) => r.getWebApplication(app)],
    ['list', (r) => r.listDomains(app)],
    ['SSL mode', (r) => r.getSslMode(app)],
    ['certificate', (r) => r.getCertificate(app)],
  ])('a read whose JSON lacks what is needed: %s', async (_, call) => {
    const error = await failWith((_request, response) => send(response, 200, 7), call);
    expect(error).toBeInstanceOf(UnknownResultError);
    expect(error).toMatchObject({ status: 200 });
  });
});

describe('a write that RunCloud took', () => {
  const found = { id: 7, name: 'Shop.example.org.', type: 'alias', www: 0, redirection: 'none' };
  test.each<[string, number, unknown, AttachedDomain | undefined]>([
    ['names the domain', 200, found, domain],
    ['names it under data', 201, { data: found }, domain],
    ['says nothing', 200, {}, undefined],
    ['has no body', 200, undefined, undefined],
    ['is 204', 204, undefined, undefined],
    ['has a message alone', 200, { message: 'Done' }, undefined],
    ['names another domain', 200, { ...found, name: 'other.example.org' }, undefined],
    ['names it without an id', 200, { name: 'shop.example.org' }, undefined],
    ['is a list', 200, [found], undefined],
  ])('attach: the reply %s', async (_, status, body, expected) => {
    await using server = await startScripted((_request, response) => send(response, status, body));
    expect(await server.client().attachDomain(app, desired)).toEqual(expected);
  });

  test.each<[string, number, unknown, boolean]>([
    ['is a message', 200, { message: 'Domain settings have been successfully updated.' }, true],
    ['is the domain as requested', 200, { ...found, www: 1 }, true],
    ['is the domain as it was', 200, { ...found, www: 0 }, false],
    ['does not tell www', 200, { id: 7, name: 'shop.example.org' }, false],
    ['says nothing', 200, {}, false],
    ['has no body', 204, undefined, false],
    ['names another', 200, { ...found, name: 'other.example.org', www: 1 }, false],
  ])('change: the reply %s', async (_, status, body, expected) => {
    await using server = await startScripted((_request, response) => send(response, status, body));
    const settings = { www: true, redirection: 'non-www' } as const;
    expect(await server.client().changeDomain(app, domain, settings)).toBe(expected);
  });

  test.each<[string, number, unknown, boolean]>([
    ['names the id', 200, { id: '7' }, true],
    ['names the name', 200, { data: { name: 'SHOP.example.org' } }, true],
    ['says nothing', 200, {}, false],
    ['has no body', 204, undefined, false],
    ['names another', 200, { id: 8, name: 'x.example' }, false],
    ['is a message', 200, { message: 'Deleted' }, false],
  ])('detach: the reply %s', async (_, status, body, expected) => {
    await using server = await startScripted((_request, response) => send(response, status, body));
    expect(await server.client().detachDomain(app, domain)).toBe(expected);
  });

  test.each<[number, unknown]>([
    [200, {}],
    [202, { message: 'queued' }],
    [204, undefined],
    [200, []],
    [200, null],
  ])('redeploy: %i %j', async (status, body) => {
    await using server = await startScripted((_, response) => send(response, status, body));
    await server.client().redeployCertificate(app, certificate);
    await server.client().redeployDomainCertificate(app, domain, certificate);
    expect(server.requests.map(({ headers }) => headers['content-length'])).toEqual(['0', '0']);
  });
});

describe('a call that never left', () => {
  const servers: Server[] = [];
  const sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  });

  /** A server below HTTP; returns its port. */
  async function listen(onSocket: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      sockets.push(socket.on('error', () => undefined));
      onSocket(socket);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  async function failAt(url: string, timeoutMs = 2000): Promise<Error> {
    const credentials = { kind: 'token', token: TOKEN } as const;
    const client = createRunCloud({ url, version: 'v3', credentials, timeoutMs });
    const error = await failureOf(attach(client));
    client.close();
    return error;
  }

  test('connection refused', async () => {
    const error = await failAt('http://127.0.0.1:1/api/v3');
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error).toMatchObject({ code: 'runcloud-unreachable', cause: { code: 'ECONNREFUSED' } });
    expect(error.message).toContain('ECONNREFUSED 127.0.0.1:1');
  });

  test('refused at every address of a name says so too', async () => {
    const error = await failAt('http://localhost:1/api/v3');
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error.message).toContain('ECONNREFUSED');
  });

  test('no such host', async () => {
    const error = await failAt('http://runcloud.invalid/api/v3');
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error.message).toMatch(/ENOTFOUND|EAI_AGAIN/);
  });

  test('a TLS handshake that is cut off', async () => {
    const port = await listen((socket) => socket.once('data', () => socket.destroy()));
    expect(await failAt(`https://127.0.0.1:${port}/api/v3`)).toBeInstanceOf(UnreachableError);
  });

  test('a TLS handshake that never ends', async () => {
    const port = await listen(() => undefined);
    expect(await failAt(`https://127.0.0.1:${port}/api/v3`, 200)).toBeInstanceOf(UnreachableError);
  });

  test('a server that does not speak TLS', async () => {
    const port = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await failAt(`https://127.0.0.1:${port}/api/v3`)).toBeInstanceOf(UnreachableError);
  });

  test('a server that does not speak HTTP got the request: unknown, not unreachable', async () => {
    const port = await listen((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    expect(await failAt(`http://127.0.0.1:${port}/api/v3`)).toBeInstanceOf(UnknownResultError);
  });

  test('no free connection in time', async () => {
    await using server = await startScripted(() => undefined);
    const client = server.client({ timeoutMs: 300 });
    const errors = await Promise.all(Array.from({ length: 40 }, () => failureOf(attach(client))));
    const unknown = errors.filter((error) => error instanceof UnknownResultError);
    const unsent = errors.filter((error) => error instanceof UnreachableError);
    expect(unknown.length + unsent.length).toBe(40);
    // Eight connections; on a busy machine some of those that wait get one when the first eight are given up.
    expect(server.requests.length).toBeGreaterThanOrEqual(8);
    expect(unknown.length).toBeGreaterThanOrEqual(server.requests.length);
    expect(unsent.length).toBeGreaterThan(0);
  });

  test('credentials that no header may carry', async () => {
    await using server = await startScripted((_, response) => send(response, 200, {}));
    const client = server.client({ credentials: { kind: 'token', token: 'pasted\nbadly' } });
    const error = await failureOf(client.ping());
    expect(error).toBeInstanceOf(UnauthorizedError);
    expect(error.message).not.toContain('pasted');
    expect(server.requests).toHaveLength(0);
  });
});

describe('a call that we stop ourselves', () => {
  test('before it: nothing is sent, nothing reported', async () => {
    await using server = await startScripted((_, response) => send(response, 200, {}));
    const onCall = jest.fn();
    const call = server.client().attachDomain(app, desired, { signal: AbortSignal.abort(), onCall });
    const error = await failureOf(call);
    expect(error).toBeInstanceOf(CallAbortedError);
    expect(error).toMatchObject({ sent: false, code: 'runcloud-unknown-result' });
    expect([server.requests.length, onCall.mock.calls.length]).toEqual([0, 0]);
  });

  test.each(['a stop', 'a deadline'])('during it, by %s', async (kind) => {
    await using server = await startScripted(() => undefined);
    const stop = new AbortController();
    const options = { signal: stop.signal, onCall: jest.fn() };
    const failure = failureOf(server.client().attachDomain(app, desired, options));
    await until(() => server.requests.length > 0, 'it is under way');
    // What AbortSignal.timeout() gives as its reason.
    const deadline = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
    stop.abort(kind === 'a stop' ? new Error('lock lost') : deadline);
    const error = await failure;
    expect(error).toBeInstanceOf(CallAbortedError);
    expect(error).toMatchObject({ sent: true, operation: 'attachDomain' });
    expect(options.onCall).toHaveBeenCalledTimes(1);
  });

  test('between two pages of a list', async () => {
    const controller = new AbortController();
    await using server = await startScripted((_, response) => {
      send(response, 200, { data: [{ id: 1, name: 'a.example' }] });
    });
    const onCall = (): void => controller.abort();
    const call = server.client().listDomains(app, { signal: controller.signal, onCall });
    expect(await failureOf(call)).toBeInstanceOf(CallAbortedError);
    expect(server.requests).toHaveLength(1);
  });
});

describe('what is reported', () => {
  const watch = async (
    script: Script,
    call: (r: RunCloudClient, onCall: (c: ApiCall) => void) => Promise<unknown>,
  ) => {
    await using server = await startScripted(script);
    const calls: ApiCall[] = [];
    await call(server.client({ timeoutMs: 1_000 }), (one) => calls.push(one)).catch((error: unknown) => {
      if (!(error instanceof CodedError)) throw error;
    });
    return calls;
  };
  const path = '/servers/1903/webapps/646/domains';

  test.each<[string, Script, number | undefined]>([
    ['a success', (_, r) => send(r, 200, {}), 200],
    ['a refusal', (_, r) => send(r, 422, {}), 422],
    ['HTML', (_, r) => send(r, 200, '<p>'), 200],
    ['a drop', (_, r) => r.socket?.destroy(), undefined],
    ['a timeout', () => undefined, undefined],
  ])('%s, once', async (_, script, status) => {
    const calls = await watch(script, (r, onCall) => r.attachDomain(app, desired, { onCall }));
    expect(calls).toEqual([
      { operation: 'attachDomain', method: 'POST', path, status, durationMs: expect.any(Number) },
    ]);
  });

  test('each page of a list, without its query', async () => {
    const rows = Array.from({ length: 45 }, (_, id) => ({ id, name: `d${id}.example` }));
    const script: Script = ({ query }, response) => {
      const page = Number(query.get('page'));
      send(response, 200, { data: rows.slice((page - 1) * 40, page * 40), meta: { total: 45 } });
    };
    const calls = await watch(script, (r, onCall) => r.listDomains(app, { onCall }));
    expect(calls.map((call) => [call.operation, call.path])).toEqual([
      ['listDomains', path],
      ['listDomains', path],
    ]);
  });

  test('an observer that throws does not turn a success into a failure', async () => {
    await using server = await startScripted((_, response) => send(response, 200, {}));
    const onCall = (): void => {
      throw new Error('observer');
    };
    await server.client().ping({ onCall });
  });
});
