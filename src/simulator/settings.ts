// The numbers of one simulator: lag, rate limit, quota, domain limit. Quantities only; questions of shape are
// variants. All may be changed while it runs.
import { readObject, readWhole, rejectUnknownFields, withoutUndefined } from './control-fields.ts';

export interface Settings {
  /** From the order to the covered name. Seen live: about 30 s (reference section 5 [F] PBAC). */
  issuanceLagMs: number;
  /** Requests per window; 0 is no limit. The real number is not known (section 2); 600 stays out of the way. */
  rateLimit: number;
  rateLimitWindowMs: number;
  /** Requests until the quota is spent; 0 is no quota (section 2, "Limits & Usage"). */
  quota: number;
  /** Domains per web application; 0 is no limit (Unknown, line 3). */
  domainLimit: number;
}

export const DEFAULT_SETTINGS: Readonly<Settings> = {
  issuanceLagMs: 0,
  rateLimit: 600,
  rateLimitWindowMs: 60_000,
  quota: 0,
  domainLimit: 0,
};

export const SETTING_NAMES = Object.keys(DEFAULT_SETTINGS) as (keyof Settings)[];

/** Throws a ControlError that names the first bad field. */
export function parseSettings(input: unknown): Partial<Settings> {
  const body = readObject(input, 'settings');
  rejectUnknownFields(body, SETTING_NAMES);
  return withoutUndefined({
    issuanceLagMs: readWhole(body, 'issuanceLagMs'),
    rateLimit: readWhole(body, 'rateLimit'),
    rateLimitWindowMs: readWhole(body, 'rateLimitWindowMs', { min: 1 }),
    quota: readWhole(body, 'quota'),
    domainLimit: readWhole(body, 'domainLimit'),
  });
}
