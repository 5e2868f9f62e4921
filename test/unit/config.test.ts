// The environment in, a frozen Config out, with warnings; and what of it may be printed.
import { expect, test } from '@jest/globals';
import { configurationTable, dotEnvExample } from '../../scripts/generate-docs.ts';
import { toConfig } from '../../src/config/config.ts';
import { entriesOf, optional, type SettingsOf, variable } from '../../src/config/entry.ts';
import { duration, token as tokenKind } from '../../src/config/kinds.ts';
import {
  type Config,
  ConfigError,
  entries,
  parseConfig,
  readSettings,
  requireCredentials,
  secretsOf,
} from '../../src/config/load.ts';
import { schema } from '../../src/config/schema.ts';
import { createCa } from '../helpers/tls-server.ts';

const { certificate: pem } = await createCa();

type Env = Record<string, string>;
const token = { RUNCLOUD_API_TOKEN: 'tok-4711' };
const pair = { RUNCLOUD_API_KEY: 'key-4711', RUNCLOUD_API_SECRET: 'sec-4711' };
const v2 = { RUNCLOUD_API_URL: 'https://manage.runcloud.io/api/v2' };
const v3 = { RUNCLOUD_API_URL: 'https://manage.runcloud.io/api/v3' };

test('an empty environment gives the documented defaults', () => {
  expect(parseConfig({})).toEqual({
    config: {
      redisUrl: 'redis://127.0.0.1:6379',
      queuePrefix: 'bull',
      runcloud: {
        url: 'https://manage.runcloud.io/api/v3',
        version: 3,
        credentials: undefined,
        timeoutMs: 60_000,
        ratePerMinute: 60,
      },
      worker: { concurrency: 5, shutdownTimeoutMs: 30_000 },
      jobs: { retryForMs: 21_600_000 },
      topLevelDomains: 'public',
      dns: {
        gate: 'auto',
        servers: undefined,
        expectedIps: [],
        probeUrl: undefined,
        deadlineMs: 604_800_000,
      },
      tls: { probe: true, address: undefined, caFile: undefined },
      ssl: {
        redeployDelayMs: 120_000,
        deadlineMs: 1_800_000,
        install: { when: 'off', environment: 'live', challenge: 'http-01', dnsIntegration: undefined },
        reissue: 'off',
        switchToHttp01: false,
        invalidNames: 'wait',
        cooldownMs: 600_000,
      },
      limits: { certificatesPerWeek: 50, ordersPer3Hours: 300 },
      monitor: { intervalMs: 21_600_000, repair: false },
      server: {
        host: '127.0.0.1',
        port: 8787,
        path: '',
        tokens: [],
        boardUsers: [],
        trustProxy: false,
        ratePerMinute: 600,
      },
      callbacks: { urls: [], secrets: [] },
      otlpEndpoint: undefined,
      log: { level: 'info', format: 'json' },
    },
    warnings: [],
  });
});

test('the whole Config is frozen', () => {
  const { config } = parseConfig({ ...pair });
  const parts: unknown[] = [config, ...Object.values(config), config.runcloud.credentials];
  expect(parts.filter((part) => !Object.isFrozen(part))).toEqual([]);
});

const openVariables = entries
  .filter(({ secret }) => !secret)
  .map(({ name, example }) => [name, example] as const);

/** What an example needs beside it. */
const companions: Readonly<Record<string, Env>> = {
  REDIS_CA_FILE: { REDIS_URL: 'rediss://r' },
  CALLBACK_URLS: { CALLBACK_SECRETS: `whsec_${Buffer.alloc(24, 7).toString('base64')}` },
};

test.each(openVariables)('the example of %s is accepted', (name, example) => {
  const php = `<?php define('WU_RUNCLOUD_APP_ID', 1);`;
  const readFile = (path: string) => Buffer.from(path.endsWith('.pem') ? pem : php);
  expect(parseConfig({ ...companions[name], [name]: example }, { readFile }).warnings).toEqual([]);
});

