// The ledger of what may be ordered of Let's Encrypt, in Redis: an order takes its tokens before it is sent, the same order is
// not placed twice, and what failed backs off. The limits: docs/guides/certificates.md; letsencrypt.org/docs/rate-limits.
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Keys } from '../redis/keys.ts';
import { createRunScript, type RunScript } from '../redis/run-script.ts';
import type { Certificate, WebApplication } from '../runcloud/runcloud.ts';
import type { FailingName } from './failing-names.ts';
import { type Bucket, createBuckets, describeNames, hash, unique } from './ledger-buckets.ts';
import { ANSWERED, CLEARED, FAILED, ISSUED, LEFT, RELEASE, RESERVE } from './ledger-scripts.ts';

export interface CertificateOrder {
  readonly app: WebApplication;
  /** Advanced SSL: the domain whose own certificate it is. */
  readonly domain?: string | undefined;
  readonly names: readonly string[];
  /** Names that nobody can call right before the order. */
  readonly doubts?: readonly FailingName[] | undefined;
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
      /** How many the limit allows, if it is a number. */
      readonly of?: number | undefined;
    };

/** The last order of one certificate. */
export interface LastOrder {
  readonly names: readonly string[];
  readonly orderedAt: number;
  /** Issuances that failed in a row, of exactly these names, or with the same failing names. */
  readonly failures: number;
  /** A failure of this one was reported. */
  readonly hasFailed: boolean;
  /** Who may be to blame; before it has failed: who may fail it. */
  readonly failingNames: readonly FailingName[];
  /** The names of the last order that succeeded; undefined: none is known. */
  readonly issued: readonly string[] | undefined;
  /** Nobody knows whether RunCloud took it: the answer was lost, or the worker that sent it died. */
  readonly isLost: boolean;
  /** The certificate as RunCloud showed it right before; undefined: there was none. */
  readonly replaces: ObservedCertificate | undefined;
}

/** What identifies a certificate, and how it is validated. */
export type ObservedCertificate = Pick<Certificate, 'id' | 'validUntil' | 'authorizationMethod'>;

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
   * lost. `changed`: a request came after the last order, so SSL_COOLDOWN does not delay it. `replaces`: the certificate
   * as RunCloud shows it now.
   */
  reserve(order: CertificateOrder, changed: boolean, replaces?: ObservedCertificate): Promise<Permit>;
  /** What reserve() would answer at this moment. It reserves and remembers nothing. */
  peek(order: CertificateOrder, changed: boolean): Promise<Permit>;
  /** A handshake shows what the order of `orderedAt` brought. */
  issued(order: Pick<CertificateOrder, 'app' | 'domain'>, orderedAt: number): Promise<void>;
  /** What was wrong with the failing names of the failed order of `orderedAt` is over: it backs off no longer. */
  cleared(order: Pick<CertificateOrder, 'app' | 'domain'>, orderedAt: number): Promise<void>;
  /** RunCloud took the order of `orderedAt`: it is not lost. */
  answered(order: Pick<CertificateOrder, 'app' | 'domain'>, orderedAt: number): Promise<void>;
  /** The order was not sent: gives back its tokens, and restores what stood before. */
  release(order: CertificateOrder, orderedAt: number): Promise<void>;
  /**
   * The order of `orderedAt` was refused, or its names stayed uncovered: counted once, whoever reports it. The same names, and any
   * others with a failing name among them, back off 1, 10, 100 minutes, then a day; but fewer names, without one of the failing names, may be
   * ordered at once. Each failing name costs a failed validation. Returns when the same may be ordered next.
   */
  failed(order: CertificateOrder, orderedAt: number, failingNames: readonly FailingName[]): Promise<number>;
  last(app: WebApplication, domain?: string): Promise<LastOrder | undefined>;
  /** What is left for a certificate with new names, for status pages. */
  budgets(names: readonly string[]): Promise<readonly Budget[]>;
}

