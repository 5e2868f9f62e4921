// status: all domains in a table, or the selected ones. Pure.

import { nextCheckTimeOf } from '../../api-records/domains.ts';
import { includesWww } from '../../domains/domain.ts';
import { actorOf, type Selection } from '../../domains/selection.ts';
import { stateNames } from '../../domains/states.ts';
import type { CertificateStatus, DomainStatus, Survey } from '../../queue/operator.ts';
import type { Pause } from '../../queue/pauses.ts';
import { describeSelection } from '../flags.ts';
import { toTable, withoutName } from './layout.ts';
import { describeRedeploy, isPaused } from './status-domain.ts';
import * as messages from './status-messages.ts';
import { toRelative } from './times.ts';

export interface ListOptions {
  readonly nowMs: number;
  readonly selection?: Selection | undefined;
  readonly pauseOfAll?: Pause | undefined;
  /** How long a line may be. */
  readonly columns?: number | undefined;
}

export function describeDomains(survey: Survey, options: ListOptions): string[] {
  const { domains, certificates, selected, states: counted } = survey;
  const { selection = {} } = options;
  const counts = stateNames.filter((state) => counted[state]).map((state) => `${counted[state]} ${state}`);
  const selectedBy = describeSelection(selection);
  if (counts.length === 0 && selectedBy === '') return [messages.NO_DOMAINS];
  if (domains.length === 0) return [messages.domainsLine(counts), messages.noMatch(selectedBy)];
  const more = selected > domains.length ? [messages.moreDomainsLine(domains.length, selected)] : [];
  return [
    messages.domainsLine(counts),
    ...toDomainTable(survey, options),
    ...describeCertificates(certificates, options),
    ...more,
  ];
}

const ROOMY = 100;

function toDomainTable({ domains, apps }: Survey, options: ListOptions): string[] {
  const { nowMs, pauseOfAll, columns, selection } = options;
  const hasApps = apps > 1 && selection?.appId === undefined;
  // In a narrow terminal the state has to do.
  const hasDesired = columns === undefined || columns >= ROOMY;
  const row = (domain: string, app: string, desired: string, ...others: string[]): string[] => [
    domain,
    ...(hasApps ? [app] : []),
    ...(hasDesired ? [desired] : []),
    ...others,
  ];
  const rows = domains.map((status) => {
    const { domain, appId, desired, state, reasonCode, outcome = '' } = status.record;
    const what = messages.requestedWord(desired.presence, includesWww(desired));
    const next = isPaused(status.job, reasonCode, pauseOfAll) ? messages.NEXT.paused : toNext(status, nowMs);
    const shown = messages.toShownState(state, actorOf(status.record));
    return row(domain, String(appId), what, shown, next, withoutName(outcome, domain));
  });
  return toTable([row('DOMAIN', 'APP', 'REQUESTED', 'STATE', 'NEXT', 'REASON'), ...rows], columns);
}

function toNext(status: DomainStatus, nowMs: number): string {
  const at = nextCheckTimeOf(status);
  const { state } = status.job;
  if (at !== undefined) return toRelative(at, nowMs);
  return state === 'active' || state === 'waiting' || state === 'delayed' ? messages.NEXT[state] : '';
}

/** One line for each web application. Operators read it, so it may name any domain. */
function describeCertificates(
  statuses: readonly CertificateStatus[],
  { nowMs, pauseOfAll }: ListOptions,
): string[] {
  return statuses.flatMap(({ appId, certificate, redeploy }) => {
    const { outcome, outcomeAt, reasonCode } = certificate;
    const last = outcome && outcomeAt ? [`${outcome} (${toRelative(outcomeAt, nowMs)})`] : [];
    const next = describeRedeploy(redeploy, reasonCode, { nowMs, paused: pauseOfAll });
    const parts = [...last, ...(next === undefined ? [] : [`redeploy: ${next}`])];
    return parts.length > 0 ? [messages.certificateLine(appId, parts)] : [];
  });
}
