// The sentences of callbacks: errors of deliveries, log lines, the events about workers. Pure.
import type { MessageType } from './message.ts';

const seconds = (ms: number): string => `${Math.ceil(ms / 1000)} s`;

/** The first sentence may already end with a dot. */
const join = (first: string, second: string): string => `${first.replace(/\.$/, '')}. ${second}`;

export const answered = (status: number): string => `HTTP ${status}`;

export const gone = 'HTTP 410 (gone): this message is not sent to this URL again';

export const redirected = (status: number): string =>
  `HTTP ${status}: redirects are not followed. Put the final address into CALLBACK_URLS.`;

export const timedOut = (ms: number): string => `No answer within ${ms / 1000} s`;

export const stopping = 'The worker is stopping. Another one sends the message.';

export const noConnection = 'No connection';

export const connectionClosed = 'The receiver closed the connection without an answer';

export const gaveUp = (sentence: string): string => join(sentence, 'Gave up after three days.');

export const circuitOpen = gaveUp('The receiver accepts no messages, as other deliveries show');

export const forged =
  'No worker with these CALLBACK_SECRETS wrote this delivery for this URL, or it was changed. It was not sent.';

export const unreadable = 'The data of this delivery cannot be read. It was not sent.';

export const urlRemoved = gaveUp('The URL is no longer in CALLBACK_URLS');

export const noDelivery = (id: string): string =>
  `No delivery has the id ${id}. Deliveries are kept for 7 days.`;

export const alreadyPending = 'Already pending';

export const urlNotConfigured = 'The URL is no longer in CALLBACK_URLS';

export interface AttemptFacts {
  readonly type: MessageType | undefined;
  readonly domain: string | undefined;
  /** Without query. */
  readonly url: string;
  /** What became of the attempt. */
  readonly sentence: string;
  /** Until the next attempt; undefined: none follows. */
  readonly delayMs?: number | undefined;
}

/** `Callback domain.live for shop.example.org to URL: HTTP 500. Next attempt in 5 s.` */
export const attemptLine = ({ type, domain, url, sentence, delayMs }: AttemptFacts): string => {
  const about = domain === undefined ? '' : ` for ${domain}`;
  const line = `Callback ${type ?? 'of unknown type'}${about} to ${url}: ${sentence}`;
  return delayMs === undefined ? line : join(line, `Next attempt in ${seconds(delayMs)}.`);
};

export const removedLine = (type: string): string => `Callback ${type}: ${urlRemoved}`;

export const circuitOpened = (url: string): string =>
  `${url} rejected several messages in a row. Its messages wait. One at a time is sent to test the receiver.`;

export const circuitClosed = (url: string): string => `${url} answers again`;

export const outboxWaiting = (reason: string): string =>
  `Callbacks: ${reason}. Nothing is lost. Retrying every second.`;

export const entryUnreadable = 'Callbacks: an entry of the outbox cannot be read. It was dropped.';

/** What follows RunCloud's own sentence in `worker.auth_refused`. */
export const credentialsRefused = '. All jobs wait. Correct the credentials, then run `doctor`.';

/** The same, if RunCloud rejects the account. */
export const accountRefused = '. All jobs wait until RunCloud answers again. Check the quota and the plan.';

export const noRefusalText = 'RunCloud rejected the credentials';

export const runcloudDown =
  'RunCloud does not answer, or answers with errors only. All jobs wait. None is lost.';
