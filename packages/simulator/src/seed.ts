// Builds the world a simulator starts with. Every field has a default: server 1903, web application 646 with
// a primary domain and a basic Let's Encrypt certificate for it. Addresses are of the documentation ranges.
import type { DnsRecord } from './dns-records.ts';
import { parseZone } from './dns-records.ts';
import type { Settings } from './settings.ts';
import { toLifetimeMs } from './settings.ts';
import type { Domain, DomainType, Redirection, Webapp, World } from './world.ts';
import { addCertificate, addDomain, domainsOf, namesOf } from './world.ts';

export const DEFAULT_SERVER_ID = 1903;
export const DEFAULT_WEBAPP_ID = 646;
export const DEFAULT_IP_ADDRESS = '203.0.113.7';
export const DEFAULT_PRIMARY_DOMAIN = 'network.example.org';

export interface SeedServer {
  id?: number;
  name?: string;
  ipAddress?: string;
  connected?: boolean;
  online?: boolean;
}

export interface SeedDomain {
  name: string;
  type?: DomainType;
  www?: boolean;
  redirection?: Redirection;
}

export interface SeedWebapp {
  id?: number;
  serverId?: number;
  name?: string;
  /** null: none. Default network.example.org for web application 646, primary-{id}.example.org for others. */
  primaryDomain?: string | null;
  domains?: readonly (string | SeedDomain)[];
  /** That many more aliases, customer-{id}-1.example.com and so on, after `domains`. */
  domainCount?: number;
  certificate?: 'letsencrypt' | 'custom' | 'none';
  /** Names on the certificate: the primary's (default) or those of all domains. */
  covers?: 'primary' | 'all';
  /** Of its certificates; dns-01 comes with integration 5. */
  authorizationMethod?: 'http-01' | 'dns-01';
  advancedSsl?: boolean;
  autoSsl?: boolean;
}

export interface Seed {
  servers?: readonly SeedServer[];
  webapps?: readonly SeedWebapp[];
  /** What the DNS says at the start, by name. What unknown names say is the setting `defaultDns`. */
  dns?: Readonly<Record<string, DnsRecord>>;
}

export function createWorld(seed: Seed, now: number, settings: Settings): World {
  const world: World = {
    servers: (seed.servers ?? [{}]).map((server) => toServer(server, now)),
    webapps: [],
    domains: [],
    certificates: [],
    orders: [],
    log: [],
    dns: parseZone(seed.dns ?? {}),
    lies: new Map(),
    nextDomainId: 4711,
    nextCertificateId: 88,
    pastDomains: [],
  };
  for (const webapp of seed.webapps ?? [{}]) seedWebapp(world, webapp, now, toLifetimeMs(settings));
  return world;
}

function toServer(seed: SeedServer, now: number): World['servers'][number] {
  const server = { name: 'box-1', ipAddress: DEFAULT_IP_ADDRESS, connected: true, online: true };
  return { id: DEFAULT_SERVER_ID, ...server, createdAt: now, ...seed };
}

function seedWebapp(world: World, seed: SeedWebapp, now: number, lifetimeMs: number): void {
  const id = seed.id ?? DEFAULT_WEBAPP_ID;
  const webapp: Webapp = {
    id,
    serverId: seed.serverId ?? DEFAULT_SERVER_ID,
    name: seed.name ?? `app-${id}`,
    advancedSsl: seed.advancedSsl ?? false,
    autoSsl: seed.autoSsl ?? false,
    createdAt: now,
  };
  world.webapps.push(webapp);
  for (const domain of seededDomains(seed, id)) addDomain(world, toDomain(domain, id, now));
  if (seed.certificate !== 'none') seedCertificates(world, webapp, seed, { now, lifetimeMs });
}

function seededDomains(seed: SeedWebapp, id: number): SeedDomain[] {
  const fallback = id === DEFAULT_WEBAPP_ID ? DEFAULT_PRIMARY_DOMAIN : `primary-${id}.example.org`;
  const primary = seed.primaryDomain === undefined ? fallback : seed.primaryDomain;
  const more = Array.from(
    { length: seed.domainCount ?? 0 },
    (_, at) => `customer-${id}-${at + 1}.example.com`,
  );
  const named = [...(seed.domains ?? []), ...more];
  const aliases = named.map((domain) => (typeof domain === 'string' ? { name: domain } : domain));
  return primary === null ? aliases : [{ name: primary, type: 'primary' }, ...aliases];
}

export function toDomain(seed: SeedDomain, webappId: number, now: number): Omit<Domain, 'id'> {
  return { webappId, createdAt: now, type: 'alias', www: false, redirection: 'none', ...seed };
}

/** What was there before is older than what comes: RunCloud's dates, in whole seconds, tell the two apart. */
const SEEDED_AGE_MS = 10_000;

function seedCertificates(
  world: World,
  webapp: Webapp,
  seed: SeedWebapp,
  { now, lifetimeMs }: { now: number; lifetimeMs: number },
): void {
  const issuedAt = now - Math.min(SEEDED_AGE_MS, lifetimeMs / 10);
  const all = domainsOf(world, webapp.id);
  const covered = seed.covers === 'all' ? all : all.filter(({ type }) => type === 'primary');
  const groups = webapp.advancedSsl ? covered.map((domain) => [domain]) : [covered];
  for (const domains of groups) {
    addCertificate(world, {
      webappId: webapp.id,
      domainId: webapp.advancedSsl ? (domains[0]?.id ?? null) : null,
      provider: seed.certificate === 'custom' ? 'custom' : 'letsencrypt',
      names: namesOf(domains),
      issuedAt,
      lifetimeMs,
      createdAt: issuedAt,
      enableHttp: true,
      enableHsts: false,
      authorizationMethod: seed.authorizationMethod ?? 'http-01',
      staging: false,
      sslProtocolId: 2,
      apiId: seed.authorizationMethod === 'dns-01' ? 5 : null,
    });
  }
}
