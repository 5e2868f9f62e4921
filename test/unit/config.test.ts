// The environment in, a frozen Config out, with warnings; and what of it may be printed.
import { describe, expect, test } from '@jest/globals';
import {
  type Config,
  ConfigError,
  describeConfig,
  parseConfig,
  requireCredentials,
  secretsOf,
  variables,
} from '../../src/config/load.ts';
import { nextDelayMs } from '../../src/queue/retry-policy.ts';
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
        pauseMs: 60_000,
      },
      worker: { concurrency: 5, shutdownTimeoutMs: 30_000, reconcileIntervalMs: 900_000 },
      jobs: { attempts: 40, backoffMs: 5_000, backoffMaxMs: 900_000 },
      topLevelDomains: 'public',
      dns: {
        gate: 'off',
        servers: undefined,
        expectedIps: [],
        probeUrl: undefined,
        deadlineMs: 604_800_000,
      },
      tls: { probe: true, address: undefined, caFile: undefined },
      ssl: {
        redeployDelayMs: 120_000,
        deadlineMs: 1_800_000,
        install: 'off',
        environment: 'live',
        challenge: 'http-01',
        dnsIntegration: undefined,
        reissue: 'off',
        switchToHttp01: false,
        invalidNames: 'hold',
        cooldownMs: 600_000,
      },
      limits: { certificatesPerWeek: 50, duplicatesPerWeek: 5, ordersPer3Hours: 300, failuresPerHour: 5 },
      watch: { intervalMs: 21_600_000, repair: false },
      server: {
        host: '127.0.0.1',
        port: 8787,
        path: '',
        tokens: [],
        boardUsers: [],
        sessionMs: 43_200_000,
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

test('the default attempts last about six hours, as their description says', () => {
  const { jobs } = parseConfig({}).config;
  const hours = (random: number) => {
    const delays = Array.from({ length: jobs.attempts - 1 }, (_, i) => nextDelayMs(jobs, i + 1, random) ?? 0);
    return delays.reduce((sum, delay) => sum + delay, 0) / 3_600_000;
  };
  expect([hours(1), hours(0.5), hours(0)]).toEqual(
    [4.05, 6.08, 8.1].map((value) => expect.closeTo(value, 2)),
  );
  expect(variables.JOB_ATTEMPTS.description).toContain('4 h 3 min to 8 h 6 min');
});

test('the whole Config is frozen', () => {
  const { config } = parseConfig({ ...pair });
  const parts: unknown[] = [config, ...Object.values(config), config.runcloud.credentials];
  expect(parts.filter((part) => !Object.isFrozen(part))).toEqual([]);
});

const openVariables = Object.entries(variables).filter(([, { secret }]) => !secret);

/** What an example needs beside it. */
const companions: Readonly<Record<string, Env>> = {
  REDIS_CA_FILE: { REDIS_URL: 'rediss://r' },
  CALLBACK_URLS: { CALLBACK_SECRETS: `whsec_${Buffer.alloc(24, 7).toString('base64')}` },
};

test.each(openVariables)('the example of %s is accepted', (name, { example }) => {
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
  ['a missing letter', { JOB_ATTEMPT: '1' }, [/did you mean JOB_ATTEMPTS\?/]],
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

describe('what may be printed', () => {
  const env = {
    ...pair,
    REDIS_URL: 'rediss://worker:p%40ss-4711@r:6380/0?password=q-4711',
    RUNCLOUD_APP_ID: '646',
  };
  const { config } = parseConfig(env);

  test('describeConfig shows every variable, secrets as ***', () => {
    const shown = Object.fromEntries(describeConfig(config).map(({ name, value }) => [name, value]));
    expect(Object.keys(shown)).toEqual(Object.keys(variables));
    expect(shown).toMatchObject({
      REDIS_URL: 'rediss://***@r:6380/***',
      RUNCLOUD_API_TOKEN: '-',
      RUNCLOUD_API_KEY: '***',
      RUNCLOUD_API_SECRET: '***',
      RUNCLOUD_APP_ID: '646',
      JOB_ATTEMPTS: '40',
    });
    expect(JSON.stringify(shown)).not.toContain('4711');
  });

  test('what describeConfig shows, can be set: except for secrets, it is the same configuration again', () => {
    const plain = parseConfig({ QUEUE_PREFIX: '{x}', LOG_LEVEL: 'debug' }).config;
    const set = describeConfig(plain).filter(({ value }) => value !== '-');
    expect(parseConfig(Object.fromEntries(set.map(({ name, value }) => [name, value]))).config).toEqual(
      plain,
    );
  });

  test('secretsOf lists every secret, in each form in which it travels', () => {
    const basic = Buffer.from('key-4711:sec-4711').toString('base64');
    expect(secretsOf(config)).toEqual(['key-4711', 'sec-4711', basic, 'p%40ss-4711', 'p@ss-4711', 'q-4711']);
    expect(secretsOf(parseConfig(token).config)).toEqual(['tok-4711']);
    expect(secretsOf(parseConfig({ REDIS_URL: 'redis://:50%25@r' }).config)).toEqual(['50%25', '50%']);
    expect(secretsOf(parseConfig({}).config)).toEqual([]);
  });
});
