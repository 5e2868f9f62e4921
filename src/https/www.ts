// What becomes of the www name of a domain: it comes along, waits, is left out, or joins later. Pure.

import type { Backoff } from '../domains/backoff.ts';
import { type DomainRecord, type Evidence, hasWww, includesWww, type Www } from '../domains/domain.ts';
import { twinOf } from '../domains/owner.ts';
import { inSentences } from '../domains/sentences.ts';
import { isOurRule } from '../domains/www.ts';
import { type DnsFinding, isSurelyWrong, isWrong, leadsHere } from '../probes/findings.ts';
import { type Closed, judgeGate } from './gate.ts';
import { waitsForWww, wwwCannotGo, wwwIsOwnDomain, wwwWithheld } from './messages.ts';

export interface Timing {
  /** The last request for the domain. */
  readonly since: number;
  readonly now: number;
  /** DNS_DEADLINE */
  readonly deadlineMs: number;
  readonly backoff: Backoff;
}

/** Whether the www name comes along. `wait`: the domain waits for it. */
export type WwwDecision = 'with' | 'without' | 'wait';

/**
 * If www is our own rule, the domain goes on without it at once. (A query that failed is repeated once before.) If the caller
 * requested it, the domain waits for it until the deadline.
 */
function judgeWww(finding: DnsFinding, www: Www, { since, now, deadlineMs, backoff }: Timing): WwwDecision {
  if (leadsHere(finding)) return 'with';
  if (www === 'auto' && isWrong(finding)) return 'without';
  return now - since >= (www === 'auto' ? backoff.dnsFirstMs : deadlineMs) ? 'without' : 'wait';
}

export interface NamesJudged {
  readonly www: WwwDecision;
  /** What to wait for; undefined: the gate is open. */
  readonly closed: Closed | undefined;
}

/**
 * The gate of a domain and its www name, which is judged apart. `dns`: the findings of each. `canLeaveOut`: false if RunCloud has the
 * domain with its www name, and we cannot switch that off.
 */
export function judgeNames(
  dns: readonly DnsFinding[],
  { domain, desired }: Pick<DomainRecord, 'domain' | 'desired'>,
  timing: Timing,
  canLeaveOut = true,
): NamesJudged {
  const found = dns.find(({ name }) => name === twinOf(domain));
  if (!found || desired.presence === 'absent' || desired.www === false)
    return { www: includesWww(desired) ? 'with' : 'without', closed: judgeGate(dns, timing) };
  const own = dns.filter((finding) => finding !== found);
  if (!canLeaveOut)
    return { www: 'wait', closed: withWayOut(judgeGate(dns, timing), own, wwwCannotGo(domain)) };
  const www = judgeWww(found, desired.www, timing);
  if (www === 'without') return { www, closed: saying(judgeGate(own, timing), found.sentence) };
  const closed = judgeGate(dns, timing);
  const wayOut = waitsForWww(domain, timing.since + timing.deadlineMs);
  return { www, closed: desired.www === true ? withWayOut(closed, own, wayOut) : closed };
}

/** All that is wrong is said at once: the same person may fix both records. */
const saying = (closed: Closed | undefined, sentence: string): Closed | undefined =>
  closed && { ...closed, sentence: inSentences(closed.sentence, sentence) };

/** Said if the domain waits for nothing but its www name. */
const withWayOut = (
  closed: Closed | undefined,
  own: readonly DnsFinding[],
  way: string,
): Closed | undefined => (own.every(leadsHere) ? saying(closed, way) : closed);

/**
 * A www name that came along by our own rule, and whose DNS was wrong at the last check too. It serves nobody, and would fail the next
 * renewal of every name that shares its certificate. `leastMs`: the least time between the two checks.
 */
export function shouldDropWww(
  record: Pick<DomainRecord, 'domain' | 'desired' | 'attachedWww' | 'setWww' | 'evidence'>,
  { at, dns }: Pick<Evidence, 'at' | 'dns'>,
  leastMs: number,
): boolean {
  const { domain, evidence: before } = record;
  const isOfWww = ({ name }: DnsFinding): boolean => name === twinOf(domain);
  if (!isOurRule(record) || record.setWww !== true || !hasWww(record)) return false;
  if (!before || at - before.at < leastMs) return false;
  if (!before.dns.some((found) => isOfWww(found) && isWrong(found))) return false;
  return dns.every((found) => (isOfWww(found) ? isSurelyWrong(found) : leadsHere(found)));
}

/** Of a domain that is served without the www name that was requested. `found`: its DNS, if it was checked. */
export function withheldWww(
  domain: string,
  found: DnsFinding | undefined,
  { changesWww, isTaken }: { readonly changesWww: boolean; readonly isTaken?: boolean },
): string {
  if (isTaken) return wwwIsOwnDomain(domain);
  return wwwWithheld(domain, found && !leadsHere(found) ? found.sentence : undefined, changesWww);
}
