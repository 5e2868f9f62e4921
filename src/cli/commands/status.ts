// status: all domains in a table, or one domain in sentences.
import type { Command } from 'commander';
import { describeApps, describeChoice, toPlace } from '../../api-records/applications.ts';
import { toCertificateStatus, toRecord, toStatus } from '../../api-records/domains.ts';
import { toPauseRecord } from '../../api-records/operations.ts';
import type { ProducerApp } from '../../app/app.ts';
import { type DomainRecord, includesWww } from '../../domains/domain.ts';
import { type DomainName, parseDomainName } from '../../domains/domain-name.ts';

import { actorOf, currentOf, type Selection } from '../../domains/selection.ts';
import { actors, stateNames } from '../../domains/states.ts';
import { toMember } from '../../redis/keys.ts';
import type { Cli } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { parseLimit, parseSelection, type SelectionFlags } from '../flags.ts';
import { ALL_OR_LIMIT, DOMAIN_ONLY, listOnly } from '../messages.ts';
import { say, toTable } from '../output/layout.ts';
import { describeDomain } from '../output/status-domain.ts';
import { describeDomains } from '../output/status-list.ts';
import * as messages from '../output/status-messages.ts';
import type { Terminal } from '../output/terminal.ts';
import { toRelative } from '../output/times.ts';
import { describePause } from './pause.ts';

type App = Pick<ProducerApp, 'operator' | 'checkSettings' | 'pauses'>;

export interface StatusFlags extends SelectionFlags {
  readonly json?: boolean | undefined;
  readonly history?: boolean | undefined;
  /** As typed. */
  readonly limit?: string | undefined;
  readonly all?: boolean | undefined;
}

export function addStatus(program: Command, { terminal, withRedis, action }: Cli): void {
  program
    .command('status')
    .description('Show all domains, or one: state, reason, who must act, last check, next check.')
    .argument('[domain]', 'one domain, on any web application')
    .option('--app <id>', "only this web application, by RunCloud's id")
    .option('--server <id>', "only this server, by RunCloud's id")
    .option('--state <state...>', `only domains in these states: ${stateNames.join(', ')}`)
    .option('--must-act <who...>', `only domains for which one of these must act: ${actors.join(', ')}`)
    .option('--search <text>', 'only domains whose name contains this')
    .option('--site <id>', 'only domains of this site, as requests name it')
    .option('--limit <number>', 'how many, the newest request first (default: 50; with --json all)')
    .option('--all', 'all of them')
    .option('--history', 'one domain: its last 50 changes of state, not only the newest 5')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  runcloud-domains status --must-act customer --all\n  runcloud-domains status --state held,waiting-for-dns --app 646\n  runcloud-domains status shop.example.org --json',
    )
    .action(
      action(async (domain: string | undefined, flags: StatusFlags) => {
        const problem = judgeFlags(domain, flags);
        if (problem) terminal.err(problem);
        if (problem) return exitCodes.usage;
        return withRedis((app) =>
          domain === undefined ? showQueue(app, flags, terminal) : showDomain(domain, app, flags, terminal),
        );
      }),
    );
}

const SHOWN_DOMAINS = 50;
const MAX_LIMIT = 100_000;
const SHOWN_STEPS = 5;

/** A sentence when the flags are wrong. */
export function judgeFlags(domain: string | undefined, flags: StatusFlags): string | undefined {
  const { state, mustAct, search, site, all, limit, history } = flags;
  const ofList = { state, 'must-act': mustAct, search, site, all, limit };
  const [given] = Object.entries(ofList).find(([, value]) => value !== undefined) ?? [];
  if (domain !== undefined && given) return listOnly(`--${given}`);
  if (domain === undefined && history) return DOMAIN_ONLY;
  if (all && limit !== undefined) return ALL_OR_LIMIT;
  const selection = parseSelection(flags);
  if (typeof selection === 'string') return selection;
  const count = limit === undefined ? 1 : parseLimit(limit, MAX_LIMIT);
  return typeof count === 'string' ? count : undefined;
}

