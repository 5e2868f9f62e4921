// The three ways a job can go wrong, and the one table of codes that operators, logs and documents share.
// Imports nothing of ours.

/** What an operator reads beside a code: what happened, and what to do about it. */
export interface CodeEntry {
  readonly meaning: string;
  /** What a person does about it. */
  readonly fix: string;
  /** What is said instead while the job goes on by itself. */
  readonly whileRetried?: string;
  /** The request itself is wrong, or a person has to look first: what failed so is not tried again by itself. */
  readonly isFinal?: true;
}

/** Codes are API: once published, a code keeps its meaning. docs/reference/error-codes.md is generated from this table. */
export const codes = {
  'invalid-domain': {
    meaning: 'The domain name cannot be one, or no public authority signs it.',
    fix: 'Correct the name; the message says which part is wrong. TOP_LEVEL_DOMAINS lets test and private names pass.',
    isFinal: true,
  },
  'invalid-payload': {
    meaning: 'A job or request carries a field that is missing or has the wrong type.',
    fix: 'Correct the producer; docs/reference/jobs.md lists the fields of each job.',
    isFinal: true,
  },
  'unknown-job': {
    meaning: 'The queue holds a job whose name this worker does not know.',
    fix: 'Correct the name in the producer, or update the worker.',
    isFinal: true,
  },
  'no-web-application': {
    meaning: 'Neither the job nor the configuration names the server and the web application.',
    fix: 'Set RUNCLOUD_SERVER_ID and RUNCLOUD_APP_ID, or put serverId and appId into the job.',
    isFinal: true,
  },
  'primary-domain': {
    meaning: "The domain is the web application's primary domain, which is never removed.",
    fix: 'Make another domain the primary in RunCloud first, if it really must go.',
  },
  'on-another-application': {
    meaning: 'The request names no web application, and another than the configured one has the domain.',
    fix: 'Name the web application that you mean (`--app`, `appId`); `add --also` (`also: true`) has the domain on both.',
    isFinal: true,
  },
  'host-name-taken': {
    meaning:
      'Another request on this web application has this host name: a www name belongs to its domain, or was asked for by itself. One host name has one owner.',
    fix: 'Ask for the owner instead: the message names it, and says what to ask.',
    isFinal: true,
  },
  'no-certificate': {
    meaning: 'There is no certificate to redeploy.',
    fix: "Install a Let's Encrypt certificate once in RunCloud (web application > SSL/TLS); redeploys follow by themselves.",
  },
  'runcloud-unauthorized': {
    meaning:
      'RunCloud refused the credentials (HTTP 401), or calls from this address are not on its allow-list.',
    fix: 'Check the token or key pair and the IP allow-list under Workspace > Settings > API Management, then run `doctor`.',
  },
  'runcloud-account-refused': {
    meaning:
      'RunCloud refuses every call of this account (HTTP 402, or 403 for all calls): the monthly quota is used up, or the plan or the token lost its rights.',
    fix: 'Look at Limits & Usage > Developer API in RunCloud; all jobs go on by themselves once RunCloud answers again.',
  },
  'runcloud-forbidden': {
    meaning: 'RunCloud forbids this one thing (HTTP 403), while it accepts the credentials.',
    fix: 'Give the token access to this server and web application, or check what the plan includes.',
    whileRetried:
      'It is tried again. If it lasts, give the token access to this server and web application, or check what the plan includes.',
  },
  'runcloud-not-found': {
    meaning: 'RunCloud does not know the server, web application, domain or certificate (HTTP 404).',
    fix: 'Check RUNCLOUD_SERVER_ID and RUNCLOUD_APP_ID; `doctor` shows which of them is unknown.',
    whileRetried:
      'It is tried again. If it lasts, check RUNCLOUD_SERVER_ID and RUNCLOUD_APP_ID; `doctor` shows which of them is unknown.',
  },
  'runcloud-intercepted': {
    meaning: 'Something in front of RunCloud answered in its place (a firewall, a proxy, a redirect).',
    fix: 'Check RUNCLOUD_API_URL, and whether a firewall or proxy stands between the workers and RunCloud.',
    whileRetried:
      'It is tried again. If it lasts, check RUNCLOUD_API_URL, and whether a firewall or proxy stands between the workers and RunCloud.',
  },
  'runcloud-rejected': {
    meaning: 'RunCloud refused the request as it stands; its own message follows.',
    fix: "Read RunCloud's message; a domain that is attached elsewhere must be removed there first.",
  },
  'runcloud-rate-limited': {
    meaning: 'RunCloud asked us to slow down (HTTP 429).',
    fix: 'Look at the API usage in RunCloud, and at what else uses this account; RUNCLOUD_RATE_PER_MINUTE is our share.',
    whileRetried: 'Nothing: the worker waits and goes on. If it lasts, look at the API usage in RunCloud.',
  },
  'runcloud-unreachable': {
    meaning: 'The call never reached RunCloud (DNS, refused connection, connect timeout).',
    fix: 'Check the network of the workers and RUNCLOUD_API_URL; `doctor` shows whether RunCloud can be reached.',
    whileRetried: 'Nothing at first: it is retried. If it lasts, check the network and RUNCLOUD_API_URL.',
  },
  'runcloud-unknown-result': {
    meaning:
      'RunCloud did not answer in a way that says whether the call took effect (timeout, 5xx, not JSON).',
    fix: 'Look at RunCloud’s status page, and in RunCloud whether the domain is as it was asked for.',
    whileRetried:
      'Nothing: the worker looks before it writes again. If it lasts, look at RunCloud’s status page.',
  },
  'redis-unavailable': {
    meaning: 'Redis did not answer in time; the request was not accepted, or nobody can say whether it was.',
    fix: 'Check REDIS_URL and that Redis runs, then send the request again (sending twice is harmless).',
  },
  'redis-no-permission': {
    meaning: "Redis does not let the program's user do what the request needs. The request was not accepted.",
    fix: 'Give the user in REDIS_URL the right that the message names; docs/guides/security.md has the ACL lines. Sending again does not help before that.',
  },
  'job-quarantined': {
    meaning:
      'The job ended its worker process several times over (a crash, out of memory), or BullMQ gave it up.',
    fix: 'Look at the worker’s log for the crash, and mend that first.',
    isFinal: true,
  },
  'job-stuck': {
    meaning: 'Nothing came back to the job for longer than any step may take, or it was at work for an hour.',
    fix: 'Report it with the job’s log lines; `retry` asks for it again.',
    whileRetried: 'Nothing at first: it is tried again. If it lasts, report it with the job’s log lines.',
  },
  unexpected: {
    meaning: 'A bug in this program: the log line carries the stack.',
    fix: 'Report it with the log line.',
    whileRetried: 'Report it with the log line; the job is retried meanwhile.',
  },
} as const satisfies Record<string, CodeEntry>;

