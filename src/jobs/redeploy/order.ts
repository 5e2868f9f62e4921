// One order of a certificate. The ledger allows it and remembers it before it is sent. The lease lets one through at a time. A rejection
// becomes a wait that names the possible causes. What is sent (redeploy, install) is the caller's business.

import type { Certificates } from '../../certificates/certificates.ts';
import { actorOf } from '../../certificates/failing-names.ts';
import type {
  CertificateOrder,
  LastOrder,
  Ledger,
  ObservedCertificate,
  Permit,
} from '../../certificates/ledger.ts';
import { countCauses, possibleCauses, refusedBy, refusedByForDomains } from '../../certificates/messages.ts';
import { type Backoff, nextDelay } from '../../domains/backoff.ts';
import { withoutOthers } from '../../domains/other-names.ts';
import type { ReasonCode } from '../../domains/reasons.ts';
import type { Actor } from '../../domains/states.ts';
import { hasCode, UnavailableError } from '../../errors.ts';
import { findFailingNamesOf } from '../../https/find-failing-names.ts';
import type { Probe } from '../../https/probe.ts';
import { type Leased, underLease } from '../../lease/lease.ts';
import { hadNoEffect, wasSent } from '../../runcloud/errors.ts';
import type { LogReader } from '../../runcloud/log-reader.ts';
import type { CallOptions, WebApplication } from '../../runcloud/runcloud.ts';
import { answerLost, notShown, rejected } from './messages.ts';

export interface OrderPorts {
  readonly certificates: Pick<Certificates, 'beginWrite' | 'renewWrite' | 'endWrite' | 'get'>;
  readonly ledger: Pick<Ledger, 'peek' | 'reserve' | 'answered' | 'release' | 'failed' | 'last'>;
  readonly probe: Probe | undefined;
  readonly runcloudLog: LogReader;
  readonly backoff: Pick<Backoff, 'issuanceMs' | 'tlsFirstMs' | 'tlsLongestMs'>;
  /** SSL_COOLDOWN */
  readonly settings: { readonly cooldownMs: number };
}

export interface DesiredOrder extends CertificateOrder {
  /** Something has changed since the last order, so SSL_COOLDOWN does not delay this one. */
  readonly changed: boolean;
  readonly last: LastOrder | undefined;
  /** The last request. An order that came after it was placed for it. */
  readonly requestedAt: number;
}

export interface OrderWork {
  readonly app: WebApplication;
  /** By Redis' clock, in milliseconds. */
  readonly startedAt: number;
  readonly jobId: string;
  readonly calls: CallOptions;
}

export type Ordered =
  | { readonly kind: 'ordered' }
  /** The same names were ordered already, and RunCloud took that order. */
  | { readonly kind: 'repeated'; readonly orderedAt: number }
  /** Not now: a limit, failed orders before, or an order that may still take effect (then nobody must act). */
  | {
      readonly kind: 'later';
      /** For operators. */
      readonly sentence: string;
      /** For the domains whose certificate it is. */
      readonly forDomains: string;
      readonly reasonCode: ReasonCode;
      readonly nextAt: number;
      readonly mustAct?: Actor | undefined;
    }
  | { readonly kind: Exclude<Leased<void>['fate'], 'written'> };

type Later = Extract<Ordered, { kind: 'later' }>;

/** The write that orders it. */
export interface Way {
  readonly send: (options: CallOptions) => Promise<void>;
  /** What RunCloud shows now. If it shows none after the time for issuance, an earlier order is no reason to wait. */
  readonly certificate: ObservedCertificate | undefined;
}

/**
 * `findWay` calls RunCloud. It runs only if the ledger would allow the order, or if the result of the last order is unknown. The ledger
 * remembers the order right before it is sent, not while RunCloud is read.
 */
export async function order(
  desired: DesiredOrder,
  findWay: () => Promise<Way>,
  work: OrderWork,
  ports: OrderPorts,
): Promise<Ordered> {
  const { ledger } = ports;
  const peeked = await ledger.peek(desired, desired.changed);
  const lost = findLost(desired, peeked);
  if (peeked.kind === 'refused' && !lost) return postponed(peeked, desired, work, ports);
  const way = await findWay();
  if (lost && isOther(way.certificate, lost.replaces)) {
    await ledger.answered(desired, lost.orderedAt);
    return { kind: 'repeated', orderedAt: lost.orderedAt };
  }
  const early = notYet({ peeked, lost, certificate: way.certificate }, desired, work, ports);
  if (early) return early;
  const permit = await ledger.reserve(desired, desired.changed || !way.certificate, way.certificate);
  if (permit.kind === 'refused') return postponed(permit, desired, work, ports);
  return permit.kind === 'repeated' ? permit : send(way, desired, permit.orderedAt, work, ports);
}

/** The last order, if it was placed for this very request and RunCloud's answer to it was lost. */
function findLost({ last, names, requestedAt }: DesiredOrder, peeked: Permit): LastOrder | undefined {
  if (!last?.isLost) return undefined;
  return peeked.kind === 'repeated' || (isSameSet(last.names, names) && requestedAt <= last.orderedAt)
    ? last
    : undefined;
}

const isSameSet = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && others.every((name) => some.includes(name));

