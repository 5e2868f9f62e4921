// status: how things stand, as a table of all domains or as one domain's story.

import { describeApps, describeChoice, toPlace } from '../../api-records/applications.ts';
import { toCertificateStatus, toRecord, toStatus } from '../../api-records/domains.ts';
import { toPauseRecord } from '../../api-records/operations.ts';
import type { ProducerApp } from '../../app/app.ts';
import type { DomainRecord } from '../../domains/domain.ts';
import { type DomainName, parseDomainName } from '../../domains/domain-name.ts';
import { actorOf, currentOf, type Selection } from '../../domains/selection.ts';
import { toMember } from '../../redis/keys.ts';
import { parseSelection, type SelectionFlags } from '../flags.ts';
import { parseLimit } from '../limit.ts';
import { say, toTable } from '../output/layout.ts';
import { describeDomain, toShownState } from '../output/status-domain.ts';
import { describeDomains } from '../output/status-list.ts';
import { type ExitCode, exitCodes, type Terminal, toRelative } from '../output/terminal.ts';
import { describePause } from './pause.ts';

type App = Pick<ProducerApp, 'operator' | 'looking' | 'pauses'>;

export interface StatusFlags extends SelectionFlags {
  readonly json?: boolean | undefined;
  readonly history?: boolean | undefined;
  /** As typed. */
  readonly limit?: string | undefined;
  readonly all?: boolean | undefined;
}

const SHOWN_DOMAINS = 50;
const MAX_LIMIT = 100_000;
const SHOWN_STEPS = 5;

/** What is wrong with the command line, undefined where nothing is. */
export function judgeFlags(domain: string | undefined, flags: StatusFlags): string | undefined {
  const { state, mustAct, search, site, all, limit, history } = flags;
  const ofList = { state, 'must-act': mustAct, search, site, all, limit };
  const [given] = Object.entries(ofList).find(([, value]) => value !== undefined) ?? [];
  if (domain !== undefined && given) return `--${given} is for the list: name no domain`;
  if (domain === undefined && history) return '--history is for one domain: name it';
  if (all && limit !== undefined) return 'say --all or --limit, not both';
  const selection = parseSelection(flags);
  if (typeof selection === 'string') return selection;
  const count = limit === undefined ? 1 : parseLimit(limit, MAX_LIMIT);
  return typeof count === 'string' ? count : undefined;
}

/** A program gets all that it asks for; a person 50, and the way to the rest. */
const limitOf = ({ json, all, limit }: StatusFlags): number =>
  limit !== undefined ? Number(limit) : all || json ? Number.POSITIVE_INFINITY : SHOWN_DOMAINS;

const selectionOf = (flags: StatusFlags): Selection => {
  const selection = parseSelection(flags);
  return typeof selection === 'string' ? {} : selection;
};

/** `flags` have been judged. */
export async function showQueue(
  { operator, pauses }: App,
  flags: StatusFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const selection = selectionOf(flags);
  const [counts, held, paused, survey] = await Promise.all([
    operator.counts(),
    operator.unavailable(),
    pauses.list(),
    operator.survey(limitOf(flags), selection),
  ]);
  if (flags.json) {
    const { selected, states } = survey;
    const stands = { counts, held: held ?? null, paused: paused.map(toPauseRecord), states, selected };
    const certificates = survey.certificates.map(toCertificateStatus);
    const domains = survey.domains.map(toStatus);
    terminal.out(JSON.stringify({ ...stands, certificates, domains }, null, 2));
    return exitCodes.ok;
  }
  const pauseOfAll = paused.find(({ scope }) => scope.kind === 'all');
  const { waiting, active, delayed, failed, completed } = counts;
  const nowMs = Date.now();
  const { columns } = terminal;
  say(terminal, [
    `jobs: ${waiting} waiting, ${active} ${pauseOfAll ? 'taken' : 'at work'}, ${delayed} delayed, ${failed} failed, ${completed} completed`,
    ...(held ? [`held: ${held.sentence}`] : []),
    ...paused.map((pause) => `paused: ${describePause(pause, nowMs)}`),
    ...describeDomains(survey, { nowMs, selection, pauseOfAll, columns }),
  ]);
  return exitCodes.ok;
}

/** `flags` have been judged. */
export async function showDomain(
  name: string,
  app: App,
  flags: StatusFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const domain = parseDomainName(name);
  const on = selectionOf(flags);
  const records = await app.operator.everywhere(domain, on);
  const [record, ...others] = currentOf(records);
  if (!record) return neverAsked(domain, on, app, terminal);
  if (others.length > 0) return showPlaces(domain, [record, ...others], flags, terminal);
  const elsewhere = records.filter((other) => toMember(other) !== toMember(record));
  return showOne(record, elsewhere, app, flags, terminal);
}

async function showOne(
  record: DomainRecord,
  elsewhere: readonly DomainRecord[],
  { operator, looking, pauses }: App,
  flags: StatusFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const status = await operator.details(record);
  if (flags.json) {
    terminal.out(JSON.stringify(toRecord(status), null, 2));
    return exitCodes.ok;
  }
  const nowMs = Date.now();
  const steps = flags.history ? Number.POSITIVE_INFINITY : SHOWN_STEPS;
  const paused = await pauses.pausedBy(status.record);
  say(terminal, [
    ...(paused ? [`paused: ${describePause(paused, nowMs)}`] : []),
    ...describeDomain(status, { ...looking, nowMs, steps, paused }),
    ...(elsewhere.length > 0 ? [`Also asked for on ${describeApps(elsewhere)}; --app shows it.`] : []),
  ]);
  return exitCodes.ok;
}

async function neverAsked(
  domain: DomainName,
  on: Selection,
  { operator }: App,
  terminal: Terminal,
): Promise<ExitCode> {
  const elsewhere = await operator.everywhere(domain);
  const owner = await operator.ownerOfTwin(domain, on);
  terminal.err(
    owner
      ? `${domain} is the www name of ${owner.domain} on web application ${owner.appId}: \`status ${owner.domain}\` shows it`
      : elsewhere.length > 0
        ? `${domain} was never asked for on ${describeChoice(on)}; it was on ${describeApps(elsewhere)}`
        : `${domain} was never asked for; \`status\` without a domain lists what was`,
  );
  return exitCodes.failed;
}

function showPlaces(
  domain: DomainName,
  records: readonly DomainRecord[],
  { json }: StatusFlags,
  terminal: Terminal,
): ExitCode {
  if (json) {
    terminal.out(JSON.stringify({ domain, applications: records.map(toPlace) }, null, 2));
    return exitCodes.ok;
  }
  const rows = records.map((record) => [
    String(record.appId),
    String(record.serverId),
    record.desired.presence,
    toShownState(record.state, actorOf(record)),
    toRelative(record.stateAt, Date.now()),
  ]);
  say(terminal, [
    `${domain} is on ${records.length} web applications; --app shows one of them:`,
    ...toTable([['APP', 'SERVER', 'WANTED', 'STATE', 'SINCE'], ...rows], terminal.columns),
  ]);
  return exitCodes.ok;
}
