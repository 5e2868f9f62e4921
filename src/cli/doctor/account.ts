// What doctor --survey and --try-domain share: which web application is meant, where the report goes, and what is told of it.
import { existsSync, writeFileSync } from 'node:fs';
import { createInvestigation, type Investigation } from '../../app/investigation.ts';
import type { Config } from '../../config/load.ts';
import { type AccountReport, toText } from '../../doctor/report.ts';
import type { survey } from '../../doctor/survey.ts';
import { type AppFlags, parseApp } from '../flags.ts';
import { say } from '../output/layout.ts';
import type { Terminal } from '../output/terminal.ts';
import { describeSwitches } from '../switches.ts';

export interface AccountFlags extends AppFlags {
  readonly yes?: boolean | undefined;
  readonly out?: string | undefined;
}

export interface AccountTools {
  readonly config: Config;
  /** Of this program. */
  readonly version: string;
  readonly terminal: Terminal;
}

export interface Target extends Investigation {
  readonly app: Parameters<typeof survey>[0];
}

/** To be closed by the caller. Undefined where something is missing; says what. */
export function findTarget(
  flags: AccountFlags,
  out: string,
  { config, terminal }: AccountTools,
): Target | undefined {
  const refuse = (why: string): undefined => terminal.err(why) as undefined;
  const on = parseApp(flags);
  if (typeof on === 'string') return refuse(on);
  const { serverId = config.runcloud.serverId, appId = config.runcloud.appId } = on;
  if (serverId === undefined || appId === undefined)
    return refuse(
      'name the web application: --server <id> --app <id>, or RUNCLOUD_SERVER_ID and RUNCLOUD_APP_ID',
    );
  if (existsSync(out)) return refuse(`${out} is there already; name another file with --out <file>`);
  const investigation = createInvestigation(config);
  if (!investigation)
    return refuse(
      'no RunCloud credentials are configured: set RUNCLOUD_API_TOKEN, or RUNCLOUD_API_KEY and RUNCLOUD_API_SECRET',
    );
  return { ...investigation, app: { serverId, appId } };
}

/** Throws where the file cannot be written; it is never written over another one. */
export function save(report: AccountReport, out: string, terminal: Terminal): void {
  writeFileSync(out, toText(report), { flag: 'wx', mode: 0o600 });
  say(terminal, [
    ...describeSwitches(report.switches, terminal.columns),
    `Saved: ${out}. It holds statuses, types and field names only; it helps us if you add it to an issue of this project.`,
  ]);
}