const readings: readonly (readonly [
  sentence: string,
  env: Env,
  pick: (config: Config) => unknown,
  is: unknown,
])[] = [
  ['an empty variable counts as unset', { WORKER_CONCURRENCY: ' ' }, (c) => c.worker.concurrency, 5],
  ['spaces around a value are dropped', { WORKER_CONCURRENCY: ' 7\n' }, (c) => c.worker.concurrency, 7],
  ['quotes around a value are dropped', { WORKER_CONCURRENCY: '"7"' }, (c) => c.worker.concurrency, 7],
  ['a level may be in upper case', { LOG_LEVEL: 'WARN' }, (c) => c.log.level, 'warn'],
  ['a prefix may have braces', { QUEUE_PREFIX: '{bull}' }, (c) => c.queuePrefix, '{bull}'],
  ['rediss:// is kept as it is', { REDIS_URL: 'rediss://:p@r:1/2' }, (c) => c.redisUrl, 'rediss://:p@r:1/2'],
  ['a token means v3', token, (c) => c.runcloud.url, 'https://manage.runcloud.io/api/v3'],
  ['a key pair means v2', pair, (c) => c.runcloud.url, 'https://manage.runcloud.io/api/v2'],
  [
    'a key pair is kept',
    pair,
    (c) => requireCredentials(c),
    { kind: 'key', key: 'key-4711', secret: 'sec-4711' },
  ],
  ['a token works with v2 too', { ...token, ...v2 }, (c) => c.runcloud.version, 2],
  [
    'slashes at the end of the URL are dropped',
    { RUNCLOUD_API_URL: `${v3.RUNCLOUD_API_URL}//` },
    (c) => c.runcloud.url,
    v3.RUNCLOUD_API_URL,
  ],
  [
    'http is fine on 127.0.0.1',
    { RUNCLOUD_API_URL: 'http://127.0.0.1:9/api/v2' },
    (c) => c.runcloud.version,
    2,
  ],
  ['http is fine on localhost', { RUNCLOUD_API_URL: 'http://localhost/v3' }, (c) => c.runcloud.version, 3],
  ['http is fine on ::1', { RUNCLOUD_API_URL: 'http://[::1]:9/v3' }, (c) => c.runcloud.version, 3],
  ['an alias is read', { WU_RUNCLOUD_SERVER_ID: '1903' }, (c) => c.runcloud.serverId, 1903],
  [
    'the direct name wins over its alias',
    { WU_RUNCLOUD_APP_ID: '1', RUNCLOUD_APP_ID: '2' },
    (c) => c.runcloud.appId,
    2,
  ],
];

test.each(readings)('%s', (_, env, pick, is) => {
  expect(pick(parseConfig(env).config)).toEqual(is);
});

test('logs are pretty on a terminal, unless LOG_FORMAT says otherwise', () => {
  expect(parseConfig({}, { isTty: true }).config.log.format).toBe('pretty');
  expect(parseConfig({ LOG_FORMAT: 'json' }, { isTty: true }).config.log.format).toBe('json');
});

const warned: readonly (readonly [sentence: string, env: Env, warnings: readonly (string | RegExp)[]])[] = [
  [
    'a misspelt name of ours',
    { RUNCLOUD_API_TOKN: 'x' },
    ['RUNCLOUD_API_TOKN is not a setting of this program (did you mean RUNCLOUD_API_TOKEN?)'],
  ],
  ['a misspelt alias', { WU_RUNCLOUD_SERVERID: '1' }, [/did you mean WU_RUNCLOUD_SERVER_ID\?/]],
  ['a near miss outside our prefix', { WORKER_CONCURENCY: '1' }, [/did you mean WORKER_CONCURRENCY\?/]],
  ['a missing letter', { QUEUE_PREFX: '1' }, [/did you mean QUEUE_PREFIX\?/]],
  ['a name with a unit at its end', { SSL_REDEPLOY_DELAY_MS: '1' }, [/did you mean SSL_REDEPLOY_DELAY\?/]],
  ['a name that another took over', { JOB_ATTEMPTS: '1' }, [/did you mean RETRY_FOR\?/]],
  ['one of three names that became one', { SSL_CHALLENGE: 'dns-01' }, [/did you mean SSL_INSTALL\?/]],
  ['a renamed variable', { SSL_POISON: 'detach' }, [/did you mean SSL_INVALID_NAMES\?/]],
  ['a removed variable', { BOARD_SESSION: '1d' }, [/^BOARD_SESSION .* has no effect: remove it$/]],
  ['a name in lower case', { redis_url: 'x' }, [/did you mean REDIS_URL\?/]],
  ['a name of ours that resembles nothing', { RUNCLOUD_COLOUR_OF_THE_SKY: 'x' }, [/has no effect$/]],
  [
    'nothing about other programs',
    { PATH: '/bin', LOGNAME: 'x', REDIS_HOST: 'x', TEST_REDIS_URL: 'x', WP_HOME: 'x' },
    [],
  ],
  [
    'an alias that differs',
    { RUNCLOUD_APP_ID: '1', WU_RUNCLOUD_APP_ID: '2' },
    ['RUNCLOUD_APP_ID and WU_RUNCLOUD_APP_ID are both set and differ; RUNCLOUD_APP_ID is used'],
  ],
  ['nothing about an alias that agrees', { RUNCLOUD_APP_ID: '1', WU_RUNCLOUD_APP_ID: '1' }, []],
  [
    'a token and a key pair',
    { ...token, ...pair },
    [/^RUNCLOUD_API_KEY and RUNCLOUD_API_SECRET are ignored/],
  ],
  ['a token and half a key pair', { ...token, RUNCLOUD_API_KEY: 'k' }, [/are ignored/]],
  ['a token and a key pair for v2', { ...token, ...pair, ...v2 }, [/^RUNCLOUD_API_TOKEN is ignored/]],
];

