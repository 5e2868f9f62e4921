// One order of a certificate: the ledger is asked first and remembers it before it leaves, the fence lets one through at a time,
// and a refusal becomes a wait with the culprits' names. Which order it is (redeploy, install) is the caller's business.
import { HeldError, hasCode } from '../errors.ts';
import type { Certificates } from '../intent/certificates.ts';
import { type Fenced, underFence } from '../intent/fence.ts';
import { isSuspect } from '../intent/gate.ts';
import type { CertificateOrder, LastOrder, Ledger, Permit, SeenCertificate } from '../intent/ledger.ts';
import { describeRefusal, describeRefusalToAll } from '../intent/ledger-refusal.ts';
import { counted } from '../intent/names.ts';
import { withoutOthers } from '../intent/other-names.ts';
import { growing, type Pace } from '../intent/pace.ts';
import { toMinute, toNextMinute } from '../intent/times.ts';
import type { Actor } from '../outcome.ts';
import { hadNoEffect, wasSent } from '../runcloud/errors.ts';
import type { CallOptions, WebApplication } from '../runcloud/runcloud.ts';
import type { Look } from './look.ts';

export interface OrderPorts {
  readonly certificates: Pick<Certificates, 'beginWrite' | 'renewWrite' | 'endWrite'>;
  readonly ledger: Pick<Ledger, 'peek' | 'take' | 'answered' | 'unsent' | 'failed'>;
  readonly look: Pick<Look, 'dns'> | undefined;
  readonly pace: Pick<Pace, 'issuanceMs' | 'tlsFirstMs' | 'tlsLongestMs'>;
  /** SSL_COOLDOWN */
  readonly settings: { readonly cooldownMs: number };
}

