// What a later look at a domain that was done says: still live, or who must act. Pure.
import type { Actor, Report } from '../outcome.ts';
import type { DnsFinding, TlsFinding } from '../probes/findings.ts';
import { isBad } from './gate.ts';
import type { Evidence, Intent } from './intent.ts';
import { describeLive } from './proof.ts';

/** A certificate that is not renewed by then will not be by itself: Let's Encrypt's clients renew 30 days before. */
const EXPIRY_WARNING_MS = 21 * 86_400_000;

export interface Watched {
  readonly sentence: string;
  readonly report: Report;
  /** What would mend it. */
  readonly repair?: 'attach' | 'redeploy' | undefined;
  /** The certificate covers the domain still, but ends soon. */
  readonly isExpiring?: true;
}

/** The record as the look finds it. */
export type WatchedBefore = Pick<Intent, 'domain' | 'stage' | 'mustAct' | 'evidence'>;

/** Undefined where nothing can be said. `isAttached`: as RunCloud's list has it; undefined where it could not be read. */
export function judgeWatch(
  before: WatchedBefore,
  isAttached: boolean | undefined,
  evidence: Evidence,
): Watched | undefined {
  const { domain } = before;
  if (isAttached === false) {
    const sentence = `${domain} is no longer on the web application: somebody removed it in RunCloud; add it again, or remove it here`;
    // What DNS was before it went stays: whether it has changed is judged when the domain is back.
    return { sentence, report: { stage: 'held', mustAct: 'operator' }, repair: 'attach' };
  }
  // What was gone is not back because the list cannot be read: its certificate and its DNS outlive it.
  if (isAttached === undefined && isHeldBy('operator', before)) return undefined;
  return judgeNames(before, evidence);
}

function judgeNames(before: WatchedBefore, evidence: Evidence): Watched | undefined {
  const { dns, tls } = evidence;
  const away = dns.filter(isBad);
  if (away.some(isNews(before))) return held(away, 'customer', evidence);
  // No order helps a name whose DNS is wrong.
  const repair = away.length === 0 ? 'redeploy' : undefined;
  const shown = tls.filter(({ verdict }) => verdict !== 'covers' && verdict !== 'unknown');
  if (shown.length > 0) return { ...held([...shown, ...away], 'runcloud', evidence), repair };
  const soon = expiring(before.domain, evidence);
  if (soon) return { ...held([soon, ...away], 'runcloud', evidence), repair, isExpiring: true };
  const isOpen = ({ verdict }: DnsFinding | TlsFinding): boolean =>
    verdict === 'unknown' || verdict === 'unchecked';
  if ([...tls, ...dns].some(isOpen)) return undefined;
  if (tls.length > 0) return { sentence: describeLive(evidence), report: { stage: 'live', evidence } };
  const sentence = [`${before.domain} is attached`, ...away.map((finding) => `but ${finding.sentence}`)];
  return { sentence: sentence.join('; '), report: { stage: 'attached', evidence } };
}

const isHeldBy = (actor: Actor, { stage, mustAct }: WatchedBefore): boolean =>
  stage === 'held' && mustAct === actor;

/**
 * DNS that points away holds a domain where that is a change. A domain that became live with this very warning (DNS_GATE=off, or
 * its certificate was there already) stays live with it. Once held for its DNS it is held until all its DNS is right: else the
 * next look, to which it is no change any more, would make it live. So it is with one that was gone: it may have been held before.
 */
function isNews(before: WatchedBefore): (finding: DnsFinding) => boolean {
  if (isHeldBy('customer', before) || isHeldBy('operator', before)) return () => true;
  const told = (before.evidence?.dns ?? []).filter(isBad).map(({ name }) => name);
  return ({ name }) => !told.includes(name);
}

interface Sentence {
  readonly sentence: string;
}

const held = (
  findings: readonly Sentence[],
  mustAct: 'customer' | 'runcloud',
  evidence: Evidence,
): Watched => ({
  sentence: findings.map(({ sentence }) => sentence).join('; '),
  report: { stage: 'held', mustAct, evidence },
});

function expiring(domain: string, { at, tls }: Evidence): Sentence | undefined {
  const until = Math.min(...tls.map(({ certificate }) => certificate?.notAfter ?? Number.POSITIVE_INFINITY));
  const leftMs = until - at;
  if (!(leftMs <= EXPIRY_WARNING_MS)) return undefined;
  return {
    sentence: `the certificate of ${domain} ends ${toTimeLeft(leftMs)}, and RunCloud has not renewed it`,
  };
}

function toTimeLeft(leftMs: number): string {
  const days = Math.floor(leftMs / 86_400_000);
  if (days < 1) return 'in less than a day';
  return days === 1 ? 'in 1 day' : `in ${days} days`;
}
