// Redis behind TLS: with the certificate of a private authority everybody gets in, and without it everybody is told what is missing.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { startRedisServer } from '../../scripts/redis-server.ts';
import { createDoctor, createProducerApp } from '../../src/app/app.ts';
import { createServerApp } from '../../src/app/server.ts';
import { createWorkerApp } from '../../src/app/worker.ts';
import { type Config, parseConfig } from '../../src/config/load.ts';
import { freePort } from '../helpers/port.ts';
import { createCa, type KeyAndCertificate } from '../helpers/tls-server.ts';
import { until } from '../helpers/until.ts';

const releases = new AsyncDisposableStack();
const ca = await createCa();
let dir = '';
let port = 0;
let caFile = '';
let strangerFile = '';
/** Has Redis show another certificate from now on. */
let show: (shown: KeyAndCertificate) => Promise<void>;

const good = (): Promise<KeyAndCertificate> => ca.issue({ names: ['localhost'] });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redis-tls-'));
  releases.defer(() => rm(dir, { recursive: true }));
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(dir, name), text);
    return join(dir, name);
  };
  caFile = await write('ca.pem', ca.certificate);
  strangerFile = await write('stranger.pem', (await createCa('Stranger')).certificate);
  const { key, cert } = await good();
  const files = [await write('cert.pem', cert), await write('key.pem', key)] as const;
  port = await freePort();
  const tls = ['--tls-cert-file', files[0], '--tls-key-file', files[1], '--tls-ca-cert-file', caFile];
  const redis = releases.use(
    await startRedisServer({ args: ['--tls-port', String(port), ...tls, '--tls-auth-clients', 'no'] }),
  );
  show = async (shown) => {
    await Promise.all([writeFile(files[0], shown.cert), writeFile(files[1], shown.key)]);
    const admin = new Redis(redis.url);
    await admin.config('SET', 'tls-cert-file', files[0], 'tls-key-file', files[1]);
    admin.disconnect();
  };
});

afterAll(() => releases.disposeAsync());

const configOf = (env: Readonly<Record<string, string>>): Config =>
  parseConfig({
    REDIS_URL: `rediss://localhost:${port}`,
    RUNCLOUD_API_TOKEN: 'tok-4711',
    RUNCLOUD_API_URL: 'http://127.0.0.1:9/api/v3',
    RUNCLOUD_SERVER_ID: '1903',
    RUNCLOUD_APP_ID: '646',
    SERVER_PORT: '0',
    LOG_LEVEL: 'silent',
    ...env,
  }).config;

async function doctorSays(config: Config): Promise<string> {
  const doctor = createDoctor(config);
  try {
    const lines: string[] = [];
    for await (const { level, sentence } of doctor.examine('redis')) lines.push(`${level}: ${sentence}`);
    return lines.join('\n');
  } finally {
    await doctor.close();
  }
}

async function producerSays(config: Config): Promise<string> {
  const app = createProducerApp(config);
  try {
    const adding = app.requests.enqueue(
      'add-domain',
      { domain: 'shop.example.org' },
      { by: 'test', refuseElsewhere: false },
    );
    return await adding.then(
      () => 'accepted',
      (error: Error) => error.message,
    );
  } finally {
    await app.close();
  }
}

test('with REDIS_CA_FILE doctor, producer, worker and server get in', async () => {
  const config = configOf({ REDIS_CA_FILE: caFile });
  expect(await doctorSays(config)).toMatch(/^ok: Redis \d/);
  expect(await producerSays(config)).toBe('accepted');
  await using stack = new AsyncDisposableStack();
  const worker = createWorkerApp(config);
  stack.defer(() => worker.close());
  await worker.start();
  const server = createServerApp(config);
  stack.defer(() => server.close());
  const url = await server.start();
  await until(async () => (await fetch(`${url}/readyz?only=redis`)).ok, 'the server has its connection');
});

const unknown = /not trusted here: set REDIS_CA_FILE to the PEM file of that authority \([A-Z_]+\)/;

describe('whom the certificate keeps out is told why', () => {
  const cases: readonly (readonly [string, () => Promise<Config>, RegExp])[] = [
    ['an authority that nobody knows', async () => configOf({}), unknown],
    ['another authority in REDIS_CA_FILE', async () => configOf({ REDIS_CA_FILE: strangerFile }), unknown],
    [
      'a certificate for another name',
      async () => configOf({ REDIS_CA_FILE: caFile, REDIS_URL: `rediss://127.0.0.1:${port}` }),
      /certificate is for another name: write a host into REDIS_URL that it names/,
    ],
  ];

  const expectTold = async (config: Config, sentence: RegExp): Promise<void> => {
    expect(await doctorSays(config)).toMatch(sentence);
    expect(await producerSays(config)).toMatch(sentence);
  };

  test.concurrent.each(cases)('%s', async (_, prepare, sentence) => {
    await expectTold(await prepare(), sentence);
  });

  // The socket emits two errors then, and ioredis listens to one of them.
  test.concurrent('a producer that closes during the handshake: its process goes on', async () => {
    const config = configOf({ REDIS_CA_FILE: caFile, REDIS_URL: `rediss://127.0.0.1:${port}` });
    for (let round = 0; round < 20; round += 1) await createProducerApp(config).close();
    // A handshake that comes after theirs.
    expect(await doctorSays(config)).toMatch(/certificate is for another name/);
  });

  test.concurrent('the worker that does not start for it', async () => {
    const worker = createWorkerApp(configOf({}));
    await expect(worker.start()).rejects.toThrow(unknown);
    await worker.close();
  });

  test.concurrent('rediss:// at a port without TLS', async () => {
    const plain = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end('-ERR unknown command\r\n'),
    );
    await once(plain.listen(0, '127.0.0.1'), 'listening');
    const { port: plainPort } = plain.address() as AddressInfo;
    try {
      expect(await doctorSays(configOf({ REDIS_URL: `rediss://127.0.0.1:${plainPort}` }))).toMatch(
        /does not speak TLS on this port: set its TLS port/,
      );
    } finally {
      plain.close();
    }
  });

  test.concurrent('the server says so at /readyz and in its answers, and names no host', async () => {
    const server = createServerApp(configOf({}));
    const url = await server.start();
    try {
      for (const path of ['/readyz?only=redis', '/v1/domains']) {
        const said = async () => (await (await fetch(`${url}${path}`)).text()).match(unknown);
        // The first handshake may still be on its way.
        const found = await until(async () => (await said()) ?? undefined, `${path} says why`);
        expect(found.input).not.toMatch(/localhost|tok-4711/);
      }
    } finally {
      await server.close();
    }
  });

  // Not beside the others: Redis shows them the same certificate.
  test('a certificate that has expired', async () => {
    const days = (count: number): Date => new Date(Date.now() + count * 86_400_000);
    await show(await ca.issue({ names: ['localhost'], notBefore: days(-9), notAfter: days(-2) }));
    try {
      const sentence = /certificate, or one of its authority, has expired: renew it at Redis/;
      await expectTold(configOf({ REDIS_CA_FILE: caFile }), sentence);
    } finally {
      await show(await good());
    }
  });
});
