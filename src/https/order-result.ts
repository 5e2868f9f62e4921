// What becomes of an order, as one domain's proof finds out: it succeeded, or it failed, and which names may be the cause. Also whether
// the domain itself stays detached for a while, so that the others get their certificate (sidelined.ts).
import type { Certificates } from '../certificates/certificates.ts';
import { actorOf, type FailingName } from '../certificates/failing-names.ts';
import type { LastOrder, Ledger } from '../certificates/ledger.ts';
import { toLogText } from '../certificates/log-text.ts';
import { countCauses } from '../certificates/messages.ts';
import type { DomainRecord, Evidence, LogText } from '../domains/domain.ts';
import { namesOfRecord } from '../domains/names.ts';
import { type Waiting, waiting } from '../domains/outcome.ts';
import { inSentences } from '../domains/sentences.ts';
import type { Actor } from '../domains/states.ts';
import type { DomainStore } from '../domains/store.ts';
import type { ServedCertificate } from '../probes/findings.ts';
import type { Facts } from '../runcloud/facts.ts';
import type { LogReader } from '../runcloud/log-reader.ts';
import type { CallOptions } from '../runcloud/runcloud.ts';
import { findFailingNamesOf } from './find-failing-names.ts';
import { sidelined } from './messages.ts';
import type { Probe } from './probe.ts';

export interface OrderResultPorts {
  readonly probe: Probe;
  readonly facts: Facts;
  readonly ledger: Pick<Ledger, 'last' | 'failed' | 'issued'>;
  readonly certificates: Pick<Certificates, 'get' | 'reinstate'>;
  readonly store: Pick<DomainStore, 'now'>;
  readonly runcloudLog: LogReader;
}

interface Work {
  readonly record: DomainRecord;
  readonly calls: CallOptions;
}

/** The certificate that covers the domain: its own, or the one that it shares. */
async function certificateOf({ record, calls }: Work, { facts }: Pick<OrderResultPorts, 'facts'>) {
  const { advanced } = await facts.cached(record, calls);
  const { serverId, appId } = record;
  return { app: { serverId, appId }, domain: advanced ? record.domain : undefined };
}

/**
 * The domain is live. If the served certificate has it, and as many names as the order, that order succeeded. (A domain's evidence does
 * not keep the names of others.)
 */
export async function noteIssued(work: Work, { tls }: Evidence, ports: OrderResultPorts): Promise<void> {
  const { ledger, certificates } = ports;
  const desired = await certificateOf(work, ports);
  const order = await ledger.last(desired.app, desired.domain);
  const isShown = tls.every(
    ({ name, certificate }) => order?.names.includes(name) && countOf(certificate) === order.names.length,
  );
  if (!order || !isShown) return;
  if (!isKnown(order)) await ledger.issued(desired, order.orderedAt);
  await certificates.reinstate(desired.app, work.record.domain);
}

const countOf = (served: ServedCertificate | undefined): number =>
  served ? served.names.length + (served.moreNames ?? 0) : 0;

const isKnown = ({ names, issued, failingNames, hasFailed }: LastOrder): boolean =>
  !hasFailed && failingNames.length === 0 && issued?.join() === names.join();

/** Counted once, whoever reports it. The first report checks all names. */
export async function noteFailed(
  order: LastOrder,
  work: Work,
  ports: OrderResultPorts,
): Promise<readonly FailingName[]> {
  const { ledger, store } = ports;
  const desired = { ...(await certificateOf(work, ports)), names: order.names };
  const at = { now: await store.now(), calls: work.calls };
  const last = await ledger.last(desired.app, desired.domain);
  const isReported = last?.hasFailed && last.orderedAt === order.orderedAt;
  const failingNames = isReported ? last.failingNames : await findFailingNamesOf(desired, last, at, ports);
  await ledger.failed(desired, order.orderedAt, failingNames);
  return failingNames;
}

/** For one domain: its own part, and that there are others. Their names are not its business. */
export function describeOwn(
  failingNames: readonly FailingName[],
  record: DomainRecord,
): { readonly why: string; readonly mustAct: Actor } {
  const names = namesOfRecord(record);
  const own = failingNames.filter(({ name }) => names.includes(name));
  // Its wrong records, and what the log says of it, are said in any case.
  const signs = own.filter(({ why }) => why !== 'wrong' && why !== 'logged');
  const others = countCauses(failingNames.length - own.length);
  const isOthers = actorOf(own) === 'runcloud' && actorOf(failingNames) !== 'runcloud';
  return {
    why: inSentences(...signs.map(({ sentence }) => sentence), others),
    mustAct: isOthers ? 'operator' : actorOf(own),
  };
}

/** Why the order failed, as RunCloud's log has it. Undefined: the log says nothing of certificates, or cannot be read. */
export async function readLog(
  order: LastOrder,
  { record, calls }: Work,
  { runcloudLog, store }: Pick<OrderResultPorts, 'runcloudLog' | 'store'>,
): Promise<LogText | undefined> {
  const span = { orderedAt: order.orderedAt, now: await store.now() };
  return toLogText(await runcloudLog.since(record, span, calls), namesOfRecord(record));
}

/** SSL_INVALID_NAMES=detach: undefined if the domain need not stay detached. */
export async function awaitReinstatement(
  { record }: Pick<Work, 'record'>,
  { certificates, store }: { certificates: Pick<Certificates, 'get'>; store: Pick<DomainStore, 'now'> },
): Promise<Waiting | undefined> {
  const { until = 0 } = (await certificates.get(record))?.sidelined[record.domain] ?? {};
  const now = await store.now();
  if (until <= now) return undefined;
  const report = { state: 'held', reasonCode: 'sidelined', mustAct: 'operator' } as const;
  return waiting(sidelined(record.domain, until), until - now, report);
}
