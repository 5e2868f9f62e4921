// The sentences of the queue: what logs, records and the board say of a job. Pure.
import { asClause } from '../domains/sentences.ts';
import type { Verdict } from './verdict.ts';

/** "paused by ada: moving to another server" */
export const pausedBy = ({ by, reason }: { readonly by: string; readonly reason: string }): string =>
  `paused by ${by}: ${reason}`;

export const waitingFor = (sentence: string): string => `waiting: ${sentence}`;

export const started = (
  name: string,
  what: string,
  { attempt, attempts }: { readonly attempt: number; readonly attempts: number },
  requester: string,
): string =>
  `${name} ${what}: attempt ${attempt} of ${attempts}${requester === '' ? '' : `, requested ${requester}`}`;

export const unknownFields = (names: readonly string[]): string =>
  `unknown fields ignored: ${names.join(', ')}`;

export const handedBack = 'the worker is stopping; the job goes back to the queue';
export const takenOver = 'another worker has taken this job over';
export const crashedBefore = 'its worker crashed more than once; it runs alone, after other such jobs';
export const quarantined =
  'this job has crashed its worker several times and is not retried automatically; check the worker’s log';

export const busyWriting = (domain: string): string =>
  `another run may still be writing ${domain} to RunCloud`;
export const superseded = (domain: string, jobId: string): string =>
  `a newer request for ${domain} (job ${jobId}) has taken over`;
export const requestedAgain = (domain: string): string =>
  `${domain} was requested again during the check; checking once more`;
export const redeploySuperseded = (appId: number): string =>
  `a newer redeploy of web application ${appId} covers this one`;
export const redeployBusy = 'another redeploy of this web application is running';
export const redeployDelayed = 'more domains changed; waiting for SSL_REDEPLOY_DELAY after the latest change';

/** It stands in the record, its history, the job and two logs: a hundred names' worth of reasons must not. */
const LONGEST_SENTENCE = 2_000;
export const shortened = (text: string): string =>
  text.length <= LONGEST_SENTENCE ? text : `${text.slice(0, LONGEST_SENTENCE)}…`;

export function outcome({ kind, sentence, delayMs }: Verdict): string {
  if (delayMs === undefined) return `${kind}: ${sentence}`;
  return `${kind}: ${asClause(sentence)}; next check in ${toSeconds(delayMs)}`;
}

const toSeconds = (ms: number): string => `${ms < 10_000 ? (ms / 1000).toFixed(1) : Math.round(ms / 1000)} s`;

/** Why a worker was closed by force. */
export const forcedClose = {
  late: 'jobs did not stop in time; another worker takes them over from Redis',
  'redis-away': 'Redis is unreachable and no job is running; stopping without handing jobs back',
};

/** What one round of the reconcile loop did: counts. */
export interface ReconcileReport {
  checked: number;
  reenqueued: number;
  quarantined: number;
  redeploys: number;
  deduplicationKeys: number;
  /** Records of removals that are over. */
  forgotten: number;
}

export const redisEmptied =
  'Redis has lost its data. Earlier requests are gone: send them again. New ones work.';
export const reconciled = (report: ReconcileReport): string =>
  `reconcile: ${report.checked} domains checked, ${report.reenqueued} enqueued again, ${report.quarantined} quarantined, ` +
  `${report.redeploys} redeploys enqueued again, ${report.forgotten} removals forgotten`;
export const reconcileFailed = (reason: string): string => `reconcile: ${reason}`;
export const monitorFailed = (reason: string): string => `monitor: ${reason}`;
export const unreadable = (appId: number, reason: string): string =>
  `the domain list of web application ${appId} cannot be read this time: ${reason}`;
export const gaveUp = (jobId: string): string =>
  `BullMQ gave up job ${jobId}: it may have crashed its worker`;
export const enqueuedAgain = (domain: string, reason: string): string =>
  `${domain} enqueued again: ${reason}`;

export const noReply = (ms: number): string => `the job got no reply for ${toPeriod(ms)}`;
export const ranTooLong = (ms: number): string => `the job ran for ${toPeriod(ms)}`;
export const givenUp = (what: string): string => `${what}; it was given up and is retried`;
const toPeriod = (ms: number): string => (ms < 60_000 ? `${ms / 1000} s` : `${Math.round(ms / 60_000)} min`);

export const reasonMissing = 'reason: is required; it is shown wherever a job waits';
export const untilPast = 'until: must be in the future';

export const noFailedJob = (id: string): string =>
  `No failed job has the id ${id}. Run \`failed\` to list them.`;
export const retrySuperseded = (jobId: string): string =>
  `job ${jobId} has a newer request; this job is not retried`;

export const redisFull =
  'Redis is out of memory. Raise maxmemory, then send again. Accepted requests are safe.';
export const wrongKeyType = (message: string): string =>
  `A key in Redis has an unexpected type: another program uses this prefix. Remove the key or change QUEUE_PREFIX (${message})`;
export const redisRefused = (message: string): string => `Redis refused the request (${message})`;

/** Where a name is that a request without a web application names. */
export interface Places {
  readonly domain: string;
  /** The configured web application, if it has the name too. */
  readonly here: number | undefined;
  readonly others: readonly {
    readonly appId: number;
    readonly state: string;
    /** The record's own domain, where it is another name; `isItsWww`: the requested name is its www name. */
    readonly as: { readonly domain: string; readonly isItsWww: boolean } | undefined;
  }[];
}

export function elsewhere({ domain, here, others }: Places): string {
  const places = others.map(({ appId, state, as }) => `${appId} (${state}${relation(as)})`).join(' and ');
  const and = here === undefined ? '' : `${here} and on `;
  return `${domain} is on web application ${and}${places}. Nothing was done: name the web application`;
}

function relation(as: Places['others'][number]['as']): string {
  if (!as) return '';
  return as.isItsWww ? `, as the www name of ${as.domain}` : `, by its www name ${as.domain}`;
}
