// What a later look at a domain that was done says: still live, or who must act. Pure.

import type { DomainRecord, Evidence } from '../domains/domain.ts';
import type { Report } from '../domains/outcome.ts';
import { counted } from '../domains/sentences.ts';
import { type Actor, states } from '../domains/states.ts';
import type { DnsFinding, ServedCertificate, TlsFinding } from '../probes/findings.ts';
import { isWrong } from '../probes/findings.ts';
import { isLate, type Period } from './lifetime.ts';
import { describeLive } from './proof.ts';

/** One order mends a certificate: `instead` says in whose place the new one shall come. */
export type Repair = { readonly kind: 'attach' } | { readonly kind: 'redeploy'; readonly instead: string };

export interface Drift {
  readonly sentence: string;
  readonly report: Report;
  /** What would mend it. */
  readonly repair?: Repair | undefined;
  /** The certificate covers the domain still, but ends soon. */
  readonly isExpiring?: true;
}

/** The record as the look finds it. */
export type RecordBefore = Pick<DomainRecord, 'domain' | 'state' | 'mustAct' | 'evidence'>;

/** Undefined where nothing can be said. `isAttached`: as RunCloud's list has it; undefined where it could not be read. */
export function judgeDrift(
  before: RecordBefore,
  isAttached: boolean | undefined,
  evidence: Evidence,
): Drift | undefined {
  const { domain } = before;
  if (isAttached === false) {
    const sentence = `${domain} is no longer on the web application: somebody removed it in RunCloud; add it again, or remove it here`;
    // What DNS was before it went stays: whether it has changed is judged when the domain is back.
    return { sentence, report: { state: 'held', mustAct: 'operator' }, repair: { kind: 'attach' } };
  }
  // What was gone is not back because the list cannot be read: its certificate and its DNS outlive it.
  if (isAttached === undefined && isHeldBy('operator', before)) return undefined;
  return judgeNames(before, evidence);
}

function judgeNames(before: RecordBefore, evidence: Evidence): Drift | undefined {
  const { dns, tls } = evidence;
  const away = dns.filter(isWrong);
  if (away.some(isNews(before))) return held(away, 'customer', evidence);
  const shown = tls.filter(({ verdict }) => verdict !== 'covers' && verdict !== 'unknown');
  if (shown.length > 0)
    return { ...held([...shown, ...away], 'runcloud', evidence), repair: redeployOf(shown, away) };
  const late = tls.filter(({ certificate }) => certificate && isLate(certificate, evidence.at));
  if (late.length > 0) {
    const findings = [describeLate(before.domain, late, evidence.at), ...away];
    return { ...held(findings, 'runcloud', evidence), repair: redeployOf(late, away), isExpiring: true };
  }
  const isOpen = ({ verdict }: DnsFinding | TlsFinding): boolean =>
    verdict === 'unknown' || verdict === 'unchecked';
  if ([...tls, ...dns].some(isOpen)) return undefined;
  if (tls.length > 0) return { sentence: describeLive(evidence), report: { state: 'live', evidence } };
  const sentence = [`${before.domain} is attached`, ...away.map((finding) => `but ${finding.sentence}`)];
  return { sentence: sentence.join('; '), report: { state: 'attached', evidence } };
}

const isHeldBy = (actor: Actor, { state, mustAct }: RecordBefore): boolean =>
  states[state].needsAction === true && mustAct === actor;

/**
 * DNS that points away holds a domain where that is a change. A domain that became live with this very warning (DNS_GATE=off, or
 * its certificate was there already) stays live with it. Once held for its DNS it is held until all its DNS is right: else the
 * next look, to which it is no change any more, would make it live. So it is with one that was gone: it may have been held before.
 */
function isNews(before: RecordBefore): (finding: DnsFinding) => boolean {
  if (isHeldBy('customer', before) || isHeldBy('operator', before)) return () => true;
  const told = (before.evidence?.dns ?? []).filter(isWrong).map(({ name }) => name);
  return ({ name }) => !told.includes(name);
}

interface Sentence {
  readonly sentence: string;
}

const held = (
  findings: readonly Sentence[],
  mustAct: 'customer' | 'runcloud',
  evidence: Evidence,
): Drift => ({
  sentence: findings.map(({ sentence }) => sentence).join('; '),
  report: { state: 'held', mustAct, evidence },
});

/** No order helps a name whose DNS is wrong. */
function redeployOf(shown: readonly TlsFinding[], away: readonly DnsFinding[]): Repair | undefined {
  if (away.length > 0) return undefined;
  const ids = shown.map(({ certificate }) => (certificate ? idOf(certificate) : ''));
  return { kind: 'redeploy', instead: [...new Set(ids)].toSorted().join(' ') };
}

/** The next one for the same name differs in it. */
const idOf = ({ notBefore, notAfter }: ServedCertificate): string => `${notBefore}-${notAfter}`;

function describeLate(domain: string, late: readonly TlsFinding[], at: number): Sentence {
  const [first] = late
    .flatMap(({ certificate }): Period[] => (certificate ? [certificate] : []))
    .toSorted((one, other) => one.notAfter - other.notAfter);
  if (!first) return { sentence: `the certificate of ${domain} ends soon` };
  const { notBefore, notAfter } = first;
  const [left, whole] = [toDuration(notAfter - at), toDuration(notAfter - notBefore)];
  return {
    sentence: `the certificate of ${domain} ends in ${left} (issued for ${whole}), and RunCloud has not renewed it`,
  };
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** In whole units, rounded down. */
function toDuration(ms: number): string {
  if (ms < HOUR_MS) return 'less than an hour';
  const [count, unit] = ms < DAY_MS ? [Math.floor(ms / HOUR_MS), 'hour'] : [Math.floor(ms / DAY_MS), 'day'];
  return counted(count, unit);
}
