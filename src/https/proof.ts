// From attached to live: what the handshakes, DNS, the last order and the redeploy on its way say together. Pure.

import type { DomainRedeploy } from '../certificates/domain-redeploys.ts';
import type { LastOrder } from '../certificates/ledger.ts';
import { type Backoff, nextDelay } from '../domains/backoff.ts';
import type { Report } from '../domains/outcome.ts';
import type { Actor } from '../domains/states.ts';
import { toMinute, toNextMinute } from '../domains/times.ts';
import type { DnsFinding, TlsFinding } from '../probes/findings.ts';
import { isWrong } from '../probes/findings.ts';
import { describeByDns, isByDns } from './challenge.ts';

/** How things stand for one attached domain. Times in milliseconds by Redis' clock. */
export interface ProofFacts {
  /** Its names that RunCloud tells to have: an order of ours holds all of them. (It need not tell of a www twin.) */
  readonly told: readonly string[];
  readonly tls: readonly TlsFinding[];
  readonly dns: readonly DnsFinding[];
  /** The last order of the certificate that shall cover it. */
  readonly order: LastOrder | undefined;
  readonly redeploy: DomainRedeploy;
  /** RunCloud was asked a moment ago, and has it. */
  readonly isObserved: boolean;
  readonly attachedAt: number;
  /** The certificate is this domain's alone. */
  readonly advanced: boolean;
  readonly now: number;
  readonly deadlineMs: number;
  readonly backoff: Backoff;
}

export type ProofStep =
  | { readonly kind: 'live'; readonly sentence: string }
  | { readonly kind: 'wait'; readonly sentence: string; readonly delayMs: number; readonly report: Report }
  /** Nothing is on its way that would cover it. */
  | { readonly kind: 'redeploy' }
  /** An order that came after its attachment left it out: RunCloud may have lost it. */
  | { readonly kind: 'observe'; readonly sentence: string }
  /** The order was carried out, as far as RunCloud says, and the name is still not covered. */
  | {
      readonly kind: 'order-failed';
      readonly order: LastOrder;
      readonly sentence: string;
      readonly mustAct: Actor;
    };

export function judgeProof(facts: ProofFacts): ProofStep {
  const open = facts.tls.filter(({ verdict }) => verdict !== 'covers');
  if (open.length === 0) return { kind: 'live', sentence: describeLive(facts) };
  const sentence = open.map((finding) => finding.sentence).join('; ');
  if (facts.redeploy.isPending) return awaitRedeploy(sentence, facts);
  const { order, told, isObserved } = facts;
  if (!order || order.orderedAt < facts.attachedAt) return { kind: 'redeploy' };
  const missing = told.filter((name) => !order.names.includes(name));
  if (missing.length === 0) return awaitIssue(order, open, sentence, facts);
  if (isObserved) return { kind: 'redeploy' };
  const at = toMinute(order.orderedAt);
  return {
    kind: 'observe',
    sentence: `the certificate ordered at ${at} left ${missing.join(' and ')} out; looking whether RunCloud has it`,
  };
}

export function describeLive({ tls, dns }: Pick<ProofFacts, 'tls' | 'dns'>): string {
  const until = Math.min(...tls.map(({ certificate }) => certificate?.notAfter ?? Number.POSITIVE_INFINITY));
  const names = tls.map(({ name }) => name).join(' and ');
  const valid = Number.isFinite(until) ? ` until ${new Date(until).toISOString().slice(0, 10)}` : '';
  const warning = dns
    .filter(isWrong)
    .map((finding) => `; but ${finding.sentence}`)
    .join('');
  return `HTTPS works: a handshake showed a certificate that covers ${names}${valid}${warning}`;
}

// The redeploy has its own reasons to wait; what it says to this domain are the domain's words.
function awaitRedeploy(sentence: string, facts: ProofFacts): ProofStep {
  const { redeploy, dns, now, backoff, advanced } = facts;
  const { state, outcome, mustAct, nextRunAt = now } = redeploy;
  if (state === 'failed') {
    const failed = `the certificate redeploy failed: ${outcome}`;
    const report: Report = { state: 'held', mustAct: 'operator' };
    return { kind: 'wait', sentence: failed, delayMs: backoff.tlsLongestMs, report };
  }
  const delayMs = Math.min(backoff.tlsLongestMs, Math.max(0, nextRunAt - now) + backoff.tlsFirstMs);
  if (mustAct && outcome) {
    // Whose own DNS is wrong need not look further.
    const own = dns.filter(isWrong);
    // On a shared certificate it is another one's customer, whom the operator knows.
    const others = mustAct === 'customer' && !advanced ? 'operator' : mustAct;
    const report: Report = { state: 'held', mustAct: own.length > 0 ? 'customer' : others };
    const why = own.map((finding) => `${finding.sentence}; `).join('');
    return { kind: 'wait', sentence: `${why}${outcome}`, delayMs, report };
  }
  const told = state === 'pending' && outcome ? outcome : 'a certificate redeploy is on its way';
  const waits = `${sentence}; ${told}`;
  return { kind: 'wait', sentence: waits, delayMs, report: { state: 'waiting-for-certificate' } };
}

function awaitIssue(
  order: LastOrder,
  open: readonly TlsFinding[],
  sentence: string,
  { dns, told, advanced, now, deadlineMs, backoff }: ProofFacts,
): ProofStep {
  const age = now - order.orderedAt;
  const at = toMinute(order.orderedAt);
  if (age < deadlineMs) {
    const delayMs = Math.min(nextDelay(age, backoff.tlsFirstMs, backoff.tlsLongestMs), deadlineMs - age + 1);
    const until = toNextMinute(order.orderedAt + deadlineMs);
    const waits = `${sentence}; the certificate was ordered at ${at}, and counts as failed if it is not there by ${until} (CERTIFICATE_DEADLINE)`;
    return { kind: 'wait', sentence: waits, delayMs, report: { state: 'waiting-for-certificate' } };
  }
  // Could not check is never failed.
  if (open.some(({ verdict }) => verdict === 'unknown')) {
    const report: Report = { state: 'held', mustAct: 'operator' };
    return { kind: 'wait', sentence, delayMs: backoff.tlsLongestMs, report };
  }
  const invalidNames = dns.filter(isWrong);
  const why =
    invalidNames.length > 0 ? `: ${invalidNames.map((finding) => finding.sentence).join('; ')}` : '';
  const method = isByDns(order.replaces) ? `; ${describeByDns(told[0] ?? '', advanced)}` : '';
  return {
    kind: 'order-failed',
    order,
    sentence: `the certificate ordered at ${at} did not pick ${open.map(({ name }) => name).join(' and ')} up${why}${method}`,
    mustAct: invalidNames.length > 0 ? 'customer' : method ? 'operator' : 'runcloud',
  };
}
