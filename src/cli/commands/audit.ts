// audit: who requested what, and what operators did; the newest first.
import type { Command } from 'commander';

import { toAuditRecord } from '../../api-records/operations.ts';
import type { ProducerApp } from '../../app/app.ts';
import { type AuditEntry, auditVerbs, isAuditId } from '../../audit/audit.ts';
import { parseDomainName } from '../../domains/domain-name.ts';
import type { Cli } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { parseLimit, someOf } from '../flags.ts';
import { BAD_ENTRY_ID, badChoice, moreDomains, noEntries } from '../messages.ts';
import { say, toWholeTable } from '../output/layout.ts';
import type { Terminal } from '../output/terminal.ts';

export interface AuditFlags {
  readonly json?: boolean | undefined;
  readonly limit: string;
  /** Only entries older than this one. */
  readonly before?: string | undefined;
  /** Only entries that name this domain. */
  readonly domain?: string | undefined;
  /** Only these verbs, each given alone or in a list with commas. */
  readonly what?: readonly string[] | undefined;
}

const MAX_LIMIT = 10_000;
const SHOWN_DOMAINS = 3;

export function addAudit(program: Command, { terminal, withRedis, action }: Cli): void {
  program
    .command('audit')
    .description('List requests and what operators did: who, what, which domains, when; the newest first.')
    .option('--domain <name>', 'only entries that name this domain')
    .option('--what <verb...>', `only these actions: ${auditVerbs.join(', ')}`)
    .option('--limit <number>', 'how many entries', '50')
    .option('--before <id>', 'only entries older than this one')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  runcloud-domains audit --domain shop.example.org')
    .action(action((flags: AuditFlags) => withRedis((app) => showAudit(flags, app, terminal))));
}

export async function showAudit(
  { json, limit, before, domain, what }: AuditFlags,
  { audit }: Pick<ProducerApp, 'audit'>,
  terminal: Terminal,
): Promise<ExitCode> {
  const count = parseLimit(limit, MAX_LIMIT);
  if (typeof count === 'string') {
    terminal.err(count);
    return exitCodes.usage;
  }
  if (before !== undefined && !isAuditId(before)) {
    terminal.err(BAD_ENTRY_ID);
    return exitCodes.usage;
  }
  const verbs = someOf(what, auditVerbs);
  if (typeof verbs === 'string') {
    terminal.err(badChoice('--what', auditVerbs, verbs));
    return exitCodes.usage;
  }
  const named = domain === undefined ? undefined : parseDomainName(domain);
  const entries = await audit.list({ limit: count, before, domain: named, what: verbs });
  if (json) terminal.out(JSON.stringify(entries.map(toAuditRecord), null, 2));
  else if (entries.length === 0) terminal.out(noEntries(Boolean(named || verbs)));
  else say(terminal, toWholeTable([HEADER, ...entries.map(toRow)], terminal.columns));
  return exitCodes.ok;
}

const HEADER = ['WHEN', 'WHO', 'FOR', 'WHAT', 'DOMAINS', 'DETAIL'];

const iso = (atMs: number): string => new Date(atMs).toISOString();

const toRow = ({ at, who, for: behalf, what, domains, domainCount, detail }: AuditEntry): string[] => {
  const shown = domains.slice(0, SHOWN_DOMAINS);
  const more = domainCount > shown.length ? [moreDomains(domainCount - shown.length)] : [];
  return [
    iso(at),
    who,
    behalf ? JSON.stringify(behalf) : '-',
    what,
    [...shown, ...more].join(' '),
    detail ?? '',
  ];
};
