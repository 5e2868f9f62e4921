// One order of a certificate: the ledger is asked first and remembers it before it leaves, the fence lets one through at a time,
// and a refusal becomes a wait with the culprits' names. Which order it is (redeploy, install) is the caller's business.

import type { Certificates } from '../../certificates/certificates.ts';
import { actorOf, describeCount, describeFailingNames } from '../../certificates/failing-names.ts';
import type {
  CertificateOrder,
  LastOrder,
  Ledger,
  ObservedCertificate,
  Permit,
} from '../../certificates/ledger.ts';
import { describeRefusal, describeRefusalToAll } from '../../certificates/ledger-refusal.ts';
import { type Backoff, nextDelay } from '../../domains/backoff.ts';
import { withoutOthers } from '../../domains/other-names.ts';
import type { Actor } from '../../domains/states.ts';
import { toMinute, toNextMinute } from '../../domains/times.ts';
import { hasCode, UnavailableError } from '../../errors.ts';
import { findFailingNamesOf } from '../../https/find-failing-names.ts';
import type { Probe } from '../../https/probe.ts';
import { type Leased, underLease } from '../../lease/lease.ts';
import { hadNoEffect, wasSent } from '../../runcloud/errors.ts';
import type { LogReader } from '../../runcloud/log-reader.ts';
import type { CallOptions, WebApplication } from '../../runcloud/runcloud.ts';

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
  /** Something has changed since the last order, so that the cool-down does not hold this one. */
  readonly changed: boolean;
  readonly last: LastOrder | undefined;
  /** When somebody asked for it last; what was ordered since was ordered for that. */
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
  /** Not now: by Let's Encrypt's limits, because the last orders failed, or because one may be on its way (nobody must act). */
  | {
      readonly kind: 'later';
      /** For operators. */
      readonly sentence: string;
      /** For the domains whose certificate it is. */
      readonly forDomains: string;
      readonly nextAt: number;
      readonly mustAct?: Actor | undefined;
    }
  | { readonly kind: Exclude<Leased<void>['fate'], 'written'> };

/** The write that orders it. */
export interface Way {
  readonly send: (options: CallOptions) => Promise<void>;
  /** What RunCloud shows now. Where there is none, and issuance has had its time, what was ordered before is no reason to wait. */
  readonly certificate: ObservedCertificate | undefined;
}

/**
 * `findWay` asks RunCloud, and is called only where the ledger would let the order through, or has to know what became of the last
 * one. The ledger remembers the order right before it is sent, and not while RunCloud is asked.
 */
export async function order(
  desired: DesiredOrder,
  findWay: () => Promise<Way>,
  work: OrderWork,
  ports: OrderPorts,
): Promise<Ordered> {
  const { ledger } = ports;
  const seen = await ledger.peek(desired, desired.changed);
  const lost = findLost(desired, seen);
  if (seen.kind === 'refused' && !lost) return postponed(seen, desired, work, ports);
  const way = await findWay();
  if (lost && isOther(way.certificate, lost.replaces)) {
    await ledger.answered(desired, lost.orderedAt);
    return { kind: 'repeated', orderedAt: lost.orderedAt };
  }
  const early = notYet({ seen, lost, certificate: way.certificate }, desired, work, ports);
  if (early) return early;
  const permit = await ledger.reserve(desired, desired.changed || !way.certificate, way.certificate);
  if (permit.kind === 'refused') return postponed(permit, desired, work, ports);
  return permit.kind === 'repeated' ? permit : send(way, desired, permit.orderedAt, work, ports);
}

/** The last order, where it was placed for this very demand and RunCloud's answer to it was lost. */
function findLost({ last, names, requestedAt }: DesiredOrder, seen: Permit): LastOrder | undefined {
  if (!last?.isLost) return undefined;
  return seen.kind === 'repeated' || (isSameSet(last.names, names) && requestedAt <= last.orderedAt)
    ? last
    : undefined;
}

const isSameSet = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && others.every((name) => some.includes(name));

