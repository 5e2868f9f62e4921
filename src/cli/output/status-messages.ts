// The sentences and labels of `status`: pure functions from facts to text.
import { asClause } from '../../domains/sentences.ts';
import type { Actor, DomainState } from '../../domains/states.ts';
import type { QueueCounts } from '../../queue/operator.ts';

const actors: Readonly<Record<Actor, { readonly short: string; readonly sentence: string }>> = {
  customer: { short: 'customer', sentence: 'The customer must act' },
  operator: { short: 'you', sentence: 'You must act' },
  runcloud: { short: 'RunCloud', sentence: 'RunCloud must act. Open a ticket if it lasts' },
  letsencrypt: {
    short: "Let's Encrypt",
    sentence: "A Let's Encrypt rate limit is reached. The worker retries automatically",
  },
};

/** `held (customer)` */
export const toShownState = (state: DomainState, mustAct: Actor | undefined): string =>
  mustAct ? `${state} (${actors[mustAct].short})` : state;

// All domains.

/** `isPaused`: a worker may have taken jobs that wait for the end of a pause. */
export const jobsLine = (
  { waiting, active, delayed, failed, completed }: QueueCounts,
  isPaused: boolean,
): string =>
  `Jobs: ${waiting} waiting, ${active} ${isPaused ? 'running or paused' : 'running'}, ${delayed} delayed, ${failed} failed, ${completed} completed`;

export const unavailableLine = (sentence: string): string => `RunCloud: ${sentence}`;
export const pauseLine = (pause: string): string => `Paused: ${pause}`;
export const NO_DOMAINS = 'No domains yet. Try `add shop.example.org`.';
export const domainsLine = (counts: readonly string[]): string =>
  `Domains: ${counts.length === 0 ? 'none' : counts.join(', ')}`;
export const noMatch = (selection: string): string => `No domain matches: ${selection}`;
export const moreDomainsLine = (shown: number, of: number): string =>
  `Showing the ${shown} newest requests of ${of}. Use --all to show all.`;
export const certificateLine = (appId: number, parts: readonly string[]): string =>
  `Certificate of web application ${appId}: ${parts.join('; ')}`;

export const requestedWord = (presence: 'present' | 'absent', hasWww: boolean): string =>
  presence === 'absent' ? 'remove' : hasWww ? 'attach+www' : 'attach';

/** The NEXT column, when no time is set. */
export const NEXT = { active: 'running', waiting: 'queued', delayed: 'soon', paused: 'paused' } as const;

// One domain.

export const stateLine = (domain: string, shownState: string, since: string): string =>
  `${domain}: ${shownState} since ${since}.`;

export interface RequestFacts {
  readonly presence: 'present' | 'absent';
  readonly hasWww: boolean;
  readonly appId: number;
  readonly siteId: string | undefined;
  /** `3 h ago` */
  readonly at: string;
  /** `by api:shop for "ada"`, or empty. */
  readonly by: string;
}

export function requestLine({ presence, hasWww, appId, siteId, at, by }: RequestFacts): string {
  const what = presence === 'absent' ? 'remove' : hasWww ? 'attach with www' : 'attach';
  const site = siteId === undefined ? '' : `, site ${siteId}`;
  return `Requested ${at}${by ? ` ${by}` : ''}: ${what} (web application ${appId}${site}).`;
}

export const reasonLine = (reason: string, code: string | undefined, at: string): string =>
  `Reason: ${asClause(reason)}${code === undefined ? '' : ` [${code}]`} (${at}).`;

export const whatToDo = (fix: string): string => `What to do: ${fix}`;

/** `fix`: for the operator. `hasWrongDns`: the domain's own DNS is wrong. */
export function mustActLine(actor: Actor, fix: string | undefined, hasWrongDns: boolean): string {
  const { sentence } = actors[actor];
  if (actor === 'operator' && fix !== undefined) return `${sentence}: ${fix}`;
  return actor === 'customer' && hasWrongDns ? `${sentence}: DNS is wrong.` : `${sentence}.`;
}

/** `isAutomatic`: it is retried without anybody, later. */
export const retryLine = (jobId: string, isAutomatic: boolean): string =>
  `${isAutomatic ? 'To retry now' : 'Then retry'}: runcloud-domains retry ${jobId}`;

export const dnsWarning = (why: string, hasDnsGate: boolean): string =>
  hasDnsGate ? `Warning: ${asClause(why)}.` : `Warning (ignored, because DNS_GATE=off): ${asClause(why)}.`;

export const nextRetry = (at: string): string => `Next attempt: ${at}.`;
export const NO_RETRY = 'It is not retried automatically.';
export const nextCheck = (at: string, jobId: string): string => `Next check: ${at}, job ${jobId}.`;
export const jobWaitsForPause = (jobId: string): string => `Job ${jobId} waits until the pause ends.`;
export const jobLine = (jobId: string, what: string): string => `Job ${jobId}: ${asClause(what)}.`;
export const jobMissing = (jobId: string): string =>
  `Job ${jobId} is missing. The worker adds it again automatically.`;
/** `every`: `6 h` */
export const checkedEvery = (every: string): string => `Checked every ${every} (MONITOR_INTERVAL).`;

export const certificateResult = (outcome: string, at: string, mustAct: Actor | undefined): string =>
  `Certificate: ${asClause(outcome)} (${at}).${mustAct ? ` ${actors[mustAct].sentence}.` : ''}`;
export const redeployLine = (what: string): string => `Certificate redeploy: ${asClause(what)}.`;
export const WAITS_FOR_PAUSE = 'waits until the pause ends';
export const budgetLine = (parts: readonly string[]): string =>
  `Let's Encrypt budget left: ${parts.join('; ')}.`;
export const historyHeading = (more: number): string =>
  `History, newest first, with the time since the previous step${more > 0 ? ` (${more} more with --history)` : ''}:`;
export const checkedHeading = (at: string): string => `Last check ${at}:`;

export const RECORDS_TO_SET = 'DNS records to set:';
export const RECORDS_TO_REMOVE = 'DNS records to remove:';
export const RECORDS_EXPECTED = 'DNS could not be checked. Expected records:';

// A domain elsewhere, or nowhere. `apps`: `web application 646 (live)`.

export const alsoRequested = (apps: string): string => `Also requested on ${apps}. Use --app to show it.`;
export const isWwwName = (name: string, domain: string, appId: number): string =>
  `${name} is the www name of ${domain} on web application ${appId}. Run \`status ${domain}\`.`;
export const unknownThere = (domain: string, where: string, apps: string): string =>
  `Unknown domain on ${where}: ${domain}. It was requested on ${apps}.`;
export const unknownDomain = (domain: string): string =>
  `Unknown domain: ${domain}. Run \`status\` to list all domains.`;
export const severalApps = (domain: string, count: number): string =>
  `${domain} is on ${count} web applications. Use --app to show one:`;
