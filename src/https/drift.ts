// What a later check of a live domain says: still live, or who must act. Pure.

import type { DomainRecord, Evidence } from '../domains/domain.ts';
import type { Report } from '../domains/outcome.ts';
import { type Actor, states } from '../domains/states.ts';
import type { DnsFinding, ServedCertificate, TlsFinding } from '../probes/findings.ts';
import { isWrong } from '../probes/findings.ts';
import { isLate, type Period } from './lifetime.ts';
import { isAttached as attached, expires, findings, removedInRunCloud } from './messages.ts';
import { describeLive } from './proof.ts';

/** What repairs it. One order repairs a certificate: `instead` identifies the one that it replaces. */
export type Repair = { readonly kind: 'attach' } | { readonly kind: 'redeploy'; readonly instead: string };

export interface Drift {
  readonly sentence: string;
  readonly report: Report;
  readonly repair?: Repair | undefined;
  /** The certificate still covers the domain, but expires soon. */
  readonly isExpiring?: true;
}

/** The record as the check finds it. */
export type RecordBefore = Pick<DomainRecord, 'domain' | 'state' | 'mustAct' | 'evidence'>;

/** Undefined: nothing can be said. `isAttached`: as RunCloud's list has it; undefined if the list could not be read. */
export function judgeDrift(
  before: RecordBefore,
  isAttached: boolean | undefined,
  evidence: Evidence,
): Drift | undefined {
  if (isAttached === false)
    // The DNS of before stays in the record: whether it has changed is judged when the domain is back.
    return {
      sentence: removedInRunCloud(before.domain),
      report: { state: 'held', reasonCode: 'removed-in-runcloud', mustAct: 'operator' },
      repair: { kind: 'attach' },
    };
  // A list that cannot be read does not bring a removed domain back. Its certificate and DNS outlive it.
  if (isAttached === undefined && isHeldBy('operator', before)) return undefined;
  return judgeNames(before, evidence);
}

function judgeNames(before: RecordBefore, evidence: Evidence): Drift | undefined {
  const { dns, tls } = evidence;
  const wrong = dns.filter(isWrong);
  if (wrong.some(isNew(before)))
    return held(wrong, { reasonCode: 'dns-wrong', mustAct: 'customer' }, evidence);
  const uncovered = tls.filter(({ verdict }) => verdict !== 'covers' && verdict !== 'unknown');
  if (uncovered.length > 0) {
    const cause = { reasonCode: 'certificate-wrong', mustAct: 'runcloud' } as const;
    return { ...held([...uncovered, ...wrong], cause, evidence), repair: redeployOf(uncovered, wrong) };
  }
  const late = tls.filter(({ certificate }) => certificate && isLate(certificate, evidence.at));
  if (late.length > 0) {
    const found = [{ sentence: expires(before.domain, firstToEnd(late), evidence.at) }, ...wrong];
    const cause = { reasonCode: 'certificate-expiring', mustAct: 'runcloud' } as const;
    return { ...held(found, cause, evidence), repair: redeployOf(late, wrong), isExpiring: true };
  }
  const isOpen = ({ verdict }: DnsFinding | TlsFinding): boolean =>
    verdict === 'unknown' || verdict === 'unchecked';
  if ([...tls, ...dns].some(isOpen)) return undefined;
  if (tls.length === 0)
    return {
      sentence: attached(before.domain, wrong),
      report: { state: 'attached', reasonCode: 'attached', evidence },
    };
  return {
    sentence: describeLive(evidence),
    report: { state: 'live', reasonCode: 'https-works', evidence },
  };
}

const isHeldBy = (actor: Actor, { state, mustAct }: RecordBefore): boolean =>
  states[state].needsAction === true && mustAct === actor;

/**
 * Wrong DNS is drift only if it is new. A domain that became live with this very warning (DNS_GATE=off, or its certificate was there
 * already) stays live with it. A domain that is held for its DNS, or was gone, stays held until all its DNS is right. Otherwise the
 * next check, to which nothing is new, would make it live.
 */
function isNew(before: RecordBefore): (finding: DnsFinding) => boolean {
  if (isHeldBy('customer', before) || isHeldBy('operator', before)) return () => true;
  const known = (before.evidence?.dns ?? []).filter(isWrong).map(({ name }) => name);
  return ({ name }) => !known.includes(name);
}

interface Said {
  readonly sentence: string;
}

interface Cause {
  readonly reasonCode: 'dns-wrong' | 'certificate-wrong' | 'certificate-expiring';
  readonly mustAct: 'customer' | 'runcloud';
}

const held = (found: readonly Said[], cause: Cause, evidence: Evidence): Drift => ({
  sentence: findings(found),
  report: { state: 'held', ...cause, evidence },
});

/** No order helps a name whose DNS is wrong. */
function redeployOf(found: readonly TlsFinding[], wrong: readonly DnsFinding[]): Repair | undefined {
  if (wrong.length > 0) return undefined;
  const ids = found.map(({ certificate }) => (certificate ? idOf(certificate) : ''));
  return { kind: 'redeploy', instead: [...new Set(ids)].toSorted().join(' ') };
}

/** The next certificate for the same name differs in it. */
const idOf = ({ notBefore, notAfter }: ServedCertificate): string => `${notBefore}-${notAfter}`;

const firstToEnd = (late: readonly TlsFinding[]): Period | undefined =>
  late
    .flatMap(({ certificate }): Period[] => (certificate ? [certificate] : []))
    .toSorted((one, other) => one.notAfter - other.notAfter)[0];
