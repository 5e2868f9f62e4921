// The sentences from attached to live: DNS that is waited for, certificates that are proven, late or wrong. Pure.

import { counted, inSentences } from '../domains/sentences.ts';
import { toMinute, toNextMinute } from '../domains/times.ts';
import type { Period } from './lifetime.ts';

interface Found {
  readonly sentence: string;
}

export const findings = (found: readonly Found[]): string =>
  inSentences(...found.map(({ sentence }) => sentence));

/** The caller requested the www name, and nothing else is wrong. */
export const waitsForWww = (domain: string, until: number): string =>
  `${domain} itself is ready and waits for its www name. To go live without it, run \`add ${domain} --www=false\` (www: false). From ${toNextMinute(until)} on, that happens automatically (DNS_DEADLINE).`;

export const wwwCannotGo = (domain: string): string =>
  `${domain} itself is ready and waits for its www name. The worker cannot switch it off: RunCloud's API v2 has no such call, or somebody else attached the domain. To go live without it, run \`remove ${domain}\`, then \`add ${domain} --www=false\`.`;

export const wwwIsOwnDomain = (domain: string): string =>
  `www.${domain} is a domain of its own on the web application, so ${domain} has no www name`;

/** `found`: what is wrong with the DNS of the www name. */
export const wwwWithheld = (domain: string, found: string | undefined, changesWww: boolean): string =>
  inSentences(
    `www.${domain} is not served yet`,
    found,
    changesWww
      ? `It is added automatically once its DNS is right (checked every MONITOR_INTERVAL), or at once by \`add ${domain}\``
      : `RunCloud's API v2 cannot add it to an attached domain. Once its DNS is right, run \`remove ${domain}\`, then \`add ${domain}\`. API v3 adds it automatically`,
  );

export const wwwMissing = 'RunCloud has the domain without its www name';

export const wwwSeparate = (www: string): string => `${www} was requested as a domain of its own`;

export const wwwRetried = (why: string, domain: string): string =>
  inSentences(why, `Next attempt after MONITOR_INTERVAL, or run \`add ${domain}\``);

export interface LiveFacts {
  readonly names: readonly string[];
  /** When the first of its certificates ends; undefined: not known. */
  readonly notAfter: number | undefined;
  /** DNS that is wrong nevertheless. */
  readonly wrong: readonly Found[];
}

export const httpsWorks = ({ names, notAfter, wrong }: LiveFacts): string =>
  inSentences(
    `HTTPS works: the server sends a certificate that covers ${names.join(' and ')}${notAfter === undefined ? '' : `, valid until ${new Date(notAfter).toISOString().slice(0, 10)}`}`,
    wrong.length > 0 ? `Warning: ${findings(wrong)}` : undefined,
  );

export const isAttached = (domain: string, wrong: readonly Found[]): string =>
  inSentences(`${domain} is attached`, wrong.length > 0 ? `Warning: ${findings(wrong)}` : undefined);

export const redeployFollows = (sentence: string): string =>
  inSentences(sentence, 'A certificate redeploy follows (SSL_REDEPLOY_DELAY)');

export const redeployPending = 'A certificate redeploy is pending (SSL_REDEPLOY_DELAY)';

export const redeployFailed = (outcome: string | undefined): string =>
  outcome === undefined ? 'The certificate redeploy failed' : `The certificate redeploy failed: ${outcome}`;

export const ordered = (at: number, deadline: number): string =>
  `The certificate was ordered at ${toMinute(at)}. If it is not issued by ${toNextMinute(deadline)}, the order counts as failed (CERTIFICATE_DEADLINE).`;

export const notIncluded = (at: number, names: readonly string[]): string =>
  `The certificate ordered at ${toMinute(at)} does not include ${names.join(' and ')}`;

export const leftOut = (at: number, names: readonly string[]): string =>
  `The order of ${toMinute(at)} did not include ${names.join(' and ')}. Checking whether RunCloud has it.`;

export const removedInRunCloud = (domain: string): string =>
  `${domain} is no longer on the web application: somebody removed it in RunCloud. To attach it again, run \`add ${domain}\`. Otherwise, run \`remove ${domain}\`.`;

/** `period`: of the certificate that ends first; undefined: not known. */
export function expires(domain: string, period: Period | undefined, now: number): string {
  if (!period) return `The certificate of ${domain} expires soon`;
  const [left, whole] = [toDuration(period.notAfter - now), toDuration(period.notAfter - period.notBefore)];
  return `The certificate of ${domain} expires in ${left} (issued for ${whole}). RunCloud has not renewed it.`;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** In whole units, rounded down. */
function toDuration(ms: number): string {
  if (ms < HOUR_MS) return 'less than an hour';
  const [count, unit] = ms < DAY_MS ? [Math.floor(ms / HOUR_MS), 'hour'] : [Math.floor(ms / DAY_MS), 'day'];
  return counted(count, unit);
}

/** `isOwn`: the certificate is this domain's alone (advanced SSL). RunCloud's API is not known to switch a shared one. */
export function adviseHttp01(domain: string, isOwn: boolean): string {
  const inRunCloud = 'switch the certificate to http-01 in RunCloud';
  return isOwn ? `${inRunCloud}, or set SSL_SWITCH_TO_HTTP01=on and run \`redeploy ${domain}\`` : inRunCloud;
}

/** Of a certificate that was ordered, and was not issued. */
export const validatedByDns = (domain: string, isOwn: boolean): string =>
  `RunCloud validates it by dns-01, which fails once the DNS has moved. If it has, ${adviseHttp01(domain, isOwn)}.`;

export const cannotRenew = (moved: Found, domain: string, isOwn: boolean): string =>
  inSentences(
    'The certificate will not renew: it is validated by dns-01',
    moved.sentence,
    `To fix it, ${adviseHttp01(domain, isOwn)}`,
  );

/** SSL_INVALID_NAMES=detach: the domain stays detached for a while. */
export const sidelined = (domain: string, until: number): string =>
  `The certificate failed repeatedly with ${domain} as its newest name, so ${domain} is detached until ${toNextMinute(until)}. Then it is tried again automatically (SSL_INVALID_NAMES=detach). Check its DNS and RunCloud's log meanwhile.`;

export interface NewestSidelined {
  readonly failures: number;
  /** Undefined for the domains that share the certificate. */
  readonly name: string | undefined;
  /** What may have failed it. */
  readonly causes: string | undefined;
  /** When it comes back; undefined: it leaves already. */
  readonly until: number | undefined;
}

export const newestSidelined = ({ failures, name, causes, until }: NewestSidelined): string =>
  inSentences(
    `The certificate failed ${failures} times in a row`,
    causes,
    `${name ?? 'The newest name on it'} is detached${until === undefined ? '' : ` until ${toNextMinute(until)}`} so that the others get their certificate (SSL_INVALID_NAMES=detach)`,
  );
