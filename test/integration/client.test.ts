// One interface, two ways: what an app server does has the same effect and the same errors over HTTP and through the queue.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DomainsClient } from '../../src/client/client.ts';
import { createHttpClient, DomainsError } from '../../src/client/http.ts';
import { createQueueClient } from '../../src/client/queue.ts';
import { unknownDomain } from '../../src/server/messages.ts';
import { API_TOKENS, startServer, type TestServer, tokens } from '../helpers/http-server.ts';
import { until } from '../helpers/until.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

let stage: Stage;
let server: TestServer;
const clients: Partial<Record<'http' | 'queue', DomainsClient>> = {};

beforeAll(async () => {
  stage = await createStage({ env: { API_TOKENS } });
  server = await startServer(stage.env);
  clients.http = createHttpClient({ url: server.url, token: tokens.operate.token });
  const { redisUrl, queuePrefix, runcloud, topLevelDomains } = stage.config;
  const { serverId, appId } = runcloud;
  clients.queue = createQueueClient({ redisUrl, queuePrefix, serverId, appId, topLevelDomains });
});

afterAll(async () => {
  await Promise.all([clients.http?.close(), clients.queue?.close()]);
  await server[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

const clientOf = (kind: 'http' | 'queue'): DomainsClient => {
  const client = clients[kind];
  if (!client) throw new Error('there is no client');
  return client;
};

const refusalOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'accepted',
    (error: unknown) => [
      error instanceof DomainsError,
      (error as DomainsError).code,
      (error as DomainsError).message,
    ],
  );

const isAway = (error: unknown): boolean => (error as DomainsError).code === 'redis-unavailable';

/** Redis may be slow on a busy machine; to send again is harmless. */
const accepted = <T>(work: () => Promise<T>): Promise<T> =>
  until(
    () =>
      work().catch((error: unknown) => {
        if (!isAway(error)) throw error;
        return undefined;
      }),
    'it is accepted',
  );

describe.each(['http', 'queue'] as const)('over %s', (kind) => {
  const name = `shop.${kind}.example.org`;

  test('a domain is requested, repeated, attached, and removed', async () => {
    const client = clientOf(kind);
    const receipt = await accepted(() =>
      client.addDomain({ domain: name.toUpperCase(), siteId: 7, requestedBy: 'test' }),
    );
    expect(receipt).toMatchObject({
      domain: name,
      serverId: 1903,
      appId: 646,
      coalesced: expect.any(Boolean),
      unknownFields: [],
    });
    await until(() => stage.names().includes(name), 'it is attached');
    const removal = await accepted(() => client.removeDomain({ domain: name }));
    expect(removal).toMatchObject({ domain: name, unknownFields: [] });
    expect(removal.jobId).not.toBe(receipt.jobId);
    await until(() => !stage.names().includes(name), 'it is gone');
  });

  test('many are requested at once; a wrong one does not affect the others', async () => {
    const client = clientOf(kind);
    const good = [`a.${kind}.example.org`, `b.${kind}.example.org`];
    const payloads = [
      { domain: good[0] ?? '' },
      { domain: 'not a name' },
      { domain: good[1] ?? '', also: true },
    ];
    const results = await accepted(async () => {
      const found = await client.addDomains(payloads);
      for (const result of found) if (!result.accepted && isAway(result.error)) throw result.error;
      return found;
    });
    expect(results).toMatchObject([
      { accepted: true, receipt: { domain: good[0] } },
      { accepted: false, error: { code: 'invalid-domain' } },
      { accepted: true, receipt: { domain: good[1], unknownFields: [] } },
    ]);
    await until(() => good.every((domain) => stage.names().includes(domain)), 'both are attached');
  });

  test('a redeploy is requested, of all domains or of one', async () => {
    const client = clientOf(kind);
    expect(await accepted(() => client.redeploySsl())).toMatchObject({
      domain: undefined,
      serverId: 1903,
      appId: 646,
    });
    const domain = `a.${kind}.example.org`;
    expect(await accepted(() => client.redeploySsl({ domain }))).toMatchObject({ domain });
  });

  test('a bulk request is one of many', async () => {
    const client = clientOf(kind);
    const domain = `bulk.${kind}.example.org`;
    const { jobId } = await accepted(() => client.addDomain({ domain }, { bulk: true }));
    // Turn by turn (queue/line.ts), and within a turn by kind: many come last.
    expect(((await stage.ended(jobId)).opts.priority ?? 0) % 16).toBe(10);
    expect(await refusalOf(client.addDomain({ domain: 'no name' }, { bulk: true }))).toEqual([
      true,
      'invalid-domain',
      expect.stringContaining('"no name"'),
    ]);
  });
});

test('both refuse the same by the same code', async () => {
  await accepted(() => clientOf('http').addDomain({ domain: 'owner.org', www: true }));
  const refusals = async (client: DomainsClient) =>
    Promise.all([
      refusalOf(client.addDomain({ domain: 'a_b.example.org' })),
      refusalOf(client.addDomain({ domain: 'a.example.org', www: 'maybe' as never })),
      refusalOf(client.addDomain(undefined as never)),
      refusalOf(client.removeDomain(undefined as never)),
      refusalOf(client.removeDomain({ domain: 'https://a.example.org/x' })),
      refusalOf(client.removeDomain({ domain: 'a.example.org', appId: 'x' as never })),
      refusalOf(client.redeploySsl({ serverId: -1 })),
      refusalOf(accepted(() => client.addDomain({ domain: 'www.owner.org', appId: 646 }))),
      refusalOf(client.addDomain({ domain: 'co.uk' })),
    ]);
  const [http, queue] = [await refusals(clientOf('http')), await refusals(clientOf('queue'))];
  const codes = (found: unknown[]) => found.map((refusal) => (refusal as unknown[])[1]);
  expect(codes(http)).toEqual(codes(queue));
  expect(codes(http)).toEqual([
    'invalid-domain',
    'invalid-payload',
    'invalid-payload',
    'invalid-payload',
    'invalid-domain',
    'invalid-payload',
    'invalid-payload',
    'host-name-taken',
    'invalid-domain',
  ]);
});

test('both answer for each of many, whatever it is', async () => {
  const odd = [undefined, null, 7, {}, { domain: 'co.uk' }] as never[];
  const codesOf = async (client: DomainsClient) =>
    (await client.addDomains(odd)).map((result) => !result.accepted && result.error.code);
  expect(await codesOf(clientOf('http'))).toEqual(await codesOf(clientOf('queue')));
});

test('both answer with the same fields', async () => {
  const receipts = await Promise.all(
    (['http', 'queue'] as const).map((kind) =>
      accepted(() => clientOf(kind).addDomain({ domain: 'same.example.org' })),
    ),
  );
  const [http, queue] = receipts.map((receipt) => Object.keys(receipt).sort());
  expect(http).toEqual(queue);
});

test.each([
  [{ redisUrl: '127.0.0.1:6379' }, 'redisUrl'],
  [{ redisUrl: 'http://127.0.0.1' }, 'redisUrl'],
  [{ redisUrl: undefined }, 'redisUrl'],
  [{ redisUrl: '' }, 'redisUrl'],
  [{ serverId: 0 }, 'serverId'],
  [{ appId: '646' as never }, 'appId'],
])('the queue is not opened with %j, and what is wrong is named', (options, name) => {
  expect(() => createQueueClient(options)).toThrow(new RegExp(`^${name} must`));
});

test('over HTTP a token that may read gets the status of a domain', async () => {
  const domain = 'status.example.org';
  const client = createHttpClient({ url: server.url, token: tokens.operate.token });
  const blind = createHttpClient({ url: server.url, token: tokens.enqueue.token });
  await accepted(() => client.addDomain({ domain, appId: '646' }));
  expect(await client.getDomain(domain, { appId: 646 })).toMatchObject({
    domain,
    appId: 646,
    desired: { presence: 'present' },
  });
  expect(await refusalOf(client.getDomain('nobody.example.org'))).toEqual([
    true,
    'not-found',
    unknownDomain('nobody.example.org'),
  ]);
  expect(await refusalOf(blind.getDomain(domain))).toEqual([true, 'forbidden', expect.any(String)]);
  await Promise.all([client.close(), blind.close()]);
});

test('below a path of a proxy, the address has that path', async () => {
  const below = await startServer({ ...stage.env, SERVER_PATH: '/domains' });
  const client = createHttpClient({ url: `${below.url}/domains`, token: tokens.operate.token });
  const domain = 'below.example.org';
  expect(await accepted(() => client.addDomain({ domain }))).toMatchObject({ domain });
  expect(await client.getDomain(domain)).toMatchObject({ domain });
  await client.close();
  await below[Symbol.asyncDispose]();
});

test('a request whose answer got lost is carried out once', async () => {
  const client = createHttpClient({ url: server.url, token: tokens.operate.token });
  const domain = 'once.example.org';
  const send = globalThis.fetch;
  const answers: Response[] = [];
  const isAccepted = ({ status }: Response): boolean => status === 202;
  globalThis.fetch = async (...given) => {
    const response = await send(...given);
    answers.push(response);
    if (answers.filter(isAccepted).length === 1 && isAccepted(response))
      throw new TypeError('fetch failed', { cause: new Error('socket hang up') });
    return response;
  };
  try {
    expect(await client.addDomain({ domain })).toMatchObject({ domain, coalesced: false });
  } finally {
    globalThis.fetch = send;
    await client.close();
  }
  const replayed = answers.filter(isAccepted).map(({ headers }) => headers.get('idempotency-replayed'));
  expect(replayed).toEqual([null, 'true']);
});
