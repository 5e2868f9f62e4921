// What to say of a certificate that RunCloud validates by dns-01: it writes the records through a DNS integration, which stays beside the
// certificate when the domain's DNS moves; from then on every renewal and redeploy is accepted, and none succeeds. Pure.

import { states } from '../domains/states.ts';
import type { ZoneFinding } from '../probes/findings.ts';
import type { Certificate } from '../runcloud/runcloud.ts';
import type { Drift } from './drift.ts';

export const isByDns = (certificate: Pick<Certificate, 'authorizationMethod'> | undefined): boolean =>
  certificate?.authorizationMethod === 'dns-01';

/** `isOwn`: the certificate is this domain's alone (advanced SSL). RunCloud's API is not known to switch one that domains share. */
export function adviseHttp01(domain: string, isOwn: boolean): string {
  const inRunCloud = 'switch the certificate to HTTP-01 in RunCloud';
  return isOwn ? `${inRunCloud}, or set SSL_SWITCH_TO_HTTP01=on and run \`redeploy ${domain}\`` : inRunCloud;
}

/** Of a certificate that was ordered, and did not come. */
export const describeByDns = (domain: string, isOwn: boolean): string =>
  `RunCloud validates it by dns-01, which fails once the DNS has moved: if it has, ${adviseHttp01(domain, isOwn)}`;

/** Undefined where dns-01 can do its work, or nobody knows. */
export function describeOutOfReach(
  zones: readonly ZoneFinding[],
  domain: string,
  isOwn: boolean,
): string | undefined {
  const moved = zones.find(({ verdict }) => verdict === 'out-of-reach');
  if (!moved) return undefined;
  return `the certificate will not renew: it is validated by dns-01, and ${moved.sentence}; ${adviseHttp01(domain, isOwn)}`;
}

/** The same while all is well still, and where the certificate is late already. */
export function withOutOfReach(watched: Drift, problem: string): Drift {
  const { sentence, report } = watched;
  if (report.state && states[report.state].isProven)
    return { ...watched, sentence: `${sentence}; but ${problem}` };
  if (report.mustAct !== 'runcloud') return watched;
  return { ...watched, sentence: `${sentence}; ${problem}`, report: { ...report, mustAct: 'operator' } };
}
