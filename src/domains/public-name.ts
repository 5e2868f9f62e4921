// Which domain names can have a certificate of a public authority: Let's Encrypt refuses the others whatever their DNS says, and on
// a shared certificate one of them would fail the order for all. Pure. What can be a domain name at all: domain-name.ts.
// The rules: letsencrypt/boulder, policy/pa.go (WellFormedDomainNames); RFC 5890, 2.3.1; IANA's special-use domain names.
import { parse } from 'tldts';
import { PermanentError } from '../errors.ts';
import type { DomainName } from './domain-name.ts';
import { MAX_LENGTH } from './domain-name.ts';
import { twinOf } from './owner.ts';

/**
 * TOP_LEVEL_DOMAINS. `public`: those of the internet's root only. `test`: also those that are kept for tests. `any`: all, as a
 * private authority may sign them.
 */
export type TopLevelDomains = 'public' | 'test' | 'any';

const MAX_LABELS = 10;

/** RFC 6761, 6.2 to 6.5 (and RFC 2606, 2). */
const forTests = ['example', 'test', 'invalid', 'localhost'];

/** Names that no customer can own, and why, as the end of a sentence. */
const special: ReadonlyMap<string, string> = new Map([
  ['onion', "is Tor's, and not in DNS (RFC 7686)"],
  ['internal', "is for networks of one's own (ICANN keeps it for that)"],
  ['local', 'is for the names of one local network (RFC 6762)'],
  ['alt', 'is for names outside DNS (RFC 9476)'],
  ['arpa', "is for the internet's own machinery (RFC 3172; home.arpa: RFC 8375)"],
]);

/**
 * Throws PermanentError('invalid-domain') if no public authority would sign `name`, or its www name if that is requested too.
 * A removal needs no such check: what somebody attached elsewhere may go.
 */
export function requireCertifiable(name: DomainName, www: boolean, allowed: TopLevelDomains): void {
  const reason =
    labelReason(name) ??
    topLevelReason(name, allowed) ??
    suffixReason(name) ??
    lengthReason(name, `"${name}"`) ??
    (www
      ? lengthReason(twinOf(name), `"${name}" with its www name (add it without: www: false)`)
      : undefined);
  if (reason !== undefined) throw new PermanentError('invalid-domain', `${reason}.`);
}

/** parseDomainName has checked Punycode. */
function labelReason(name: string): string | undefined {
  const label = name.split('.').find((part) => part.slice(2, 4) === '--' && !part.startsWith('xn--'));
  return label === undefined
    ? undefined
    : `"${name}" cannot have a certificate: its part "${label}" has hyphens in places 3 and 4, and only internationalised names ("xn--") may (RFC 5890)`;
}

function lengthReason(name: string, what: string): string | undefined {
  const labels = name.split('.').length;
  if (labels > MAX_LABELS) return `${what} has ${labels} parts; Let's Encrypt takes at most ${MAX_LABELS}`;
  return name.length > MAX_LENGTH
    ? `${what} has ${name.length} characters; at most ${MAX_LENGTH} are possible`
    : undefined;
}

function topLevelReason(name: string, allowed: TopLevelDomains): string | undefined {
  const last = name.split('.').at(-1) ?? '';
  const why = topLevelFault(name, last);
  if (allowed === 'any' || why === undefined) return undefined;
  const isForTests = forTests.includes(last);
  if (isForTests && allowed === 'test') return undefined;
  return `"${name}" ends in ".${last}", which ${why}: no public authority signs it. TOP_LEVEL_DOMAINS=${isForTests ? 'test' : 'any'} lets it pass`;
}

function topLevelFault(name: string, last: string): string | undefined {
  if (forTests.includes(last)) return 'is kept for tests and examples (RFC 6761)';
  const { isIcann } = parse(name, { allowPrivateDomains: false, validateHostname: false });
  return special.get(last) ?? (isIcann ? undefined : 'is no top-level domain of the internet');
}

/** By the ICANN part of the list, as Let's Encrypt: a private suffix (`github.io`) has an owner, who may have a certificate for it. */
function suffixReason(name: string): string | undefined {
  const { publicSuffix, isIcann } = parse(name, { allowPrivateDomains: false, validateHostname: false });
  return isIcann && publicSuffix === name
    ? `"${name}" is a public suffix: people register names below it, and nobody gets a certificate for it; name the whole domain, such as "shop.${name}"`
    : undefined;
}
