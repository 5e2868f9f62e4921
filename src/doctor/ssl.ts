// The findings of `doctor` about a web application's certificates: their kind, and whether RunCloud
// can renew them.

import { type Code, codes } from '../errors.ts';
import { isByDns } from '../https/challenge.ts';
import { adviseHttp01 } from '../https/messages.ts';
import type { ZoneFinding } from '../probes/findings.ts';
import { AdvancedModeError } from '../runcloud/errors.ts';
import type { AttachedDomain, ListedCertificate, RunCloud, WebApplication } from '../runcloud/runcloud.ts';
import type { Finding } from './doctor.ts';
import * as messages from './messages.ts';

export interface SslPorts {
  readonly runcloud: RunCloud;
  readonly zone: (name: string) => Promise<ZoneFinding>;
}

const subject = 'ssl';
/** So many names are queried: a person waits. */
const MAX_NAMES = 20;

export async function checkSsl(
  ports: SslPorts,
  app: WebApplication,
  domains: readonly AttachedDomain[],
): Promise<Finding[]> {
  const { advanced, autoSsl } = await ports.runcloud.getSslMode(app);
  const kind = advanced ? advancedKind(autoSsl) : await basicKind(ports, app);
  if (kind.level !== 'ok') return [kind];
  const certificates = await ports.runcloud.listCertificates(app);
  return [kind, ...(await checkRenewal(ports, certificates, { domains, advanced }))];
}

const advancedKind = (autoSsl: boolean): Finding => ({
  level: 'ok',
  subject,
  sentence: messages.sslKinds.advanced(autoSsl),
});

async function basicKind({ runcloud }: SslPorts, app: WebApplication): Promise<Finding> {
  try {
    if (await runcloud.getCertificate(app))
      return { level: 'ok', subject, sentence: messages.sslKinds.basic };
  } catch (error) {
    if (!(error instanceof AdvancedModeError)) throw error;
    return { level: 'ok', subject, sentence: messages.sslKinds.contradictory };
  }
  const code: Code = 'no-certificate';
  return { level: 'warn', subject, sentence: messages.sslKinds.none, fix: codes[code].fix };
}

/** RunCloud cannot renew a certificate by dns-01 once its DNS has moved to another provider. */
async function checkRenewal(
  { zone }: SslPorts,
  certificates: readonly ListedCertificate[],
  { domains, advanced }: { readonly domains: readonly AttachedDomain[]; readonly advanced: boolean },
): Promise<Finding[]> {
  const byDns = certificates.filter(({ certificate }) => isByDns(certificate));
  const names = byDns.flatMap(({ domainName }) => domainName ?? domains.map(({ name }) => name));
  const zones = await Promise.all([...new Set(names)].slice(0, MAX_NAMES).map((name) => zone(name)));
  const [moved, ...more] = zones.filter(({ verdict }) => verdict === 'out-of-reach');
  if (!moved) return [];
  const sentence = messages.willNotRenew(
    [moved, ...more].map(({ name }) => name),
    moved.sentence,
  );
  return [{ level: 'warn', subject, sentence, fix: adviseHttp01(moved.name, advanced) }];
}
