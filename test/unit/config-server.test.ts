// The variables of the HTTP server, its users, the callbacks and traces.
import { expect, test } from '@jest/globals';
import { hashToken } from '../../src/config/credential-hashes.ts';
import { assertServable, type Config, ConfigError, parseConfig, secretsOf } from '../../src/config/load.ts';

type Env = Record<string, string>;

const hash = hashToken('rcd_one');
const other = hashToken('rcd_two');
const scrypt = (n = '32768', key = 'k'.repeat(43)): string => `scrypt$${n}$8$1$${'s'.repeat(22)}$${key}`;
const whsec = (fill: number, bytes = 32): string => `whsec_${Buffer.alloc(bytes, fill).toString('base64')}`;
const callback = { CALLBACK_URLS: 'https://app.example.org/hooks', CALLBACK_SECRETS: whsec(1) };

function failure(work: () => unknown): ConfigError {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('The configuration was accepted.');
}

const readings: readonly (readonly [
  sentence: string,
  env: Env,
  pick: (config: Config) => unknown,
  is: unknown,
])[] = [
  ['an IPv6 address in brackets', { SERVER_HOST: '[::1]' }, (c) => c.server.host, '::1'],
  ['a bare IPv6 address', { SERVER_HOST: '::' }, (c) => c.server.host, '::'],
  ['any free port', { SERVER_PORT: '0' }, (c) => c.server.port, 0],
  ['no path', { SERVER_PATH: '/' }, (c) => c.server.path, ''],
  ['a path, with slashes and without', { SERVER_PATH: 'a/b.c/' }, (c) => c.server.path, '/a/b.c'],
  ['a proxy in front', { TRUST_PROXY: 'ON' }, (c) => c.server.trustProxy, true],
  [
    'one token',
    { API_TOKENS: `shop:enqueue:${hash}` },
    (c) => c.server.tokens,
    [{ name: 'shop', role: 'enqueue', hash }],
  ],
  [
    'tokens with commas, spaces and line breaks between them',
    { API_TOKENS: `shop-1:enqueue:${hash},\n  ops.eu:operate:${other} mon:read:${hash},` },
    (c) => c.server.tokens.map(({ name, role }) => `${name} ${role}`),
    ['shop-1 enqueue', 'ops.eu operate', 'mon read'],
  ],
  [
    'board users, quoted as .env wants them',
    { BOARD_USERS: `'ada:operator:${scrypt()} bob:viewer:${scrypt('1024')}'` },
    (c) => c.server.boardUsers,
    [
      { name: 'ada', role: 'operator', hash: scrypt() },
      { name: 'bob', role: 'viewer', hash: scrypt('1024') },
    ],
  ],
  ["a worker's own port", { WORKER_ADDRESS: '[::1]:9' }, (c) => c.worker.address, { host: '::1', port: 9 }],
  [
    'two callbacks, one of them here',
    { ...callback, CALLBACK_URLS: 'https://a.example/x?y=1, http://127.0.0.1:9/z' },
    (c) => c.callbacks.urls,
    ['https://a.example/x?y=1', 'http://127.0.0.1:9/z'],
  ],
  [
    'the newest secret first',
    { ...callback, CALLBACK_SECRETS: `${whsec(2, 24)},${whsec(1, 64)}` },
    (c) => c.callbacks.secrets,
    [whsec(2, 24), whsec(1, 64)],
  ],
  ['secrets that nobody is sent yet', { CALLBACK_SECRETS: whsec(1) }, (c) => c.callbacks.urls, []],
  [
    'an endpoint for traces, without its last slash',
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel:4318/' },
    (c) => c.otlpEndpoint,
    'http://otel:4318',
  ],
];

test.each(readings)('%s can be read', (_, env, pick, is) => {
  expect(pick(parseConfig(env).config)).toEqual(is);
});

