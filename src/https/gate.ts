// The DNS gate: whether a domain may be attached, or its certificate ordered, while its DNS stands as it does. Pure.
import type { Actor, Report } from '../domains/outcome.ts';
import type { DnsFinding } from '../probes/findings.ts';
import { type Backoff, nextDelay } from './backoff.ts';

export interface GateSettings {
  /** DNS_GATE */
  readonly gate: 'off' | 'attach' | 'certificate' | 'auto';
  /** SSL_INVALID_NAMES */
  readonly invalidNames: 'hold' | 'detach' | 'proceed';
  /** DNS_DEADLINE */
  readonly deadlineMs: number;
}

/** What DNS is waited for with: before the domain is attached, before its certificate is ordered, or not at all. */
export function gateBefore(
  { gate, invalidNames }: GateSettings,
  { advanced }: { advanced: boolean },
): 'attach' | 'certificate' | 'nothing' {
  if (gate === 'off') return 'nothing';
  // What was detached because its DNS is dead comes back when that is right, not before.
  if (invalidNames === 'detach' && !advanced) return 'attach';
  if (gate !== 'auto') return gate;
  return advanced ? 'certificate' : 'attach';
}

/**
 * Whether a certificate is ordered only while DNS is right. A shared one that was gated before attaching has the guard (jobs/redeploy/preflight.ts);
 * one of the domain's own has not.
 */
export const gatesCertificate = (settings: GateSettings, facts: { advanced: boolean }): boolean =>
  settings.gate !== 'off' && (facts.advanced || gateBefore(settings, facts) === 'certificate');

/** Since when a domain is in the way of the others, and when it was seen so last. Milliseconds by Redis' clock. */
export interface BlockingName {
  readonly since: number;
  readonly at: number;
}

/** SSL_INVALID_NAMES=detach: whether it shall be taken off: seen so twice at least, and somebody still waits for it. */
export const isDead = (
  seen: BlockingName | undefined,
  now: number,
  { dnsFirstMs, dnsLongestMs }: Backoff,
): boolean => seen !== undefined && now - seen.since >= dnsFirstMs && now - seen.at <= 2 * dnsLongestMs;

/** Let's Encrypt would not validate this name. What could not be asked, or not be checked, is not said to be wrong. */
export const isBad = (finding: DnsFinding): boolean => finding.verdict !== 'unchecked' && isSuspect(finding);

/** The same beyond doubt, so that a domain may be taken off for it: through a CDN's proxy HTTP may reach us all the same. */
export const isSurelyBad = (finding: DnsFinding): boolean => finding.verdict !== 'cdn' && isBad(finding);

/** The same, or it leads to somebody of whom we do not know whether he hands on to us. */
export const isSuspect = ({ verdict }: DnsFinding): boolean =>
  verdict !== 'here' && verdict !== 'proxied' && verdict !== 'unknown';

/** Let's Encrypt will reach us through it. */
export const isGood = ({ verdict }: DnsFinding): boolean => verdict === 'here' || verdict === 'proxied';

/** What to wait for, with a sentence for people. */
export interface Closed {
  readonly sentence: string;
  readonly delayMs: number;
  readonly report: Report;
}

/** Undefined where the gate is open. `since`: when the domain was asked for last. Times in milliseconds by one clock. */
export function judgeGate(
  dns: readonly DnsFinding[],
  { since, now, deadlineMs, backoff }: { since: number; now: number; deadlineMs: number; backoff: Backoff },
): Closed | undefined {
  if (dns.every(isGood)) return undefined;
  const found = dns.filter((finding) => !isGood(finding));
  const sentence = found.map((finding) => finding.sentence).join('; ');
  const waited = now - since;
  if (waited >= deadlineMs) {
    const mustAct: Actor = found.some(isSuspect) ? 'customer' : 'operator';
    return { sentence, delayMs: backoff.heldMs, report: { state: 'held', mustAct } };
  }
  const delayMs = nextDelay(waited, backoff.dnsFirstMs, backoff.dnsLongestMs);
  return {
    sentence,
    delayMs: Math.min(delayMs, deadlineMs - waited + 1),
    report: { state: 'waiting-for-dns', ...(found.some(isBad) && { mustAct: 'customer' }) },
  };
}
