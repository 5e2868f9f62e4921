// status <domain>: one domain in sentences that a support agent can read out. Pure.

import { fixFor, nextCheckTimeOf } from '../../api-records/domains.ts';
import { dnsRecordsOf } from '../../api-records/evidence.ts';
import type { Budget } from '../../certificates/ledger.ts';
import { type DomainRecord, type Transition, toRequesterText } from '../../domains/domain.ts';
import type { ReasonCode } from '../../domains/reasons.ts';
import { actorOf } from '../../domains/selection.ts';
import { type Actor, states } from '../../domains/states.ts';
import { toMinute, toSecond, toSpan } from '../../domains/times.ts';
import type { DnsFinding } from '../../probes/findings.ts';
import { isWrong } from '../../probes/findings.ts';
import type { DomainDetails, DomainStatus, JobStatus } from '../../queue/operator.ts';
import type { Pause } from '../../queue/pauses.ts';
import { describeJob } from './job.ts';
import { toTable } from './layout.ts';
import { describeChanges } from './status-dns.ts';
import { describeEvidence } from './status-evidence.ts';
import * as messages from './status-messages.ts';
import { toRelative } from './times.ts';

/** The settings that the text depends on. */
export interface CheckSettings {
  /** DNS_GATE is not off. */
  readonly hasDnsGate: boolean;
  /** MONITOR_INTERVAL; undefined: no monitoring. */
  readonly monitorIntervalMs: number | undefined;
}

const toMoment = (atMs: number, nowMs: number): string => `${toMinute(atMs)} (${toRelative(atMs, nowMs)})`;

export interface StatusOptions extends CheckSettings {
  readonly nowMs: number;
  /** How many steps of the history to show. */
  readonly steps: number;
  /** The pause that this domain's jobs wait for. */
  readonly paused?: Pause | undefined;
}

export function describeDomain(status: DomainDetails, options: StatusOptions): string[] {
  const { record, history, budgets } = status;
  const { nowMs } = options;
  return [
    messages.stateLine(
      record.domain,
      messages.toShownState(record.state, actorOf(record)),
      toMoment(record.stateAt, nowMs),
    ),
    describeDesired(record, nowMs),
    ...describeReason(status, nowMs),
    ...describeDuty(status, options),
    ...describeNextCheck(status, options),
    ...(record.evidence && record.desired.presence === 'present'
      ? describeEvidence(record.evidence, nowMs)
      : []),
    ...describeCertificate(status, options),
    ...describeBudgets(budgets),
    ...describeHistory(history, options.steps),
  ];
}

function describeDesired(record: DomainRecord, nowMs: number): string {
  const { desired, appId, requestedAt, siteId } = record;
  const hasWww = desired.presence === 'present' && Boolean(desired.www);
  const at = toRelative(requestedAt, nowMs);
  return messages.requestLine({
    presence: desired.presence,
    hasWww,
    appId,
    siteId,
    at,
    by: toRequesterText(record),
  });
}

/** A newer step has its own reason: a write that began, or what the monitor observed. */
function describeReason({ record, history }: DomainDetails, nowMs: number): string[] {
  const { outcome, outcomeAt = 0, state, stateAt, code } = record;
  const [step] = history;
  const isNewer = step?.state === state && stateAt > outcomeAt;
  const reason = isNewer ? step.reason : outcome;
  if (!reason) return [];
  return [
    messages.reasonLine(reason, isNewer ? undefined : code, toRelative(isNewer ? stateAt : outcomeAt, nowMs)),
  ];
}

function describeDuty(
  { record, job, redeploy, certificate }: DomainDetails,
  options: StatusOptions,
): string[] {
  const dns = record.desired.presence === 'present' ? (record.evidence?.dns ?? []) : [];
  const wrong = dns.filter(isWrong);
  const actor = actorOf(record);
  const changes = dnsRecordsOf(record);
  return [
    ...describeFix(record, actor, wrong.length > 0),
    ...(actor !== 'customer' && wrong.length > 0 ? [describeWarning(wrong, options)] : []),
    ...(changes === undefined || (states[record.state].isReached && wrong.length === 0)
      ? []
      : describeChanges(changes)),
    ...describeRetry(job, record.nextRunAt),
    ...(redeploy ? describeRetry(redeploy, certificate?.nextRunAt) : []),
  ];
}

