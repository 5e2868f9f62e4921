// Why an order failed, as RunCloud's own log has it: read once, when the proof gives the order up, and said for as long as the domain
// is held by it.

import { describeLog, toLogText } from '../certificates/log-text.ts';
import type { DomainRecord, Evidence, LogText } from '../domains/domain.ts';
import { namesOfRecord } from '../domains/names.ts';
import { states } from '../domains/states.ts';
import type { DomainStore } from '../domains/store.ts';
import type { LogReader } from '../runcloud/log-reader.ts';
import type { CallOptions } from '../runcloud/runcloud.ts';
import type { ProofStep } from './proof.ts';

interface ReasonPorts {
  readonly runcloudLog: LogReader;
  readonly store: Pick<DomainStore, 'now'>;
}

/** Undefined where the log says nothing of certificates, or cannot be read. */
export async function readReason(
  { order }: Extract<ProofStep, { kind: 'order-failed' }>,
  { record, calls }: { readonly record: DomainRecord; readonly calls: CallOptions },
  { runcloudLog, store }: ReasonPorts,
): Promise<LogText | undefined> {
  const failed = { orderedAt: order.orderedAt, now: await store.now() };
  return toLogText(await runcloudLog.since(record, failed, calls), namesOfRecord(record));
}

export const withReason = (
  { sentence, report }: Extract<ProofStep, { kind: 'wait' }>,
  appId: number,
  { log }: Evidence,
): string =>
  report.state && states[report.state].needsAction ? `${sentence}${describeLog(log, appId)}` : sentence;
