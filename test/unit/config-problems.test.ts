// What an operator reads about a configuration that is wrong: every problem, its name, an example, and no secret.
import { expect, test } from '@jest/globals';
import { ConfigError, entries, parseConfig } from '../../src/config/load.ts';

type Env = Record<string, string>;
const pair = { RUNCLOUD_API_KEY: 'key-4711', RUNCLOUD_API_SECRET: 'sec-4711' };
const v3 = { RUNCLOUD_API_URL: 'https://manage.runcloud.io/api/v3' };

function failure(env: Env): ConfigError {
  try {
    parseConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('The configuration was accepted.');
}

const problems: readonly (readonly [sentence: string, env: Env, problem: string | RegExp])[] = [
  [
    'a number in words',
    { WORKER_CONCURRENCY: 'ten' },
    'WORKER_CONCURRENCY must be a whole number from 1 to 100, got "ten"; example: WORKER_CONCURRENCY=5',
  ],
  ['zero', { WORKER_CONCURRENCY: '0' }, /^WORKER_CONCURRENCY must be a whole number from 1 to 100, got "0"/],
  ['a fraction', { WORKER_CONCURRENCY: '1.5' }, /^WORKER_CONCURRENCY must be a whole number/],
  ['an exponent', { WORKER_CONCURRENCY: '1e2' }, /^WORKER_CONCURRENCY must be a whole number/],
  [
    'a duration without a unit',
    { SSL_REDEPLOY_DELAY: '120000' },
    'SSL_REDEPLOY_DELAY needs a unit: write 120000s for seconds, or 120000m for minutes, got "120000"; example: SSL_REDEPLOY_DELAY=2m',
  ],
  [
    'more than a day',
    { SSL_REDEPLOY_DELAY: '25h' },
    /^SSL_REDEPLOY_DELAY must be a duration .* to 1d, got "25h"/,
  ],
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
    /^RUNCLOUD_API_SECRET is missing: RUNCLOUD_API_KEY needs it/,
  ],
  [
    'a secret without a key',
    { RUNCLOUD_API_SECRET: 'hunter2' },
    /^RUNCLOUD_API_KEY is missing: RUNCLOUD_API_SECRET needs it/,
  ],
  ['a key pair with v3', { ...pair, ...v3 }, /^RUNCLOUD_API_URL names API v3, which takes no key pair/],
  [
    'http to another host',
    { RUNCLOUD_API_URL: 'http://example.org/api/v3' },
    /^RUNCLOUD_API_URL must be https:\/\/, or the credentials/,
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
    /must not contain credentials/,
  ],
  [
    'a Redis of another scheme',
    { REDIS_URL: 'http://u:hunter2@r' },
    /^REDIS_URL must be redis:\/\/ .* got "http:\/\/\*\*\*@r"/,
  ],
  ['a Redis without a scheme', { REDIS_URL: 'u:hunter2@r:6379' }, /^REDIS_URL must be redis/],
  ['a Redis without a host', { REDIS_URL: 'redis:///0' }, /^REDIS_URL names no host: it must be redis/],
  [
    'a bare # in the password',
    { REDIS_URL: 'redis://u:1#hunter2@r' },
    /must be percent-encoded: .*, got "redis:\/\/\*\*\*"/,
  ],
  ['a bare ? in the password', { REDIS_URL: 'redis://u:1?hunter2@r' }, /must be percent-encoded/],
  ['a bare / in the password', { REDIS_URL: 'redis://u:1/hunter2@r' }, /must be percent-encoded/],
  [
    'a bare % in the password',
    { REDIS_URL: 'redis://u:1%hunter2@r' },
    /must be percent-encoded: .*%25 for "%"/,
  ],
  ['a password in Latin-1', { REDIS_URL: 'redis://u:1%E4hunter2@r' }, /must be percent-encoded/],
  [
    'a bare @ in the password',
    { REDIS_URL: 'redis://u:1@hunter2@r' },
    /must be percent-encoded: .*%40 for "@"/,
  ],
  [
    'a space in the password',
    { REDIS_URL: 'redis://u:1 hunter2@r' },
    /must be percent-encoded: .*%20 for a space/,
  ],
  ['a tab in the user', { REDIS_URL: 'redis://u\thunter2:1@r' }, /must be percent-encoded/],
  ['a port in words', { REDIS_URL: 'redis://r:redis' }, /^REDIS_URL has an invalid port: .* 1 to 65535/],
  ['a port that is too high', { REDIS_URL: 'redis://u:hunter2@r:65536/0' }, /^REDIS_URL has an invalid port/],
  ['an empty port', { REDIS_URL: 'redis://r:' }, /^REDIS_URL has an invalid port/],
  ['port 0', { REDIS_URL: 'redis://r:0' }, /^REDIS_URL has an invalid port/],
  [
    'a database in words',
    { REDIS_URL: 'redis://u:hunter2@r/live' },
    /^REDIS_URL must end with a database number/,
  ],
  ['a database below zero', { REDIS_URL: 'redis://r/-1' }, /^REDIS_URL must end with a database number/],
  [
    'a Redis in upper case, which would go without TLS',
    { REDIS_URL: 'REDISS://u:hunter2@r' },
    /^REDIS_URL must be redis/,
  ],
  ['a Redis as a socket', { REDIS_URL: '/run/redis.sock' }, /^REDIS_URL must be redis/],
  ['a user and no host', { REDIS_URL: 'redis://u:hunter2@' }, /^REDIS_URL names no host/],
  ['a port and no host', { REDIS_URL: 'redis://:6379' }, /^REDIS_URL names no host/],
  [
    'an option of the library',
    { REDIS_URL: 'redis://r?keyPrefix=hunter2' },
    /^REDIS_URL has an invalid parameter/,
  ],
  ['a family that is none', { REDIS_URL: 'redis://r?family=5' }, /^REDIS_URL has an invalid parameter/],
  ['a space in the host', { REDIS_URL: 'redis://r r' }, /^REDIS_URL has a space/],
  [
    'a bare % in the API',
    { RUNCLOUD_API_URL: 'https://example.org/100%/v3' },
    /^RUNCLOUD_API_URL has a "%" .* write %25/,
  ],
  ['a space in the API', { RUNCLOUD_API_URL: 'https://example.org/a b/v3' }, /^RUNCLOUD_API_URL has a space/],
  [
    'a bare % in a callback',
    {
      CALLBACK_URLS: 'https://a.example/,https://b.example/?t=50%hunter2',
      CALLBACK_SECRETS: `whsec_${'A'.repeat(32)}`,
    },
    /^CALLBACK_URLS must be https.* \(entry 2 has a "%" .* write %25/,
  ],
  [
    'a bare % in the address of traces',
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318/50%hunter2' },
    /^OTEL_EXPORTER_OTLP_ENDPOINT has a "%" .* write %25/,
  ],
  ['a pattern as prefix', { QUEUE_PREFIX: 'bull*' }, /^QUEUE_PREFIX must be letters/],
  ['an unknown level', { LOG_LEVEL: 'loud' }, /^LOG_LEVEL must be one of trace, debug/],
  ['an unknown format', { LOG_FORMAT: 'xml' }, /^LOG_FORMAT must be one of json, pretty, got "xml"/],
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
      expect.stringMatching(/^RUNCLOUD_API_TOKEN is still a placeholder/),
    ]);
  },
);

test('all problems come at once', () => {
  const env = {
    LOG_LEVEL: 'loud',
    RUNCLOUD_API_KEY: 'k',
    WP_CONFIG: '/nowhere/wp-config.php',
  };
  const names = failure(env).problems.map((problem) => problem.split(' ')[0]);
  expect(names.toSorted()).toEqual(['LOG_LEVEL', 'RUNCLOUD_API_SECRET', 'WP_CONFIG']);
});

test('an error tells the warnings that may explain it', () => {
  const { message } = failure({ RUNCLOUD_API_KEY: 'k', RUNCLOUD_API_SECRT: 's' });
  expect(message).toMatch(
    /RUNCLOUD_API_SECRET is missing[\s\S]*This may be why:[\s\S]*RUNCLOUD_API_SECRT is not a setting/,
  );
});

test.each(entries.filter(({ secret }) => secret))(
  'the example of $name, copied as it is, is refused, and not offered again',
  ({ name, example }) => {
    const { message } = failure({ [name]: example });
    expect(message).toContain(`${name} is the documentation's example`);
    expect(message).not.toContain(`example: ${name}=`);
  },
);
