// The sentences of the probes: one finding each, then what to do about it. Pure: facts in, text
// out. Texts from outside come here cleaned and short (shown-text.ts).
import type { DnsRecord, DnsRecordChanges } from './findings.ts';

/** Sentences stay short, however many records there are. */
export function list(items: readonly string[], word: 'and' | 'or'): string {
  const shown = items.length > 4 ? [...items.slice(0, 3), `${items.length - 3} more`] : items;
  return shown.length < 2 ? (shown[0] ?? '') : `${shown.slice(0, -1).join(', ')} ${word} ${shown.at(-1)}`;
}

// What to change.

const toTarget = (value: string): string => value.replace(/\.$/, '');

/** `A record with 203.0.113.7 or 203.0.113.8 (or a CNAME to shop.example.org)` */
function describeDesired({ type, value, alternatives }: DnsRecord, joint: 'to' | 'with'): string {
  const same = [value, ...alternatives.filter((other) => other.type === type).map((other) => other.value)];
  const cname = alternatives.find((other) => other.type === 'CNAME');
  return `${type} record ${joint} ${list(same, 'or')}${cname ? ` (or a CNAME to ${toTarget(cname.value)})` : ''}`;
}

/** `its AAAA records 2001:db8::1 and 2001:db8::2` */
function describeRemoved(type: DnsRecord['type'], records: readonly DnsRecord[]): string[] {
  const values = records.filter((record) => record.type === type).map(({ value }) => value);
  return values.length > 0
    ? [`its ${type} record${values.length > 1 ? 's' : ''} ${list(values, 'and')}`]
    : [];
}

/** The end of a sentence about addresses: `set its A record to 203.0.113.7`. */
export function describeAddressChanges({ set, remove }: Pick<DnsRecordChanges, 'set' | 'remove'>): string {
  const [desired] = set;
  const cname = remove.find(({ type }) => type === 'CNAME');
  if (desired && cname)
    return `replace its CNAME to ${toTarget(cname.value)} with an ${describeDesired(desired, 'with')}`;
  // Setting a record replaces the one of the same type.
  const leaving = (['A', 'AAAA'] as const).filter((type) => type !== desired?.type);
  const removed = leaving.flatMap((type) => describeRemoved(type, remove)).join(' and ');
  if (!desired) return `remove ${removed}`;
  if (remove.length === 0) return `add an ${describeDesired(desired, 'with')}`;
  return `set its ${describeDesired(desired, 'to')}${removed ? `, and remove ${removed}` : ''}`;
}

const quoted = (value: string): string => `\`${value}\``;

/** The same about CAA records: ``add `0 issue "letsencrypt.org"` ``. */
export function describeCaaChanges({ set, remove }: Pick<DnsRecordChanges, 'set' | 'remove'>): string {
  const added = set.map(({ value }) => `add ${quoted(value)}`);
  const values = remove.map(({ value }) => value);
  return [...added, ...(values.length > 0 ? [`remove ${quoted(list(values, 'and'))}`] : [])].join(', and ');
}

// DNS.

/** `what`: a name, or its AAAA or CAA records. */
export const queryFailed = (what: string, code: string): string =>
  `DNS query for ${what} failed (${code}). The record may be right.`;

export const queriedRecords = (type: 'AAAA' | 'CAA', name: string): string =>
  type === 'AAAA' ? `the AAAA record of ${name}` : `the CAA records of ${name}`;

export const noExpectedAddress = (name: string): string =>
  `The addresses for ${name} are unknown: set EXPECTED_IPS`;

export const pointsHere = (name: string, addresses: readonly string[]): string =>
  `${name} points to ${list(addresses, 'and')}`;

export const reachesThrough = (name: string, addresses: readonly string[]): string =>
  `${name} reaches the web application through ${list(addresses, 'and')}`;

/** The other name of the domain has the fault. */
export const followsOtherName = (name: string, other: string): string =>
  `${name} is a CNAME to ${other}, which is correct: fix ${other}`;

export const noAddress = (name: string, nameExists: boolean): string =>
  `${name} ${nameExists ? 'has no address' : 'does not exist'} in DNS`;

export const deadCname = (name: string, first: string, last: string): string =>
  `${name} is a CNAME to ${first}, but ${last} has no address`;

export const pointsElsewhere = (
  name: string,
  external: readonly string[],
  expected: readonly string[],
): string => `${name} points to ${list(external, 'and')}, not to ${list(expected, 'or')}`;

export const pointsElsewhereToo = (
  name: string,
  right: readonly string[],
  external: readonly string[],
): string => `${name} points to ${list(right, 'and')}, but also to ${list(external, 'and')}`;

export function leftoverAaaa(name: string, external: readonly string[]): string {
  const [has, points] = external.length === 1 ? ['an AAAA record', 'points'] : ['AAAA records', 'point'];
  return `${name} has ${has} ${list(external, 'and')} that ${points} elsewhere, and Let's Encrypt prefers IPv6`;
}