function describeFix(record: DomainRecord, actor: Actor | undefined, hasWrongDns: boolean): string[] {
  const fix = fixFor(record);
  if (actor === 'operator') return [messages.mustActLine(actor, fix, hasWrongDns)];
  return [
    ...(actor ? [messages.mustActLine(actor, undefined, hasWrongDns)] : []),
    ...(fix === undefined ? [] : [messages.whatToDo(fix)]),
  ];
}

/** `checkAt`: when a failed job is retried automatically. */
const describeRetry = ({ id, state }: JobStatus, checkAt: number | undefined): string[] =>
  state === 'failed' ? [messages.retryLine(id, checkAt !== undefined)] : [];

const describeWarning = (wrong: readonly DnsFinding[], { hasDnsGate }: CheckSettings): string =>
  messages.dnsWarning(wrong.map(({ sentence }) => sentence).join('; '), hasDnsGate);

/** A worker has taken the job, and starts it when the pause of everything ends. */
export const isPaused = (
  job: JobStatus,
  reasonCode: ReasonCode | undefined,
  pause: Pause | undefined,
): boolean => job.state === 'active' && pause !== undefined && reasonCode === 'paused';

function describeNextCheck(
  status: DomainDetails,
  { nowMs, monitorIntervalMs, paused }: StatusOptions,
): string[] {
  const { record, job } = status;
  const at = nextCheckTimeOf(status);
  const hasFailed = record.request === 'failed';
  if (at !== undefined)
    return [
      hasFailed ? messages.nextRetry(toMoment(at, nowMs)) : messages.nextCheck(toMoment(at, nowMs), job.id),
    ];
  if (hasFailed) return [messages.NO_RETRY];
  if (isPaused(job, record.reasonCode, paused)) return [messages.jobWaitsForPause(job.id)];
  if (job.state === 'active' || job.state === 'waiting' || job.state === 'delayed')
    return [messages.jobLine(job.id, describeJob(job, nowMs))];
  if (record.request === 'pending') return [messages.jobMissing(job.id)];
  const isMonitored = record.request === 'settled' && record.desired.presence === 'present';
  if (!isMonitored || monitorIntervalMs === undefined) return [];
  return [messages.checkedEvery(toRelative(nowMs, nowMs + monitorIntervalMs).replace(' ago', ''))];
}

function describeCertificate({ certificate, redeploy }: DomainStatus, options: StatusOptions): string[] {
  const { outcome, outcomeAt, mustAct } = certificate;
  const next = describeRedeploy(redeploy, redeploy?.lastWords === undefined ? undefined : 'paused', options);
  return [
    ...(outcome && outcomeAt
      ? [messages.certificateResult(outcome, toRelative(outcomeAt, options.nowMs), mustAct)]
      : []),
    ...(next === undefined ? [] : [messages.redeployLine(next)]),
  ];
}

/**
 * Undefined when none is pending: the result of a completed one is the certificate's outcome
 * already.
 */
export function describeRedeploy(
  redeploy: JobStatus | undefined,
  reasonCode: ReasonCode | undefined,
  { nowMs, paused }: Pick<StatusOptions, 'nowMs' | 'paused'>,
): string | undefined {
  if (!redeploy || redeploy.state === 'gone' || redeploy.state === 'completed') return undefined;
  return isPaused(redeploy, reasonCode, paused) ? messages.WAITS_FOR_PAUSE : describeJob(redeploy, nowMs);
}

function describeBudgets(budgets: readonly Budget[]): string[] {
  const touched = budgets.filter(({ left, of }) => left < of);
  if (touched.length === 0) return [];
  const parts = touched.map(
    ({ limit, subject, left, of }) => `${left} of ${of} ${limit.replaceAll('-', ' ')} (${subject})`,
  );
  return [messages.budgetLine(parts)];
}

function describeHistory(history: readonly Transition[], steps: number): string[] {
  if (history.length === 0) return [];
  const rows = history.slice(0, steps).map(({ at, state, mustAct, reason }, i) => {
    const before = history[i + 1]?.at;
    const after = before === undefined ? '' : `+${toSpan(at - before)}`;
    return [toSecond(at), after, messages.toShownState(state, mustAct), reason];
  });
  const more = history.length - rows.length;
  return [messages.historyHeading(more), ...toTable(rows).map((line) => `  ${line}`)];
}