export type Code = keyof typeof codes;

/** What an app server may meet. Open: HTTP has codes of its own (docs/reference/http-api.md), and a newer server may have more. */
export type ErrorCode = Code | 'server-unavailable' | 'unexpected-answer' | (string & {});

/** What every client of ours rejects with. `message` is one sentence for a person and never holds a secret. */
export class DomainsError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Root of all errors that this program itself raises on purpose. */
export class CodedError extends DomainsError {
  declare readonly code: Code;
  // biome-ignore lint/complexity/noUselessConstructor: it takes fewer codes than its parent
  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** No retry can help: the job fails now and waits for a person. */
export class PermanentError extends CodedError {}

/** Try again, by the retry policy; spends an attempt, unless RunCloud is down for everybody. */
export class TransientError extends CodedError {
  /** Who can mend it, where it goes on after a few tries. */
  mustAct: 'operator' | undefined;
  /** Set to false by who knows that this was no fault of the job: an outage that the brake has noticed. */
  attemptSpent = true;
}

// What fails several times in a row for a reason that a person can mend is shown as such, while it is tried again.
const TRIES_BEFORE_HELD = 3;

/** Who must act about an error that is tried again; `attemptsMade` counts the one that just failed. */
export const actorAfter = (error: unknown, attemptsMade: number): TransientError['mustAct'] =>
  error instanceof TransientError && attemptsMade >= TRIES_BEFORE_HELD ? error.mustAct : undefined;

/** RunCloud refuses everybody at this moment: the brake holds all jobs, and none spends an attempt. */
export class UnavailableError extends CodedError {}

/** RunCloud says slow down. `retryAfterMs` is undefined where RunCloud did not say how long. */
export class RateLimitedError extends UnavailableError {
  readonly retryAfterMs: number | undefined;
  constructor(message: string, retryAfterMs?: number, options?: ErrorOptions) {
    super('runcloud-rate-limited', message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** What to do about a code; `goesOn`: its job is tried again by itself, and nobody is called for yet. */
export function fixOf(code: string | undefined, goesOn: boolean): string | undefined {
  if (code === undefined || !Object.hasOwn(codes, code)) return undefined;
  const { fix, whileRetried }: CodeEntry = codes[code as Code];
  return goesOn ? (whileRetried ?? fix) : fix;
}

/** The code that a failed job's reason begins with; undefined where it has none. */
export function codeOf(reason: string): Code | undefined {
  const [code = ''] = reason.split(':');
  return Object.hasOwn(codes, code) ? (code as Code) : undefined;
}

/** The reason of anything that was thrown, as one sentence. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** True where `error` was raised on purpose with one of `wanted`. */
export const hasCode = (error: unknown, ...desired: Code[]): error is CodedError =>
  error instanceof CodedError && desired.includes(error.code);

/** Redis' own refusal: it is full, read-only, our user may not, or something else stands under that key. */
export const isReplyError = (error: unknown): error is Error =>
  error instanceof Error && error.name === 'ReplyError';

/** Whether what failed with this code is looked at again by itself. */
export const mayPass = (code: string | undefined): boolean => {
  const entry: CodeEntry | undefined = code !== undefined && code in codes ? codes[code as Code] : undefined;
  return entry !== undefined && entry.isFinal !== true;
};
