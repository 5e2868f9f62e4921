// When a certificate by dns-01 is switched to http-01 before its order. The writes themselves are tested with the simulator.
import { expect, test } from '@jest/globals';
import { switchChallenge } from '../../src/jobs/redeploy/switch-challenge.ts';
import type { RedeployPorts, RedeployWork } from '../../src/jobs/redeploy/work.ts';
import type { ZoneFinding } from '../../src/probes/findings.ts';

const byDns = { id: 88, method: 'letsencrypt', validUntil: undefined, authorizationMethod: 'dns-01' };
const byHttp = { ...byDns, authorizationMethod: 'http-01' };

interface Case {
  readonly name?: string;
  readonly on?: boolean;
  readonly failures?: number;
  readonly zone?: ZoneFinding['verdict'] | 'not checked';
  readonly before?: typeof byDns;
}

async function isSwitched({
  name = 'shop.example.org',
  on = true,
  failures = 0,
  zone = 'unknown',
  before = byDns,
}: Case) {
  let switched = false;
  const domain = { id: 7, name, type: undefined, www: undefined, redirection: undefined };
  const ports = {
    runcloud: {
      switchDomainToHttp01: async () => {
        switched = true;
      },
      getDomainCertificate: async () => byHttp,
    },
    certificates: {
      beginWrite: async () => 'acquired',
      renewWrite: async () => true,
      endWrite: async () => 0,
    },
    settings: { switchToHttp01: on },
    probe:
      zone === 'not checked' ? undefined : { zones: async () => [{ name, verdict: zone, sentence: '' }] },
  } as unknown as RedeployPorts;
  const work = { app: { serverId: 1903, appId: 646 }, jobId: 'job', calls: {} } as RedeployWork;
  const after = await switchChallenge(domain, before, failures, work, ports);
  expect(after).toBe(switched ? byHttp : before);
  return switched;
}

test.each<[string, Case, boolean]>([
  ['its DNS is out of reach', { zone: 'out-of-reach' }, true],
  ['its last order failed', { failures: 1, zone: 'within-reach' }, true],
  ['its last order failed, and DNS is not checked', { failures: 1, zone: 'not checked' }, true],
  ['its DNS is within reach', { zone: 'within-reach' }, false],
  ['nobody knows where its DNS is', { zone: 'unknown' }, false],
  ['DNS is not checked', { zone: 'not checked' }, false],
  ['the setting is off', { on: false, failures: 1, zone: 'out-of-reach' }, false],
  ['it is by http-01', { before: byHttp, failures: 1 }, false],
  ['it is a wildcard, which http-01 cannot validate', { name: '*.example.org', failures: 1 }, false],
])('%s: %j -> %s', async (_, given, expected) => {
  expect(await isSwitched(given)).toBe(expected);
});
