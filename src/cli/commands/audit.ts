// audit: who asked for what, and who did what to the queue; the newest first.

import { toAuditRecord } from '../../api-records/operations.ts';
import type { ProducerApp } from '../../app/app.ts';
import { type AuditEntry, auditVerbs, isAuditId } from '../../audit/audit.ts';
import { parseDomainName } from '../../domains/domain-name.ts';
import { someOf } from '../flags.ts';
import { parseLimit } from '../limit.ts';
import { say, toWholeTable } from '../output/layout.ts';
import { type ExitCode, exitCodes, type Terminal } from '../output/terminal.ts';

export interface AuditFlags {
  readonly json?: boolean | undefined;
  readonly limit: string;
  /** Only what is older than this entry. */
  readonly before?: string | undefined;
  /** Only what names this domain. */
  readonly domain?: string | undefined;
  /** Only these verbs, each given alone or in a list with commas. */
  readonly what?: readonly string[] | undefined;
}

const MAX_LIMIT = 10_000;
const SHOWN_DOMAINS = 3;

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
    terminal.err('--before takes the id of an entry; `audit --json` shows them');
    return exitCodes.usage;
  }
  const verbs = someOf(what, auditVerbs);
  if (typeof verbs === 'string') {
    terminal.err(`--what must be one of ${auditVerbs.join(', ')}; got "${verbs}"`);
    return exitCodes.usage;
  }
  const named = domain === undefined ? undefined : parseDomainName(domain);
  const entries = await audit.list({ limit: count, before, domain: named, what: verbs });
  if (json) terminal.out(JSON.stringify(entries.map(toAuditRecord), null, 2));
  else if (entries.length === 0)
    terminal.out(named || verbs ? 'there is no such entry' : 'nobody has done anything yet');
  else say(terminal, toWholeTable([HEADER, ...entries.map(toRow)], terminal.columns));
  return exitCodes.ok;
}

const HEADER = ['WHEN', 'WHO', 'FOR', 'WHAT', 'DOMAINS', 'DETAIL'];

const iso = (atMs: number): string => new Date(atMs).toISOString();

const toRow = ({ at, who, for: behalf, what, domains, domainCount, detail }: AuditEntry): string[] => {
  const shown = domains.slice(0, SHOWN_DOMAINS);
  const more = domainCount > shown.length ? [`and ${domainCount - shown.length} more`] : [];
  return [
    iso(at),
    who,
    behalf ? JSON.stringify(behalf) : '-',
    what,
    [...shown, ...more].join(' '),
    detail ?? '',
  ];
};
