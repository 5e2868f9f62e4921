// What doctor --survey and --try-domain share: the web application, and the report.
import { existsSync, writeFileSync } from 'node:fs';
import { createInvestigation, type Investigation } from '../../app/investigation.ts';
import type { Config } from '../../config/load.ts';
import { type AccountReport, toText } from '../../doctor/report.ts';
import type { survey } from '../../doctor/survey.ts';
import { type AppFlags, parseApp } from '../flags.ts';
import { say } from '../output/layout.ts';
import type { Terminal } from '../output/terminal.ts';
import { describeSwitches } from '../switches.ts';
import { fileExists, NO_CREDENTIALS, NO_TARGET, saved } from './messages.ts';

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

/** The caller closes it. Undefined when something is missing, which is printed. */
export function findTarget(
  flags: AccountFlags,
  out: string,
  { config, terminal }: AccountTools,
): Target | undefined {
  const refuse = (why: string): undefined => terminal.err(why) as undefined;
  const on = parseApp(flags);
  if (typeof on === 'string') return refuse(on);
  const { serverId = config.runcloud.serverId, appId = config.runcloud.appId } = on;
  if (serverId === undefined || appId === undefined) return refuse(NO_TARGET);
  if (existsSync(out)) return refuse(fileExists(out));
  const investigation = createInvestigation(config);
  if (!investigation) return refuse(NO_CREDENTIALS);
  return { ...investigation, app: { serverId, appId } };
}

/** Throws when the file cannot be written. It never overwrites a file. */
export function save(report: AccountReport, out: string, terminal: Terminal): void {
  writeFileSync(out, toText(report), { flag: 'wx', mode: 0o600 });
  say(terminal, [...describeSwitches(report.switches, terminal.columns), saved(out)]);
}
