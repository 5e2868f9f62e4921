// The three ways a job can fail, and the one table of codes for operators, logs and documents.
// Imports nothing of ours.

/** What an operator reads beside a code: what happened, and what to do. One plain sentence each. */
export interface CodeEntry {
  readonly meaning: string;
  /** What a person does. */
  readonly fix: string;
  /** The same while the job is retried automatically. */
  readonly whileRetried?: string;
  /**
   * The request itself is wrong, or a person must check first. Such a job is not retried
   * automatically.
   */
  readonly isFinal?: true;
}

/**
 * Codes are API: once published, a code keeps its meaning. docs/reference/error-codes.md is
 * generated from this table.
 */
export const codes = {
  'invalid-domain': {
    meaning: 'The domain name is invalid, or no public certificate authority issues for it.',
    fix: 'Correct the name as the message says (TOP_LEVEL_DOMAINS allows test and private names).',
    isFinal: true,
  },
  'invalid-payload': {
    meaning: 'A field of the job or request is missing or has the wrong type.',
    fix: 'Correct the producer (docs/reference/jobs.md lists the fields of each job).',
    isFinal: true,
  },
  'unknown-job': {
    meaning: 'The queue has a job with a name that this worker does not know.',
    fix: 'Correct the name in the producer, or update the worker.',
    isFinal: true,
  },
  'no-web-application': {
    meaning: 'Neither the job nor the configuration names a server and a web application.',
    fix: 'Set RUNCLOUD_SERVER_ID and RUNCLOUD_APP_ID, or put serverId and appId into the job.',
    isFinal: true,
  },
  'primary-domain': {
    meaning: "The domain is the web application's primary domain, which is never removed.",
    fix: 'To remove it, make another domain the primary in RunCloud first.',
  },
  'on-another-application': {
    meaning:
      'The request names no web application, and the domain is on another one than the configured one.',
    fix: 'Name the web application (`--app`, `appId`), or use `add --also` (`also: true`) for both.',
    isFinal: true,
  },
  'host-name-taken': {
    meaning:
      'Another domain of this web application already has this host name, for example as its www name.',
    fix: 'Send the request for the domain that the message names.',
    isFinal: true,
  },
  'no-certificate': {
    meaning: 'There is no certificate to redeploy.',
    fix: "Install a Let's Encrypt certificate once in RunCloud (web application > SSL/TLS); redeploys are automatic.",
  },
  'runcloud-unauthorized': {
    meaning: 'RunCloud rejected the credentials (HTTP 401), or this IP address is not on its allow-list.',
    fix: 'Check the credentials and the IP allow-list under Workspace > Settings > API Management, then run `doctor`.',
  },
  'runcloud-account-refused': {
    meaning:
      'RunCloud rejects every call of this account (HTTP 402 or 403): its quota, its plan or a right of the token is missing.',
    fix: 'Check Limits & Usage > Developer API in RunCloud; jobs continue automatically once RunCloud answers.',
  },
  'runcloud-forbidden': {
    meaning: 'RunCloud accepts the credentials but denies access to this one resource (HTTP 403).',
    fix: 'Give the token access to this server and web application, or check what the plan includes.',
    whileRetried:
      'Retrying automatically; if it persists, give the token access to this server and web application, or check the plan.',
  },
  'runcloud-not-found': {
    meaning: 'RunCloud does not know the server, web application, domain or certificate (HTTP 404).',
    fix: 'Check RUNCLOUD_SERVER_ID and RUNCLOUD_APP_ID; `doctor` shows which one is unknown.',
    whileRetried:
      'Retrying automatically; if it persists, check RUNCLOUD_SERVER_ID and RUNCLOUD_APP_ID with `doctor`.',
  },
  'runcloud-intercepted': {
    meaning: 'A firewall, a proxy or a redirect in front of RunCloud answered in its place.',
    fix: 'Check RUNCLOUD_API_URL, and firewalls and proxies between the workers and RunCloud.',
    whileRetried:
      'Retrying automatically; if it persists, check RUNCLOUD_API_URL, and firewalls and proxies on the way to RunCloud.',
  },
  'runcloud-rejected': {
    meaning: "RunCloud rejected the request; RunCloud's own message follows.",
    fix: "Act on RunCloud's message; a domain that is attached elsewhere must be removed there first.",
  },
  'runcloud-rate-limited': {
    meaning: 'The RunCloud rate limit is reached (HTTP 429).',
    fix: 'Check the API usage in RunCloud and what else uses this account (RUNCLOUD_RATE_PER_MINUTE is the share of this program).',
    whileRetried:
      'Nothing to do, the worker waits and continues; if it persists, check the API usage in RunCloud.',
  },
  'runcloud-unreachable': {
    meaning: 'The call did not reach RunCloud (DNS, refused connection, connect timeout).',
    fix: 'Check the network of the workers and RUNCLOUD_API_URL, then run `doctor`.',
    whileRetried: 'Retrying automatically; if it persists, check the network and RUNCLOUD_API_URL.',
  },
  'runcloud-unknown-result': {
    meaning: 'RunCloud gave no usable answer (timeout, 5xx, not JSON), so the call may have taken effect.',
    fix: "Check RunCloud's status page, and the domain in RunCloud.",
    whileRetried:
      "The worker checks RunCloud before it writes again; if it persists, check RunCloud's status page.",
  },
  'redis-unavailable': {
    meaning: 'Redis did not answer in time, so the request may not be stored.',
    fix: 'Check REDIS_URL and that Redis runs, then send the request again (a second one is harmless).',
  },
  'redis-no-permission': {
    meaning: "Redis denies a right to the program's user, so the request was not stored.",
    fix: 'Give the user in REDIS_URL the right that the message names (docs/guides/security.md has the ACL lines), then send it again.',
  },
  'job-quarantined': {
    meaning:
      'The job crashed its worker process several times (a crash, out of memory), or BullMQ gave up on it.',
    fix: "Find the crash in the worker's log and fix it first.",
    isFinal: true,
  },
  'job-stuck': {
    meaning: 'A step of the job did not end in time, or the job ran for an hour.',
    fix: "Report it with the job's log lines, and run `retry`.",
    whileRetried: "Retrying automatically; if it persists, report it with the job's log lines.",
  },
  unexpected: {
    meaning: 'A bug in this program; the log line has the stack.',
    fix: 'Report it with the log line.',
    whileRetried: 'Retrying automatically; report it with the log line.',
  },
} as const satisfies Record<string, CodeEntry>;

