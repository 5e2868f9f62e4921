// The findings of doctor about RunCloud: the kind of SSL, and certificates that RunCloud will not renew.
import { describe, expect, test } from '@jest/globals';
import { createSimulator, type EdgedSimulator, type SeedWebapp } from '../../packages/simulator/src/index.ts';
import { examine, type Finding } from '../../src/doctor/doctor.ts';
import { sslKinds } from '../../src/doctor/messages.ts';
import { createDnsProbe } from '../../src/probes/dns.ts';
import { createRunCloud } from '../../src/runcloud/client.ts';

const SHOP = 'shop.example.com';

async function examineSsl(
  webapp: SeedWebapp,
  prepare: (simulator: EdgedSimulator) => void,
): Promise<Finding[]> {
  await using simulator = await createSimulator({ edge: true, rateLimit: 0, seed: { webapps: [webapp] } });
  prepare(simulator);
  const { token } = simulator.credentials;
  const runcloud = createRunCloud({
    url: `${simulator.url}/api/v3`,
    version: 'v3',
    credentials: { kind: 'token', token },
    timeoutMs: 5000,
  });
  const app = { serverId: 1903, appId: 646 };
  const { zone } = createDnsProbe({ servers: [simulator.edge.dnsAddress] });
  try {
    const findings: Finding[] = [];
    for await (const finding of examine({ checkRedis: async () => [], runcloud, token, app, zone }, 'all'))
      if (finding.subject === 'ssl') findings.push(finding);
    return findings;
  } finally {
    runcloud.close();
  }
}

describe('a certificate by dns-01', () => {
  const moved = (simulator: EdgedSimulator) =>
    simulator.setDns('example.com', { ns: ['ns1.elsewhere.example'] });
  const dns01 = { authorizationMethod: 'dns-01', domains: [SHOP], covers: 'all' } as const;

  test.each([true, false])(
    'whose DNS has moved will not be renewed (advanced SSL: %s)',
    async (advancedSsl) => {
      const [kind, renewal, ...more] = await examineSsl({ ...dns01, advancedSsl }, moved);
      expect([kind?.level, renewal?.level, more]).toEqual(['ok', 'warn', []]);
      expect(renewal?.sentence).toMatch(/shop\.example\.com.*ns1\.elsewhere\.example/);
      expect(renewal?.fix?.includes('SSL_SWITCH_TO_HTTP01=on')).toBe(advancedSsl);
    },
  );

  test('whose DNS is where RunCloud can write is no finding, nor is one by http-01', async () => {
    expect(await examineSsl(dns01, () => undefined)).toHaveLength(1);
    expect(await examineSsl({ ...dns01, authorizationMethod: 'http-01' }, moved)).toHaveLength(1);
  });
});

test('certificates of their own prove advanced SSL, whatever RunCloud’s mode says', async () => {
  const [kind, ...more] = await examineSsl(
    { advancedSsl: true, covers: 'all', domains: [SHOP] },
    (simulator) =>
      simulator.addFault({
        kind: 'status',
        status: 404,
        body: { message: 'no' },
        operation: 'get-advanced-ssl',
      }),
  );
  expect([kind?.level, kind?.sentence, more]).toEqual(['ok', sslKinds.contradictory, []]);
});
