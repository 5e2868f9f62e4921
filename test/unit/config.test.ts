// The environment in, a frozen Config or one readable error out.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  type Config,
  ConfigError,
  describeConfig,
  loadConfig,
  type ParseOptions,
  parseConfig,
  requireCredentials,
  secretsOf,
  variables,
} from '../../src/config.ts';
import { nextDelayMs } from '../../src/queue/retry-policy.ts';

type Env = Record<string, string>;
const token = { RUNCLOUD_API_TOKEN: 'tok-4711' };
const pair = { RUNCLOUD_API_KEY: 'key-4711', RUNCLOUD_API_SECRET: 'sec-4711' };
const v2 = { RUNCLOUD_API_URL: 'https://manage.runcloud.io/api/v2' };
const v3 = { RUNCLOUD_API_URL: 'https://manage.runcloud.io/api/v3' };

function failure(env: Env, options?: ParseOptions): ConfigError {
  try {
    parseConfig(env, options);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('The configuration was accepted.');
}

const php =
  (code: string): (() => string) =>
  () =>
    `<?php\n${code}`;

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
      },
      worker: { concurrency: 5, shutdownTimeoutMs: 30_000 },
      jobs: { attempts: 40, backoffMs: 5_000, backoffMaxMs: 900_000 },
      ssl: { redeployDelayMs: 120_000 },
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

test.each(Object.entries(variables))(
  'the example of %s is accepted, a secret one is refused',
  (name, variable) => {
    const env = { [name]: variable.example };
    const options = { readFile: php(`define('WU_RUNCLOUD_APP_ID', 1);`) };
    const message = variable.secret ? failure(env, options).message : parseConfig(env, options).warnings;
    if (variable.secret) expect(message).toContain(`${name} is the documentation's example`);
  },
);

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

const problems: readonly (readonly [sentence: string, env: Env, problem: string | RegExp])[] = [
  [
    'a number in words',
    { WORKER_CONCURRENCY: 'ten' },
    'WORKER_CONCURRENCY must be a whole number from 1 to 100, got "ten"; example: WORKER_CONCURRENCY=5',
  ],
  ['zero', { WORKER_CONCURRENCY: '0' }, /^WORKER_CONCURRENCY must be a whole number from 1 to 100, got "0"/],
  ['a fraction', { JOB_ATTEMPTS: '1.5' }, /^JOB_ATTEMPTS must be a whole number/],
  ['an exponent', { JOB_ATTEMPTS: '1e2' }, /^JOB_ATTEMPTS must be a whole number/],
  ['a unit', { SSL_REDEPLOY_DELAY_MS: '120s' }, /^SSL_REDEPLOY_DELAY_MS must be milliseconds/],
  ['more than a day', { JOB_BACKOFF_MAX_MS: '99999999999' }, /^JOB_BACKOFF_MAX_MS must be milliseconds/],
  ['an id in words', { RUNCLOUD_APP_ID: 'shop' }, /^RUNCLOUD_APP_ID must be a RunCloud id/],
  [
    'a stray semicolon in an id',
    { RUNCLOUD_APP_ID: '646;' },
    /^RUNCLOUD_APP_ID ends with a stray ";": remove it, got "646;"/,
  ],
  [
    'a stray semicolon behind quotes',
    { RUNCLOUD_APP_ID: `'646';` },
    /^RUNCLOUD_APP_ID ends with a stray ";"/,
  ],
  [
    'a stray semicolon in an alias',
    { WU_RUNCLOUD_APP_ID: '646;' },
    /^WU_RUNCLOUD_APP_ID, read as RUNCLOUD_APP_ID, ends with/,
  ],
  [
    'a stray semicolon in a token',
    { RUNCLOUD_API_TOKEN: 'hunter2;' },
    /^RUNCLOUD_API_TOKEN ends with a stray ";": remove it; example/,
  ],
  ['two words as a token', { RUNCLOUD_API_TOKEN: 'Bearer hunter2' }, /^RUNCLOUD_API_TOKEN must be one word/],
  [
    'a line break in a token',
    { RUNCLOUD_API_TOKEN: 'hunter2\nX-A: b' },
    /^RUNCLOUD_API_TOKEN must be one word/,
  ],
  ['a half-quoted token', { RUNCLOUD_API_TOKEN: '"hunter2' }, /^RUNCLOUD_API_TOKEN must be one word/],
  [
    'a colon in a key',
    { ...pair, RUNCLOUD_API_KEY: 'hunter2:x' },
    /^RUNCLOUD_API_KEY must be one word .* or colon/,
  ],
  [
    'a key without a secret',
    { RUNCLOUD_API_KEY: 'hunter2' },
    /^RUNCLOUD_API_SECRET is missing: RUNCLOUD_API_KEY is set/,
  ],
  [
    'a secret without a key',
    { RUNCLOUD_API_SECRET: 'hunter2' },
    /^RUNCLOUD_API_KEY is missing: RUNCLOUD_API_SECRET is set/,
  ],
  ['a key pair with v3', { ...pair, ...v3 }, /^RUNCLOUD_API_URL names API v3, which takes no key pair/],
  [
    'http to another host',
    { RUNCLOUD_API_URL: 'http://example.org/api/v3' },
    /^RUNCLOUD_API_URL must be https:\/\/, since credentials/,
  ],
  [
    'a host that only looks like loopback',
    { RUNCLOUD_API_URL: 'http://127.0.0.1.example.org/v3' },
    /must be https/,
  ],
  ['another version', { RUNCLOUD_API_URL: 'https://example.org/api/v4' }, /must end with the API version/],
  ['no version', { RUNCLOUD_API_URL: 'https://example.org/' }, /must end with the API version/],
  ['a query', { RUNCLOUD_API_URL: 'https://example.org/v3?a=b' }, /must end with the API version/],
  ['no URL at all', { RUNCLOUD_API_URL: 'manage.runcloud.io/api/v3' }, /must be an https:\/\/ address/],
  [
    'credentials in the URL',
    { RUNCLOUD_API_URL: 'https://u:hunter2@example.org/v3' },
    /must not hold credentials/,
  ],
  [
    'a Redis of another scheme',
    { REDIS_URL: 'http://u:hunter2@r' },
    /^REDIS_URL must be redis:\/\/ .* got "http:\/\/u:\*\*\*@r"/,
  ],
  ['a Redis without a scheme', { REDIS_URL: 'u:hunter2@r:6379' }, /^REDIS_URL must be redis/],
  ['a Redis without a host', { REDIS_URL: 'redis:///0' }, /^REDIS_URL must be redis/],
  [
    'a bare # in the password',
    { REDIS_URL: 'redis://u:1#hunter2@r' },
    /must be percent-encoded, got "redis:\/\/u:\*\*\*@r"/,
  ],
  ['a bare ? in the password', { REDIS_URL: 'redis://u:1?hunter2@r' }, /must be percent-encoded/],
  ['a bare / in the password', { REDIS_URL: 'redis://u:1/hunter2@r' }, /must be percent-encoded/],
  ['a pattern as prefix', { QUEUE_PREFIX: 'bull*' }, /^QUEUE_PREFIX must be letters/],
  ['an unknown level', { LOG_LEVEL: 'loud' }, /^LOG_LEVEL must be one of trace, debug/],
  ['an unknown format', { LOG_FORMAT: 'xml' }, /^LOG_FORMAT must be one of json, pretty, got "xml"/],
  [
    'a longest delay below the first',
    { JOB_BACKOFF_MAX_MS: '10' },
    /^JOB_BACKOFF_MAX_MS must not be below JOB_BACKOFF_MS \(5000\), got "10"/,
  ],
  [
    'a first delay above the longest',
    { JOB_BACKOFF_MS: '1000000' },
    /^JOB_BACKOFF_MAX_MS must not be below JOB_BACKOFF_MS/,
  ],
];

