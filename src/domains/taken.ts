// What it means that RunCloud will not attach a domain, though its list does not show it: who else of ours has the name, whether a
// list lags behind our own writes, or that it is RunCloud's last word. Pure.

import { nextDelay } from './backoff.ts';
import { type DomainRecord, includesWww } from './domain.ts';
import type { DomainName } from './domain-name.ts';
import { namesOf } from './names.ts';
import type { Report } from './outcome.ts';
import { bareOf, twinOf } from './owner.ts';

/** Times in milliseconds by Redis' clock. */
export interface TakenFacts {
  readonly record: DomainRecord;
  /** The refusal in words that name nobody else. */
  readonly refusal: string;
  /** Our records of its names on any web application. */
  readonly others: readonly DomainRecord[];
  readonly now: number;
  /** The first look again, and the longest pause between two. */
  readonly firstMs: number;
  readonly heldMs: number;
}

export type Taken =
  | { readonly kind: 'wait'; readonly sentence: string; readonly delayMs: number; readonly report: Report }
  /** RunCloud's own word about this very domain. */
  | { readonly kind: 'final'; readonly sentence: string };

const MINUTE_MS = 60_000;
/** What contradicts itself for longer than this is shown to a person. */
const CONTRADICTION_MS = 10 * MINUTE_MS;
/** So long after a write of ours, for an earlier request or on another web application, RunCloud may still count the name as taken. */
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
  const hint = /already|taken|exists|in use/i.test(facts.refusal)
    ? ` (${record.domain} is not on this web application; look for it on another)`
    : '';
  const sentence = `${facts.refusal}${hint}`;
  return { kind: 'final', sentence };
}

const isOther = (a: DomainRecord, b: DomainRecord): boolean =>
  a.serverId !== b.serverId || a.appId !== b.appId || a.domain !== b.domain;

/** The host names that a wish takes, or may have to give up. */
export const namesOfDesired = ({ domain, desired }: Pick<DomainRecord, 'domain' | 'desired'>): string[] =>
  namesOf([{ name: domain, www: desired.presence === 'absent' || includesWww(desired) }]);

/** A record that is to be removed claims its www twin too: nobody knows whether it was attached with it. */
const claims = (other: DomainRecord, record: DomainRecord): boolean => {
  const names = namesOfDesired(other);
  return namesOfDesired(record).some((name) => names.includes(name));
};

/** The records to look at: of the domain, and of its www twin or the name whose twin it is. */
export const namesakesOf = (domain: DomainName): DomainName[] => [domain, bareOf(domain) ?? twinOf(domain)];

const place = ({ serverId, appId }: DomainRecord, from: DomainRecord): string =>
  serverId === from.serverId ? `web application ${appId}` : `web application ${appId} of server ${serverId}`;

function awaitRemoval(owner: DomainRecord, { record, now, firstMs }: TakenFacts): Taken {
  const sentence = `${owner.domain} is still on ${place(owner, record)}; its removal there is on the way, and ${record.domain} is attached after it`;
  const delayMs = nextDelay(now - record.requestedAt, firstMs, MINUTE_MS);
  return { kind: 'wait', sentence, delayMs, report: { state: 'attaching' } };
}

// A person has to decide. It is looked at all the same, ever more rarely, since nobody will tell us.
function heldBy(owner: DomainRecord, { record, now, heldMs }: TakenFacts): Taken {
  const where = place(owner, record);
  const isHere = owner.serverId === record.serverId && owner.appId === record.appId;
  const what = isHere
    ? `${owner.domain} has this name already, by its www name; change ${owner.domain}, or remove it`
    : owner.desired.presence === 'present'
      ? `${owner.domain} is wanted on ${where}; if it shall move, remove it there: \`remove ${owner.domain} --app ${owner.appId}\``
      : `${owner.domain} is still on ${where}, and its removal there failed; \`status ${owner.domain}\` says why`;
  const heldSince = record.state === 'held' ? record.stateAt : now;
  const delayMs = nextDelay(now - heldSince, MINUTE_MS, heldMs);
  return { kind: 'wait', sentence: what, delayMs, report: { state: 'held', mustAct: 'operator' } };
}

function contradiction(since: number, { record, refusal, now, firstMs, heldMs }: TakenFacts): Taken {
  const waited = now - since;
  const what = `${refusal}, though its list does not show ${record.domain}: the list may lag behind`;
  const delayMs = nextDelay(waited, firstMs, heldMs);
  if (waited < CONTRADICTION_MS)
    return { kind: 'wait', sentence: `${what}; looking again`, delayMs, report: { state: 'attaching' } };
  const sentence = `${what}; look for ${record.domain} in RunCloud's panel, on this web application and on others. We look again by ourselves`;
  return { kind: 'wait', sentence, delayMs, report: { state: 'held', mustAct: 'operator' } };
}
