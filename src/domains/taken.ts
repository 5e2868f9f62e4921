// RunCloud refuses to attach a domain that its list does not show. Either another record of ours has the name, or the list lags
// behind our own writes, or it is RunCloud's last word. Pure.

import { nextDelay } from './backoff.ts';
import { type DomainRecord, includesWww } from './domain.ts';
import type { DomainName } from './domain-name.ts';
import {
  listContradicts,
  ownerHasNameAsWww,
  refusedForGood,
  removalFailedElsewhere,
  removalPendingElsewhere,
  requestedElsewhere,
} from './messages.ts';
import { namesOf } from './names.ts';
import type { Report } from './outcome.ts';
import { bareOf, twinOf } from './owner.ts';
import type { ReasonCode } from './reasons.ts';

/** Times in milliseconds by Redis' clock. */
export interface TakenFacts {
  readonly record: DomainRecord;
  /** RunCloud's refusal, without the names of others. */
  readonly refusal: string;
  /** Our records of its names on any web application. */
  readonly others: readonly DomainRecord[];
  readonly now: number;
  /** The first delay, and the longest. */
  readonly firstMs: number;
  readonly heldMs: number;
}

export type Taken =
  | { readonly kind: 'wait'; readonly sentence: string; readonly delayMs: number; readonly report: Report }
  /** RunCloud's last word about this very domain. */
  | { readonly kind: 'final'; readonly sentence: string };

const MINUTE_MS = 60_000;
/** A person sees what contradicts itself for longer than this. */
const CONTRADICTION_MS = 10 * MINUTE_MS;
/** After a write of ours, for an earlier request or elsewhere, RunCloud may count the name as taken for so long. */
const SETTLING_MS = 60 * MINUTE_MS;

export function judgeTaken(facts: TakenFacts): Taken {
  const { record, others, now } = facts;
  const owners = others.filter((other) => isOther(other, record) && claims(other, record));
  const desired = owners.find(({ desired }) => desired.presence === 'present');
  if (desired) return heldBy(desired, facts);
  const leaving = owners.find(({ request: state }) => state !== 'settled');
  if (leaving) return leaving.request === 'failed' ? heldBy(leaving, facts) : awaitRemoval(leaving, facts);
  const isRecent = ({ touchedAt }: DomainRecord): boolean => touchedAt > 0 && now - touchedAt < SETTLING_MS;
  const own = record.touchedAt >= record.requestedAt || isRecent(record) ? record.touchedAt : 0;
  const since = Math.max(own, owners.find(isRecent)?.touchedAt ?? 0);
  if (since > 0) return contradiction(since, facts);
  const isTaken = /already|taken|exists|in use/i.test(facts.refusal);
  return { kind: 'final', sentence: refusedForGood(facts.refusal, record.domain, isTaken) };
}

const isOther = (a: DomainRecord, b: DomainRecord): boolean =>
  a.serverId !== b.serverId || a.appId !== b.appId || a.domain !== b.domain;

/** The host names that a request takes, or may have to give up. */
export const namesOfDesired = ({ domain, desired }: Pick<DomainRecord, 'domain' | 'desired'>): string[] =>
  namesOf([{ name: domain, www: desired.presence === 'absent' || includesWww(desired) }]);

/** A record that is to be removed claims its www name too: nobody knows whether it was attached with it. */
const claims = (other: DomainRecord, record: DomainRecord): boolean => {
  const names = namesOfDesired(other);
  return namesOfDesired(record).some((name) => names.includes(name));
};

/** The records that matter: of the domain, and of its www name or of the domain whose www name it is. */
export const namesakesOf = (domain: DomainName): DomainName[] => [domain, bareOf(domain) ?? twinOf(domain)];

const place = ({ serverId, appId }: DomainRecord, from: DomainRecord): string =>
  serverId === from.serverId ? `web application ${appId}` : `web application ${appId} of server ${serverId}`;

function awaitRemoval(owner: DomainRecord, { record, now, firstMs }: TakenFacts): Taken {
  const sentence = removalPendingElsewhere(owner.domain, place(owner, record), record.domain);
  const delayMs = nextDelay(now - record.requestedAt, firstMs, MINUTE_MS);
  return { kind: 'wait', sentence, delayMs, report: { state: 'attaching', reasonCode: 'removal-pending' } };
}

// A person has to decide. The checks go on, ever more rarely: nobody reports the decision.
function heldBy(owner: DomainRecord, { record, now, heldMs }: TakenFacts): Taken {
  const [sentence, reasonCode] = blockedBy(owner, record);
  const heldSince = record.state === 'held' ? record.stateAt : now;
  const delayMs = nextDelay(now - heldSince, MINUTE_MS, heldMs);
  return { kind: 'wait', sentence, delayMs, report: { state: 'held', reasonCode, mustAct: 'operator' } };
}

function blockedBy(owner: DomainRecord, record: DomainRecord): [sentence: string, code: ReasonCode] {
  const where = place(owner, record);
  if (owner.serverId === record.serverId && owner.appId === record.appId)
    return [ownerHasNameAsWww(owner.domain), 'host-name-taken'];
  return owner.desired.presence === 'present'
    ? [requestedElsewhere(owner.domain, where, owner.appId), 'requested-elsewhere']
    : [removalFailedElsewhere(owner.domain, where), 'removal-failed'];
}

function contradiction(since: number, { record, refusal, now, firstMs, heldMs }: TakenFacts): Taken {
  const waited = now - since;
  const isLong = waited >= CONTRADICTION_MS;
  const sentence = listContradicts(refusal, record.domain, isLong);
  const delayMs = nextDelay(waited, firstMs, heldMs);
  const reasonCode = 'list-contradicts';
  return isLong
    ? { kind: 'wait', sentence, delayMs, report: { state: 'held', reasonCode, mustAct: 'operator' } }
    : { kind: 'wait', sentence, delayMs, report: { state: 'attaching', reasonCode } };
}
