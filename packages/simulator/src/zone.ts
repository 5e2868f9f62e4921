// The simulated DNS as a function: a question, and what the whole of the DNS would say. Pure; the socket is in
// dns.ts, and Let's Encrypt queries it without one.
import type { CaaRecord, ZoneEntry } from './dns-records.ts';
import type { Settings } from './settings.ts';
import type { World } from './world.ts';
import { domainNamed } from './world.ts';

export type DnsAnswer =
  | { name: string; type: 'A' | 'AAAA' | 'CNAME' | 'NS'; data: string }
  | { name: string; type: 'CAA'; data: Required<CaaRecord> };

export interface Resolution {
  outcome: 'noerror' | 'nxdomain' | 'servfail' | 'silent';
  answers: DnsAnswer[];
}

export interface ZoneParts {
  world: World;
  settings: Settings;
}

const MAX_CNAMES = 8;

/**
 * Follows CNAMEs as a resolver would; the end of the chain decides the outcome (RFC 2308, section 2.1). A name
 * that is only the parent of another is not known: here nobody needs the difference.
 */
export function resolve(parts: ZoneParts, question: string, type: string): Resolution {
  const chain: DnsAnswer[] = [];
  let name = question.toLowerCase();
  while (chain.length <= MAX_CNAMES) {
    const entry = entryOf(parts, name);
    if (entry === null) return { outcome: 'nxdomain', answers: chain };
    if (entry.fails !== null) return { outcome: entry.fails, answers: [] };
    if (entry.cname === null) {
      return { outcome: 'noerror', answers: [...chain, ...toAnswers(name, entry, type)] };
    }
    chain.push({ name, type: 'CNAME', data: entry.cname });
    if (type === 'CNAME') return { outcome: 'noerror', answers: chain };
    name = entry.cname;
  }
  return { outcome: 'servfail', answers: [] };
}

function toAnswers(name: string, { a, aaaa, caa, ns }: ZoneEntry, type: string): DnsAnswer[] {
  if (type === 'A') return a.map((data) => ({ name, type, data }));
  if (type === 'AAAA') return aaaa.map((data) => ({ name, type, data }));
  if (type === 'NS') return ns.map((data) => ({ name, type, data }));
  if (type === 'CAA') return caa.map((data) => ({ name, type, data }));
  return [];
}

function entryOf({ world, settings }: ZoneParts, name: string): ZoneEntry | null {
  const known = world.dns.get(name);
  if (known !== undefined) return known;
  const address = settings.defaultDns === 'server' ? addressFor(world, name) : null;
  return address === null ? null : { a: [address], aaaa: [], cname: null, caa: [], ns: [], fails: null };
}

/** The address of the server that the name is attached to; of the first one where it is attached to none. */
function addressFor(world: World, name: string): string | null {
  const domain = domainNamed(world, name);
  const webapp = world.webapps.find(({ id }) => id === domain?.webappId);
  const server = world.servers.find(({ id }) => id === webapp?.serverId) ?? world.servers[0];
  return server?.ipAddress ?? null;
}
