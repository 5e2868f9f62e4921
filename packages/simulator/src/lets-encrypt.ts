// Let's Encrypt as the simulated RunCloud meets it: which names of an order cannot be validated, and which
// orders it refuses by its limits (reference section 9). Judges only; what follows is in issuance.ts.
import { getDomain } from 'tldts';
import type { Settings } from './settings.ts';
import type { Variants } from './variants.ts';
import type { Certificate, Limit, Order, World } from './world.ts';
import type { ZoneParts } from './zone.ts';
import { resolve } from './zone.ts';

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;
const NAMES_PER_CERTIFICATE = 100;
const ISSUER = 'letsencrypt.org';
/** Tags that Let's Encrypt knows; another one that is critical forbids (letsencrypt/boulder, va/caa.go). */
const KNOWN_TAGS = ['issue', 'issuewild', 'iodef', 'issuemail'];

/**
 * HTTP-01: all of a name's addresses are the server's. DNS-01: its zone is where RunCloud's integration writes. And no CAA
 * record forbids Let's Encrypt.
 */
export function findBadNames(parts: ZoneParts, certificate: Certificate, names: readonly string[]): string[] {
  const webapp = parts.world.webapps.find(({ id }) => id === certificate.webappId);
  const server = parts.world.servers.find(({ id }) => id === webapp?.serverId);
  const isHttp = certificate.authorizationMethod !== 'dns-01';
  const isProven = (name: string): boolean =>
    isHttp ? pointsTo(parts, name, server?.ipAddress) : isAtIntegration(parts, name);
  return names.filter((name) => !isProven(name) || !allowsIssuer(parts, name, isHttp ? 'http-01' : 'dns-01'));
}

/** The nearest zone above decides; of one that nobody described, all is well. */
function isAtIntegration(parts: ZoneParts, name: string): boolean {
  const labels = name.split('.');
  for (let at = 0; at < labels.length - 1; at += 1) {
    const { answers } = resolve(parts, labels.slice(at).join('.'), 'NS');
    const servers = answers.filter(({ type }) => type === 'NS').map(({ data }) => String(data));
    if (servers.length > 0) return servers.some((server) => server.endsWith('.ns.cloudflare.com'));
  }
  return true;
}

/** Let's Encrypt takes one of the addresses, IPv6 first: each of them has to be right. */
function pointsTo(parts: ZoneParts, name: string, address: string | undefined): boolean {
  const [v4, v6] = [resolve(parts, name, 'A'), resolve(parts, name, 'AAAA')];
  const isAnswered = v4.outcome === 'noerror' && v6.outcome === 'noerror';
  const addresses = [...v4.answers, ...v6.answers].filter(({ type }) => type !== 'CNAME');
  return isAnswered && addresses.length > 0 && addresses.every(({ data }) => data === address);
}

/** RFC 8659: the nearest CAA records on the way up count; a query that fails forbids. */
function allowsIssuer(parts: ZoneParts, name: string, method: string): boolean {
  const labels = name.split('.');
  for (let at = 0; at < labels.length; at += 1) {
    const { outcome, answers } = resolve(parts, labels.slice(at).join('.'), 'CAA');
    if (outcome === 'servfail' || outcome === 'silent') return false;
    const records = answers.flatMap((answer) => (answer.type === 'CAA' ? [answer.data] : []));
    if (records.length === 0) continue;
    if (records.some(({ tag, flags }) => (flags & 129) !== 0 && !KNOWN_TAGS.includes(tag.toLowerCase())))
      return false;
    const issue = records.filter(({ tag }) => tag.toLowerCase() === 'issue');
    return issue.length === 0 || issue.some(({ value }) => mayIssue(value, method));
  }
  return true;
}

/** RFC 8657: `letsencrypt.org; validationmethods=http-01`. No `accounturi` is RunCloud's here: its account is not known. */
function mayIssue(value: string, method: string): boolean {
  const [issuer = '', ...rest] = value.split(';').map((part) => part.trim());
  const parameters = rest
    .filter((part) => part !== '')
    .map((part) => part.split('=').map((half) => half.trim()));
  const isAllowed = ([tag, text]: readonly string[]): boolean =>
    text !== undefined &&
    tag?.toLowerCase() !== 'accounturi' &&
    (tag?.toLowerCase() !== 'validationmethods' || text.split(',').includes(method));
  return issuer.toLowerCase() === ISSUER && parameters.every(isAllowed);
}

