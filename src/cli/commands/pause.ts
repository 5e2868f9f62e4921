// pause, resume, pauses: stops jobs from running, with a reason and an end, and lets them go on.

import { toPauseRecord } from '../../api-records/operations.ts';
import type { ProducerApp } from '../../app/app.ts';
import { duration } from '../../config/kinds.ts';
import { describeScope, type Pause, type PauseScope } from '../../queue/pauses.ts';
import { parseApp } from '../flags.ts';
import { operatorName } from '../operator-name.ts';
import { say, toWholeTable } from '../output/layout.ts';
import { type ExitCode, exitCodes, type Terminal, toRelative } from '../output/terminal.ts';

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

const span = duration('1s', '365d');

export async function pause(flags: PauseFlags, app: App, terminal: Terminal): Promise<ExitCode> {
  const scope = toScope(flags, app.defaults);
  const forMs = flags.for === undefined ? undefined : span.schema.safeParse(flags.for).data;
  const problem =
    (typeof scope === 'string' ? scope : undefined) ??
    (flags.reason?.trim() ? undefined : 'say why with --reason "…", for whoever meets it') ??
    (flags.for !== undefined && forMs === undefined ? `--for must be ${span.accepts}` : undefined);
  if (problem !== undefined || typeof scope === 'string') return refuse(problem, terminal);
  const untilMs = forMs === undefined ? undefined : (await app.requests.store.now()) + forMs;
  const by = operatorName();
  const made = await app.pauses.pause({ scope, reason: flags.reason ?? '', by, untilMs });
  const until = untilMs === undefined ? 'until it is resumed' : `until ${new Date(untilMs).toISOString()}`;
  const what = describeScope(scope);
  await app.audit.record({ who: by, what: 'pause', detail: `${what}, ${until}: ${made.reason}` });
  say(terminal, [
    `paused: ${what}, ${until}; what is at work now is finished (\`status\` shows what is held), requests are still accepted`,
  ]);
  return exitCodes.ok;
}

export async function resume(flags: ScopeFlags, app: App, terminal: Terminal): Promise<ExitCode> {
  const scope = toScope(flags, app.defaults);
  if (typeof scope === 'string') return refuse(scope, terminal);
  const ended = await app.pauses.resume(scope);
  const what = describeScope(scope);
  if (ended) {
    await app.audit.record({ who: operatorName(), what: 'resume', detail: what });
    terminal.out(`resumed: ${what}; its jobs go on within a minute`);
  } else
    terminal.err(`nothing to resume: there is no pause of ${what}; \`pauses\` lists those that there are`);
  for (const pause of await app.pauses.list())
    terminal.err(`still paused: ${describePause(pause, Date.now())}`);
  return ended ? exitCodes.ok : exitCodes.failed;
}

export async function showPauses(
  { json }: { readonly json?: boolean | undefined },
  { pauses }: Pick<App, 'pauses'>,
  terminal: Terminal,
): Promise<ExitCode> {
  const found = await pauses.list();
  const now = Date.now();
  if (json) terminal.out(JSON.stringify(found.map(toPauseRecord), null, 2));
  else if (found.length === 0) terminal.out('nothing is paused');
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

/** The scope that the flags name, or what is wrong with them. Without any: everything. */
export function toScope(
  { server, app, site }: ScopeFlags,
  defaults: { readonly serverId?: number },
): PauseScope | string {
  if (site !== undefined && (app ?? server) !== undefined)
    return 'name a site or a web application, not both';
  if (site !== undefined) return { kind: 'site', siteId: site };
  if (app === undefined && server === undefined) return { kind: 'all' };
  const on = parseApp({ app, server });
  if (typeof on === 'string') return on;
  const { appId, serverId = defaults.serverId } = on;
  if (appId === undefined) return 'name the web application too: --app <id>';
  return serverId === undefined
    ? 'name the server: --server <id>, or RUNCLOUD_SERVER_ID'
    : { kind: 'app', serverId, appId };
}
