// Can a certificate that is validated by dns-01 be renewed? RunCloud writes the records into the
// zone by a DNS integration. The certificate keeps its integration when the domain's DNS moves.
// Pure.
import type { ZoneFinding } from './findings.ts';
import type { Answer } from './judge-dns.ts';
import * as messages from './messages.ts';
import type { Zone } from './queries.ts';
import { toShownName } from './shown-text.ts';

/**
 * The name servers of the providers that RunCloud's integrations can write to ([C]
 * aleksanderem/runcloud-mcp: service is cloudflare, linode or digitalocean). A zone with name
 * servers of its own name may be at one of them too.
 */
const PROVIDERS: readonly RegExp[] = [
  /\.ns\.cloudflare\.com$/,
  /^ns\d\.linode\.com$/,
  /^ns\d\.digitalocean\.com$/,
];
const MAX_SHOWN = 2;

const isWritable = (server: string): boolean => PROVIDERS.some((provider) => provider.test(server));

export function judgeZone(name: string, answer: Answer<Zone>): ZoneFinding {
  if (answer.kind !== 'found') {
    const code = answer.kind === 'failed' ? answer.code : undefined;
    return { name, verdict: 'unknown', sentence: messages.zoneQueryFailed(name, code) };
  }
  const { at, servers } = answer.value;
  const shown = servers.slice(0, MAX_SHOWN).map(toShownName);
  if (servers.some(isWritable))
    return { name, verdict: 'within-reach', sentence: messages.zoneWithinReach(toShownName(at), shown) };
  if (servers.some((server) => server.endsWith(`.${at}`)))
    return { name, verdict: 'unknown', sentence: messages.zoneProviderUnknown(name, shown) };
  return { name, verdict: 'out-of-reach', sentence: messages.zoneOutOfReach(toShownName(at), shown) };
}
