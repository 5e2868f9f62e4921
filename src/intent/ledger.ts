// The ledger of what may be ordered of Let's Encrypt, in Redis: an order takes its tokens before it is sent, the same order is
// not placed twice, and what failed backs off. The limits: docs/certificates.md; letsencrypt.org/docs/rate-limits.
import { createHash, randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { getDomain } from 'tldts';
import type { Certificate, WebApplication } from '../runcloud/runcloud.ts';
import type { Keys } from './keys.ts';
import { ANSWERED, FAILED, LEFT, TAKE, UNSENT } from './ledger-scripts.ts';
import { createRunScript } from './run-script.ts';

export interface CertificateOrder {
  readonly app: WebApplication;
  /** Advanced SSL: the domain whose own certificate it is. */
  readonly domain?: string | undefined;
  readonly names: readonly string[];
}

export type LimitName =
  | 'certificates-per-week'
  | 'duplicates-per-week'
  | 'orders-per-3-hours'
  | 'failures-per-hour'
  /** Not Let's Encrypt's: our own backing off. */
  | 'failed-issuance';

/** Times in milliseconds by Redis' clock. */
export type Permit =
  | { readonly kind: 'granted'; readonly orderedAt: number }
  /** The same names were ordered inside the cool-down: doing nothing is right. */
  | { readonly kind: 'repeated'; readonly orderedAt: number }
  | {
      readonly kind: 'refused';
      readonly limit: LimitName;
      readonly subject: string;
      readonly nextAt: number;
      /** How many the limit allows, where it is one that counts. */
      readonly of?: number | undefined;
    };

/** The last order of one certificate. */
export interface LastOrder {
  readonly names: readonly string[];
  readonly orderedAt: number;
  /** Issuances of exactly these names that failed in a row. */
  readonly failures: number;
  /** Nobody knows whether RunCloud took it: the answer was lost, or the worker that sent it died. */
  readonly isLost: boolean;
  /** The certificate as RunCloud showed it right before; undefined: there was none. */
  readonly replaces: SeenCertificate | undefined;
}

/** What tells a certificate from the one before it, and how it is validated. */
export type SeenCertificate = Pick<Certificate, 'id' | 'validUntil' | 'authorizationMethod'>;

export interface Budget {
  readonly limit: LimitName;
  readonly subject: string;
  readonly left: number;
  readonly of: number;
}

export interface LedgerLimits {
  readonly certificatesPerWeek: number;
  readonly duplicatesPerWeek: number;
  readonly ordersPer3Hours: number;
  readonly failuresPerHour: number;
}

export interface Ledger {
  /**
   * Takes from every bucket what the order costs, all or nothing, and remembers the order, before it is sent: its reply may be
   * lost. `changed`: something asked for it after the last order, so the cool-down does not hold it. `replaces`: the certificate
   * as RunCloud shows it now.
   */
  take(order: CertificateOrder, changed: boolean, replaces?: SeenCertificate): Promise<Permit>;
  /** What take() would answer at this moment; takes and remembers nothing. */
  peek(order: CertificateOrder, changed: boolean): Promise<Permit>;
  /** RunCloud took the order of `orderedAt`: it is not lost. */
  answered(order: CertificateOrder, orderedAt: number): Promise<void>;
  /** The order was not sent: gives back its tokens, and restores what stood before. */
  unsent(order: CertificateOrder, orderedAt: number): Promise<void>;
  /**
   * The order of `orderedAt` was refused, or its names stayed uncovered: counted once, whoever reports it. The same names back off
   * 1, 10, 100 minutes, then a day; each of `culprits` costs a failed validation. Returns when the same may be ordered next.
   */
  failed(order: CertificateOrder, orderedAt: number, culprits: readonly string[]): Promise<number>;
  last(app: WebApplication, domain?: string): Promise<LastOrder | undefined>;
  /** What is left for a certificate with new names, for status pages. */
  budgets(names: readonly string[]): Promise<readonly Budget[]>;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
/** No certificate of Let's Encrypt lives longer (90 days, 64 by default from 2027-02, 45, 6): who does not renew it by then starts anew. */
const REMEMBER_MS = 90 * DAY_MS;
/** The longest backing off: see TAKE. */
const FORGIVE_MS = DAY_MS;

interface Bucket {
  readonly key: string;
  readonly limit: LimitName;
  readonly subject: string;
  readonly everyMs: number;
  readonly of: number;
  readonly use: 'new' | 'always' | 'look';
}

/**
 * The part of a name that its owner registered, as Let's Encrypt counts: by the whole Public Suffix List, its private part
 * included, and a public suffix itself as it stands (FQDNsToETLDsPlusOne in github.com/letsencrypt/boulder, ratelimits).
 * domain-name.ts leaves the private part out, for a reason of its own: there the question is who may have a www.
 */
const toRegisteredDomain = (name: string): string =>
  getDomain(name, { allowPrivateDomains: true, validateHostname: false }) ?? name;

const unique = (names: readonly string[]): string[] => [...new Set(names)].toSorted();

const hash = (names: readonly string[]): string =>
  createHash('sha256').update(unique(names).join(',')).digest('hex').slice(0, 32);

const describeNames = (names: readonly string[]): string => {
  const [first = 'no name', ...more] = unique(names);
  return more.length > 1 ? `${first} and ${more.length} more` : [first, ...more].join(' and ');
};

function createBuckets(keys: Keys, limits: LedgerLimits) {
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
  const failures = bucket('failures-per-hour', 'look', HOUR_MS, limits.failuresPerHour);
  const of = (names: readonly string[]): Bucket[] => [
    ...unique(names.map(toRegisteredDomain)).map((domain) => certificates(domain)),
    duplicates(describeNames(names), hash(names)),
    // Let's Encrypt counts orders per account. Whether RunCloud has one for each server or one for all is not known
    // (docs/certificates.md, what is not promised), so all that we order counts as one account's.
    orders('all certificates', 'all'),
    ...unique(names).map((name) => failures(name)),
  ];
  return { key, of, failures };
}

export function createLedger(options: {
  redis: Redis;
  keys: Keys;
  limits: LedgerLimits;
  cooldownMs: number;
}): Ledger {
  const { redis, cooldownMs } = options;
  const buckets = createBuckets(options.keys, options.limits);
  const run = createRunScript(redis);
  const recordKey = ({ serverId, appId }: WebApplication, domain?: string): string =>
    buckets.key('order', serverId, appId, ...(domain ? [domain] : []));
  const keysOf = ({ app, domain, names }: CertificateOrder, used: readonly Bucket[]): string[] => [
    recordKey(app, domain),
    buckets.key('set', hash(names)),
    ...used.map(({ key }) => key),
  ];
  const argsOf = (used: readonly Bucket[]) => used.flatMap(({ everyMs, of, use }) => [everyMs, of, use]);

  const take = async (
    order: CertificateOrder,
    changed: boolean,
    nonce: string,
    replaces?: SeenCertificate,
  ): Promise<Permit> => {
    const used = buckets.of(order.names);
    const names = unique(order.names);
    const how = [changed ? '1' : '', cooldownMs, FORGIVE_MS, REMEMBER_MS];
    const args = [hash(names), JSON.stringify(names), ...how, nonce, toText(replaces), ...argsOf(used)];
    type Reply = [Permit['kind'], number, number?];
    const [kind, at, index = 0] = await run<Reply>(TAKE, keysOf(order, used), args);
    return kind === 'refused' ? toRefusal(used[index - 1], names, at) : { kind, orderedAt: at };
  };

  return {
    // One nonce for each call, not for each run of the script: a client sends again what Redis cut off before the reply.
    take: (order, changed, replaces) => take(order, changed, randomUUID(), replaces),
    peek: (order, changed) => take(order, changed, ''),
    async answered(order, orderedAt) {
      await run(ANSWERED, [recordKey(order.app, order.domain)], [orderedAt]);
    },
    async unsent(order, orderedAt) {
      const used = buckets.of(order.names);
      await run(UNSENT, keysOf(order, used), [hash(order.names), orderedAt, REMEMBER_MS, ...argsOf(used)]);
    },
    failed(order, orderedAt, culprits) {
      const names = unique(culprits);
      const { everyMs, of } = buckets.failures('');
      const used = names.map((name) => buckets.failures(name));
      return run(FAILED, keysOf(order, used), [hash(order.names), orderedAt, everyMs, of, ...names]);
    },
    last: async (app, domain) => toLastOrder(await redis.hgetall(recordKey(app, domain))),
    async budgets(names) {
      const used = buckets.of(names);
      const args = used.flatMap(({ everyMs, of }) => [everyMs, of]);
      const left = await run<number[]>(
        LEFT,
        used.map(({ key }) => key),
        args,
      );
      return used.map(({ limit, subject, of }, i) => ({ limit, subject, left: left[i] ?? 0, of }));
    },
  };
}

export type Refusal = Extract<Permit, { kind: 'refused' }>;

const toRefusal = (bucket: Bucket | undefined, names: readonly string[], nextAt: number): Refusal =>
  bucket
    ? { kind: 'refused', limit: bucket.limit, subject: bucket.subject, nextAt, of: bucket.of }
    : { kind: 'refused', limit: 'failed-issuance', subject: describeNames(names), nextAt };

function toLastOrder(record: Record<string, string>): LastOrder | undefined {
  if (record.orderedAt === undefined) return undefined;
  return {
    names: JSON.parse(record.names ?? '[]') as string[],
    orderedAt: Number(record.orderedAt),
    failures: Number(record.failures),
    isLost: record.answered !== '1' && record.failed !== '1',
    replaces: record.replaces ? (JSON.parse(record.replaces) as SeenCertificate) : undefined,
  };
}

const toText = (seen: SeenCertificate | undefined): string =>
  seen
    ? JSON.stringify({
        id: seen.id,
        validUntil: seen.validUntil,
        authorizationMethod: seen.authorizationMethod,
      })
    : '';
