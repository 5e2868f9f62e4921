// The DNS gate: whether a domain may be attached, or its certificate ordered, while its DNS stands as it does. Pure.

import type { BlockingName } from '../certificates/certificates.ts';
import { type Backoff, nextDelay } from '../domains/backoff.ts';
import type { Report } from '../domains/outcome.ts';
import type { Actor } from '../domains/states.ts';
import { type DnsFinding, isWrong, leadsHere, mayBeWrong } from '../probes/findings.ts';

export interface GateSettings {
  /** DNS_GATE */
  readonly gate: 'off' | 'attach' | 'certificate' | 'auto';
  /** SSL_INVALID_NAMES */
  readonly invalidNames: 'wait' | 'detach' | 'ignore';
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

/** SSL_INVALID_NAMES=detach: whether it shall be taken off: seen so twice at least, and somebody still waits for it. */
export const isBlocking = (
  seen: BlockingName | undefined,
  now: number,
  { dnsFirstMs, dnsLongestMs }: Backoff,
): boolean => seen !== undefined && now - seen.since >= dnsFirstMs && now - seen.at <= 2 * dnsLongestMs;

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
  if (dns.every(leadsHere)) return undefined;
  const found = dns.filter((finding) => !leadsHere(finding));
  const sentence = found.map((finding) => finding.sentence).join('; ');
  const waited = now - since;
  if (waited >= deadlineMs) {
    const mustAct: Actor = found.some(mayBeWrong) ? 'customer' : 'operator';
    return { sentence, delayMs: backoff.heldMs, report: { state: 'held', mustAct } };
  }
  const delayMs = nextDelay(waited, backoff.dnsFirstMs, backoff.dnsLongestMs);
  return {
    sentence,
    delayMs: Math.min(delayMs, deadlineMs - waited + 1),
    report: { state: 'waiting-for-dns', ...(found.some(isWrong) && { mustAct: 'customer' }) },
  };
}
