// What the simulated RunCloud account has: servers, web applications, domains, certificates, orders; and what
// lies behind it: the DNS, and what is shown instead of a certificate. Plain data and searches; knows nothing of
// HTTP, of variants or of how a reply is written.
import type { Zone } from './dns-records.ts';
import type { Lie } from './lies.ts';

export type DomainType = 'alias' | 'primary' | 'redirect';
export type Redirection = 'none' | 'www' | 'non-www';
export type CertificateProvider = 'letsencrypt' | 'custom' | 'csr';

export interface Server {
  id: number;
  name: string;
  ipAddress: string;
  connected: boolean;
  online: boolean;
  createdAt: number;
}

export interface Webapp {
  id: number;
  serverId: number;
  name: string;
  advancedSsl: boolean;
  autoSsl: boolean;
  createdAt: number;
}

export interface Domain {
  id: number;
  webappId: number;
  name: string;
  type: DomainType;
  www: boolean;
  redirection: Redirection;
  createdAt: number;
}

export interface Certificate {
  id: number;
  webappId: number;
  /** null: the one certificate of a web application in basic mode. */
  domainId: number | null;
  provider: CertificateProvider;
  /** What it covers now; RunCloud's own replies never tell (reference section 5). */
  names: string[];
  issuedAt: number | null;
  /** From the issuance to the end of validity. */
  lifetimeMs: number;
  createdAt: number;
  enableHttp: boolean;
  enableHsts: boolean;
  authorizationMethod: string;
  staging: boolean;
  sslProtocolId: number;
  /** RunCloud's id of the DNS integration, for dns-01. */
  apiId: number | null;
}

export type LogKind = 'Info' | 'Warning' | 'High Priority Info';

/** A line of the web application's activity log. */
export interface LogEntry {
  webappId: number;
  kind: LogKind;
  content: string;
  createdAt: number;
}

/** Let's Encrypt's limits (reference section 9). */
export type Limit = 'certificatesPerWeek' | 'duplicatesPerWeek' | 'failuresPerHour' | 'namesPerCertificate';

export interface Order {
  certificate: Certificate;
  names: string[];
  orderedAt: number;
  readyAt: number;
  status: 'pending' | 'issued' | 'failed' | 'cancelled';
  /** Names that could not be validated, or that a limit refused; an issued order has left them out. */
  failedNames: string[];
  /** null: no limit prevented it. */
  refusedBy: Limit | null;
  /** The same exact set was issued before. */
  isRenewal: boolean;
}

export interface World {
  servers: Server[];
  webapps: Webapp[];
  domains: Domain[];
  certificates: Certificate[];
  orders: Order[];
  log: LogEntry[];
  dns: Zone;
  /** By lower-case name. */
  lies: Map<string, Lie>;
  nextDomainId: number;
  nextCertificateId: number;
  /** How the domains stood until each of the last changes by the API, the oldest first. */
  pastDomains: { until: number; domains: Domain[] }[];
}

const REMEMBERED_CHANGES = 500;

/** Called before the API changes domains. */
export function rememberDomains(world: World, now: number): void {
  world.pastDomains.push({ until: now, domains: structuredClone(world.domains) });
  if (world.pastDomains.length > REMEMBERED_CHANGES) world.pastDomains.shift();
}

/** A web application's domains as they stood at a time. */
export function domainsAt(world: World, webappId: number, at: number): Domain[] {
  const past = world.pastDomains.find(({ until }) => until > at);
  return (past?.domains ?? world.domains).filter((domain) => domain.webappId === webappId);
}

export const domainsOf = (world: World, webappId: number): Domain[] =>
  world.domains.filter((domain) => domain.webappId === webappId);

export const certificatesOf = (world: World, webappId: number): Certificate[] =>
  world.certificates.filter((certificate) => certificate.webappId === webappId);

export const basicCertificateOf = (world: World, webappId: number): Certificate | undefined =>
  certificatesOf(world, webappId).find((certificate) => certificate.domainId === null);

export const domainCertificateOf = (world: World, domainId: number): Certificate | undefined =>
  world.certificates.find((certificate) => certificate.domainId === domainId);

/** The www twin is a name of its own: it needs its own DNS and its own place in the certificate (section 5). */
export function namesOf(domains: readonly Domain[]): string[] {
  const names = domains.flatMap(({ name, www }) => (www ? [name, `www.${name}`] : [name]));
  return [...new Set(names.map((name) => name.toLowerCase()))];
}

/** The attached domain that answers to a lower-case name: its own, or its www twin. */
export function domainNamed(world: World, name: string): Domain | undefined {
  const bare = name.startsWith('www.') ? name.slice(4) : null;
  return world.domains.find((domain) => {
    const own = domain.name.toLowerCase();
    return own === name || (domain.www && own === bare);
  });
}

export function coveredNamesOf(world: World, webappId: number): string[] {
  return [...new Set(certificatesOf(world, webappId).flatMap(({ names }) => names))];
}

export function addDomain(world: World, domain: Omit<Domain, 'id'>): Domain {
  // A second primary makes an alias of the first: a web application has one [I].
  if (domain.type === 'primary') demotePrimary(world, domain.webappId);
  const added = { id: world.nextDomainId, ...domain };
  world.nextDomainId += 1;
  world.domains.push(added);
  return added;
}

export function demotePrimary(world: World, webappId: number): void {
  for (const domain of domainsOf(world, webappId)) {
    if (domain.type === 'primary') domain.type = 'alias';
  }
}

export function removeDomain(world: World, domain: Domain): void {
  world.domains = world.domains.filter(({ id }) => id !== domain.id);
}

export function addCertificate(world: World, certificate: Omit<Certificate, 'id'>): Certificate {
  const added = { id: world.nextCertificateId, ...certificate };
  world.nextCertificateId += 1;
  world.certificates.push(added);
  return added;
}
