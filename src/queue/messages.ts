// The sentences of the queue: what logs, records and the board say of a job. Pure.
import { counted, inSentences } from '../domains/sentences.ts';
import type { Verdict } from './verdict.ts';

/** "Paused by ada: moving to another server" */
export const pausedBy = ({ by, reason }: { readonly by: string; readonly reason: string }): string =>
  `Paused by ${by}: ${reason}`;

/** For the checks of health. `what`: `everything`; `until`: `until it is resumed`. */
export const pauseInForce = (
  what: string,
  { by, reason }: { readonly by: string; readonly reason: string },
  until: string,
): string => `${what}: paused by ${by}: ${reason}, ${until}`;

export const waitingFor = (sentence: string): string => `waiting: ${sentence}`;

export const started = (
  name: string,
  what: string,
  { attempt, attempts }: { readonly attempt: number; readonly attempts: number },
  requester: string,
): string =>
  `${name} ${what}: attempt ${attempt} of ${attempts}${requester === '' ? '' : `, requested ${requester}`}`;

export const unknownFields = (names: readonly string[]): string =>
  `Unknown fields ignored: ${names.join(', ')}`;

export const handedBack = 'The worker is stopping. The job goes back to the queue.';
export const takenOver = 'Another worker has taken this job over';
export const crashedBefore =
  'The job crashed its worker more than once. It runs alone, after other such jobs.';
export const quarantined =
  "The job crashed its worker several times. It is not retried automatically. Check the worker's log.";

export const busyWriting = (domain: string): string =>
  `Another run may still be writing ${domain} to RunCloud`;
export const superseded = (domain: string, jobId: string): string =>
  `A newer request for ${domain} (job ${jobId}) has taken over`;
export const requestedAgain = (domain: string): string =>
  `${domain} was requested again during the check. Checking once more.`;
export const redeploySuperseded = (appId: number): string =>
  `A newer redeploy of web application ${appId} covers this one`;
export const redeployBusy = 'Another redeploy of this web application is running';
export const redeployDelayed = 'Waiting for SSL_REDEPLOY_DELAY after the latest change';

/** It stands in the record, its history, the job and two logs: a hundred names' worth of reasons must not. */
const LONGEST_SENTENCE = 2_000;
export const shortened = (text: string): string =>
  text.length <= LONGEST_SENTENCE ? text : `${text.slice(0, LONGEST_SENTENCE)}…`;

export function outcome({ kind, sentence, delayMs }: Verdict): string {
  if (delayMs === undefined) return `${kind}: ${sentence}`;
  const next = kind === 'retry' ? 'Next attempt' : 'Next check';
  return `${kind}: ${inSentences(sentence, `${next} in ${toSeconds(delayMs)}`)}`;
}

const toSeconds = (ms: number): string => `${ms < 10_000 ? (ms / 1000).toFixed(1) : Math.round(ms / 1000)} s`;

/** Why a worker was closed by force. */
export const forcedClose = {
  late: 'Jobs did not stop in time. Another worker takes them over from Redis.',
  'redis-away': 'Redis is unreachable and no job is running. Stopping without handing jobs back.',
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
  `reconcile: ${counted(report.checked)} checked, ${report.reenqueued} enqueued again, ${report.quarantined} quarantined, ` +
  `${counted(report.redeploys, 'redeploy')} enqueued again, ${counted(report.forgotten, 'removal')} forgotten`;
export const reconcileFailed = (reason: string): string => `reconcile: ${reason}`;
export const monitorFailed = (reason: string): string => `monitor: ${reason}`;
export const unreadable = (appId: number, reason: string): string =>
  `The domain list of web application ${appId} cannot be read: ${reason}`;
export const gaveUp = (jobId: string): string =>
  `BullMQ gave up job ${jobId}: it may have crashed its worker`;
export const enqueuedAgain = (domain: string, reason: string): string =>
  `${domain} enqueued again: ${reason}`;

export const noReply = (ms: number): string => `The job got no reply for ${toPeriod(ms)}`;
export const ranTooLong = (ms: number): string => `The job ran for ${toPeriod(ms)}`;
export const givenUp = (what: string): string => `${what}. It was given up and is retried.`;
const toPeriod = (ms: number): string => (ms < 60_000 ? `${ms / 1000} s` : `${Math.round(ms / 60_000)} min`);

export const reasonMissing = 'reason: is required; it is shown wherever a job waits';
export const untilPast = 'until: must be in the future';

export const unreadableJob = (id: string): string =>
  `The data of job ${id} is not JSON, so it cannot be retried. Correct the program that added it.`;
export const noFailedJob = (id: string): string =>
  `No failed job has the id ${id}. Run \`failed\` to list them.`;
export const retrySuperseded = (jobId: string): string =>
  `A newer request replaces job ${jobId}. It is not retried.`;

export const redisFull =
  'Redis is out of memory. Raise maxmemory, then send again. Accepted requests are safe.';
export const wrongKeyType = (message: string): string =>
  `A key in Redis has an unexpected type: another program uses this prefix. Remove the key or change QUEUE_PREFIX (${message}).`;
export const redisRefused = (message: string): string => `Redis rejected the request (${message})`;

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
  return `${domain} is on web application ${and}${places}. Nothing was done. Name the web application`;
}

function relation(as: Places['others'][number]['as']): string {
  if (!as) return '';
  return as.isItsWww ? `, as the www name of ${as.domain}` : `, by its www name ${as.domain}`;
}
