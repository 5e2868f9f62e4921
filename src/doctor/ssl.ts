// What `doctor` says of a web application's certificates: of which kind they are, whether there is one, and whether RunCloud can renew them.

import { listed } from '../domains/sentences.ts';
import { type Code, codes } from '../errors.ts';
import { isByDns } from '../https/challenge.ts';
import { adviseHttp01 } from '../https/messages.ts';
import type { ZoneFinding } from '../probes/findings.ts';
import { AdvancedModeError } from '../runcloud/errors.ts';
import type { AttachedDomain, ListedCertificate, RunCloud, WebApplication } from '../runcloud/runcloud.ts';
import type { Finding } from './doctor.ts';

export interface SslPorts {
  readonly runcloud: RunCloud;
  readonly zone: (name: string) => Promise<ZoneFinding>;
}

const subject = 'ssl';
/** So many names are looked up: a person waits. */
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
  sentence: `advanced: one certificate per domain${autoSsl ? ', AutoSSL on' : ''}`,
});

async function basicKind({ runcloud }: SslPorts, app: WebApplication): Promise<Finding> {
  try {
    if (await runcloud.getCertificate(app))
      return { level: 'ok', subject, sentence: 'basic: one certificate for all domains' };
  } catch (error) {
    if (!(error instanceof AdvancedModeError)) throw error;
    const sentence = 'RunCloud says basic, but lists a certificate for each domain: treated as advanced';
    return { level: 'ok', subject, sentence };
  }
  const code: Code = 'no-certificate';
  const sentence = 'basic, and no certificate is installed';
  return { level: 'warn', subject, sentence, fix: codes[code].fix };
}

/** A certificate by dns-01 is not renewed any more once its DNS has moved away from where RunCloud can write. */
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
  const of = listed([moved, ...more].map(({ name }) => name));
  const sentence = `validated by dns-01, so RunCloud will not renew the certificate of ${of}: ${moved.sentence}`;
  return [{ level: 'warn', subject, sentence, fix: adviseHttp01(moved.name, advanced) }];
}