/** A program gets all domains, a person the newest 50. */
const limitOf = ({ json, all, limit }: StatusFlags): number =>
  limit !== undefined ? Number(limit) : all || json ? Number.POSITIVE_INFINITY : SHOWN_DOMAINS;

const selectionOf = (flags: StatusFlags): Selection => {
  const selection = parseSelection(flags);
  return typeof selection === 'string' ? {} : selection;
};

/** `flags` have passed judgeFlags. */
export async function showQueue(
  { operator, pauses }: App,
  flags: StatusFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const selection = selectionOf(flags);
  const [counts, unavailable, paused, survey] = await Promise.all([
    operator.counts(),
    operator.unavailable(),
    pauses.list(),
    operator.survey(limitOf(flags), selection),
  ]);
  if (flags.json) {
    const { selected, states } = survey;
    const queue = {
      counts,
      unavailable: unavailable ?? null,
      paused: paused.map(toPauseRecord),
      states,
      selected,
    };
    const certificates = survey.certificates.map(toCertificateStatus);
    const domains = survey.domains.map(toStatus);
    terminal.out(JSON.stringify({ ...queue, certificates, domains }, null, 2));
    return exitCodes.ok;
  }
  const pauseOfAll = paused.find(({ scope }) => scope.kind === 'all');
  const nowMs = terminal.now();
  say(terminal, [
    messages.jobsLine(counts, pauseOfAll !== undefined),
    ...(unavailable ? [messages.unavailableLine(unavailable.sentence)] : []),
    ...paused.map((pause) => messages.pauseLine(describePause(pause, nowMs))),
    ...describeDomains(survey, { nowMs, selection, pauseOfAll, columns: terminal.columns }),
  ]);
  return exitCodes.ok;
}

/** `flags` have passed judgeFlags. */
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
  if (!record) return showUnknown(domain, on, app, terminal);
  if (others.length > 0) return showPlaces(domain, [record, ...others], flags, terminal);
  const elsewhere = records.filter((other) => toMember(other) !== toMember(record));
  return showOne(record, elsewhere, app, flags, terminal);
}

async function showOne(
  record: DomainRecord,
  elsewhere: readonly DomainRecord[],
  { operator, checkSettings, pauses }: App,
  flags: StatusFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const status = await operator.details(record);
  if (flags.json) {
    terminal.out(JSON.stringify(toRecord(status), null, 2));
    return exitCodes.ok;
  }
  const nowMs = terminal.now();
  const steps = flags.history ? Number.POSITIVE_INFINITY : SHOWN_STEPS;
  const paused = await pauses.pausedBy(status.record);
  say(terminal, [
    ...(paused ? [messages.pauseLine(describePause(paused, nowMs))] : []),
    ...describeDomain(status, { ...checkSettings, nowMs, steps, paused }),
    ...(elsewhere.length > 0 ? [messages.alsoRequested(describeApps(elsewhere))] : []),
  ]);
  return exitCodes.ok;
}

async function showUnknown(
  domain: DomainName,
  on: Selection,
  { operator }: App,
  terminal: Terminal,
): Promise<ExitCode> {
  const elsewhere = await operator.everywhere(domain);
  const owner = await operator.ownerOfTwin(domain, on);
  terminal.err(
    owner
      ? messages.isWwwName(domain, owner.domain, owner.appId)
      : elsewhere.length > 0
        ? messages.unknownThere(domain, describeChoice(on), describeApps(elsewhere))
        : messages.unknownDomain(domain),
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
    messages.requestedWord(record.desired.presence, includesWww(record.desired)),
    messages.toShownState(record.state, actorOf(record)),
    toRelative(record.stateAt, terminal.now()),
  ]);
  say(terminal, [
    messages.severalApps(domain, records.length),
    ...toTable([['APP', 'SERVER', 'REQUESTED', 'STATE', 'SINCE'], ...rows], terminal.columns),
  ]);
  return exitCodes.ok;
}