export type Code = keyof typeof codes;

/**
 * The codes that a client may get. Open: HTTP has more (docs/reference/http-api.md), and so may a
 * newer server.
 */
export type ErrorCode = Code | 'server-unavailable' | 'unexpected-answer' | (string & {});

/**
 * The error of every client of ours. `message` is one sentence for a person and never has a secret.
 */
export class DomainsError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Root of all errors that this program throws on purpose. */
export class CodedError extends DomainsError {
  declare readonly code: Code;
  // biome-ignore lint/complexity/noUselessConstructor: it takes fewer codes than its parent
  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** No retry can help. The job fails now and waits for a person. */
export class PermanentError extends CodedError {}

/** Retried by the retry policy. Spends an attempt, unless RunCloud is unavailable for everybody. */
export class TransientError extends CodedError {
  /** Who must act if it continues after a few attempts. */
  mustAct: 'operator' | undefined;
  /** False: an outage of RunCloud caused it, not the job. */
  attemptSpent = true;
}

// After so many failures in a row the domain shows who must act. The job is still retried.
const ATTEMPTS_BEFORE_ACTOR = 3;

/**
 * Who must act about an error that is retried. `attemptsMade` includes the attempt that just
 * failed.
 */
export const actorAfter = (error: unknown, attemptsMade: number): TransientError['mustAct'] =>
  error instanceof TransientError && attemptsMade >= ATTEMPTS_BEFORE_ACTOR ? error.mustAct : undefined;

/** RunCloud is unavailable for everybody. All jobs wait, and none spends an attempt. */
export class UnavailableError extends CodedError {}

/** The rate limit of RunCloud is reached. `retryAfterMs`: as RunCloud sent it, if it did. */
export class RateLimitedError extends UnavailableError {
  readonly retryAfterMs: number | undefined;
  constructor(message: string, retryAfterMs?: number, options?: ErrorOptions) {
    super('runcloud-rate-limited', message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** What to do about a code. `goesOn`: its job is retried automatically, and nobody must act yet. */
export function fixOf(code: string | undefined, goesOn: boolean): string | undefined {
  if (code === undefined || !Object.hasOwn(codes, code)) return undefined;
  const { fix, whileRetried }: CodeEntry = codes[code as Code];
  return goesOn ? (whileRetried ?? fix) : fix;
}

/** The code at the start of a failed job's reason, if there is one. */
export function codeOf(reason: string): Code | undefined {
  const [code = ''] = reason.split(':');
  return Object.hasOwn(codes, code) ? (code as Code) : undefined;
}

/** The message of anything that was thrown. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Whether `error` was thrown on purpose with one of these codes. */
export const hasCode = (error: unknown, ...expected: Code[]): error is CodedError =>
  error instanceof CodedError && expected.includes(error.code);

/**
 * Redis refused: it is full, read-only, the user has no permission, or the key has another type.
 */
export const isReplyError = (error: unknown): error is Error =>
  error instanceof Error && error.name === 'ReplyError';

/** Whether what failed with this code is retried automatically. */
export const mayPass = (code: string | undefined): boolean => {
  const entry: CodeEntry | undefined = code !== undefined && code in codes ? codes[code as Code] : undefined;
  return entry !== undefined && entry.isFinal !== true;
};