const problems: readonly (readonly [sentence: string, env: Env, problem: RegExp])[] = [
  ['a host with a port', { SERVER_HOST: 'localhost:80' }, /^SERVER_HOST must be a host name or an IP/],
  ['an address for a host', { SERVER_HOST: 'http://x' }, /^SERVER_HOST must be a host name/],
  ['a port that is none', { SERVER_PORT: '65536' }, /^SERVER_PORT must be a whole number from 0 to 65535/],
  ['an address for a path', { SERVER_PATH: 'https://x/y' }, /^SERVER_PATH must be a path such as/],
  ['a path of another host', { SERVER_PATH: '//evil' }, /^SERVER_PATH must be a path/],
  ['a path of the server itself', { SERVER_PATH: '/board' }, /^SERVER_PATH must be .* \/board/],
  ['no requests at all', { API_RATE_PER_MINUTE: '0' }, /^API_RATE_PER_MINUTE must be .* from 1/],
  [
    'a token itself for its hash',
    { API_TOKENS: 'shop:read:rcd_hunter2' },
    /^API_TOKENS must be entries name.*entry 1 has an invalid hash\)/,
  ],
  ['a hash in upper case', { API_TOKENS: `a:read:${hash.toUpperCase()}` }, /^API_TOKENS must be/],
  [
    'a role that is none',
    { API_TOKENS: `shop:admin:${hash}` },
    /^API_TOKENS must be entries .*enqueue, read/,
  ],
  [
    'a name with a space in it',
    { API_TOKENS: `a shop:read:${hash}` },
    /^API_TOKENS must be .*entry 1 lacks these three parts/,
  ],
  [
    'the second of two tokens',
    { API_TOKENS: `a:read:${hash},b:hunter2:${hash}` },
    /^API_TOKENS must be entries .*\(entry 2 has an unknown role\)/,
  ],
  [
    'a name twice',
    { API_TOKENS: `a:read:${hash} a:read:${other}` },
    /^API_TOKENS has a name twice \(entry 2\)/,
  ],
  ['nothing but a comma', { API_TOKENS: ',' }, /^API_TOKENS must be entries/],
  ['a password in clear', { BOARD_USERS: 'ada:operator:hunter2' }, /^BOARD_USERS must be entries/],
  [
    'a role of the API',
    { BOARD_USERS: `ada:operate:${scrypt()}` },
    /^BOARD_USERS must be .*viewer, operator/,
  ],
  [
    'a hash whose $ a shell took away',
    { BOARD_USERS: 'ada:viewer:scrypt' },
    /^BOARD_USERS must be .*single quotes/,
  ],
  ['a hash that takes gigabytes', { BOARD_USERS: `a:viewer:${scrypt('4194304')}` }, /^BOARD_USERS must be/],
  ['a hash that costs nothing', { BOARD_USERS: `a:viewer:${scrypt('2')}` }, /^BOARD_USERS must be/],
  [
    'a user twice',
    { BOARD_USERS: `a:viewer:${scrypt()} a:operator:${scrypt()}` },
    /^BOARD_USERS has a name twice/,
  ],
  [
    'a callback in clear to another machine',
    { ...callback, CALLBACK_URLS: 'http://app.example.org/' },
    /^CALLBACK_URLS must be https/,
  ],
  [
    'credentials in a callback',
    { ...callback, CALLBACK_URLS: 'https://a.example/,https://u:hunter2@b.example/' },
    /^CALLBACK_URLS must be https.*\(entry 2 is wrong\)/,
  ],
  [
    'a callback twice',
    { ...callback, CALLBACK_URLS: 'https://a.example/,https://a.example/' },
    /^CALLBACK_URLS has an address twice/,
  ],
  [
    'callbacks without a secret',
    { CALLBACK_URLS: callback.CALLBACK_URLS },
    /^CALLBACK_SECRETS is missing: CALLBACK_URLS needs it/,
  ],
  [
    'a secret without its prefix',
    { CALLBACK_SECRETS: 'hunter2' },
    /^CALLBACK_SECRETS must be secrets whsec_/,
  ],
  [
    'a secret that is too short',
    { ...callback, CALLBACK_SECRETS: whsec(1, 23) },
    /^CALLBACK_SECRETS must be/,
  ],
  ['a secret that is too long', { ...callback, CALLBACK_SECRETS: whsec(1, 65) }, /^CALLBACK_SECRETS must be/],
  ['traces to a file', { OTEL_EXPORTER_OTLP_ENDPOINT: 'file:///x' }, /^OTEL_EXPORTER_OTLP_ENDPOINT must be/],
];

test.each(problems)('%s is refused with the name, the reason and an example, once', (_, env, problem) => {
  const { message, problems: found } = failure(() => parseConfig(env));
  expect(found).toEqual([expect.stringMatching(problem)]);
  expect(found[0]).toMatch(/; example: [A-Z_\d]+=\S/);
  expect(message).not.toContain('hunter2');
  expect(message).not.toContain(hash);
});

const served = (env: Env) => () => assertServable(parseConfig(env).config);

test.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('%s is served without tokens', (SERVER_HOST) => {
  expect(served({ SERVER_HOST })).not.toThrow();
});

test.each(['0.0.0.0', '::', '10.0.0.7', 'db.example.org', '127.0.0.1.example.org'])(
  '%s is served with tokens only, and the refusal says how to get one',
  (SERVER_HOST) => {
    expect(failure(served({ SERVER_HOST })).problems).toEqual([
      expect.stringMatching(
        /^API_TOKENS is missing: other machines reach SERVER_HOST=.* `runcloud-domains token create/,
      ),
    ]);
    expect(served({ SERVER_HOST, API_TOKENS: `a:read:${hash}` })).not.toThrow();
  },
);

const secret = {
  API_TOKENS: `a:read:${hash} b:operate:${other}`,
  BOARD_USERS: `ada:operator:${scrypt()}`,
  CALLBACK_SECRETS: `${whsec(1)},${whsec(2)}`,
};

test('hashes and webhook secrets, with and without their prefix, are secrets', () => {
  const bare = [whsec(1), whsec(2)].map((text) => text.slice('whsec_'.length));
  const secrets = secretsOf(parseConfig(secret).config);
  expect(secrets).toEqual(expect.arrayContaining([hash, other, scrypt(), whsec(1), whsec(2), ...bare]));
});

test('who has a password that was hashed with less work is named in a warning, with the way out and without the hash', () => {
  const [weak, good] = [scrypt(), scrypt('131072')];
  const { warnings } = parseConfig({
    BOARD_USERS: `ada:operator:${weak} bob:viewer:${good} eve:viewer:${weak}`,
  });
  expect(warnings).toEqual([
    expect.stringMatching(/^BOARD_USERS .*\(ada, eve\)\. They still work\. .*board password/),
  ]);
  expect(warnings.join()).not.toContain('scrypt$');
  expect(parseConfig({ BOARD_USERS: `bob:viewer:${good}` }).warnings).toEqual([]);
});

test('a token in the query of an address is a secret, a word is none', () => {
  const env = {
    CALLBACK_URLS: 'https://a.example/x?kind=live&token=hunter2hunter2',
    CALLBACK_SECRETS: whsec(1),
  };
  const secrets = secretsOf(parseConfig(env).config);
  expect(secrets).toContain('hunter2hunter2');
  expect(secrets).not.toContain('live');
});
