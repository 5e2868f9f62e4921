// What a later look at a domain that was done says: still live, or who must act. Pure.
import type { Report } from '../outcome.ts';
import { isBad } from './gate.ts';
import type { Evidence } from './intent.ts';
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

/** Undefined where nothing can be said. `isAttached`: as RunCloud's list has it; undefined where it could not be read. */
export function judgeWatch(
  domain: string,
  isAttached: boolean | undefined,
  evidence: Evidence,
): Watched | undefined {
  const { dns, tls } = evidence;
  if (isAttached === false) {
    const sentence = `${domain} is no longer on the web application: somebody removed it in RunCloud; add it again, or remove it here`;
    return { sentence, report: { stage: 'held', mustAct: 'operator', evidence }, repair: 'attach' };
  }
  const away = dns.filter(isBad);
  if (away.length > 0) return held(away, 'customer', evidence);
  const shown = tls.filter(({ verdict }) => verdict !== 'covers' && verdict !== 'unknown');
  if (shown.length > 0) return { ...held(shown, 'runcloud', evidence), repair: 'redeploy' };
  const soon = expiring(domain, evidence);
  if (soon) return soon;
  if (tls.some(({ verdict }) => verdict === 'unknown') || dns.some(({ verdict }) => verdict === 'unknown'))
    return undefined;
  const stage = tls.length > 0 ? 'live' : 'attached';
  const sentence = tls.length > 0 ? describeLive(evidence) : `${domain} is attached`;
  return { sentence, report: { stage, evidence } };
}

const held = (
  findings: readonly { readonly sentence: string }[],
  mustAct: 'customer' | 'runcloud',
  evidence: Evidence,
): Watched => ({
  sentence: findings.map(({ sentence }) => sentence).join('; '),
  report: { stage: 'held', mustAct, evidence },
});

function expiring(domain: string, evidence: Evidence): Watched | undefined {
  const until = Math.min(
    ...evidence.tls.map(({ certificate }) => certificate?.notAfter ?? Number.POSITIVE_INFINITY),
  );
  const leftMs = until - evidence.at;
  if (!(leftMs <= EXPIRY_WARNING_MS)) return undefined;
  const days = Math.max(0, Math.floor(leftMs / 86_400_000));
  const sentence = `the certificate of ${domain} ends in ${days} days, and RunCloud has not renewed it`;
  const report = { stage: 'held', mustAct: 'runcloud', evidence } as const;
  return { sentence, report, repair: 'redeploy', isExpiring: true };
}
