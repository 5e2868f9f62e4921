// The sentences of the command line: pure functions from facts to text. What `status` prints stands
// in output/status-*.ts.
import { asClause } from '../domains/sentences.ts';
import { reasonOf } from '../errors.ts';

// The program.

export const DESCRIPTION =
  "Attaches customers' domains to a RunCloud web application and gets HTTPS working for each.";

export const EXIT_CODES_HELP = `
Exit codes:
  0  done                             1  failed: a job or a check
  2  bad input or configuration       3  Redis is unreachable; repeating the command is harmless
  130  stopped by Ctrl-C`;

export const CONFIGURATION_HELP =
  'Configuration: environment or .env, see docs/reference/configuration.md. `doctor` checks it.';

export const nodeTooOld = (needed: number, present: string): string =>
  `runcloud-domains needs Node.js ${needed} or newer; this is ${present}.`;

export const configurationWarning = (warning: string): string => `warning: ${warning}`;

export const auditLost = (entry: string, error: unknown): string =>
  `warning: the audit log did not store ${entry}: ${reasonOf(error)}`;

export interface Failure {
  readonly sentence: string;
  readonly code: string | undefined;
  readonly isRedisAway: boolean;
  /** An error that Redis answered. */
  readonly isReply: boolean;
}

/** An error that ended a command. */
export function commandFailed({ sentence, code, isRedisAway, isReply }: Failure): string {
  const cause = isReply ? `Redis rejected the command: ${sentence}` : sentence;
  const hint = isRedisAway ? '. Run `doctor --redis-only` to check Redis' : '';
  return `error: ${hint ? asClause(cause) : cause}${hint}${code === undefined ? '' : ` [${code}]`}`;
}

// Output that cannot be written.

const outputReasons: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EPIPE: 'the reader is gone',
  EIO: 'the device failed',
  EBADF: 'the stream is closed',
};

/** `code`: of the error, or `closed`. */
export const outputReason = (code: string): string =>
  code === 'closed'
    ? 'standard output is closed, or /dev/null'
    : `${outputReasons[code] ?? 'the write failed'} (${code})`;

export const notWritten = (code: string): string =>
  `error: standard output is incomplete: ${outputReason(code)}`;

// Flags.

export const badLimit = (max: number): string => `--limit must be a whole number from 1 to ${max}.`;
export const BAD_IDS = "--app and --server take RunCloud's numeric ids, such as 1903.";
export const badChoice = (flag: string, choices: readonly string[], typed: string): string =>
  `${flag} must be one of ${choices.join(', ')}; got "${typed}".`;
export const badCode = (code: string): string =>
  `--code must be a code of docs/reference/error-codes.md, such as runcloud-rejected; got "${code}".`;
export const listOnly = (flag: string): string => `${flag} is for the list. Name no domain.`;
export const DOMAIN_ONLY = '--history is for one domain. Name it.';
export const ALL_OR_LIMIT = 'Use --all or --limit, not both.';

// add, remove, redeploy.

export const NO_DOMAIN = 'No domain given. Name one or more, or use --file.';

export const unreadableFile = (file: string, why: string): string =>
  `--file ${file} cannot be read: ${why}. It must be a text file with one domain per line.`;

export const rejected = (what: string, reason: string): string => `${what}: rejected: ${reason}`;

export const queued = (
  what: string,
  { jobId, isRepeated, remark }: { jobId: string; isRepeated: boolean; remark?: string | undefined },
): string =>
  `${what}: ${isRepeated ? 'already queued' : 'queued'} (job ${jobId})${remark ? `; ${remark}` : ''}`;

export const allDomains = (appId: number | undefined): string =>
  appId === undefined ? 'all domains' : `all domains of web application ${appId}`;

/** `code`: an error that stops all requests. */
export function stoppedSending(reason: string, accepted: number, of: number, code: string): string {
  const next =
    code === 'redis-unavailable'
      ? 'Run the command again; repeating is harmless.'
      : 'Correct the cause, then run the command again.';
  return `${asClause(reason)}. Accepted: ${accepted} of ${of}. ${next}`;
}

export const stoppedWaiting = (domain: string | undefined): string =>
  `Stopped waiting. The requests continue: run \`status${domain ? ` ${domain}` : ''}\`.`;

// failed, retry.

export const noFailedJob = (isFiltered: boolean): string =>
  isFiltered ? 'No failed job matches.' : 'No failed jobs.';
