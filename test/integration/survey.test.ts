// doctor --survey against the simulator: it names exactly the switches that were set, and its report holds nothing of the account.
import { describe, expect, test } from '@jest/globals';
import {
  createSimulator,
  PLANTED_SECRETS,
  type Seed,
  type Simulator,
  type SimulatorOptions,
  VARIANT_CASES,
  VARIANT_TABLE,
  type VariantName,
  type Variants,
} from '../../packages/simulator/src/index.ts';
import { surveyEnds } from '../../src/doctor/messages.ts';
import { toText } from '../../src/doctor/report.ts';
import { REQUESTS, type StopCode, type Survey, survey } from '../../src/doctor/survey.ts';
import { createRawCalls } from '../../src/runcloud/raw-calls.ts';

type Version = 'v2' | 'v3';

const IDN = 'xn--bcher-kva.example';
/** Basic SSL with 45 domains, basic SSL without a certificate, and advanced SSL where one domain has none. */
const APPS = [646, 647, 648];
const seed: Seed = {
  webapps: [
    { id: 646, domains: [IDN], domainCount: 43 },
    { id: 647, certificate: 'none', domains: ['bare.example.net'] },
    { id: 648, advancedSsl: true, domains: ['own.example.net'] },
  ],
};

/** What readings can tell; all other switches are about writes, limits, or what nobody outside can see. */
const READABLE = new Set<VariantName>([
  ...([
    'metaShape',
    'metaLinks',
    'defaultPerPage',
    'perPageRequested',
    'perPageOver40',
    'domainSearch',
  ] as const),
  ...([
    'listOrder',
    'logOrder',
    'singleObjects',
    'booleans',
    'numbers',
    'domainFields',
    'domainStatus',
  ] as const),
  ...([
    'idnReply',
    'errorBody',
    'contentTypeOn',
    'rateLimitHeaders',
    'sslShape',
    'noSsl',
    'sslRowsPaged',
  ] as const),
  ...(['sslDates', 'advancedStatus', 'domainSslInBasicMode', 'domainSslShape', 'noDomainSsl'] as const),
]);
/** A page of HTML comes with a 5xx only, which nobody can ask for. */
const HIDDEN = ['errorBody=html'];

interface Bench extends AsyncDisposable {
  readonly simulator: Simulator;
  run(appId: number, version?: Version): Promise<Survey>;
}

async function createBench(options: SimulatorOptions = {}): Promise<Bench> {
  let clock = Date.parse('2026-11-27T12:00:00Z');
  const simulator = await createSimulator({ seed, rateLimit: 600, now: () => clock, ...options });
  for (const webapp of APPS) {
    for (const content of ['first', 'second']) {
      simulator.log({ content: `${content} of shop.example.net`, webapp });
      clock += 60_000;
    }
  }
  return {
    simulator,
    async run(appId, version = 'v3') {
      const { token } = simulator.credentials;
      const url = `${simulator.url}/api/${version}`;
      const calls = createRawCalls({ url, timeoutMs: 5000, credentials: { kind: 'token', token } });
      try {
        return await survey({ serverId: 1903, appId }, { calls, version });
      } finally {
        calls.close();
      }
    },
    [Symbol.asyncDispose]: () => simulator.close(),
  };
}

/** What of all three surveys the simulator would not answer by itself. */
async function findDiffering(version: Version, variants: Partial<Variants>): Promise<Record<string, string>> {
  await using bench = await createBench({ variants });
  const found: Record<string, string> = {};
  for (const appId of APPS) {
    const { switches, stopped } = await bench.run(appId, version);
    expect(stopped).toBeUndefined();
    for (const [name, value] of Object.entries(switches)) {
      const [usual] = VARIANT_TABLE[name as VariantName].values;
      if (value !== usual) found[name] = value;
    }
  }
  return found;
}

describe.each(['v2', 'v3'] as const)('%s', (version) => {
  // What cannot be read is the same for both versions.
  const cases = VARIANT_CASES.filter(({ name }) => version === 'v3' || READABLE.has(name));
  test.each(cases.map((one) => [`${one.name}=${one.value}`, one] as const))(
    'with %s the survey names that and nothing else',
    async (text, { name, value }) => {
      const isUsual = value === VARIANT_TABLE[name].values[0];
      const isSeen = READABLE.has(name) && !HIDDEN.includes(text) && !isSame(version, name, value);
      const expected = isUsual || !isSeen ? {} : { [name]: value };
      expect(await findDiffering(version, { [name]: value })).toEqual(expected);
    },
  );

  test.each<Partial<Variants>>([
    { metaShape: 'none', perPageRequested: 'ignored', defaultPerPage: '15', sslRowsPaged: 'paged' },
    { metaShape: 'laravel', listOrder: 'newest-first', numbers: 'strings', domainFields: 'without-type' },
    { singleObjects: 'wrapped', domainSslShape: 'nested', booleans: 'numbers', sslDates: 'unix' },
    { metaLinks: 'array', perPageOver40: '422', contentTypeOn: 'every-request', errorBody: 'empty' },
  ])('with %j it names them all', async (variants) => {
    const shown = Object.entries(variants).filter(([name]) => version === 'v3' || !/sslRowsPaged/.test(name));
    expect(await findDiffering(version, variants)).toEqual(Object.fromEntries(shown));
  });

  test('every switch that it names is one of the simulator’s, and nearly all that can be read are settled', async () => {
    await using bench = await createBench();
    const names = new Set<string>();
    for (const appId of APPS)
      for (const [name, value] of Object.entries((await bench.run(appId, version)).switches)) {
        names.add(name);
        expect(VARIANT_TABLE[name as VariantName].values).toContain(value);
      }
    const rows = version === 'v3' ? [] : ['sslRowsPaged'];
    expect([...READABLE].filter((name) => !names.has(name) && !rows.includes(name))).toEqual([]);
  });
});