test.each(problems)(
  '%s is refused with the name, the reason and an example, without secrets',
  (_, env, problem) => {
    const error = failure(env);
    expect(error.problems).toEqual([typeof problem === 'string' ? problem : expect.stringMatching(problem)]);
    expect(error.message).toMatch(/; example: [A-Z_]+=\S/);
    expect(`${error.message}${error.stack}`).not.toContain('hunter2');
  },
);

test.each(['your-token-here', 'changeme', 'CHANGE_ME', 'replace-me', '<token>', 'xxxxxxxx', '...', 'todo'])(
  'the placeholder %s is refused',
  (placeholder) => {
    expect(failure({ RUNCLOUD_API_TOKEN: placeholder }).problems).toEqual([
      expect.stringMatching(/^RUNCLOUD_API_TOKEN still holds a placeholder/),
    ]);
  },
);

test('all problems come at once', () => {
  const env = {
    LOG_LEVEL: 'loud',
    JOB_BACKOFF_MAX_MS: '1',
    RUNCLOUD_API_KEY: 'k',
    WP_CONFIG: '/nowhere/wp-config.php',
  };
  const names = failure(env).problems.map((problem) => problem.split(' ')[0]);
  expect(names.toSorted()).toEqual(['JOB_BACKOFF_MAX_MS', 'LOG_LEVEL', 'RUNCLOUD_API_SECRET', 'WP_CONFIG']);
});

