// status: how things stand, as a table of all domains or as one domain's story.
import type { ProducerApp } from '../app.ts';
import { parseDomainName } from '../intent/domain-name.ts';
import type { Pause } from '../intent/pauses.ts';
import { type Stage, stages } from '../outcome.ts';
import type { DomainStatus, JobStatus, Survey } from '../queue/operator.ts';
import { nextLookOf, toRecord, toStanding } from '../records/domains.ts';
import { toPauseRecord } from '../records/operations.ts';
import { describePause } from './pause.ts';
import { describeDomain, describeRedeploy, isHeldBack, toShownStage } from './status-domain.ts';
import { type ExitCode, exitCodes, type Terminal, toRelative, toTable } from './terminal.ts';

type App = Pick<ProducerApp, 'operator' | 'looking' | 'pauses'>;

export interface StatusFlags {
  readonly json?: boolean | undefined;
  /** Stages to show only, each given alone or in a list with commas. */
  readonly state?: readonly string[] | undefined;
  readonly history?: boolean | undefined;
}

const SHOWN_DOMAINS = 50;
const SHOWN_STEPS = 5;
const TABLE_WIDTH = 100;
const LEAST_OUTCOME = 24;

const askedStages = ({ state = [] }: StatusFlags): string[] =>
  state.flatMap((text) => text.split(',')).map((text) => text.trim());

const isStage = (text: string): text is Stage => (stages as readonly string[]).includes(text);

/** What is wrong with the command line, undefined where nothing is. */
export function judgeFlags(domain: string | undefined, flags: StatusFlags): string | undefined {
  if (domain !== undefined && flags.state) return '--state is for the list: name no domain';
  if (domain === undefined && flags.history) return '--history is for one domain: name it';
  const unknown = askedStages(flags).find((text) => !isStage(text));
  return unknown === undefined ? undefined : `--state must be of ${stages.join(', ')}; got "${unknown}"`;
}

export async function showQueue(
  { operator, pauses }: App,
  flags: StatusFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const only = flags.state ? askedStages(flags).filter(isStage) : undefined;
  const [counts, held, paused, survey] = await Promise.all([
    operator.counts(),
    operator.hold(),
    pauses.list(),
    operator.survey(SHOWN_DOMAINS, only),
  ]);
  if (flags.json) {
    const domains = survey.domains.map(toStanding);
    const stands = { counts, held: held ?? null, paused: paused.map(toPauseRecord), stages: survey.stages };
    terminal.out(JSON.stringify({ ...stands, domains }, null, 2));
    return exitCodes.ok;
  }
  const pauseOfAll = paused.find(({ scope }) => scope.kind === 'all');
  const { waiting, active, delayed, failed, completed } = counts;
  terminal.out(
    `jobs: ${waiting} waiting, ${active} ${pauseOfAll ? 'taken' : 'at work'}, ${delayed} delayed, ${failed} failed, ${completed} completed`,
  );
  if (held) terminal.out(`held: ${held.sentence}`);
  for (const pause of paused) terminal.out(`paused: ${describePause(pause, Date.now())}`);
  for (const line of describeDomains(survey, only, Date.now(), pauseOfAll)) terminal.out(line);
  return exitCodes.ok;
}

export async function showDomain(
  name: string,
  { operator, looking, pauses }: App,
  flags: StatusFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const domain = parseDomainName(name);
  const status = await operator.domain(domain, {});
  if (!status) {
    terminal.err(`${domain} was never asked for here; \`status\` without a domain lists what was`);
    return exitCodes.failed;
  }
  if (flags.json) {
    terminal.out(JSON.stringify(toRecord(status), null, 2));
    return exitCodes.ok;
  }
  const steps = flags.history ? Number.POSITIVE_INFINITY : SHOWN_STEPS;
  const paused = await pauses.heldBy(status.intent);
  if (paused) terminal.out(`paused: ${describePause(paused, Date.now())}`);
  for (const line of describeDomain(status, { ...looking, nowMs: Date.now(), steps, paused }))
    terminal.out(line);
  return exitCodes.ok;
}

export function describeDomains(
  { domains, stages: counted }: Survey,
  only: readonly Stage[] | undefined,
  nowMs: number,
  pauseOfAll?: Pause,
): string[] {
  const standing = stages.filter((stage) => counted[stage]).map((stage) => `${counted[stage]} ${stage}`);
  if (standing.length === 0) return ['no domain was asked for yet; try `add shop.example.org`'];
  const summary = `domains: ${standing.join(', ')}`;
  if (domains.length === 0) return [summary, `no domain is ${only?.join(' or ')}`];
  return [
    summary,
    ...toDomainTable(domains, nowMs, pauseOfAll),
    ...describeCertificates(domains, nowMs, pauseOfAll),
    ...(domains.length === SHOWN_DOMAINS ? [`(the ${SHOWN_DOMAINS} asked for most recently)`] : []),
  ];
}

/** The outcome takes what the other columns leave. */
function toDomainTable(
  domains: readonly DomainStatus[],
  nowMs: number,
  pauseOfAll: Pause | undefined,
): string[] {
  const rows = [
    ['DOMAIN', 'WANTED', 'STATE', 'NEXT', 'LAST OUTCOME'],
    ...domains.map((status) =>
      toRow(status, isHeldBack(status.job, status.intent, pauseOfAll) ? 'held' : toNext(status, nowMs)),
    ),
  ];
  const others = toTable(rows.map((row) => row.slice(0, -1)));
  const width = Math.max(...others.map((line) => line.length)) + 2;
  const room = Math.max(LEAST_OUTCOME, TABLE_WIDTH - width);
  return toTable(rows.map((row) => [...row.slice(0, -1), cut(row.at(-1) ?? '', room)]));
}

const toRow = (status: DomainStatus, next: string): string[] => {
  const { domain, wish, stage, mustAct, outcome = '' } = status.intent;
  const wanted = wish.want === 'absent' ? 'removed' : wish.www ? 'with www' : 'attached';
  return [domain, wanted, toShownStage(stage, mustAct), next, outcome];
};

const nextByState: Readonly<Partial<Record<JobStatus['state'], string>>> = {
  active: 'at work',
  waiting: 'queued',
  delayed: 'soon',
};

function toNext(status: DomainStatus, nowMs: number): string {
  const at = nextLookOf(status);
  return at === undefined ? (nextByState[status.job.state] ?? '') : toRelative(at, nowMs);
}

const cut = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1).trimEnd()}…` : text;

/** One line per web application. */
function describeCertificates(
  statuses: readonly DomainStatus[],
  nowMs: number,
  pauseOfAll: Pause | undefined,
): string[] {
  const byApp = new Map(statuses.map((status) => [status.intent.appId, status]));
  return [...byApp].flatMap(([appId, { certificate, redeploy }]) => {
    const { outcome, outcomeAt } = certificate ?? {};
    const last = outcome && outcomeAt ? [`${outcome} (${toRelative(outcomeAt, nowMs)})`] : [];
    const ahead = describeRedeploy({ certificate, redeploy }, { nowMs, paused: pauseOfAll });
    const parts = [...last, ...(ahead === undefined ? [] : [`redeploy: ${ahead}`])];
    return parts.length > 0 ? [`certificate of web application ${appId}: ${parts.join('; ')}`] : [];
  });
}
