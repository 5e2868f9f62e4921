// status <domain>: one domain's story in sentences that a support agent can read out. Pure.

import { fixFor, nextCheckTimeOf } from '../../api-records/domains.ts';
import { dnsRecordsOf } from '../../api-records/evidence.ts';
import type { Budget } from '../../certificates/ledger.ts';
import { type DomainRecord, type Transition, toRequesterText } from '../../domains/domain.ts';
import { actorOf } from '../../domains/selection.ts';
import { type Actor, type DomainState, states } from '../../domains/states.ts';
import { toMinute, toSecond, toSpan } from '../../domains/times.ts';
import type { DnsFinding } from '../../probes/findings.ts';
import { isWrong } from '../../probes/findings.ts';
import type { DomainDetails, DomainStatus, JobStatus } from '../../queue/operator.ts';
import { isPausedSentence, type Pause } from '../../queue/pauses.ts';
import { describeJob } from '../wait.ts';
import { toTable } from './layout.ts';
import { describeChanges } from './status-dns.ts';
import { describeSeen } from './status-evidence.ts';
import { toRelative } from './terminal.ts';

/** What the configuration says about looking, so far as the story depends on it. */
export interface LookSettings {
  /** DNS_GATE is not off. */
  readonly hasDnsGate: boolean;
  /** MONITOR_INTERVAL; undefined where nothing is watched. */
  readonly monitorIntervalMs: number | undefined;
}

const actors: Readonly<Record<Actor, { short: string; sentence: string }>> = {
  customer: { short: 'customer', sentence: 'The customer must act' },
  operator: { short: 'you', sentence: 'You must act' },
  runcloud: { short: 'RunCloud', sentence: 'RunCloud must act (open a ticket if it lasts)' },
  letsencrypt: {
    short: "Let's Encrypt",
    sentence: "Let's Encrypt's limit must pass; nothing to do",
  },
};

/** `held (customer)` */
export const toShownState = (state: DomainState, mustAct: Actor | undefined): string =>
  mustAct ? `${state} (${actors[mustAct].short})` : state;

const toMoment = (atMs: number, nowMs: number): string => `${toMinute(atMs)} (${toRelative(atMs, nowMs)})`;

export interface Telling extends LookSettings {
  readonly nowMs: number;
  /** How many transitions to tell. */
  readonly steps: number;
  /** What is paused, and holds this domain. */
  readonly paused?: Pause | undefined;
}

export function describeDomain(status: DomainDetails, telling: Telling): string[] {
  const { record, history, budgets } = status;
  const { nowMs } = telling;
  return [
    `${record.domain}: ${toShownState(record.state, record.mustAct)} since ${toMoment(record.stateAt, nowMs)}.`,
    describeDesired(record, nowMs),
    ...describeReason(status, nowMs),
    ...describeDuty(status, telling),
    ...describeNextCheck(status, telling),
    ...(record.evidence && record.desired.presence === 'present' ? describeSeen(record.evidence, nowMs) : []),
    ...describeCertificate(status, telling),
    ...describeBudgets(budgets),
    ...describeHistory(history, telling.steps),
  ];
}

function describeDesired(record: DomainRecord, nowMs: number): string {
  const { desired, appId, requestedAt, siteId } = record;
  const what = desired.presence === 'absent' ? 'removed' : desired.www ? 'attached, with www' : 'attached';
  const requester = toRequesterText(record);
  const who = requester ? ` ${requester}` : '';
  const site = siteId ? `, site ${siteId}` : '';
  return `It shall be ${what} (web application ${appId}); asked for ${toRelative(requestedAt, nowMs)}${who}${site}.`;
}

/** A step that is newer than the last outcome has its own reason: a write that has begun, what the watch saw. */
function describeReason({ record, history }: DomainDetails, nowMs: number): string[] {
  const { outcome, outcomeAt = 0, state, stateAt, code } = record;
  const [step] = history;
  const isNewer = step?.state === state && stateAt > outcomeAt;
  const reason = isNewer ? step.reason : outcome;
  if (!reason) return [];
  const label = states[state].isReached ? 'Last outcome' : 'Why';
  const at = toRelative(isNewer ? stateAt : outcomeAt, nowMs);
  return [`${label}: ${reason}${code && !isNewer ? ` [${code}]` : ''} (${at}).`];
}

function describeDuty({ record, job, redeploy, certificate }: DomainDetails, telling: Telling): string[] {
  const dns = record.desired.presence === 'present' ? (record.evidence?.dns ?? []) : [];
  const bad = dns.filter(isWrong);
  const actor = actorOf(record);
  const changes = dnsRecordsOf(record);
  return [
    ...describeFix(record, actor, bad.length > 0),
    ...(actor !== 'customer' && bad.length > 0 ? [describeWarning(bad, telling)] : []),
    ...(changes === undefined || (states[record.state].isReached && bad.length === 0)
      ? []
      : describeChanges(changes)),
    ...describeRetry(job, record.nextRunAt),
    ...(redeploy ? describeRetry(redeploy, certificate?.nextRunAt) : []),
  ];
}

