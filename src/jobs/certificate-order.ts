// One order of a certificate: the ledger is asked first and remembers it before it leaves, the fence lets one through at a time,
// and a refusal becomes a wait with the culprits' names. Which order it is (redeploy, install) is the caller's business.
import { HeldError, hasCode } from '../errors.ts';
import type { Certificates } from '../intent/certificates.ts';
import { type Fenced, underFence } from '../intent/fence.ts';
import { isBad } from '../intent/gate.ts';
import { type CertificateOrder, describeRefusal, type Ledger } from '../intent/ledger.ts';
import { toNextMinute } from '../intent/times.ts';
import type { Actor } from '../outcome.ts';
import { wasSent } from '../runcloud/errors.ts';
import type { CallOptions, WebApplication } from '../runcloud/runcloud.ts';
import type { Look } from './look.ts';

export interface OrderPorts {
  readonly certificates: Pick<Certificates, 'beginWrite' | 'renewWrite' | 'endWrite'>;
  readonly ledger: Pick<Ledger, 'take' | 'unsent' | 'failed'>;
  readonly look: Pick<Look, 'dns'> | undefined;
}

export interface OrderWork {
  readonly app: WebApplication;
  readonly jobId: string;
  readonly calls: CallOptions;
}

export type Ordered =
  | { readonly kind: 'ordered' }
  /** The same names were ordered a moment ago. */
  | { readonly kind: 'repeated'; readonly orderedAt: number }
  /** Not now: by Let's Encrypt's limits, or because the last orders failed. */
  | { readonly kind: 'later'; readonly sentence: string; readonly nextAt: number; readonly mustAct: Actor }
  | { readonly kind: Exclude<Fenced<void>['fate'], 'written'> };

/** The write that orders it. */
export interface Way {
  readonly send: (options: CallOptions) => Promise<void>;
  /** There is none at this moment: what was ordered a moment ago is no reason to wait. */
  readonly isMissing: boolean;
}

/**
 * `changed`: something has changed since the last order, so that the cool-down does not hold this one. `findWay` asks RunCloud, and
 * is called only where the ledger lets the order through, or has to know whether the certificate of a repeated one is there.
 */
export async function order(
  wanted: CertificateOrder,
  changed: boolean,
  findWay: () => Promise<Way>,
  work: OrderWork,
  ports: OrderPorts,
): Promise<Ordered> {
  const { ledger } = ports;
  let permit = await ledger.take(wanted, changed);
  let way: Way | undefined;
  if (permit.kind === 'repeated') {
    way = await findWay();
    if (!way.isMissing) return permit;
    permit = await ledger.take(wanted, true);
  }
  if (permit.kind === 'repeated') return permit;
  if (permit.kind === 'refused') {
    const mustAct = permit.limit === 'failed-issuance' ? 'runcloud' : 'letsencrypt';
    return { kind: 'later', sentence: describeRefusal(permit), nextAt: permit.nextAt, mustAct };
  }
  const { orderedAt } = permit;
  const undo = async (error: unknown): Promise<never> => {
    await ledger.unsent(wanted, orderedAt);
    throw error;
  };
  way ??= await findWay().catch(undo);
  return send(way, wanted, orderedAt, work, ports);
}

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
  const culprits = ((await look?.dns(app, wanted.names, calls)) ?? []).filter(isBad);
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