export interface WantedOrder extends CertificateOrder {
  /** Something has changed since the last order, so that the cool-down does not hold this one. */
  readonly changed: boolean;
  readonly last: LastOrder | undefined;
  /** When somebody asked for it last; what was ordered since was ordered for that. */
  readonly askedAt: number;
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
  | { readonly kind: Exclude<Fenced<void>['fate'], 'written'> };

/** The write that orders it. */
export interface Way {
  readonly send: (options: CallOptions) => Promise<void>;
  /** What RunCloud shows now. Where there is none, and issuance has had its time, what was ordered before is no reason to wait. */
  readonly certificate: SeenCertificate | undefined;
}

/**
 * `findWay` asks RunCloud, and is called only where the ledger would let the order through, or has to know what became of the last
 * one. The ledger remembers the order right before it is sent, and not while RunCloud is asked.
 */
export async function order(
  wanted: WantedOrder,
  findWay: () => Promise<Way>,
  work: OrderWork,
  ports: OrderPorts,
): Promise<Ordered> {
  const { ledger } = ports;
  const seen = await ledger.peek(wanted, wanted.changed);
  const lost = findLost(wanted, seen);
  if (seen.kind === 'refused' && !lost) return postponed(seen, wanted);
  const way = await findWay();
  if (lost && isOther(way.certificate, lost.replaces)) {
    await ledger.answered(wanted, lost.orderedAt);
    return { kind: 'repeated', orderedAt: lost.orderedAt };
  }
  const early = notYet({ seen, lost, certificate: way.certificate }, wanted, work, ports);
  if (early) return early;
  const permit = await ledger.take(wanted, wanted.changed || !way.certificate, way.certificate);
  if (permit.kind === 'refused') return postponed(permit, wanted);
  return permit.kind === 'repeated' ? permit : send(way, wanted, permit.orderedAt, work, ports);
}

/** The last order, where it was placed for this very demand and RunCloud's answer to it was lost. */
function findLost({ last, names, askedAt }: WantedOrder, seen: Permit): LastOrder | undefined {
  if (!last?.isLost) return undefined;
  const isSame = last.names.length === names.length && names.every((name) => last.names.includes(name));
  return seen.kind === 'repeated' || (isSame && askedAt <= last.orderedAt) ? last : undefined;
}

/** RunCloud shows the effect of an order by another id, or another end; a first certificate by its being there. */
const isOther = (now: SeenCertificate | undefined, before: SeenCertificate | undefined): boolean =>
  now !== undefined && (now.id !== before?.id || now.validUntil !== before.validUntil);

interface Found {
  readonly seen: Permit;
  readonly lost: LastOrder | undefined;
  readonly certificate: SeenCertificate | undefined;
}

/** While the last order may still take effect: when to look next. Undefined where a new one may be placed. */
function notYet(
  { seen, lost, certificate }: Found,
  wanted: WantedOrder,
  { startedAt }: OrderWork,
  { pace, settings }: OrderPorts,
): Ordered | undefined {
  if (seen.kind === 'granted') return undefined;
  const look = (orderedAt: number): number =>
    startedAt + growing(startedAt - orderedAt, pace.tlsFirstMs, pace.tlsLongestMs);
  if (seen.kind === 'refused')
    return { ...postponed(seen, wanted), nextAt: Math.min(seen.nextAt, look(lost?.orderedAt ?? startedAt)) };
  const { orderedAt } = seen;
  if (certificate && !lost) return seen;
  const againAt = orderedAt + (certificate ? settings.cooldownMs : pace.issuanceMs);
  if (startedAt >= againAt) return undefined;
  const next = `it is ordered again at ${toNextMinute(againAt)}${certificate ? ' (SSL_COOLDOWN)' : ''} if it is not there by then`;
  const sentence = lost
    ? `RunCloud's answer to the order of ${toMinute(orderedAt)} was lost; looking whether the certificate comes, and ${next}`
    : `a certificate was ordered at ${toMinute(orderedAt)}, and RunCloud does not show it yet; ${next}`;
  return { kind: 'later', sentence, forDomains: sentence, nextAt: Math.min(againAt, look(orderedAt)) };
}

/** A certificate of the domain's own speaks of no other. */
const postponed = (
  refusal: Extract<Permit, { kind: 'refused' }>,
  { domain }: CertificateOrder,
): Extract<Ordered, { kind: 'later' }> => ({
  kind: 'later',
  sentence: describeRefusal(refusal),
  forDomains: domain === undefined ? describeRefusalToAll(refusal) : describeRefusal(refusal),
  nextAt: refusal.nextAt,
  mustAct: refusal.limit === 'failed-issuance' ? 'runcloud' : 'letsencrypt',
});

async function send(
  way: Way,
  wanted: CertificateOrder,
  orderedAt: number,
  work: OrderWork,
  ports: OrderPorts,
): Promise<Ordered> {
  const { app, jobId, calls } = work;
  try {
    const write = { key: app, jobId, kind: 'order', hadNoEffect } as const;
    const { fate } = await underFence(ports.certificates, write, calls, way.send);
    if (fate === 'written') {
      await ports.ledger.answered(wanted, orderedAt);
      return { kind: 'ordered' };
    }
    await ports.ledger.unsent(wanted, orderedAt);
    return { kind: fate };
  } catch (error) {
    if (hasCode(error, 'runcloud-rejected')) return refused(error.message, wanted, orderedAt, work, ports);
    // What left without an answer that tells is remembered as ordered: never two orders for one.
    if (
      !wasSent(error) ||
      error instanceof HeldError ||
      hasCode(error, 'runcloud-not-found', 'runcloud-forbidden')
    )
      await ports.ledger.unsent(wanted, orderedAt);
    throw error;
  }
}

// RunCloud does not say which name is to blame ([C] github.com/rehmatworks/runcloud-letsencrypt/issues/10): DNS may.
async function refused(
  message: string,
  wanted: CertificateOrder,
  orderedAt: number,
  { app, calls }: OrderWork,
  { ledger, look }: OrderPorts,
): Promise<Ordered> {
  const culprits = ((await look?.dns(app, wanted.names, calls)) ?? []).filter(isSuspect);
  const names = culprits.map(({ name }) => name);
  const nextAt = await ledger.failed(wanted, orderedAt, names);
  const why = culprits.map(({ sentence }) => `; ${sentence}`).join('');
  const next = `; the same names are tried again at ${toNextMinute(nextAt)}`;
  const ownWhy = wanted.domain === undefined ? toldToAll(names.length) : why;
  return {
    kind: 'later',
    sentence: `${message}${why}${next}`,
    forDomains: `${withoutOthers(message, wanted.domain === undefined ? [] : wanted.names)}${ownWhy}${next}`,
    nextAt,
    mustAct: culprits.length > 0 ? 'customer' : 'runcloud',
  };
}

const toldToAll = (culprits: number): string =>
  culprits === 0
    ? ''
    : `; the DNS of ${counted(culprits, 'name')} on the shared certificate is not right: \`runcloud-domains status\` names it`;
