// The settings of one simulator: lag, rate limit, quota, limits, what the DNS says of unknown names. No open
// question about RunCloud's API: those are variants. All may be changed while it runs.
import {
  readChoice,
  readObject,
  readWhole,
  rejectUnknownFields,
  withoutUndefined,
} from './control-fields.ts';

export interface Settings {
  /** From the order to the covered name. Observed live: about 30 s (reference section 5 [F] PBAC). */
  issuanceLagMs: number;
  /** How old a list of domains is: what was written later is not on it. Whether RunCloud's list lags is not known. */
  listLagMs: number;
  /** Requests per window; 0 is no limit. The real number is not known (section 2); 600 stays out of the way. */
  rateLimit: number;
  rateLimitWindowMs: number;
  /** Requests until the quota is spent; 0 is no quota (section 2, "Limits & Usage"). */
  quota: number;
  /** Domains per web application; 0 is no limit (Unknown, line 3). */
  domainLimit: number;
  /** How long a certificate is valid from its issuance: 90 days today, 64 by default from 2027-02, 6 on request (section 13). */
  certificateDays: number;
  /** Let's Encrypt (section 9): new certificates per registered domain in 7 days, really 50; 0 is no limit. */
  certificatesPerWeek: number;
  /** Certificates for the same exact set of names in 7 days, really 5; 0 is no limit. */
  duplicatesPerWeek: number;
  /** Failed authorizations per name in an hour, really 5; 0 is no limit. */
  failuresPerHour: number;
  /** What names say that the zone does not have: that they do not exist, or the server's address. */
  defaultDns: 'nxdomain' | 'server';
}

export const DEFAULT_SETTINGS: Readonly<Settings> = {
  issuanceLagMs: 0,
  listLagMs: 0,
  rateLimit: 600,
  rateLimitWindowMs: 60_000,
  quota: 0,
  domainLimit: 0,
  certificateDays: 90,
  certificatesPerWeek: 0,
  duplicatesPerWeek: 0,
  failuresPerHour: 0,
  defaultDns: 'nxdomain',
};

export const toLifetimeMs = ({ certificateDays }: Settings): number => certificateDays * 86_400_000;

export const SETTING_NAMES = Object.keys(DEFAULT_SETTINGS) as (keyof Settings)[];

/** Throws a ControlError that names the first bad field. */
export function parseSettings(input: unknown): Partial<Settings> {
  const body = readObject(input, 'settings');
  rejectUnknownFields(body, SETTING_NAMES);
  return withoutUndefined({
    issuanceLagMs: readWhole(body, 'issuanceLagMs'),
    listLagMs: readWhole(body, 'listLagMs'),
    rateLimit: readWhole(body, 'rateLimit'),
    rateLimitWindowMs: readWhole(body, 'rateLimitWindowMs', { min: 1 }),
    quota: readWhole(body, 'quota'),
    domainLimit: readWhole(body, 'domainLimit'),
    certificateDays: readWhole(body, 'certificateDays', { min: 1 }),
    certificatesPerWeek: readWhole(body, 'certificatesPerWeek'),
    duplicatesPerWeek: readWhole(body, 'duplicatesPerWeek'),
    failuresPerHour: readWhole(body, 'failuresPerHour'),
    defaultDns: readChoice(body, 'defaultDns', ['nxdomain', 'server']),
  });
}
