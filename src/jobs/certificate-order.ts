// One order of a certificate: the ledger is asked first and remembers it before it leaves, the fence lets one through at a time,
// and a refusal becomes a wait with the culprits' names. Which order it is (redeploy, install) is the caller's business.
import { HeldError, hasCode } from '../errors.ts';
import type { Certificates } from '../intent/certificates.ts';
import { type Fenced, underFence } from '../intent/fence.ts';
import { isSuspect } from '../intent/gate.ts';
import { type CertificateOrder, describeRefusal, type Ledger, type Permit } from '../intent/ledger.ts';
import type { Pace } from '../intent/pace.ts';
import { toMinute, toNextMinute } from '../intent/times.ts';
import type { Actor } from '../outcome.ts';
import { wasSent } from '../runcloud/errors.ts';
import type { CallOptions, WebApplication } from '../runcloud/runcloud.ts';
import type { Look } from './look.ts';

export interface OrderPorts {
  readonly certificates: Pick<Certificates, 'beginWrite' | 'renewWrite' | 'endWrite'>;
  readonly ledger: Pick<Ledger, 'peek' | 'take' | 'unsent' | 'failed'>;
  readonly look: Pick<Look, 'dns'> | undefined;
  readonly pace: Pick<Pace, 'issuanceMs'>;
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
  /** The same names were ordered a moment ago. */
  | { readonly kind: 'repeated'; readonly orderedAt: number }
  /** Not now: by Let's Encrypt's limits, because the last orders failed, or because one may be on its way (nobody must act). */
  | {
      readonly kind: 'later';
      readonly sentence: string;
      readonly nextAt: number;
      readonly mustAct?: Actor | undefined;
    }
  | { readonly kind: Exclude<Fenced<void>['fate'], 'written'> };

/** The write that orders it. */
export interface Way {
  readonly send: (options: CallOptions) => Promise<void>;
  /** There is none at this moment: once issuance has had its time, what was ordered before is no reason to wait. */
  readonly isMissing: boolean;
}

/**
 * `changed`: something has changed since the last order, so that the cool-down does not hold this one. `findWay` asks RunCloud, and
 * is called only where the ledger would let the order through, or has to know whether the certificate of a repeated one is there.
 * The ledger remembers the order right before it is sent, and not while RunCloud is asked.
 */
export async function order(
  wanted: CertificateOrder,
  changed: boolean,
  findWay: () => Promise<Way>,
  work: OrderWork,
  ports: OrderPorts,
): Promise<Ordered> {
  const { ledger, pace } = ports;
  const seen = await ledger.peek(wanted, changed);
  if (seen.kind === 'refused') return postponed(seen);
  const way = await findWay();
  if (seen.kind === 'repeated') {
    if (!way.isMissing) return seen;
    const nextAt = seen.orderedAt + pace.issuanceMs;
    const sentence = `a certificate was ordered at ${toMinute(seen.orderedAt)}, and RunCloud does not show it yet`;
    if (work.startedAt < nextAt) return { kind: 'later', sentence, nextAt };
  }
  const permit = await ledger.take(wanted, changed || way.isMissing);
  if (permit.kind === 'refused') return postponed(permit);
  return permit.kind === 'repeated' ? permit : send(way, wanted, permit.orderedAt, work, ports);
}

const postponed = (refusal: Extract<Permit, { kind: 'refused' }>): Ordered => ({
  kind: 'later',
  sentence: describeRefusal(refusal),
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
    const write = { key: app, jobId, kind: 'order' } as const;
    const { fate } = await underFence(ports.certificates, write, calls, way.send);
    if (fate === 'written') return { kind: 'ordered' };
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
  return {
    kind: 'later',
    sentence: `${message}${why}; the same names are tried again at ${toNextMinute(nextAt)}`,
    nextAt,
    mustAct: culprits.length > 0 ? 'customer' : 'runcloud',
  };
}