/** RunCloud shows the effect of an order by another id or another end; of a first order by any certificate. */
const isOther = (now: ObservedCertificate | undefined, before: ObservedCertificate | undefined): boolean =>
  now !== undefined && (now.id !== before?.id || now.validUntil !== before.validUntil);

interface Found {
  readonly peeked: Permit;
  readonly lost: LastOrder | undefined;
  readonly certificate: ObservedCertificate | undefined;
}

/**
 * While the last order may still take effect: when to check next. Undefined: a new one may be placed. An order whose answer was lost is
 * sent again after SSL_COOLDOWN, for basic and advanced SSL alike: until then nobody knows whether RunCloud took it.
 */
function notYet(
  { peeked, lost, certificate }: Found,
  desired: DesiredOrder,
  work: OrderWork,
  ports: OrderPorts,
): Ordered | undefined {
  const { startedAt } = work;
  const { backoff, settings } = ports;
  if (peeked.kind === 'granted') return undefined;
  const nextCheck = (orderedAt: number): number =>
    startedAt + nextDelay(startedAt - orderedAt, backoff.tlsFirstMs, backoff.tlsLongestMs);
  if (peeked.kind === 'refused') {
    const nextAt = Math.min(peeked.nextAt, nextCheck(lost?.orderedAt ?? startedAt));
    return { ...postponed(peeked, desired, work, ports), nextAt };
  }
  const { orderedAt } = peeked;
  if (certificate && !lost) return peeked;
  const againAt = orderedAt + (certificate ? settings.cooldownMs : backoff.issuanceMs);
  if (startedAt >= againAt) return undefined;
  const sentence = lost
    ? answerLost(orderedAt, againAt, certificate && 'SSL_COOLDOWN')
    : notShown(orderedAt, againAt);
  const reasonCode = lost ? 'order-answer-lost' : 'order-not-shown';
  const nextAt = Math.min(againAt, nextCheck(orderedAt));
  return { kind: 'later', sentence, forDomains: sentence, reasonCode, nextAt };
}

/** A certificate of the domain's own concerns no other. While the result of the last order is unknown, the proof's backoff counts. */
function postponed(
  refusal: Extract<Permit, { kind: 'refused' }>,
  { last, names, domain }: DesiredOrder,
  { startedAt }: OrderWork,
  { backoff }: OrderPorts,
): Later {
  const before = last && { last, isSame: isSameSet(last.names, names) };
  const sentence = refusedBy(refusal, before);
  const forDomains = domain === undefined ? refusedByForDomains(refusal, before) : sentence;
  const later = { kind: 'later', sentence, forDomains, nextAt: refusal.nextAt } as const;
  if (refusal.limit !== 'failed-issuance')
    return { ...later, reasonCode: 'letsencrypt-limit', mustAct: 'letsencrypt' };
  if (!last || last.hasFailed)
    return { ...later, reasonCode: 'last-order-failed', mustAct: actorOf(last?.failingNames ?? []) };
  const checkAt = startedAt + nextDelay(startedAt - last.orderedAt, backoff.tlsFirstMs, backoff.tlsLongestMs);
  return { ...later, reasonCode: 'last-order-open', nextAt: Math.min(refusal.nextAt, checkAt) };
}

async function send(
  way: Way,
  desired: CertificateOrder,
  orderedAt: number,
  work: OrderWork,
  ports: OrderPorts,
): Promise<Ordered> {
  const { app, jobId, calls } = work;
  try {
    const write = { key: app, jobId, kind: 'order', hadNoEffect } as const;
    const { fate } = await underLease(ports.certificates, write, calls, way.send);
    if (fate === 'written') {
      await ports.ledger.answered(desired, orderedAt);
      return { kind: 'ordered' };
    }
    await ports.ledger.release(desired, orderedAt);
    return { kind: fate };
  } catch (error) {
    if (hasCode(error, 'runcloud-rejected')) return refused(error.message, desired, orderedAt, work, ports);
    // An order that was sent, and whose answer is unclear, counts as placed: never two orders for one.
    if (
      !wasSent(error) ||
      error instanceof UnavailableError ||
      hasCode(error, 'runcloud-not-found', 'runcloud-forbidden')
    )
      await ports.ledger.release(desired, orderedAt);
    throw error;
  }
}

async function refused(
  message: string,
  desired: CertificateOrder,
  orderedAt: number,
  { startedAt, calls }: OrderWork,
  ports: OrderPorts,
): Promise<Later> {
  const { app, domain, names } = desired;
  const last = await ports.ledger.last(app, domain);
  const failingNames = await findFailingNamesOf(desired, last, { now: startedAt, calls }, ports);
  const nextAt = await ports.ledger.failed(desired, orderedAt, failingNames);
  const causes = possibleCauses(failingNames);
  const isShared = domain === undefined;
  const shown = withoutOthers(message, isShared ? [] : names);
  return {
    kind: 'later',
    sentence: rejected(message, causes, nextAt),
    forDomains: rejected(shown, isShared ? countCauses(failingNames.length) : causes, nextAt),
    reasonCode: 'runcloud-rejected',
    nextAt,
    mustAct: actorOf(failingNames),
  };
}