export interface Refusal {
  limit: Limit;
  /** The names that the limit is about. */
  names: string[];
}

export interface Application {
  world: World;
  settings: Settings;
  variants: Variants;
  certificate: Certificate;
  names: readonly string[];
  now: number;
}

/**
 * The limit that refuses this order, if any. Counted over the window that ends now: never more generous than
 * the token buckets of the real one. Staging has limits of its own, too high to matter (section 9).
 */
export function findRefusal(application: Application): Refusal | null {
  const { settings, variants, certificate, names } = application;
  // Not without validation: then every order is good, as large as a test wants it.
  if (variants.validation !== 'none' && names.length > NAMES_PER_CERTIFICATE)
    return { limit: 'namesPerCertificate', names: [...names] };
  if (certificate.staging) return null;
  const failing = names.filter((name) =>
    isUsedUp(settings.failuresPerHour, () => countFailures(application, name)),
  );
  if (failing.length > 0) return { limit: 'failuresPerHour', names: failing };
  if (isUsedUp(settings.duplicatesPerWeek, () => countDuplicates(application))) {
    return { limit: 'duplicatesPerWeek', names: [...names] };
  }
  const used = findUsedUpDomains(application);
  const over = names.filter((name) => used.includes(toRegisteredDomain(name)));
  return over.length > 0 ? { limit: 'certificatesPerWeek', names: over } : null;
}

/** Counts only where there is a limit: a long run has thousands of orders. */
const isUsedUp = (limit: number, count: () => number): boolean => limit > 0 && count() >= limit;

/** Failed authorizations only: an order that was refused by a limit never came to one. */
function countFailures({ world, now }: Application, name: string): number {
  const hasFailed = ({ refusedBy, readyAt, failedNames, certificate }: Order): boolean =>
    refusedBy === null && !certificate.staging && readyAt > now - HOUR_MS && failedNames.includes(name);
  return world.orders.filter(hasFailed).length;
}

function countDuplicates({ world, names, now }: Application): number {
  const isSame = sameSetAs(names);
  return ordersOfTheWeek(world, now).filter((order) => isSame(toIssuedNames(order))).length;
}

/** The same exact set again is a renewal: this limit does not see it (section 9). */
function findUsedUpDomains(application: Application): string[] {
  const { world, settings, names, now } = application;
  if (settings.certificatesPerWeek === 0 || isRenewal(world, names)) return [];
  const counted = ordersOfTheWeek(world, now).filter((order) => !order.isRenewal);
  const count = (domain: string): number =>
    counted.filter((order) => toIssuedNames(order).some((name) => toRegisteredDomain(name) === domain))
      .length;
  const domains = [...new Set(names.map(toRegisteredDomain))];
  return domains.filter((domain) => isUsedUp(settings.certificatesPerWeek, () => count(domain)));
}

/** An order under way counts: it may be issued. */
const ordersOfTheWeek = (world: World, now: number): Order[] =>
  world.orders.filter(
    ({ status, readyAt, certificate }) =>
      (status === 'issued' || status === 'pending') && readyAt > now - WEEK_MS && !certificate.staging,
  );

/** Whether this exact set was on a certificate before, the seeded ones included. */
export function isRenewal(world: World, names: readonly string[]): boolean {
  const isSame = sameSetAs(names);
  return (
    world.certificates.some((certificate) => !certificate.staging && isSame(certificate.names)) ||
    world.orders.some(
      (order) => order.status === 'issued' && !order.certificate.staging && isSame(toIssuedNames(order)),
    )
  );
}

export const toIssuedNames = ({ names, failedNames }: Order): string[] =>
  failedNames.length === 0 ? names : names.filter((name) => !failedNames.includes(name));

function sameSetAs(names: readonly string[]): (others: readonly string[]) => boolean {
  const own = new Set(names);
  return (others) => others.length === own.size && others.every((name) => own.has(name));
}

/** Let's Encrypt goes by the whole Public Suffix List, its private part included. */
const toRegisteredDomain = (name: string): string => getDomain(name, { allowPrivateDomains: true }) ?? name;
