// Let's Encrypt's limits as buckets of tokens: which ones an order of these names touches, and under which keys. Pure.
import { createHash } from 'node:crypto';
import { getDomain } from 'tldts';
import type { Keys } from '../redis/keys.ts';
import type { LedgerLimits, LimitName } from './ledger.ts';

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;

export interface Bucket {
  readonly key: string;
  readonly limit: LimitName;
  readonly subject: string;
  readonly everyMs: number;
  readonly of: number;
  readonly use: 'new' | 'always' | 'check';
}

/**
 * The part of a name that its owner registered, as Let's Encrypt counts: by the whole Public Suffix List, its private part
 * included, and a public suffix itself as it stands (FQDNsToETLDsPlusOne in github.com/letsencrypt/boulder, ratelimits).
 * domain-name.ts leaves the private part out, for a reason of its own: there the question is who may have a www.
 */
const toRegisteredDomain = (name: string): string =>
  getDomain(name, { allowPrivateDomains: true, validateHostname: false }) ?? name;

export const unique = (names: readonly string[]): string[] => [...new Set(names)].toSorted();

export const hash = (names: readonly string[]): string =>
  createHash('sha256').update(unique(names).join(',')).digest('hex').slice(0, 32);

export const describeNames = (names: readonly string[]): string => {
  const [first = 'no name', ...more] = unique(names);
  return more.length > 1 ? `${first} and ${more.length} more` : [first, ...more].join(' and ');
};

export function createBuckets(keys: Keys, limits: LedgerLimits) {
  const key = (...parts: (string | number)[]): string => keys.own(['ledger', ...parts].join(':'));
  /** A lower number of our own also refills more slowly. */
  const bucket =
    (limit: LimitName, use: Bucket['use'], windowMs: number, of: number) =>
    (subject: string, id = subject): Bucket => ({
      key: key(limit, id),
      limit,
      subject,
      everyMs: Math.ceil(windowMs / of),
      of,
      use,
    });
  const certificates = bucket('certificates-per-week', 'new', WEEK_MS, limits.certificatesPerWeek);
  const duplicates = bucket('duplicates-per-week', 'always', WEEK_MS, limits.duplicatesPerWeek);
  const orders = bucket('orders-per-3-hours', 'new', 3 * HOUR_MS, limits.ordersPer3Hours);
  const failures = bucket('failures-per-hour', 'check', HOUR_MS, limits.failuresPerHour);
  const of = (names: readonly string[]): Bucket[] => [
    ...unique(names.map(toRegisteredDomain)).map((domain) => certificates(domain)),
    duplicates(describeNames(names), hash(names)),
    // Let's Encrypt counts orders per account. Whether RunCloud has one for each server or one for all is not known
    // (docs/guides/certificates.md, what is not promised), so all that we order counts as one account's.
    orders('all certificates', 'all'),
    ...unique(names).map((name) => failures(name)),
  ];
  return { key, of, failures };
}
