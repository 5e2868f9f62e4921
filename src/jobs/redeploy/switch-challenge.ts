// SSL_SWITCH_TO_HTTP01: a certificate that dns-01 cannot renew any more is validated by http-01 from the next order on.

import { namesOf } from '../../domains/names.ts';
import { TransientError } from '../../errors.ts';
import { isByDns } from '../../https/challenge.ts';
import { underLease } from '../../lease/lease.ts';
import type { AttachedDomain, Certificate } from '../../runcloud/runcloud.ts';
import { stillByDns } from './messages.ts';
import type { RedeployPorts, RedeployWork } from './work.ts';

/** The certificate as RunCloud has it then. It is unchanged if there is nothing to switch, or another run writes. */
export async function switchChallenge(
  domain: AttachedDomain,
  certificate: Certificate,
  failures: number,
  work: RedeployWork,
  ports: RedeployPorts,
): Promise<Certificate> {
  if (!(await isStuck(domain, certificate, failures, work, ports))) return certificate;
  const { app, jobId, calls } = work;
  const write = { key: app, jobId, kind: 'order' } as const;
  const { fate } = await underLease(ports.certificates, write, calls, (options) =>
    ports.runcloud.switchDomainToHttp01(app, domain, certificate, options),
  );
  if (fate !== 'written') return certificate;
  const now = await ports.runcloud.getDomainCertificate(app, domain, calls);
  if (now && !isByDns(now)) return now;
  throw Object.assign(new TransientError('runcloud-rejected', stillByDns(domain.name)), {
    mustAct: 'operator',
  });
}

/** No http-01 for a wildcard: Let's Encrypt validates those by dns-01 only (letsencrypt.org/docs/challenge-types). */
async function isStuck(
  domain: AttachedDomain,
  certificate: Certificate,
  failures: number,
  { calls }: RedeployWork,
  { settings, probe }: RedeployPorts,
): Promise<boolean> {
  if (!settings.switchToHttp01 || !isByDns(certificate) || domain.name.startsWith('*.')) return false;
  if (failures > 0) return true;
  const zones = (await probe?.zones(namesOf([domain]), calls)) ?? [];
  return zones.some(({ verdict }) => verdict === 'out-of-reach');
}
