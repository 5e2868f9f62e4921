// Can a certificate that is validated by dns-01 be renewed? RunCloud writes the records into the zone by a DNS integration, which stays
// beside the certificate when the domain's DNS moves. Pure.
import type { ZoneFinding } from './findings.ts';
import type { Answer } from './judge-dns.ts';
import type { Zone } from './questions.ts';
import { toShownName } from './shown-text.ts';

/**
 * Whom RunCloud's integrations can write to, by the names of their servers ([C] aleksanderem/runcloud-mcp: service is cloudflare,
 * linode or digitalocean). A zone with name servers of its own name may be at one of them all the same.
 */
const PROVIDERS: readonly RegExp[] = [
  /\.ns\.cloudflare\.com$/,
  /^ns\d\.linode\.com$/,
  /^ns\d\.digitalocean\.com$/,
];
const MAX_SHOWN = 2;

const isOurs = (server: string): boolean => PROVIDERS.some((provider) => provider.test(server));

export function judgeZone(name: string, answer: Answer<Zone>): ZoneFinding {
  if (answer.kind !== 'found') {
    const why = answer.kind === 'failed' ? ` (${answer.code})` : '';
    return { name, verdict: 'unknown', sentence: `who serves the DNS of ${name} could not be asked${why}` };
  }
  const { at, servers } = answer.value;
  const shown = servers.slice(0, MAX_SHOWN).map(toShownName).join(' and ');
  if (servers.some(isOurs))
    return { name, verdict: 'within-reach', sentence: `the DNS of ${toShownName(at)} is at ${shown}` };
  if (servers.some((server) => server.endsWith(`.${at}`)))
    return {
      name,
      verdict: 'unknown',
      sentence: `who serves the DNS of ${name} cannot be told from ${shown}`,
    };
  return {
    name,
    verdict: 'out-of-reach',
    sentence: `the DNS of ${toShownName(at)} is at ${shown}, where RunCloud cannot set the records of dns-01`,
  };
}
