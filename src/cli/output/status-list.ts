// status: all domains in a table, or those that were asked for. Pure.

import { nextCheckTimeOf } from '../../api-records/domains.ts';
import { includesWww } from '../../domains/domain.ts';
import { actorOf, type Selection } from '../../domains/selection.ts';
import { stateNames } from '../../domains/states.ts';
import type { CertificateStatus, DomainStatus, JobStatus, Survey } from '../../queue/operator.ts';
import type { Pause } from '../../queue/pauses.ts';
import { describeSelection } from '../flags.ts';
import { toTable, withoutName } from './layout.ts';
import { describeRedeploy, isHeldBack, toShownState } from './status-domain.ts';
import { toRelative } from './terminal.ts';

export interface ListTelling {
  readonly nowMs: number;
  readonly selection?: Selection | undefined;
  readonly pauseOfAll?: Pause | undefined;
  /** How long a line may be. */
  readonly columns?: number | undefined;
}

export function describeDomains(survey: Survey, telling: ListTelling): string[] {
  const { domains, certificates, selected, states: counted } = survey;
  const { selection = {} } = telling;
  const standing = stateNames.filter((state) => counted[state]).map((state) => `${counted[state]} ${state}`);
  const asked = describeSelection(selection);
  if (standing.length === 0 && asked === '')
    return ['no domain was asked for yet; try `add shop.example.org`'];
  const summary = standing.length === 0 ? 'domains: none' : `domains: ${standing.join(', ')}`;
  if (domains.length === 0) return [summary, `no domain is like this: ${asked}`];
  const more =
    selected > domains.length
      ? [`(the ${domains.length} asked for most recently of ${selected}; --all shows all)`]
      : [];
  return [
    summary,
    ...toDomainTable(survey, telling),
    ...describeCertificates(certificates, telling),
    ...more,
  ];
}

const ROOMY = 100;

function toDomainTable({ domains, apps }: Survey, telling: ListTelling): string[] {
  const { nowMs, pauseOfAll, columns, selection } = telling;
  const hasApps = apps > 1 && selection?.appId === undefined;
  // The state says as much of what is wanted as there is room for.
  const hasDesired = columns === undefined || columns >= ROOMY;
  const row = (domain: string, app: string, desired: string, ...others: string[]): string[] => [
    domain,
    ...(hasApps ? [app] : []),
    ...(hasDesired ? [desired] : []),
    ...others,
  ];
  const rows = domains.map((status) => {
    const { domain, appId, desired, state, outcome = '' } = status.record;
    const what = desired.presence === 'absent' ? 'removed' : includesWww(desired) ? 'with www' : 'attached';
    const next = isHeldBack(status.job, status.record, pauseOfAll) ? 'held' : toNext(status, nowMs);
    const shown = toShownState(state, actorOf(status.record));
    return row(domain, String(appId), what, shown, next, withoutName(outcome, domain));
  });
  return toTable([row('DOMAIN', 'APP', 'WANTED', 'STATE', 'NEXT', 'LAST OUTCOME'), ...rows], columns);
}

const nextByState: Readonly<Partial<Record<JobStatus['state'], string>>> = {
  active: 'at work',
  waiting: 'queued',
  delayed: 'soon',
};

function toNext(status: DomainStatus, nowMs: number): string {
  const at = nextCheckTimeOf(status);
  return at === undefined ? (nextByState[status.job.state] ?? '') : toRelative(at, nowMs);
}

/** One line per web application: for operators, so it may name any domain. */
function describeCertificates(
  statuses: readonly CertificateStatus[],
  { nowMs, pauseOfAll }: ListTelling,
): string[] {
  return statuses.flatMap(({ appId, certificate, redeploy }) => {
    const { outcome, outcomeAt } = certificate;
    const last = outcome && outcomeAt ? [`${outcome} (${toRelative(outcomeAt, nowMs)})`] : [];
    const ahead = describeRedeploy(redeploy, outcome, { nowMs, paused: pauseOfAll });
    const parts = [...last, ...(ahead === undefined ? [] : [`redeploy: ${ahead}`])];
    return parts.length > 0 ? [`certificate of web application ${appId}: ${parts.join('; ')}`] : [];
  });
}