function describeFix(record: DomainRecord, actor: Actor | undefined, hasRecords: boolean): string[] {
  const fix = fixFor(record);
  const what = fix ? [`What to do: ${fix}`] : [];
  if (!actor) return what;
  const { sentence } = actors[actor];
  if (actor === 'operator' && fix) return [`${sentence}: ${fix}`];
  if (actor === 'customer' && hasRecords) return [`${sentence}: DNS is not right yet.`, ...what];
  return [`${sentence}.`, ...what];
}

/** `checkAt`: when a failed one is tried again by itself. */
function describeRetry({ id, state }: JobStatus, checkAt: number | undefined): string[] {
  if (state !== 'failed') return [];
  const when = checkAt === undefined ? 'Then try it again' : 'To try it again at once';
  return [`${when}: runcloud-domains retry ${id}`];
}

function describeWarning(bad: readonly DnsFinding[], { hasDnsGate }: LookSettings): string {
  const why = bad.map(({ sentence }) => sentence).join('; ');
  return hasDnsGate ? `Warning: ${why}.` : `Warning (nothing waits for it, DNS_GATE is off): ${why}.`;
}

/** A worker has taken its job, and begins nothing before the pause of everything is over. */
export const isHeldBack = (
  job: JobStatus,
  record: { readonly outcome?: string | undefined } | undefined,
  paused: Pause | undefined,
): boolean => job.state === 'active' && paused !== undefined && isPausedSentence(record?.outcome ?? '');

function describeNextCheck(status: DomainDetails, { nowMs, monitorIntervalMs, paused }: Telling): string[] {
  const { record, job } = status;
  const at = nextCheckTimeOf(status);
  if (at !== undefined && record.request === 'failed')
    return [`It is tried again by itself at ${toMoment(at, nowMs)}.`];
  if (at !== undefined) return [`We look again at ${toMoment(at, nowMs)}; job ${job.id}.`];
  if (record.request === 'failed') return ['It is not tried again by itself.'];
  if (isHeldBack(job, record, paused)) return [`Its job ${job.id} waits for the end of the pause.`];
  if (job.state === 'active' || job.state === 'waiting' || job.state === 'delayed')
    return [`Its job ${job.id}: ${describeJob(job, nowMs)}.`];
  if (record.request === 'pending') return [`Its job ${job.id} is gone; the sweep will add it again.`];
  const isWatched = record.request === 'settled' && record.desired.presence === 'present';
  if (!isWatched || monitorIntervalMs === undefined) return [];
  return [`We look again every ${toRelative(nowMs, nowMs + monitorIntervalMs).replace(' ago', '')}.`];
}

function describeCertificate(status: DomainStatus, telling: Telling): string[] {
  const { outcome, outcomeAt, mustAct } = status.certificate;
  const waits = mustAct ? `; ${actors[mustAct].sentence}` : '';
  const ahead = describeRedeploy(status.redeploy, status.redeploy?.lastWords, telling);
  return [
    ...(outcome && outcomeAt
      ? [`Certificate: ${outcome} (${toRelative(outcomeAt, telling.nowMs)})${waits}.`]
      : []),
    ...(ahead === undefined ? [] : [`Certificate redeploy: ${ahead}.`]),
  ];
}

/** Undefined where none is ahead: what a completed one said is the certificate's outcome already. */
export function describeRedeploy(
  redeploy: JobStatus | undefined,
  outcome: string | undefined,
  { nowMs, paused }: Pick<Telling, 'nowMs' | 'paused'>,
): string | undefined {
  if (!redeploy || redeploy.state === 'gone' || redeploy.state === 'completed') return undefined;
  return isHeldBack(redeploy, { outcome }, paused)
    ? 'waits for the end of the pause'
    : describeJob(redeploy, nowMs);
}

function describeBudgets(budgets: readonly Budget[]): string[] {
  const touched = budgets.filter(({ left, of }) => left < of);
  if (touched.length === 0) return [];
  const parts = touched.map(
    ({ limit, subject, left, of }) => `${left} of ${of} ${limit.replaceAll('-', ' ')} (${subject})`,
  );
  return [`Let's Encrypt's budget left: ${parts.join('; ')}.`];
}

function describeHistory(history: readonly Transition[], steps: number): string[] {
  if (history.length === 0) return [];
  const rows = history.slice(0, steps).map(({ at, state, mustAct, reason }, i) => {
    const before = history[i + 1]?.at;
    const after = before === undefined ? '' : `+${toSpan(at - before)}`;
    return [toSecond(at), after, toShownState(state, mustAct), reason];
  });
  const more = history.length - rows.length;
  return [
    `History, newest first, with the time since the step before${more > 0 ? ` (${more} more with --history)` : ''}:`,
    ...toTable(rows).map((line) => `  ${line}`),
  ];
}
