// The web application's activity log, where RunCloud says why a certificate failed: [D]
// v2/api-9849787 (data[]{kind, content, created_at}; 15 to a page), newest first ([C]
// glama.ai/mcp/connectors/io.usefulapi/runcloud).
import { z } from 'zod';
import { createRedact, toLine } from '../untrusted/redact.ts';
import { toUnusableReply } from './failures.ts';
import type { Http } from './http.ts';
import { faults } from './messages.ts';
import { PER_PAGE } from './pages.ts';
import type { LogEntry, RunCloud } from './runcloud.ts';
import { textSchema, toRows } from './schemas.ts';
import { toAppPath } from './ssl-calls.ts';

const rowSchema = z.object({ kind: textSchema, content: z.string(), created_at: textSchema });

const redact = createRedact([]);
// The log covers the whole web application, also its databases and their users, whose names must
// not show.
const ACCOUNTS =
  /\b(data ?base(?: user)?s?|db(?: user)?|(?:sql|system|ftp|ssh) users?|user(?:name)?s?|grantees?|pass(?:word|wd))\b((?:\s+(?:named|called|is|was|for))?\s*[:=]?\s*)(["'`]?)[^\s"'`,;.]*[\w$@-][^\s"'`,;]*\3/gi;

/**
 * One line of at most 300 characters, without secrets and without the names of databases and their
 * users.
 */
const toContent = (text: string): string => toLine(redact(text).replace(ACCOUNTS, '$1$2***'));

/**
 * `YYYY-MM-DD HH:MM:SS` without a zone, as in RunCloud's other replies ([D] v3/api-8617111): read
 * as UTC.
 */
function toMoment(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const bare = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)$/.exec(text);
  const at = bare ? Date.parse(`${bare[1]}T${bare[2]}Z`) : Date.parse(text);
  return Number.isFinite(at) ? at : undefined;
}

function toEntry(row: unknown): LogEntry | undefined {
  const parsed = rowSchema.safeParse(row).data;
  return parsed && { kind: parsed.kind, content: toContent(parsed.content), at: toMoment(parsed.created_at) };
}

const isSince = ({ at }: LogEntry, since: number): boolean => at === undefined || at >= since;

export function createLogCall(http: Http): Pick<RunCloud, 'readLog'> {
  const operation = 'readLog';
  return {
    async readLog(app, since, options) {
      const path = `${toAppPath(app)}/log`;
      const query = { page: 1, perPage: PER_PAGE };
      const { status, body } = await http.exchange({ operation, method: 'GET', path, query, options });
      const rows = toRows(body);
      if (rows === undefined) throw toUnusableReply(operation, status, faults.noList);
      const entries = rows.flatMap((row) => toEntry(row) ?? []).filter((entry) => isSince(entry, since));
      return entries.toSorted((one, other) => (other.at ?? since) - (one.at ?? since));
    },
  };
}
