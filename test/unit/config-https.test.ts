// The variables of HTTPS: DNS, handshakes, certificates, Let's Encrypt's limits, the watch.
import { describe, expect, test } from '@jest/globals';
import { type Config, ConfigError, parseConfig } from '../../src/config/load.ts';
import { createCa } from '../helpers/tls-server.ts';

const { certificate: pem } = await createCa();

type Env = Record<string, string>;
const probe = 'http://{domain}/runcloud-domains.txt#7f3a91';

function problemsOf(env: Env, readFile?: (path: string) => Buffer): readonly string[] {
  try {
    parseConfig(env, readFile ? { readFile } : {});
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('The configuration was accepted.');
}

const live = { environment: 'live', challenge: 'http-01', dnsIntegration: undefined };

const readings: readonly (readonly [
  sentence: string,
  env: Env,
  pick: (config: Config) => unknown,
  is: unknown,
])[] = [
  ['days', { DNS_DEADLINE: '3d' }, (c) => c.dns.deadlineMs, 259_200_000],
  ['hours', { MONITOR_INTERVAL: '2h' }, (c) => c.monitor.intervalMs, 7_200_000],
  ['minutes', { CERTIFICATE_DEADLINE: '5m' }, (c) => c.ssl.deadlineMs, 300_000],
  ['seconds', { SSL_COOLDOWN: '45s' }, (c) => c.ssl.cooldownMs, 45_000],
  ['milliseconds', { SSL_COOLDOWN: '500ms' }, (c) => c.ssl.cooldownMs, 500],
  ['a unit in upper case', { DNS_DEADLINE: '3D' }, (c) => c.dns.deadlineMs, 259_200_000],
  ['a cool-down of nothing', { SSL_COOLDOWN: '0s' }, (c) => c.ssl.cooldownMs, 0],
  ['a gate', { DNS_GATE: 'Auto' }, (c) => c.dns.gate, 'auto'],
  [
    'DNS servers with and without a port',
    { DNS_SERVERS: '9.9.9.9, 10.0.0.53:5353,2620:fe::fe,[2620:fe::9]:53' },
    (c) => c.dns.servers,
    ['9.9.9.9', '10.0.0.53:5353', '2620:fe::fe', '[2620:fe::9]:53'],
  ],
  [
    'a list that ends with a comma',
    { EXPECTED_IPS: '203.0.113.7,' },
    (c) => c.dns.expectedIps,
    ['203.0.113.7'],
  ],
  [
    'the same address twice, once',
    { EXPECTED_IPS: '203.0.113.7,2001:db8::7,203.0.113.7' },
    (c) => c.dns.expectedIps,
    ['203.0.113.7', '2001:db8::7'],
  ],
  ["the probe's address, quoted or not", { DNS_GATE_PROBE: `"${probe}"` }, (c) => c.dns.probeUrl, probe],
  ['a switch that is off', { TLS_PROBE: 'off' }, (c) => c.tls.probe, false],
  ['a switch that is on', { MONITOR_REPAIR: 'on' }, (c) => c.monitor.repair, true],
  [
    'a name and a port',
    { TLS_PROBE_ADDRESS: 'edge.example.org:8443' },
    (c) => c.tls.address,
    { host: 'edge.example.org', port: 8443 },
  ],
  [
    'an IPv6 address and a port',
    { TLS_PROBE_ADDRESS: '[2001:db8::7]:443' },
    (c) => c.tls.address,
    { host: '2001:db8::7', port: 443 },
  ],
  ['no certificate installed', { SSL_INSTALL: 'off' }, (c) => c.ssl.install, { when: 'off', ...live }],
  ['a certificate', { SSL_INSTALL: 'LetsEncrypt' }, (c) => c.ssl.install, { when: 'letsencrypt', ...live }],
  [
    'a certificate of staging',
    { SSL_INSTALL: 'letsencrypt-staging' },
    (c) => c.ssl.install,
    { when: 'letsencrypt', ...live, environment: 'staging' },
  ],
  [
    'a certificate by DNS',
    { SSL_INSTALL: 'letsencrypt-dns:17' },
    (c) => c.ssl.install,
    { when: 'letsencrypt', ...live, challenge: 'dns-01', dnsIntegration: 17 },
  ],
  [
    'a certificate of staging by DNS',
    { SSL_INSTALL: 'letsencrypt-staging-dns:17' },
    (c) => c.ssl.install,
    { when: 'letsencrypt', environment: 'staging', challenge: 'dns-01', dnsIntegration: 17 },
  ],
  ['no retries', { RETRY_FOR: '0' }, (c) => c.jobs.retryForMs, 0],
  ['a limit that was raised', { LE_ORDERS_PER_3H: '3000' }, (c) => c.limits.ordersPer3Hours, 3000],
];

test.each(readings)('%s can be read', (_, env, pick, is) => {
  expect(pick(parseConfig(env).config)).toEqual(is);
});

const problems: readonly (readonly [sentence: string, env: Env, problem: RegExp])[] = [
  [
    'a time without a unit',
    { DNS_DEADLINE: '7' },
    /^DNS_DEADLINE needs a unit: write 7s for seconds, or 7m for minutes, got "7"; example: DNS_DEADLINE=7d$/,
  ],
  ['a time of two parts', { MONITOR_INTERVAL: '1h30m' }, /^MONITOR_INTERVAL must be a duration/],
  ['a fraction of a time', { MONITOR_INTERVAL: '1.5h' }, /^MONITOR_INTERVAL must be a duration/],
  ['a watch that never looks', { MONITOR_INTERVAL: '0s' }, /^MONITOR_INTERVAL must be .* from 1ms to 7d/],
  [
    'a time beyond its bounds',
    { CERTIFICATE_DEADLINE: '8d' },
    /^CERTIFICATE_DEADLINE must be .* to 7d, got "8d"/,
  ],
  [
    'an unknown gate',
    { DNS_GATE: 'on' },
    /^DNS_GATE must be one of off, attach, certificate, auto, got "on"/,
  ],
  ['a DNS server by name', { DNS_SERVERS: 'dns.quad9.net' }, /^DNS_SERVERS must be IP addresses with commas/],
  ['a DNS server with port 0', { DNS_SERVERS: '9.9.9.9:0' }, /^DNS_SERVERS must be IP addresses/],
  ['spaces for commas', { DNS_SERVERS: '9.9.9.9 1.1.1.1' }, /^DNS_SERVERS must be IP addresses/],
  ['nothing but a comma', { DNS_SERVERS: ',' }, /^DNS_SERVERS must be IP addresses/],
  [
    'one address among others that is none',
    { EXPECTED_IPS: '203.0.113.7,203.0.113.256' },
    /^EXPECTED_IPS must be IPv4 or IPv6 addresses with commas between them \(entry 2 is wrong\), got .*; example: EXPECTED_IPS=203/,
  ],
  [
    'a probe without a place for the domain',
    { DNS_GATE_PROBE: 'http://example.org/#x' },
    /^DNS_GATE_PROBE must have \{domain\} as its whole host/,
  ],
  [
    'a probe with the domain in the expected text only',
    { DNS_GATE_PROBE: 'http://example.org/#{domain}' },
    /^DNS_GATE_PROBE must have \{domain\} as its whole host/,
  ],
  [
    'a probe whose text .env took for a comment',
    { DNS_GATE_PROBE: 'http://{domain}/x' },
    /^DNS_GATE_PROBE must end in # and the text .* quotes .*; example: DNS_GATE_PROBE="http/,
  ],
  [
    'a probe that the probe itself could not use',
    { DNS_GATE_PROBE: 'http://{domain}:99999/#x' },
    /^DNS_GATE_PROBE must be a URL/,
  ],
  [
    'a probe of another scheme',
    { DNS_GATE_PROBE: 'ftp://{domain}/#x' },
    /^DNS_GATE_PROBE must begin with http/,
  ],
  ['credentials in a probe', { DNS_GATE_PROBE: 'http://u:p@{domain}/#x' }, /^DNS_GATE_PROBE must not have/],
  ['a switch that is neither', { TLS_PROBE: 'yes' }, /^TLS_PROBE must be on or off/],
  [
    'an address without a port',
    { TLS_PROBE_ADDRESS: '203.0.113.7' },
    /^TLS_PROBE_ADDRESS must be a host and/,
  ],
  ['a bare IPv6 address', { TLS_PROBE_ADDRESS: '2001:db8::7' }, /^TLS_PROBE_ADDRESS must be a host and/],
  ['a port that is none', { TLS_PROBE_ADDRESS: 'a.example:70000' }, /^TLS_PROBE_ADDRESS must be a host and/],
  ['another environment', { SSL_INSTALL: 'letsencrypt-live' }, /^SSL_INSTALL must be off, letsencrypt, /],
  [
    'dns-01 without an integration',
    { SSL_INSTALL: 'letsencrypt-dns' },
    /^SSL_INSTALL must be .*example: SSL_INSTALL=letsencrypt$/,
  ],
  ['a name for an integration', { SSL_INSTALL: 'letsencrypt-dns:cloudflare' }, /^SSL_INSTALL must be /],
  ['no certificates at all', { LE_CERTIFICATES_PER_WEEK: '0' }, /from 1 to 5000, got "0"/],
];

test.each(problems)('%s is refused with the name, the reason and an example', (_, env, problem) => {
  expect(problemsOf(env)).toEqual([expect.stringMatching(problem)]);
  expect(problemsOf(env)[0]).toMatch(/; example: [A-Z_\d]+=\S/);
});

test('a file of certificate authorities that is not there is a problem at the start', () => {
  expect(problemsOf({ TLS_CA_FILE: '/nowhere/ca.pem' })).toEqual([
    'TLS_CA_FILE cannot be read: no such file, got "/nowhere/ca.pem"; example: TLS_CA_FILE=/etc/ssl/extra-ca.pem',
  ]);
});

test('a missing file of certificate authorities and a missing wp-config.php are told together', () => {
  const env = { TLS_CA_FILE: '/nowhere/ca.pem', WP_CONFIG: '/nowhere/wp-config.php' };
  expect(problemsOf(env).map((problem) => problem.split(' ')[0])).toEqual(['TLS_CA_FILE', 'WP_CONFIG']);
});

test('the Config holds the path of the certificate authorities, not what the file says', () => {
  const { config } = parseConfig({ TLS_CA_FILE: '/srv/ca.pem' }, { readFile: () => Buffer.from(pem) });
  expect(config.tls.caFile).toBe('/srv/ca.pem');
  expect(JSON.stringify(config)).not.toContain(pem.split('\n')[1]);
});

describe.each(['TLS_CA_FILE', 'REDIS_CA_FILE'])('%s', (name) => {
  const env = { REDIS_URL: 'rediss://r', [name]: '/srv/ca.pem' };
  const found = (text: string | Buffer) => problemsOf(env, () => Buffer.from(text));

  test('may hold several certificates, with text between them, in any encoding of text', () => {
    for (const text of [pem, `Root\n${pem}\r\n# other\n${pem}`, Buffer.from(`\ufeff${pem}`, 'utf16le')])
      expect(() => parseConfig(env, { readFile: () => Buffer.from(text) })).not.toThrow();
  });

  test.each([
    ['no PEM', 'hunter2'],
    ['a key alone', '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----'],
    ['nothing', ''],
    ['a certificate in DER', Buffer.from([0x30, 0x82, 0x01, 0x0a, 0x00])],
    ['a certificate that is cut off', pem.slice(0, 300)],
    ['a second certificate that is broken', `${pem}${pem.replace('MII', 'hunter2')}`],
  ])('is refused where it holds %s', (_, text) => {
    const problems = found(text);
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^${name} cannot be read: .*; example: `))]);
    expect(problems.join()).not.toContain('hunter2');
  });
});

test('REDIS_CA_FILE without TLS is refused', () => {
  const file = Buffer.from(pem);
  expect(problemsOf({ REDIS_CA_FILE: '/srv/ca.pem', REDIS_URL: 'redis://r' }, () => file)).toEqual([
    expect.stringMatching(
      /^REDIS_CA_FILE is set, but REDIS_URL begins with redis:\/\/, which has no TLS: .*; example: /,
    ),
  ]);
});
