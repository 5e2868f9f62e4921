// What becomes of an order, as one domain's proof finds it out: it went well, or failed and who may be to blame; and whether the domain
// itself stays off for a while, so that the others get their certificate (bench.ts).
import type { Certificates } from '../certificates/certificates.ts';
import { actorOf, describeCount, type FailingName } from '../certificates/failing-names.ts';
import type { LastOrder, Ledger } from '../certificates/ledger.ts';
import type { DomainRecord, Evidence } from '../domains/domain.ts';
import { namesOfRecord } from '../domains/names.ts';
import { type Waiting, waiting } from '../domains/outcome.ts';
import type { Actor } from '../domains/states.ts';
import type { DomainStore } from '../domains/store.ts';
import { toNextMinute } from '../domains/times.ts';
import type { ServedCertificate } from '../probes/findings.ts';
import type { Facts } from '../runcloud/facts.ts';
import type { LogReader } from '../runcloud/log-reader.ts';
import type { CallOptions } from '../runcloud/runcloud.ts';
import { findFailingNamesOf } from './find-failing-names.ts';
import type { Probe } from './probe.ts';

export interface OrderResultPorts {
  readonly probe: Probe;
  readonly facts: Facts;
  readonly ledger: Pick<Ledger, 'last' | 'failed' | 'issued'>;
  readonly certificates: Pick<Certificates, 'get' | 'reinstate'>;
  readonly store: Pick<DomainStore, 'now'>;
  readonly runcloudLog: LogReader;
}

interface FateWork {
  readonly record: DomainRecord;
  readonly calls: CallOptions;
}

/** The certificate that covers the domain: its own, or the one that it shares. */
async function certificateOf({ record, calls }: FateWork, { facts }: Pick<OrderResultPorts, 'facts'>) {
  const { advanced } = await facts.cached(record, calls);
  const { serverId, appId } = record;
  return { app: { serverId, appId }, domain: advanced ? record.domain : undefined };
}

/**
 * The domain is live: where the certificate that was shown has it, and as many names as were ordered, that order went well. (Which
 * the others are is not kept in a domain's evidence.)
 */
export async function noteIssued(work: FateWork, { tls }: Evidence, ports: OrderResultPorts): Promise<void> {
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

/** Counted once, whoever reports it; the first report looks at all names. */
export async function noteFailed(
  order: LastOrder,
  work: FateWork,
  ports: OrderResultPorts,
): Promise<readonly FailingName[]> {
  const { ledger, store } = ports;
  const desired = { ...(await certificateOf(work, ports)), names: order.names };
  const at = { now: await store.now(), calls: work.calls };
  const last = await ledger.last(desired.app, desired.domain);
  const isTold = last?.hasFailed && last.orderedAt === order.orderedAt;
  const failingNames = isTold ? last.failingNames : await findFailingNamesOf(desired, last, at, ports);
  await ledger.failed(desired, order.orderedAt, failingNames);
  return failingNames;
}

/** What one domain is told of them: its own part, and that there are others, whose names are not its business. */
export function describeOwn(
  failingNames: readonly FailingName[],
  record: DomainRecord,
): { why: string; mustAct: Actor } {
  const names = namesOfRecord(record);
  const own = failingNames.filter(({ name }) => names.includes(name));
  // Its wrong records, and what the log says of it, are told anyhow.
  const said = own
    .filter(({ why }) => why !== 'wrong' && why !== 'logged')
    .map(({ sentence }) => `; ${sentence}`);
  const others = describeCount(failingNames.length - own.length);
  const isOthers = actorOf(own) === 'runcloud' && actorOf(failingNames) !== 'runcloud';
  const mustAct = isOthers ? 'operator' : actorOf(own);
  return { why: `${said.join('')}${others}`, mustAct };
}

/** SSL_INVALID_NAMES=detach: undefined where the domain need not stay off. */
export async function awaitReinstatement(
  { record }: Pick<FateWork, 'record'>,
  { certificates, store }: { certificates: Pick<Certificates, 'get'>; store: Pick<DomainStore, 'now'> },
): Promise<Waiting | undefined> {
  const { until = 0 } = (await certificates.get(record))?.sidelined[record.domain] ?? {};
  const now = await store.now();
  if (until <= now) return undefined;
  const sentence = `the certificate failed repeatedly with ${record.domain} on it as its newest name, so it stays off until ${toNextMinute(until)} and is tried again then (SSL_INVALID_NAMES=detach)`;
  return waiting(sentence, until - now, { state: 'held', mustAct: 'operator' });
}