const warned: readonly (readonly [sentence: string, env: Env, warnings: readonly (string | RegExp)[]])[] = [
  [
    'a misspelt name of ours',
    { RUNCLOUD_API_TOKN: 'x' },
    ['RUNCLOUD_API_TOKN is not a setting of this program; did you mean RUNCLOUD_API_TOKEN?'],
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

test('an error tells the warnings that may explain it', () => {
  const { message } = failure({ RUNCLOUD_API_KEY: 'k', RUNCLOUD_API_SECRT: 's' });
  expect(message).toMatch(
    /RUNCLOUD_API_SECRET is missing[\s\S]*This may be why:[\s\S]*RUNCLOUD_API_SECRT is not a setting/,
  );
});

test('requireCredentials names what is missing, with an example', () => {
  const { config } = parseConfig({});
  expect(() => requireCredentials(config)).toThrow(ConfigError);
  expect(() => requireCredentials(config)).toThrow(
    /RUNCLOUD_API_TOKEN is missing.*example: RUNCLOUD_API_TOKEN=/,
  );
});

describe('WP_CONFIG', () => {
  const env = { WP_CONFIG: '/srv/wp-config.php' };

  test('gives the five constants', () => {
    const readFile = php(`
      define( 'WU_RUNCLOUD_API_KEY', 'key-4711' );
      define( 'WU_RUNCLOUD_API_SECRET', 'sec-4711' );
      define( 'WU_RUNCLOUD_SERVER_ID', '1903' );
      define( 'WU_RUNCLOUD_APP_ID', 646 );`);
    const { config, warnings } = parseConfig(env, { readFile });
    expect(config.runcloud).toMatchObject({
      version: 2,
      credentials: { kind: 'key', key: 'key-4711', secret: 'sec-4711' },
      serverId: 1903,
      appId: 646,
    });
    expect(warnings).toEqual([]);
  });

  test('has less to say than the environment and its aliases', () => {
    const readFile = php(`define('WU_RUNCLOUD_SERVER_ID', 1); define('WU_RUNCLOUD_APP_ID', 2);`);
    const { config } = parseConfig(
      { ...env, RUNCLOUD_SERVER_ID: '3', WU_RUNCLOUD_APP_ID: '4' },
      { readFile },
    );
    expect(config.runcloud).toMatchObject({ serverId: 3, appId: 4 });
  });

  test('does not overrule a key pair of the environment by a token', () => {
    const readFile = php(`define('WU_RUNCLOUD_API_TOKEN', 'tok-4711');`);
    const { config, warnings } = parseConfig({ ...env, ...pair }, { readFile });
    expect(config.runcloud.credentials?.kind).toBe('key');
    expect(warnings).toEqual([]);
  });

  test('names file and constant where a value is wrong', () => {
    const readFile = php(`define('WU_RUNCLOUD_APP_ID', '646;');`);
    expect(failure(env, { readFile }).problems).toEqual([
      expect.stringMatching(/^WU_RUNCLOUD_APP_ID in \/srv\/wp-config\.php ends with a stray ";"/),
    ]);
  });

  test('warns of what it cannot read, and of a file without any of the constants', () => {
    const warningsOf = (code: string) => parseConfig(env, { readFile: php(code) }).warnings;
    expect(warningsOf(`define('WU_RUNCLOUD_APP_ID', getenv('A'));`)).toEqual([
      expect.stringMatching(/^\/srv\/wp-config\.php: WU_RUNCLOUD_APP_ID is not a literal/),
    ]);
    expect(warningsOf(`define('DB_NAME', 'x');`)).toEqual([
      expect.stringMatching(/defines none of the constants/),
    ]);
  });
});

describe('on disk', () => {
  const inDirectory = (run: (directory: string) => void): void => {
    const directory = mkdtempSync(join(tmpdir(), 'config-'));
    try {
      run(directory);
    } finally {
      rmSync(directory, { recursive: true });
    }
  };

  test('a WP_CONFIG that is missing, or a directory, is a problem with its fix', () => {
    inDirectory((directory) => {
      expect(failure({ WP_CONFIG: join(directory, 'none.php') }).message).toMatch(
        /WP_CONFIG cannot be read: no such file/,
      );
      expect(failure({ WP_CONFIG: directory }).message).toMatch(/it is a directory; name the file itself/);
    });
  });

  test('.env is read, the environment wins, and an empty variable does not count', () => {
    inDirectory((directory) => {
      writeFileSync(join(directory, '.env'), 'JOB_ATTEMPTS=3\nWORKER_CONCURRENCY="3"\nLOG_LEVEL=debug\r\n');
      const { config } = loadConfig({ JOB_ATTEMPTS: '4', WORKER_CONCURRENCY: '' }, directory);
      expect([config.jobs.attempts, config.worker.concurrency, config.log.level]).toEqual([4, 3, 'debug']);
    });
  });

  test('without .env the environment alone counts', () => {
    inDirectory((directory) => {
      expect(loadConfig({ JOB_ATTEMPTS: '4' }, directory).config.jobs.attempts).toBe(4);
    });
  });

  test('a .env that cannot be read is a problem', () => {
    inDirectory((directory) => {
      mkdirSync(join(directory, '.env'));
      expect(() => loadConfig({}, directory)).toThrow(ConfigError);
    });
  });
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
      REDIS_URL: 'rediss://worker:***@r:6380/0?password=***',
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
    expect(secretsOf(parseConfig({}).config)).toEqual([]);
  });
});