/** What one version answers so by itself, and what looks the same on the wire. */
function isSame(version: Version, name: VariantName, value: string): boolean {
  const same: Record<Version, string[]> = {
    v2: ['sslShape=flat', 'noSsl=message-200', 'sslRowsPaged=paged'],
    v3: ['sslShape=nested', 'noSsl=rows-null'],
  };
  return same[version].includes(`${name}=${value}`);
}

describe('the survey', () => {
  test('only reads, and no more than it says', async () => {
    await using bench = await createBench();
    await bench.run(648);
    const { calls } = bench.simulator.state;
    expect(calls.every(({ method }) => method === 'GET')).toBe(true);
    expect(calls.length).toBeLessThanOrEqual(REQUESTS.length);
  });

  test('stops while calls remain for the workers, and says why; what it saw until then is kept', async () => {
    await using bench = await createBench({ rateLimit: 24 });
    const { stopCode, stopped, observations } = await bench.run(646);
    expect([stopCode, stopped]).toEqual(['few-calls', surveyEnds.fewCalls(19)]);
    expect(observations).toHaveLength(5);
    expect(bench.simulator.state.calls).toHaveLength(5);
  });

  test.each<[string, Parameters<Simulator['addFault']>[0], StopCode, number]>([
    ['401', { kind: 'status', status: 401, operation: 'ping' }, 'refused', 1],
    ['a firewall', { kind: 'firewall', operation: 'ping' }, 'refused', 1],
    ['silence', { kind: 'drop-before', operation: 'ping' }, 'no-answer', 1],
    ['429', { kind: 'status', status: 429, operation: 'get-server' }, 'rate-limited', 3],
  ])('stops at %s', async (_, fault, stopCode, calls) => {
    await using bench = await createBench();
    bench.simulator.addFault(fault);
    expect(await bench.run(646)).toMatchObject({ stopCode });
    expect(bench.simulator.state.calls).toHaveLength(calls);
  });

  test('goes on where one reading breaks, and concludes nothing from it', async () => {
    for (const kind of ['html', 'truncated-json', 'drop-after', 'firewall'] as const) {
      await using bench = await createBench();
      for (const operation of ['list-domains', 'get-ssl', 'get-advanced-ssl', 'get-server'] as const)
        bench.simulator.addFault({ kind, operation, times: 'always' });
      const { switches, stopped } = await bench.run(646);
      expect(stopped).toBeUndefined();
      for (const name of ['metaShape', 'sslShape', 'noSsl', 'advancedStatus', 'singleObjects'])
        expect(switches).not.toHaveProperty(name);
    }
  });
});

test('the report holds no name, id, address, secret or other value of the account', async () => {
  await using bench = await createBench({ variants: { nameCase: 'as-sent' } });
  for (const version of ['v2', 'v3'] as const) {
    for (const appId of APPS) {
      const { observations, switches } = await bench.run(appId, version);
      const text = toText({
        report: 'survey',
        version: '0.1.0',
        api: version,
        stopped: null,
        switches,
        observations,
      });
      const { servers, webapps } = bench.simulator.state.snapshot();
      const values = [
        ...Object.values(PLANTED_SECRETS),
        ...servers.flatMap(({ id, name, ipAddress }) => [String(id), name, ipAddress]),
        ...webapps.flatMap(({ id, name }) => [String(id), name]),
        ...webapps.flatMap(({ domains }) => domains.flatMap(({ id, name }) => [String(id), name])),
        ...webapps
          .flatMap(({ certificates }) => certificates.map(({ id }) => `${id}`))
          .filter((id) => id.length > 2),
        ...['first of', 'second of', 'letsencrypt', 'Akamai', bench.simulator.url, '2026-'],
      ];
      for (const value of values) expect(text).not.toContain(value);
      expect(text).toContain('"data[].name": "text"');
      expect(text).toContain('"pullKey1": "text"');
    }
  }
});