export const moreFailed = (shown: number, of: number | undefined): string =>
  `Showing the newest ${shown}${of === undefined ? '' : ` of ${of}`}. Use --limit to show more.`;
export const JOBS_OR_ALL = 'Name jobs or use --all, not both.';
export const NO_JOBS = 'Name the jobs to retry, or use --all. Run `failed` to list them.';
export const FILTER_NEEDS_ALL = '--app, --server and --code need --all. A single job is named by its id.';
export const queuedAgain = (id: string, what: 'job' | 'delivery', newId: string): string =>
  `${id}: queued again (${what} ${newId})`;
export const fixLine = (code: string, fix: string): string => `Fix for ${code}: ${fix}`;
export const notRetried = (id: string, kind: 'superseded' | 'rejected', sentence: string): string =>
  `${id}: ${kind}: ${sentence}`;

// pause, resume, pauses.

export const REASON_REQUIRED = '--reason is required. It is shown wherever a job waits for the pause.';
export const badDuration = (accepts: string): string => `--for must be ${accepts}.`;
export const SITE_OR_APP = 'Name a site or a web application, not both.';
export const NO_APP = 'Name the web application too: --app <id>.';
export const NO_SERVER = 'Name the server: --server <id>, or set RUNCLOUD_SERVER_ID.';
/** `untilMs` undefined: without an end. */
export const pausedUntil = (untilMs: number | undefined): string =>
  untilMs === undefined ? 'until resumed' : `until ${new Date(untilMs).toISOString()}`;
export const paused = (what: string, until: string): string =>
  `Paused: ${what}, ${until}. Running jobs finish. Requests are still accepted.`;
export const resumed = (what: string): string => `Resumed: ${what}. Its jobs continue within a minute.`;
export const notPaused = (what: string): string =>
  `${what} is not paused. Run \`pauses\` to list active pauses.`;
export const stillPaused = (pause: string): string => `Still paused: ${pause}`;
export const NO_PAUSES = 'Nothing is paused.';

// callbacks.

export const BAD_DELIVERY_ID = '--before takes the id of a delivery. Run `callbacks list` to see ids.';
export const noDeliveries = (isFailedOnly: boolean): string =>
  isFailedOnly ? 'No failed deliveries.' : 'No deliveries yet.';
export const moreDeliveries = (before: string): string => `More: --before ${before}`;
export const NO_DELIVERY_NAMED = 'Name deliveries, or use --failed. Run `callbacks list` to see ids.';
export const URL_REMOVED = '(no longer configured)';

// audit.

export const BAD_ENTRY_ID = '--before takes the id of an entry. Run `audit --json` to see ids.';
export const noEntries = (isFiltered: boolean): string =>
  isFiltered ? 'No entry matches.' : 'No entries yet.';
export const moreDomains = (count: number): string => `and ${count} more`;

// token create, board password.

export const BAD_NAME = '--name takes 1 to 64 letters, digits and _ - .';
export const tokenNotShown = (why: string): string =>
  `The token was not shown completely: ${why}. It is stored nowhere. Create another one.`;
export const TOKEN_NEXT = [
  'The token is shown only once. Clients send it as "Authorization: Bearer <token>".',
  'Add the entry to API_TOKENS (commas between entries), then restart the server.',
] as const;
export const entryNotShown = (why: string): string =>
  `The entry was not shown completely: ${why}. It is stored nowhere. Run the command again.`;
export const ENTRY_NEXT =
  "Add the entry to BOARD_USERS, with single quotes around the whole value (BOARD_USERS='…'), then restart the server.";
export const passwordLength = (min: number, max: number): string =>
  `The password must have ${min} to ${max} characters.`;
export const passwordPrompt = (min: number): string => `Password (at least ${min} characters; not shown):`;
export const REPEAT_PASSWORD = 'Repeat the password:';
export const tryAgain = (problem: string): string => `${problem} Enter another one:`;
export const PASSWORDS_DIFFER = 'The passwords differ. Enter the password again:';
export const NO_PASSWORD = 'No password given.';
export const unreadablePassword = (why: string): string =>
  `The password on standard input cannot be read: ${why}.`;

// worker, server.

export const READY_FOR_JOBS = 'ready for jobs';
export const readyAt = (url: string): string => `ready for requests at ${url}`;
export const workerStopping = (why: string): string => `stopping (${why}): no new jobs; running jobs finish`;
export const serverStopping = (why: string): string =>
  `stopping (${why}): no new requests; open requests are answered`;
export const STOPPED = 'stopped';
