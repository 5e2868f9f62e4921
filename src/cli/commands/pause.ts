// pause, resume, pauses: stops jobs from running, with a reason and an end, and lets them continue.
import type { Command } from 'commander';

import { toPauseRecord } from '../../api-records/operations.ts';
import type { ProducerApp } from '../../app/app.ts';
import { duration } from '../../config/kinds.ts';
import { describeScope, type Pause, type PauseScope } from '../../queue/pauses.ts';
import type { Cli } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { parseApp } from '../flags.ts';
import * as messages from '../messages.ts';
import { operatorName } from '../operator-name.ts';
import { say, toWholeTable } from '../output/layout.ts';
import type { Terminal } from '../output/terminal.ts';
import { toRelative } from '../output/times.ts';

type App = Pick<ProducerApp, 'pauses' | 'audit' | 'requests' | 'defaults'>;

export interface ScopeFlags {
  readonly server?: string | undefined;
  readonly app?: string | undefined;
  readonly site?: string | undefined;
}

export interface PauseFlags extends ScopeFlags {
  readonly reason?: string | undefined;
  /** How long, as `2h`. */
  readonly for?: string | undefined;
}

const withScope = (command: Command): Command =>
  command
    .option('--app <id>', 'only this web application')
    .option('--server <id>', 'its server (default: RUNCLOUD_SERVER_ID)')
    .option('--site <id>', 'only this site, as requests name it');

export function addPause(program: Command, { terminal, withRedis, action }: Cli): void {
  withScope(program.command('pause'))
    .description('Stop jobs: all, or those of a web application or a site. Requests are still accepted.')
    .requiredOption('--reason <text>', 'why (required); shown wherever a job waits for the pause')
    .option('--for <time>', 'how long, such as 30m or 2h (default: until resumed)')
    .addHelpText(
      'after',
      '\nExamples:\n  runcloud-domains pause --reason "moving to another server" --for 2h\n  runcloud-domains pause --app 646 --reason "ticket 4711"',
    )
    .action(action((flags: PauseFlags) => withRedis((app) => pause(flags, app, terminal))));
  withScope(program.command('resume'))
    .description('Resume what was paused (use the same --app or --site). Jobs continue within a minute.')
    .addHelpText('after', '\nExamples:\n  runcloud-domains resume\n  runcloud-domains resume --app 646')
    .action(action((flags: ScopeFlags) => withRedis((app) => resume(flags, app, terminal))));
  program
    .command('pauses')
    .description('List active pauses: by whom, until when and why.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  runcloud-domains pauses --json')
    .action(action((flags: { json?: boolean }) => withRedis((app) => showPauses(flags, app, terminal))));
}

const span = duration('1s', '365d');

function toMs(text = ''): number | undefined {
  const parsed = span.parse(text);
  return 'value' in parsed ? parsed.value : undefined;
}

export async function pause(flags: PauseFlags, app: App, terminal: Terminal): Promise<ExitCode> {
  const scope = toScope(flags, app.defaults);
  const forMs = toMs(flags.for);
  const problem =
    (typeof scope === 'string' ? scope : undefined) ??
    (flags.reason?.trim() ? undefined : messages.REASON_REQUIRED) ??
    (flags.for !== undefined && forMs === undefined ? messages.badDuration(span.accepts) : undefined);
  if (problem !== undefined || typeof scope === 'string') return refuse(problem, terminal);
  const untilMs = forMs === undefined ? undefined : (await app.requests.store.now()) + forMs;
  const by = operatorName();
  const made = await app.pauses.pause({ scope, reason: flags.reason ?? '', by, untilMs });
  const until = messages.pausedUntil(untilMs);
  const what = describeScope(scope);
  await app.audit.record({ who: by, what: 'pause', detail: `${what}, ${until}: ${made.reason}` });
  say(terminal, [messages.paused(what, until)]);
  return exitCodes.ok;
}

export async function resume(flags: ScopeFlags, app: App, terminal: Terminal): Promise<ExitCode> {
  const scope = toScope(flags, app.defaults);
  if (typeof scope === 'string') return refuse(scope, terminal);
  const ended = await app.pauses.resume(scope);
  const what = describeScope(scope);
  if (ended) {
    await app.audit.record({ who: operatorName(), what: 'resume', detail: what });
    terminal.out(messages.resumed(what));
  } else terminal.err(messages.notPaused(what));
  const now = terminal.now();
  for (const pause of await app.pauses.list()) terminal.err(messages.stillPaused(describePause(pause, now)));
  return ended ? exitCodes.ok : exitCodes.failed;
}

export async function showPauses(
  { json }: { readonly json?: boolean | undefined },
  { pauses }: Pick<App, 'pauses'>,
  terminal: Terminal,
): Promise<ExitCode> {
  const found = await pauses.list();
  const now = terminal.now();
  if (json) terminal.out(JSON.stringify(found.map(toPauseRecord), null, 2));
  else if (found.length === 0) terminal.out(messages.NO_PAUSES);
  else
    say(
      terminal,
      toWholeTable(
        [['PAUSED', 'BY', 'SINCE', 'ENDS', 'REASON'], ...found.map((pause) => toRow(pause, now))],
        terminal.columns,
      ),
    );
  return exitCodes.ok;
}

/** "everything, by cli:ada, ends in 2 h: moving to another server". */
export const describePause = (pause: Pause, nowMs: number): string =>
  `${describeScope(pause.scope)}, by ${pause.by}${pause.leftMs === undefined ? '' : `, ends ${endOf(pause, nowMs)}`}: ${pause.reason}`;

const toRow = (pause: Pause, nowMs: number): string[] => [
  describeScope(pause.scope),
  pause.by,
  toRelative(pause.at, nowMs),
  endOf(pause, nowMs),
  pause.reason,
];

const endOf = ({ leftMs }: Pause, nowMs: number): string =>
  leftMs === undefined ? 'when resumed' : toRelative(nowMs + leftMs, nowMs);

function refuse(problem: string | undefined, terminal: Terminal): ExitCode {
  terminal.err(problem ?? '');
  return exitCodes.usage;
}

/** The scope that the flags name, or a sentence when they are wrong. Without flags: everything. */
export function toScope(
  { server, app, site }: ScopeFlags,
  defaults: { readonly serverId?: number },
): PauseScope | string {
  if (site !== undefined && (app ?? server) !== undefined) return messages.SITE_OR_APP;
  if (site !== undefined) return { kind: 'site', siteId: site };
  if (app === undefined && server === undefined) return { kind: 'all' };
  const on = parseApp({ app, server });
  if (typeof on === 'string') return on;
  const { appId, serverId = defaults.serverId } = on;
  if (appId === undefined) return messages.NO_APP;
  return serverId === undefined ? messages.NO_SERVER : { kind: 'app', serverId, appId };
}
