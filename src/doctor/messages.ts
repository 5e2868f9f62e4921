// The sentences of `doctor`: its findings with their fixes, the survey and the trial. Pure: facts
// in, text out.
import { listed } from '../domains/sentences.ts';

// Findings.

const IN_ADDRESS_BAR = "in RunCloud's address bar";

export const fixes = {
  redis: 'check REDIS_URL (rediss:// only if Redis uses TLS), REDIS_CA_FILE, and that Redis runs there',
  server: `set RUNCLOUD_SERVER_ID to the number after /servers/ ${IN_ADDRESS_BAR}`,
  'web application': `set RUNCLOUD_APP_ID to the number after /webapps/ ${IN_ADDRESS_BAR}`,
  credentials: 'set RUNCLOUD_API_TOKEN (API v3), or RUNCLOUD_API_KEY and RUNCLOUD_API_SECRET (API v2)',
  offline: 'check the server in RunCloud',
  token:
    'create a new token in RunCloud under Workspace > Settings > API Management, and set RUNCLOUD_API_TOKEN to it',
  variable: (variable: string): string => `set ${variable} to the number ${IN_ADDRESS_BAR}`,
};

export const noCredentials = 'no RunCloud credentials are configured';
export const credentialsAccepted = 'accepted by RunCloud';

export const variableMissing = (variable: string): string => `${variable} is not set; every job must name it`;

interface NamedServer {
  readonly serverId: number;
  readonly name: string | undefined;
  readonly ipAddress: string | undefined;
}

/** `1903 "box-1", 203.0.113.7` */
export function serverFound({ serverId, name, ipAddress }: NamedServer, isOffline: boolean): string {
  const server = `${serverId}${name ? ` "${name}"` : ''}${ipAddress ? `, ${ipAddress}` : ''}`;
  return isOffline ? `${server} is offline` : server;
}

export const webApplicationFound = (appId: number, name: string | undefined, domains: number): string =>
  `${appId}${name ? ` "${name}"` : ''}, ${domains} domain${domains === 1 ? '' : 's'}`;

export const sslKinds = {
  advanced: (autoSsl: boolean): string =>
    `advanced: one certificate per domain${autoSsl ? ', AutoSSL on' : ''}`,
  basic: 'basic: one certificate for all domains',
  none: 'basic, and no certificate is installed',
  contradictory: 'RunCloud reports basic SSL but lists a certificate for each domain; treated as advanced',
};

/** `reason`: why RunCloud cannot write the DNS records. */
export const willNotRenew = (names: readonly string[], reason: string): string =>
  `RunCloud will not renew the certificate of ${listed(names)} (validated by dns-01): ${reason}`;

const toDay = (timeMs: number): string => new Date(timeMs).toISOString().slice(0, 10);

export const tokenExpired = (endMs: number): string =>
  `expired on ${toDay(endMs)}, by the clock of this machine`;

export const tokenValid = (endMs: number): string => `valid until ${toDay(endMs)}`;

export function tokenExpires(endMs: number, nowMs: number): string {
  const days = Math.floor((endMs - nowMs) / 86_400_000);
  const left = days < 1 ? 'in less than a day' : days === 1 ? 'in 1 day' : `in ${days} days`;
  return `expires on ${toDay(endMs)}, ${left}`;
}

// The survey.

export const surveyEnds = {
  noAnswer: 'RunCloud did not answer the ping',
  refused: (status: number): string => `RunCloud answered the ping with HTTP ${status}`,
  rateLimited: 'the RunCloud rate limit is reached (HTTP 429)',
  fewCalls: (remaining: number): string =>
    `RunCloud allows ${remaining} more calls, which are left for the workers`,
};

// The trial.

const TAKE_ANOTHER = 'use a name that is not in use';

export const refusals = {
  known: (name: string, record: string): string => `${name} is known here: ${record}; ${TAKE_ANOTHER}`,
  attached: (name: string, appId: number): string =>
    `${name} is on web application ${appId}; ${TAKE_ANOTHER}`,
  autoSsl: (name: string, appId: number): string =>
    `AutoSSL is on for web application ${appId}, so RunCloud would order a certificate for ${name}; use another web application`,
  sharedCertificate: (appId: number): string =>
    `--with-certificate needs advanced SSL, but the domains of web application ${appId} share one certificate`,
};

export const pausedForTrial = (appId: number): string =>
  `web application ${appId} is paused during the trial`;

export const stillPaused = (appId: number): string =>
  `web application ${appId} was paused before, and stays paused`;

export const resumedAfterTrial = (appId: number): string => `web application ${appId} continues`;

export const pauseReplaced =
  "the trial's pause has ended or was replaced; run `pauses` to list active pauses";

export const replied = (status: number | undefined): string =>
  `  -> ${status === undefined ? 'no answer' : `HTTP ${status}`}`;

export const removedAgain = (name: string): string => `${name} is removed again`;

export const certificateDelayed = (waitMs: number): string =>
  `no certificate yet; next check in ${waitMs / 1000} s`;

/** `isGone`: RunCloud's list no longer has the domain, but a lost write may still take effect. */
export const checksAgain = (isGone: boolean, waitMs: number): string =>
  `${isGone ? 'an answer was lost, so a write may still take effect' : 'RunCloud still lists it'}; next check in ${waitMs / 1000} s`;

export const stillListed = 'RunCloud still lists it';

export const mayBeLeft = (
  name: string,
  { appId, reason, journal }: { readonly appId: number; readonly reason: string; readonly journal: string },
): string =>
  `${name} may still be on web application ${appId}: ${reason}; run the same command again (${journal} lists what to remove)`;

export const noJournal = (file: string): string =>
  `${file} is not a journal of this command: check it, and move it away`;