test.each(warned)('warns of %s', (_, env, warnings) => {
  expect(parseConfig(env).warnings).toEqual(
    warnings.map((warning) => (typeof warning === 'string' ? warning : expect.stringMatching(warning))),
  );
});

test('of token and key pair, v2 takes the pair and everything else the token', () => {
  const kindOf = (env: Env) => requireCredentials(parseConfig({ ...token, ...pair, ...env }).config).kind;
  expect([kindOf({}), kindOf(v3), kindOf(v2)]).toEqual(['token', 'token', 'key']);
});

test('requireCredentials names what is missing, with an example', () => {
  const { config } = parseConfig({});
  expect(() => requireCredentials(config)).toThrow(ConfigError);
  expect(() => requireCredentials(config)).toThrow(
    /RUNCLOUD_API_TOKEN is missing.*example: RUNCLOUD_API_TOKEN=/,
  );
});

test('secretsOf lists every secret, in each form in which it travels', () => {
  const env = {
    ...pair,
    REDIS_URL: 'rediss://worker:p%40ss-4711@r:6380/0?password=q-4711',
    RUNCLOUD_APP_ID: '646',
  };
  const { config } = parseConfig(env);
  const basic = Buffer.from('key-4711:sec-4711').toString('base64');
  expect(secretsOf(config)).toEqual(['key-4711', 'sec-4711', basic, 'p%40ss-4711', 'p@ss-4711', 'q-4711']);
  expect(secretsOf(parseConfig(token).config)).toEqual(['tok-4711']);
  expect(secretsOf(parseConfig({ REDIS_URL: 'redis://:50%25@r' }).config)).toEqual(['50%25', '50%']);
  expect(secretsOf(parseConfig({}).config)).toEqual([]);
});

test('a new variable is one entry: its setting, error, suggestion, secrecy and documentation follow', () => {
  const more = {
    ...schema,
    cache: {
      ttlMs: variable('CACHE_TTL', duration('1s', '1d'), {
        default: '5m',
        description: 'How long it is kept.',
        formerly: ['CACHE_TIME'],
      }),
      password: optional('CACHE_PASSWORD', tokenKind, {
        description: 'The password of the cache.',
        example: 'example-password',
        aliases: ['WU_CACHE_PASSWORD'],
        secret: true,
      }),
    },
  };
  const read = (env: Env) => readSettings(more, env);
  const fresh: SettingsOf<typeof more>['cache'] = read({ CACHE_TTL: '7s' }).settings.cache;
  expect(fresh).toEqual({ ttlMs: 7_000, password: undefined });
  expect(read({}).settings.cache.ttlMs).toBe(300_000);
  expect(read({ WU_CACHE_PASSWORD: 'hunter2' }).settings.cache.password).toBe('hunter2');
  expect(read({ CACHE_TTL: '7', CACHE_PASSWORD: 'hunter2 x' }).problems).toEqual([
    expect.stringMatching(/^CACHE_TTL needs a unit: .*, got "7"; example: CACHE_TTL=5m$/),
    expect.stringMatching(/^CACHE_PASSWORD must be one word (?!.*hunter2)/),
  ]);
  expect(read({ CACHE_TL: '1' }).warnings).toEqual([expect.stringMatching(/did you mean CACHE_TTL\?/)]);
  expect(read({ CACHE_TIME: '1' }).warnings).toEqual([expect.stringMatching(/did you mean CACHE_TTL\?/)]);
  const { settings } = read({ CACHE_PASSWORD: 'hunter2' });
  expect(secretsOf(toConfig(settings, false), more)).toContain('hunter2');
  const rows = configurationTable(entriesOf(more.cache)).split('\n').slice(2);
  expect(rows).toEqual([
    expect.stringMatching(/^\| `CACHE_TTL` \| How long it is kept\. .* \| `5m` \|/),
    expect.stringMatching(/^\| `CACHE_PASSWORD`<br>also `WU_CACHE_PASSWORD` \| .* Secret/),
  ]);
  expect(dotEnvExample(entriesOf(more.cache))).toContain('\n#CACHE_TTL=5m\n');
});
