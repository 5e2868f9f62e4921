// From attached to live: what handshakes, DNS, the last order and the pending redeploy say together. Pure.

import type { DomainRedeploy } from '../certificates/domain-redeploys.ts';
import type { LastOrder } from '../certificates/ledger.ts';
import { type Backoff, nextDelay } from '../domains/backoff.ts';
import type { Report } from '../domains/outcome.ts';
import { inSentences } from '../domains/sentences.ts';
import type { Actor } from '../domains/states.ts';
import { type DnsFinding, isWrong, type TlsFinding } from '../probes/findings.ts';
import { isByDns } from './challenge.ts';
import {
  findings,
  httpsWorks,
  leftOut,
  notIncluded,
  ordered,
  redeployFailed,
  redeployPending,
  validatedByDns,
} from './messages.ts';

/** The facts about one attached domain. Times in milliseconds by Redis' clock. */
export interface ProofFacts {
  /** Its names that RunCloud lists: an order of ours includes them all. (RunCloud need not list a www name.) */
  readonly listedNames: readonly string[];
  readonly tls: readonly TlsFinding[];
  readonly dns: readonly DnsFinding[];
  /** The last order of the certificate that should cover it. */
  readonly order: LastOrder | undefined;
  readonly redeploy: DomainRedeploy;
  /** This run has read RunCloud's list, and the domain is on it. */
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
  /** Nothing is pending that would cover it. */
  | { readonly kind: 'redeploy' }
  /** An order that came after its attachment left it out: RunCloud may have lost it. */
  | { readonly kind: 'observe'; readonly sentence: string }
  /** RunCloud took the order, and the name is still not covered. */
  | {
      readonly kind: 'order-failed';
      readonly order: LastOrder;
      readonly sentence: string;
      readonly mustAct: Actor;
    };

export function judgeProof(facts: ProofFacts): ProofStep {
  const open = facts.tls.filter(({ verdict }) => verdict !== 'covers');
  if (open.length === 0) return { kind: 'live', sentence: describeLive(facts) };
  if (facts.redeploy.isPending) return awaitRedeploy(findings(open), facts);
  const { order, listedNames, isObserved } = facts;
  if (!order || order.orderedAt < facts.attachedAt) return { kind: 'redeploy' };
  const missing = listedNames.filter((name) => !order.names.includes(name));
  if (missing.length === 0) return awaitIssue(order, open, facts);
  if (isObserved) return { kind: 'redeploy' };
  return { kind: 'observe', sentence: leftOut(order.orderedAt, missing) };
}

export function describeLive({ tls, dns }: Pick<ProofFacts, 'tls' | 'dns'>): string {
  const notAfter = Math.min(
    ...tls.map(({ certificate }) => certificate?.notAfter ?? Number.POSITIVE_INFINITY),
  );
  return httpsWorks({
    names: tls.map(({ name }) => name),
    notAfter: Number.isFinite(notAfter) ? notAfter : undefined,
    wrong: dns.filter(isWrong),
  });
}

// The redeploy has its own reasons to wait. What it said to this domain names no other.
function awaitRedeploy(sentence: string, facts: ProofFacts): ProofStep {
  const { redeploy, now, backoff } = facts;
  const { state, outcome, reasonCode, mustAct, nextRunAt = now } = redeploy;
  if (state === 'failed') {
    const report = {
      state: 'held',
      reasonCode: reasonCode ?? 'redeploy-failed',
      mustAct: 'operator',
    } as const;
    return { kind: 'wait', sentence: redeployFailed(outcome), delayMs: backoff.tlsLongestMs, report };
  }
  const delayMs = Math.min(backoff.tlsLongestMs, Math.max(0, nextRunAt - now) + backoff.tlsFirstMs);
  if (mustAct && outcome) return { kind: 'wait', delayMs, ...heldRedeploy(outcome, mustAct, facts) };
  const isAnswered = state === 'pending' && outcome !== undefined;
  const report = {
    state: 'waiting-for-certificate',
    reasonCode: (isAnswered ? reasonCode : undefined) ?? 'redeploy-pending',
  } as const;
  const why = isAnswered ? outcome : redeployPending;
  return { kind: 'wait', sentence: inSentences(sentence, why), delayMs, report };
}

/** Somebody must act before the redeploy: for this domain's own DNS first. */
function heldRedeploy(
  outcome: string,
  mustAct: Actor,
  { redeploy, dns, advanced }: ProofFacts,
): { readonly sentence: string; readonly report: Report } {
  const own = dns.filter(isWrong);
  if (own.length > 0)
    return {
      sentence: inSentences(findings(own), outcome),
      report: { state: 'held', reasonCode: 'dns-wrong', mustAct: 'customer' },
    };
  // On a shared certificate it is another domain's customer. The operator knows whose.
  const others = mustAct === 'customer' && !advanced ? 'operator' : mustAct;
  const reasonCode = redeploy.reasonCode ?? 'redeploy-pending';
  return { sentence: outcome, report: { state: 'held', reasonCode, mustAct: others } };
}

function awaitIssue(
  order: LastOrder,
  open: readonly TlsFinding[],
  { dns, listedNames, advanced, now, deadlineMs, backoff }: ProofFacts,
): ProofStep {
  const age = now - order.orderedAt;
  if (age < deadlineMs)
    return {
      kind: 'wait',
      sentence: inSentences(findings(open), ordered(order.orderedAt, order.orderedAt + deadlineMs)),
      delayMs: Math.min(nextDelay(age, backoff.tlsFirstMs, backoff.tlsLongestMs), deadlineMs - age + 1),
      report: { state: 'waiting-for-certificate', reasonCode: 'certificate-ordered' },
    };
  // A check that got no answer never counts as failed.
  if (open.some(({ verdict }) => verdict === 'unknown')) {
    const report: Report = { state: 'held', reasonCode: 'tls-unknown', mustAct: 'operator' };
    return { kind: 'wait', sentence: findings(open), delayMs: backoff.tlsLongestMs, report };
  }
  const wrong = dns.filter(isWrong);
  const method = isByDns(order.replaces) ? validatedByDns(listedNames[0] ?? '', advanced) : undefined;
  return {
    kind: 'order-failed',
    order,
    sentence: inSentences(
      notIncluded(
        order.orderedAt,
        open.map(({ name }) => name),
      ),
      findings(wrong),
      method,
    ),
    mustAct: wrong.length > 0 ? 'customer' : method ? 'operator' : 'runcloud',
  };
}