/** RunCloud shows the effect of an order by another id, or another end; a first certificate by its being there. */
const isOther = (now: ObservedCertificate | undefined, before: ObservedCertificate | undefined): boolean =>
  now !== undefined && (now.id !== before?.id || now.validUntil !== before.validUntil);

interface Found {
  readonly seen: Permit;
  readonly lost: LastOrder | undefined;
  readonly certificate: ObservedCertificate | undefined;
}

/** While the last order may still take effect: when to look next. Undefined where a new one may be placed. */
function notYet(
  { seen, lost, certificate }: Found,
  desired: DesiredOrder,
  work: OrderWork,
  ports: OrderPorts,
): Ordered | undefined {
  const { startedAt } = work;
  const { backoff, settings } = ports;
  if (seen.kind === 'granted') return undefined;
  const probe = (orderedAt: number): number =>
    startedAt + nextDelay(startedAt - orderedAt, backoff.tlsFirstMs, backoff.tlsLongestMs);
  if (seen.kind === 'refused')
    return {
      ...postponed(seen, desired, work, ports),
      nextAt: Math.min(seen.nextAt, probe(lost?.orderedAt ?? startedAt)),
    };
  const { orderedAt } = seen;
  if (certificate && !lost) return seen;
  const againAt = orderedAt + (certificate ? settings.cooldownMs : backoff.issuanceMs);
  if (startedAt >= againAt) return undefined;
  const next = `it is ordered again at ${toNextMinute(againAt)}${certificate ? ' (SSL_COOLDOWN)' : ''} if it is not there by then`;
  const sentence = lost
    ? `RunCloud's answer to the order of ${toMinute(orderedAt)} was lost; looking whether the certificate comes, and ${next}`
    : `a certificate was ordered at ${toMinute(orderedAt)}, and RunCloud does not show it yet; ${next}`;
  return { kind: 'later', sentence, forDomains: sentence, nextAt: Math.min(againAt, probe(orderedAt)) };
}

/** A certificate of the domain's own speaks of no other. Who waits for an order whose fate is not known looks at the proof's pace. */
function postponed(
  refusal: Extract<Permit, { kind: 'refused' }>,
  { last, names, domain }: DesiredOrder,
  { startedAt }: OrderWork,
  { backoff }: OrderPorts,
): Extract<Ordered, { kind: 'later' }> {
  const before = last && { last, isSame: isSameSet(last.names, names) };
  const sentence = describeRefusal(refusal, before);
  const forDomains = domain === undefined ? describeRefusalToAll(refusal, before) : sentence;
  const told = { kind: 'later', sentence, forDomains, nextAt: refusal.nextAt } as const;
  if (refusal.limit !== 'failed-issuance') return { ...told, mustAct: 'letsencrypt' };
  if (!last || last.hasFailed) return { ...told, mustAct: actorOf(last?.failingNames ?? []) };
  const lookAt = startedAt + nextDelay(startedAt - last.orderedAt, backoff.tlsFirstMs, backoff.tlsLongestMs);
  return { ...told, nextAt: Math.min(refusal.nextAt, lookAt) };
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
    // What left without an answer that tells is remembered as ordered: never two orders for one.
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
): Promise<Ordered> {
  const { app, domain, names } = desired;
  const last = await ports.ledger.last(app, domain);
  const failingNames = await findFailingNamesOf(desired, last, { now: startedAt, calls }, ports);
  const nextAt = await ports.ledger.failed(desired, orderedAt, failingNames);
  const next = `; the same names are tried again at ${toNextMinute(nextAt)}`;
  const why = describeFailingNames(failingNames);
  const isShared = domain === undefined;
  return {
    kind: 'later',
    sentence: `${message}${why}${next}`,
    forDomains: `${withoutOthers(message, isShared ? [] : names)}${isShared ? describeCount(failingNames.length) : why}${next}`,
    nextAt,
    mustAct: actorOf(failingNames),
  };
}