/** A fact, and what to do about it. */
export const withRemedy = (fact: string, remedy: string): string => `${fact}: ${remedy}`;

export const notReached = ' (HTTP through it does not reach the web application)';

/** It may be a CDN, and then the record must stay. */
export const uncheckedAddress = (fact: string, why: string, remedy: string): string =>
  `${fact}, and the HTTP check through it failed (${why}): ${remedy}, unless it is a CDN`;

export const behindCloudflare = (name: string, addresses: readonly string[]): string =>
  `${name} is behind Cloudflare's proxy (${list(addresses, 'and')})`;

export const uncheckedCloudflare = (fact: string, why: string, desired: readonly string[]): string =>
  `${fact}, and the HTTP check through it failed (${why}). Its record in Cloudflare must have ${list(desired, 'or')}.`;

const proxyOff = (desired: readonly string[]): string =>
  `turn off the proxy ("DNS only", the grey cloud) and set its address record to ${list(desired, 'or')}`;

export const hiddenByCloudflare = (fact: string, desired: readonly string[]): string =>
  `${fact}, which hides its own address. Either ${proxyOff(desired)}, or set DNS_GATE_PROBE to check through the proxy.`;

export const wrongBehindCloudflare = (fact: string, desired: readonly string[]): string =>
  `${fact}, and HTTP through it does not reach the web application. Set its record in Cloudflare to ${list(desired, 'or')}. Or ${proxyOff(desired)}.`;

// CAA.

export interface ForbiddingCaa {
  /** The name that has the records. */
  readonly at: string;
  /** `issue digicert.com` */
  readonly records: readonly string[];
  /** The validation, where a record names Let's Encrypt but not this validation. */
  readonly challenge: string | undefined;
}

const MAX_SHOWN_CAA = 3;

export function caaForbids(name: string, { at, records, challenge }: ForbiddingCaa): string {
  const more = records.length - MAX_SHOWN_CAA;
  const shown = `${records.slice(0, MAX_SHOWN_CAA).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  const how = challenge === undefined ? '' : ` to issue by ${challenge} (SSL_INSTALL)`;
  return `${name}: CAA record (${shown} at ${at}) forbids Let's Encrypt${how}`;
}

/** The set belongs to the name behind a CNAME. */
export const caaOfTarget = (
  fact: string,
  target: string,
  remedies: Readonly<Record<'own' | 'theirs', string>>,
) => `${fact}. The owner of ${target} set it. Either ${remedies.own}, or have that owner ${remedies.theirs}.`;

export const caaOfOneAccount = (at: string, account: string): string =>
  `The CAA record at ${at} allows Let's Encrypt only for the account ${account}. RunCloud may use another one.`;

/** A finding, and what could not be judged of it. */
export const withDoubt = (sentence: string, doubt: string): string => `${sentence}. ${doubt}`;

// TLS.

const toDay = (timeMs: number): string =>
  Number.isNaN(new Date(timeMs).getTime()) ? 'an unknown day' : new Date(timeMs).toISOString().slice(0, 10);

/**
 * `names`: those on the certificate that belong to this domain; `others`: how many belong to
 * others.
 */
export function wrongCertificate(name: string, names: readonly string[], others: number): string {
  const rest = others === 1 ? 'another name' : `${others} other names`;
  const shown = [...names, ...(others > 0 ? [rest] : [])].join(' and ');
  return shown === ''
    ? `The server sends a certificate without DNS names, not for ${name}`
    : `The server sends a certificate for ${shown}, not for ${name}`;
}

export const expired = (name: string, notAfter: number): string =>
  `The certificate for ${name} expired on ${toDay(notAfter)}`;

export const notYetValid = (name: string, notBefore: number): string =>
  `The certificate for ${name} is not valid before ${toDay(notBefore)}`;

/** `code`: OpenSSL's. */
export const untrusted = (name: string, issuer: string | undefined, code: string): string =>
  `Browsers do not trust the certificate for ${name}, issued by ${issuer || 'an unnamed issuer'} (${code})`;

export const covers = (name: string, notAfter: number): string =>
  `The certificate for ${name} is valid until ${toDay(notAfter)}`;

/** `address`: `203.0.113.7:443`. */
export const noHandshake = (name: string, address: string, code: string): string =>
  `TLS handshake with ${address} for ${name} failed (${code}). The certificate was not checked.`;

// Who serves a zone. `servers`: names of name servers.

export const zoneQueryFailed = (name: string, code: string | undefined): string =>
  `The name servers of ${name} are unknown${code === undefined ? '' : ` (${code})`}`;

export const zoneProviderUnknown = (name: string, servers: readonly string[]): string =>
  `The DNS provider of ${name} is unknown (name servers: ${servers.join(', ')})`;

export const zoneWithinReach = (zone: string, servers: readonly string[]): string =>
  `The DNS of ${zone} is at ${servers.join(' and ')}`;

export const zoneOutOfReach = (zone: string, servers: readonly string[]): string =>
  `The DNS of ${zone} is at ${servers.join(' and ')}, where RunCloud cannot set the records of dns-01`;
