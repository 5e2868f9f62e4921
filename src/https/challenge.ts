// Certificates that RunCloud validates by dns-01. It writes the records through a DNS integration, which stays beside the certificate
// if the domain's DNS moves. From then on RunCloud accepts every renewal and redeploy, and none succeeds. Pure.

import { inSentences } from '../domains/sentences.ts';
import { states } from '../domains/states.ts';
import type { ZoneFinding } from '../probes/findings.ts';
import type { Certificate } from '../runcloud/runcloud.ts';
import type { Drift } from './drift.ts';
import { cannotRenew } from './messages.ts';

export const isByDns = (certificate: Pick<Certificate, 'authorizationMethod'> | undefined): boolean =>
  certificate?.authorizationMethod === 'dns-01';

/** Undefined: dns-01 can do its work, or nobody knows. */
export function describeOutOfReach(
  zones: readonly ZoneFinding[],
  domain: string,
  isOwn: boolean,
): string | undefined {
  const moved = zones.find(({ verdict }) => verdict === 'out-of-reach');
  return moved && cannotRenew(moved, domain, isOwn);
}

/** What the monitor says of a certificate that cannot renew: while it is still valid, and once it is late. */
export function withOutOfReach(drift: Drift, problem: string): Drift {
  const { report } = drift;
  const sentence = inSentences(drift.sentence, problem);
  const reasonCode = 'renewal-blocked';
  if (report.state && states[report.state].isProven)
    return { ...drift, sentence, report: { ...report, reasonCode } };
  if (report.mustAct !== 'runcloud') return drift;
  return { ...drift, sentence, report: { ...report, reasonCode, mustAct: 'operator' } };
}