const DAY_MS = 24 * 3_600_000;
/** No certificate of Let's Encrypt lives longer (90 days, 64 by default from 2027-02, 45, 6): a certificate that is not renewed by then starts over. */
const REMEMBER_MS = 90 * DAY_MS;
/** The longest backing off: see RESERVE. */
const FORGIVE_MS = DAY_MS;

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
    replaces?: ObservedCertificate,
  ): Promise<Permit> => {
    const used = buckets.of(order.names);
    const names = unique(order.names);
    const how = [changed ? '1' : '', cooldownMs, FORGIVE_MS, REMEMBER_MS];
    const about = [toText(replaces), toList(order.doubts)];
    const args = [hash(names), JSON.stringify(names), ...how, nonce, ...about, ...argsOf(used)];
    type Reply = [Permit['kind'], number, number?];
    const [kind, at, index = 0] = await run<Reply>(RESERVE, keysOf(order, used), args);
    return kind === 'refused' ? toRefusal(used[index - 1], names, at) : { kind, orderedAt: at };
  };

  return {
    // One nonce for each call, not for each run of the script: a client sends again what Redis cut off before the reply.
    reserve: (order, changed, replaces) => take(order, changed, randomUUID(), replaces),
    peek: (order, changed) => take(order, changed, ''),
    ...createMarks(run, recordKey),
    async release(order, orderedAt) {
      const used = buckets.of(order.names);
      await run(RELEASE, keysOf(order, used), [hash(order.names), orderedAt, REMEMBER_MS, ...argsOf(used)]);
    },
    failed(order, orderedAt, failingNames) {
      const names = unique(failingNames.map(({ name }) => name));
      const { everyMs, of } = buckets.failures('');
      const args = [hash(order.names), orderedAt, everyMs, of, toList(failingNames), ...names];
      const used = names.map((name) => buckets.failures(name));
      return run(FAILED, keysOf(order, used), args);
    },
    last: async (app, domain) => toLastOrder(await redis.hgetall(recordKey(app, domain))),
    budgets: createBudgets(run, buckets.of),
  };
}

const createBudgets =
  (run: RunScript, bucketsOf: (names: readonly string[]) => Bucket[]): Ledger['budgets'] =>
  async (names) => {
    const used = bucketsOf(names);
    const args = used.flatMap(({ everyMs, of }) => [everyMs, of]);
    const left = await run<number[]>(
      LEFT,
      used.map(({ key }) => key),
      args,
    );
    return used.map(({ limit, subject, of }, i) => ({ limit, subject, left: left[i] ?? 0, of }));
  };

/** What becomes known of an order later on; of one that is not the last any more nothing is noted. */
function createMarks(
  run: RunScript,
  recordKey: (app: WebApplication, domain?: string) => string,
): Pick<Ledger, 'issued' | 'cleared' | 'answered'> {
  const mark =
    (script: string): Ledger['answered'] =>
    async ({ app, domain }, orderedAt) => {
      await run(script, [recordKey(app, domain)], [orderedAt]);
    };
  return { issued: mark(ISSUED), cleared: mark(CLEARED), answered: mark(ANSWERED) };
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
    hasFailed: record.failed === '1',
    failingNames: record.failingNames ? (JSON.parse(record.failingNames) as FailingName[]) : [],
    issued: record.issued ? (JSON.parse(record.issued) as string[]) : undefined,
    isLost: record.answered !== '1' && record.failed !== '1',
    replaces: record.replaces ? (JSON.parse(record.replaces) as ObservedCertificate) : undefined,
  };
}

const toList = (failingNames: readonly FailingName[] = []): string =>
  failingNames.length > 0 ? JSON.stringify(failingNames) : '';

const toText = (certificate: ObservedCertificate | undefined): string =>
  certificate
    ? JSON.stringify({
        id: certificate.id,
        validUntil: certificate.validUntil,
        authorizationMethod: certificate.authorizationMethod,
      })
    : '';
