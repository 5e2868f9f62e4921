// The DNS gate: whether DNS is right enough to attach a domain, or to order its certificate. Pure.

import type { BlockingName } from '../certificates/certificates.ts';
import { type Backoff, nextDelay } from '../domains/backoff.ts';
import type { Report } from '../domains/outcome.ts';
import type { ReasonCode } from '../domains/reasons.ts';
import type { Actor } from '../domains/states.ts';
import { type DnsFinding, isWrong, leadsHere, mayBeWrong } from '../probes/findings.ts';
import { findings } from './messages.ts';

export interface GateSettings {
  /** DNS_GATE */
  readonly gate: 'off' | 'attach' | 'certificate' | 'auto';
  /** SSL_INVALID_NAMES */
  readonly invalidNames: 'wait' | 'detach' | 'ignore';
  /** DNS_DEADLINE */
  readonly deadlineMs: number;
}

/** What waits until DNS is right: attaching the domain, ordering its certificate, or nothing. */
export function gateBefore(
  { gate, invalidNames }: GateSettings,
  { advanced }: { advanced: boolean },
): 'attach' | 'certificate' | 'nothing' {
  if (gate === 'off') return 'nothing';
  // A domain that was detached for its DNS comes back when its DNS is right, not before.
  if (invalidNames === 'detach' && !advanced) return 'attach';
  if (gate !== 'auto') return gate;
  return advanced ? 'certificate' : 'attach';
}

/**
 * Whether a certificate is ordered only while DNS is right. A shared certificate has the preflight for that
 * (jobs/redeploy/preflight.ts), if its domains waited before they were attached.
 */
export const gatesCertificate = (settings: GateSettings, facts: { advanced: boolean }): boolean =>
  settings.gate !== 'off' && (facts.advanced || gateBefore(settings, facts) === 'certificate');

/** SSL_INVALID_NAMES=detach: observed twice at least, and a redeploy still waits for it. */
export const isBlocking = (
  blocking: BlockingName | undefined,
  now: number,
  { dnsFirstMs, dnsLongestMs }: Backoff,
): boolean =>
  blocking !== undefined && now - blocking.since >= dnsFirstMs && now - blocking.at <= 2 * dnsLongestMs;

/** What to wait for, with a sentence for people. */
export interface Closed {
  readonly sentence: string;
  readonly delayMs: number;
  readonly report: Report;
}

/** Of findings that are not right. */
export const dnsCodeOf = (found: readonly DnsFinding[]): Extract<ReasonCode, `dns-${string}`> =>
  found.some(mayBeWrong) ? 'dns-wrong' : 'dns-unknown';

/** Undefined: the gate is open. `since`: the last request for the domain. Times in milliseconds by one clock. */
export function judgeGate(
  dns: readonly DnsFinding[],
  { since, now, deadlineMs, backoff }: { since: number; now: number; deadlineMs: number; backoff: Backoff },
): Closed | undefined {
  if (dns.every(leadsHere)) return undefined;
  const found = dns.filter((finding) => !leadsHere(finding));
  const sentence = findings(found);
  const reasonCode = dnsCodeOf(found);
  const waited = now - since;
  if (waited >= deadlineMs) {
    const mustAct: Actor = found.some(mayBeWrong) ? 'customer' : 'operator';
    return { sentence, delayMs: backoff.heldMs, report: { state: 'held', reasonCode, mustAct } };
  }
  const delayMs = nextDelay(waited, backoff.dnsFirstMs, backoff.dnsLongestMs);
  return {
    sentence,
    delayMs: Math.min(delayMs, deadlineMs - waited + 1),
    report: { state: 'waiting-for-dns', reasonCode, ...(found.some(isWrong) && { mustAct: 'customer' }) },
  };
}
