// A client that somebody else's generator makes of our OpenAPI document, as the server serves it: the whole life of a domain over HTTP.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { generate } from 'openapi-typescript-codegen';
import { API_TOKENS, type Role, startServer, type TestServer, tokens } from '../helpers/http-server.ts';
import { until } from '../helpers/until.ts';
import { createReceiver, type Receiver, SECRET } from '../helpers/webhook-receiver.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

type Operation = (...given: unknown[]) => Promise<Record<string, unknown>>;
type Api = Record<string, Operation>;
type Client = new (how: { BASE: string; TOKEN: string }) => { default: Api };

const compiler = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
const SHOP = 'shop.example.org';

let receiver: Receiver;
let stage: Stage;
let server: TestServer;
let folder: string;
let document: Record<string, unknown>;
let clientAs: (role: Role) => Api;

function compile(): void {
  const flags = ['--module', 'commonjs', '--moduleResolution', 'bundler', '--target', 'es2024', '--strict'];
  const about = ['--lib', 'es2024,dom', '--types', '', '--ignoreConfig', '--outDir', join(folder, 'js')];
  const args = [compiler, ...flags, ...about, join(folder, 'ts/index.ts')];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  writeFileSync(join(folder, 'js/package.json'), '{"type":"commonjs"}');
}

beforeAll(async () => {
  receiver = await createReceiver();
  stage = await createStage({ env: { API_TOKENS, CALLBACK_URLS: receiver.url, CALLBACK_SECRETS: SECRET } });
  server = await startServer(stage.env);
  document = (await server.fetch('GET', '/v1/openapi.json', { as: null })).body;
  folder = mkdtempSync(join(tmpdir(), 'runcloud-domains-client-'));
  const input = structuredClone(document);
  const options = { httpClient: 'fetch', clientName: 'Client', useUnionTypes: true } as const;
  await generate({ input, output: join(folder, 'ts'), ...options });
  compile();
  const { Client } = createRequire(import.meta.url)(join(folder, 'js/index.js')) as { Client: Client };
  clientAs = (role) => new Client({ BASE: server.url, TOKEN: tokens[role].token }).default;
}, 300_000);

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

test('the document is OpenAPI 3.1, as others judge it', async () => {
  expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  const spoilt = { ...structuredClone(document), paths: { 'no-slash': {} } };
  expect(await new Validator().validate(spoilt)).toMatchObject({ valid: false });
});

test('the client has every operation', () => {
  const paths = Object.values(document.paths as Record<string, Record<string, { operationId: string }>>);
  const ids = paths.flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
  expect(ids.length).toBeGreaterThan(10);
  const api = clientAs('read');
  expect(ids.filter((id) => typeof api[id] !== 'function')).toEqual([]);
});

test('it adds a domain, gets its status, retries a failed job, and removes the domain', async () => {
  const [shop, eyes, hands] = [clientAs('enqueue'), clientAs('read'), clientAs('operate')] as [Api, Api, Api];
  stage.simulator.addFault({
    kind: 'status',
    status: 422,
    domain: SHOP,
    times: 1,
    body: { message: 'taken' },
  });
  const receipt = await shop.addDomain?.({ domain: SHOP, siteId: 7 }, 'key-1');
  expect(receipt).toMatchObject({ domain: SHOP, state: 'requested', coalesced: false });
  expect(await shop.addDomain?.({ domain: SHOP, siteId: 7 }, 'key-1')).toEqual(receipt);
  const becomes = (state: string) =>
    until(async () => (await eyes.getDomain?.(SHOP))?.state === state, `it is ${state}`);
  await becomes('failed');
  const job = await eyes.getJob?.(receipt?.jobId);
  expect(job).toMatchObject({ state: 'failed', failedReason: expect.stringMatching(/taken/) });
  expect(await hands.retryJob?.(receipt?.jobId)).toMatchObject({ jobId: expect.stringMatching(/~2$/) });
  await becomes('attached');
  expect(await eyes.listDomains?.('attached')).toMatchObject({
    domains: [{ domain: SHOP }],
    nextCursor: null,
  });
  const two = [{ domain: 'a.example.org' }, { domain: 'not a name' }];
  expect(await shop.addDomains?.(two)).toMatchObject({
    results: [{ status: 202 }, { status: 400, problem: { code: 'invalid-domain' } }],
  });
  await hands.pause?.({ scope: { kind: 'site', siteId: '9' }, reason: 'ticket 4711' });
  await stage.idle();
  await shop.removeDomain?.(SHOP);
  await becomes('removed');
  await until(() => receiver.types().includes('domain.removed'), 'the callback came');
  const received = (await eyes.listDeliveries?.()) as { deliveries: { type: string }[] };
  expect(received.deliveries.map(({ type }) => type)).toEqual(['domain.removed', 'domain.failed']);
  expect(await eyes.listAudit?.()).toMatchObject({
    entries: [{ what: 'remove' }, { what: 'pause' }, { what: 'add' }, { what: 'retry' }, { what: 'add' }],
  });
  await expect(eyes.removeDomain?.(SHOP)).rejects.toMatchObject({ status: 403, body: { code: 'forbidden' } });
  await stage.idle();
}, 300_000);
