// What becomes of the www name of a domain: whether it comes along, waits, is left out, joins later. Pure: the wish, its DNS and how
// RunCloud has the domain go in.

import type { Backoff } from '../domains/backoff.ts';
import { type DomainRecord, type Evidence, hasWww, includesWww, type Www } from '../domains/domain.ts';
import { twinOf } from '../domains/owner.ts';
import { toNextMinute } from '../domains/times.ts';
import { isOurRule } from '../domains/www.ts';
import type { DnsFinding } from '../probes/findings.ts';
import { isSurelyWrong, isWrong, leadsHere } from '../probes/findings.ts';
import { type Closed, judgeGate } from './gate.ts';

export interface Timing {
  /** When the domain was asked for last. */
  readonly since: number;
  readonly now: number;
  /** DNS_DEADLINE */
  readonly deadlineMs: number;
  readonly backoff: Backoff;
}

/** Whether the www name comes along, as its DNS stands: `wait` holds the domain up. */
export type WwwDecision = 'with' | 'without' | 'wait';

/**
 * Where www is our own rule, the domain goes on without it at once (what could not be asked is asked once more before). Where the
 * caller wanted it, the domain waits for it until the deadline.
 */
function judgeTwin(finding: DnsFinding, www: Www, { since, now, deadlineMs, backoff }: Timing): WwwDecision {
  if (leadsHere(finding)) return 'with';
  if (www === 'auto' && isWrong(finding)) return 'without';
  return now - since >= (www === 'auto' ? backoff.dnsFirstMs : deadlineMs) ? 'without' : 'wait';
}

export interface NamesJudged {
  readonly twin: WwwDecision;
  /** What to wait for; undefined where the gate is open. */
  readonly closed: Closed | undefined;
}

/**
 * The gate of a domain and its www name, which is judged apart: `dns` holds what was found of each. `canLeaveOut`: false where RunCloud
 * has it with its www name, and we cannot take that off.
 */
export function judgeNames(
  dns: readonly DnsFinding[],
  { domain, desired }: Pick<DomainRecord, 'domain' | 'desired'>,
  timing: Timing,
  canLeaveOut = true,
): NamesJudged {
  const found = dns.find(({ name }) => name === twinOf(domain));
  if (!found || desired.presence === 'absent' || desired.www === false)
    return { twin: includesWww(desired) ? 'with' : 'without', closed: judgeGate(dns, timing) };
  const own = dns.filter((finding) => finding !== found);
  if (!canLeaveOut)
    return { twin: 'wait', closed: withWayOut(judgeGate(dns, timing), own, wayOutAnew(domain)) };
  const twin = judgeTwin(found, desired.www, timing);
  if (twin === 'without') return { twin, closed: alsoTold(judgeGate(own, timing), found) };
  const closed = judgeGate(dns, timing);
  return { twin, closed: desired.www === true ? withWayOut(closed, own, wayOut(domain, timing)) : closed };
}

/** All that is wrong is told at once: who mends the domain's own record may mend that of www with it. */
const alsoTold = (closed: Closed | undefined, { sentence }: DnsFinding): Closed | undefined =>
  closed && { ...closed, sentence: `${closed.sentence}; ${sentence}` };

/** Said where nothing but the www name holds the domain up. */
const withWayOut = (
  closed: Closed | undefined,
  own: readonly DnsFinding[],
  way: string,
): Closed | undefined =>
  closed && own.every(leadsHere) ? { ...closed, sentence: `${closed.sentence}; ${way}` } : closed;

const wayOut = (domain: string, { since, deadlineMs }: Timing): string =>
  `${domain} is right and waits, since its www name was asked for: \`add ${domain} --www=false\` (www: false) lets it go live without, and from ${toNextMinute(since + deadlineMs)} on (DNS_DEADLINE) it does so by itself`;

const wayOutAnew = (domain: string): string =>
  `${domain} is right and waits; its www name cannot be taken off where it is (RunCloud's API v2 has no way, or somebody else attached it): \`remove ${domain}\`, then \`add ${domain} --www=false\`, lets it go live without`;

/**
 * A www name that came along by our own rule, and whose DNS is wrong, at the last look too: it serves nobody, and would fail the next
 * renewal of every name that shares its certificate. `leastMs`: how far the two looks are apart at least.
 */
export function shouldDropWww(
  record: Pick<DomainRecord, 'domain' | 'desired' | 'attachedWww' | 'setWww' | 'evidence'>,
  { at, dns }: Pick<Evidence, 'at' | 'dns'>,
  leastMs: number,
): boolean {
  const { domain, evidence: before } = record;
  const isOfTwin = ({ name }: DnsFinding): boolean => name === twinOf(domain);
  if (!isOurRule(record) || record.setWww !== true || !hasWww(record)) return false;
  if (!before || at - before.at < leastMs || !before.dns.some((found) => isOfTwin(found) && isWrong(found)))
    return false;
  return dns.every((found) => (isOfTwin(found) ? isSurelyWrong(found) : leadsHere(found)));
}

/** What is said of a domain that is served without the www name that was wanted; `found`: its DNS, where it was looked at. */
export function describeWithheld(
  domain: string,
  found: DnsFinding | undefined,
  { changesWww, isTaken }: { readonly changesWww: boolean; readonly isTaken?: boolean },
): string {
  if (isTaken) return `it goes without www: www.${domain} is a domain of its own on the web application`;
  const what = `www.${domain} is not served yet`;
  const why = found && !leadsHere(found) ? `${what}: ${found.sentence}` : what;
  return changesWww
    ? `${why}; when its DNS is right, it joins by itself (looked at every MONITOR_INTERVAL), or at once by \`add ${domain}\``
    : `${why}; RunCloud's API v2 has no way to add it to a domain that is there: when its DNS is right, \`remove ${domain}\`, then \`add ${domain}\`, brings it (API v3 does it by itself)`;
}
