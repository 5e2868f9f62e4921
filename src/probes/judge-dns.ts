// What DNS records mean for a name that should point to certain addresses: one verdict, one
// sentence, and the records to change. Pure: queries nothing. A failed query never counts as "not
// there".
import { isIPv6 } from 'node:net';
import { toCanonicalAddress } from './addresses.ts';
import { isCloudflares, isCloudflaresAlias } from './cloudflare.ts';
import {
  type AddressView,
  adviseAddress,
  adviseUnproxied,
  adviseUnsure,
  expectedAddresses,
  followsTwin,
} from './dns-records.ts';
import type { DnsFinding, DnsRecordChanges } from './findings.ts';
import { adviseCaa, type CaaSet, type Challenge, judgeCaaSet, toForbidding } from './judge-caa.ts';
import * as messages from './messages.ts';
import { toShownName, toShownText } from './shown-text.ts';

/**
 * The result of one query. `none`: the name exists without such a record, or (`nameExists: false`)
 * not at all.
 */
export type Answer<T> =
  | { readonly kind: 'found'; readonly value: T }
  | { readonly kind: 'none'; readonly nameExists: boolean }
  | { readonly kind: 'failed'; readonly code: string };

export interface DnsAnswers {
  readonly a: Answer<readonly string[]>;
  readonly aaaa: Answer<readonly string[]>;
  readonly cname: readonly string[];
  readonly caa: Answer<CaaSet>;
}

/**
 * Whether HTTP through the external addresses reaches the web application. `unchecked`: why the
 * check failed. Undefined: nobody tried.
 */
export type Reach = 'reached' | 'not-reached' | { readonly unchecked: string } | undefined;

export interface Circumstances {
  readonly reach?: Reach;
  /** The other name of the same domain (`www.` or without), if that is checked as well. */
  readonly twin?: string | undefined;
  /** As SSL_INSTALL says; default http-01. */
  readonly challenge?: Challenge | undefined;
}

export type Judgement = Pick<DnsFinding, 'verdict' | 'sentence' | 'doubt' | 'changes'>;

export const toValues = (answer: Answer<readonly string[]>): readonly string[] =>
  answer.kind === 'found' ? [...new Set(answer.value.map(toCanonicalAddress))] : [];

/** Addresses of the name, A before AAAA, that are not expected. */
export function findExternal(answers: DnsAnswers, expected: readonly string[]): readonly string[] {
  const desired = expected.map(toCanonicalAddress);
  return [...toValues(answers.a), ...toValues(answers.aaaa)].filter((address) => !desired.includes(address));
}

function toView(
  name: string,
  answers: DnsAnswers,
  expected: readonly string[],
  { twin }: Circumstances,
): AddressView {
  const external = findExternal(answers, expected);
  const all = [...toValues(answers.a), ...toValues(answers.aaaa)];
  return {
    name,
    twin,
    expected: expected.map(toCanonicalAddress),
    external,
    right: all.filter((address) => !external.includes(address)),
    cname: answers.cname.map(toShownName),
  };
}

const failed = (what: string, code: string, changes: DnsRecordChanges | undefined): Judgement => ({
  verdict: 'unknown',
  sentence: messages.queryFailed(what, code),
  changes,
});

/** A fact, and its remedy: in the name's own records, or in its twin's. */
function wrong(view: AddressView, verdict: Judgement['verdict'], fact: string, tried = ''): Judgement {
  const changes = adviseAddress(view);
  if (changes === undefined) return followed(view, verdict);
  const sentence = messages.withRemedy(fact, messages.describeAddressChanges(changes)) + tried;
  return { verdict, sentence, changes };
}

const followed = ({ name, twin = '' }: AddressView, verdict: Judgement['verdict']): Judgement => ({
  verdict,
  sentence: messages.followsOtherName(name, twin),
});

function missing(view: AddressView, nameExists: boolean): Judgement {
  const { name, cname } = view;
  const [first] = cname;
  const fact =
    first === undefined
      ? messages.noAddress(name, nameExists)
      : messages.deadCname(name, first, cname.at(-1) ?? first);
  return wrong(view, 'missing', fact);
}

const describeElsewhere = ({ name, external, right, expected }: AddressView): string =>
  right.length === 0
    ? messages.pointsElsewhere(name, external, expected)
    : messages.pointsElsewhereToo(name, right, external);

/**
 * A proxied name has Cloudflare's addresses only, and no visible CNAME of its own. A visible CNAME
 * is the name's own record, which can be judged like any other.
 */
const isBehindCloudflare = (view: AddressView): boolean =>
  view.right.length === 0 &&
  view.external.every(isCloudflares) &&
  (view.cname.length === 0 || view.cname.some(isCloudflaresAlias) || followsTwin(view));

function proxiedByCloudflare(view: AddressView, reach: Reach): Judgement {
  if (followsTwin(view)) return followed(view, typeof reach === 'object' ? 'unchecked' : 'cdn');
  const desired = expectedAddresses(view.expected);
  const fact = messages.behindCloudflare(view.name, view.external);
  if (typeof reach === 'object') {
    const sentence = messages.uncheckedCloudflare(fact, reach.unchecked, desired);
    return { verdict: 'unchecked', sentence, changes: adviseUnsure(view) };
  }
  const sentence =
    reach === 'not-reached'
      ? messages.wrongBehindCloudflare(fact, desired)
      : messages.hiddenByCloudflare(fact, desired);
  return { verdict: 'cdn', sentence, changes: adviseUnproxied(view) };
}

/** A wrong address, unless HTTP proves that it is a proxy of ours. */
function misdirected(view: AddressView, reach: Reach): Judgement {
  const { name, external, right } = view;
  if (reach === 'reached') return { verdict: 'proxied', sentence: messages.reachesThrough(name, external) };
  if (isBehindCloudflare(view)) return proxiedByCloudflare(view, reach);
  const isLeftover = right.length > 0 && external.every((address) => isIPv6(address));
  const fact = isLeftover ? messages.leftoverAaaa(name, external) : describeElsewhere(view);
  // A CDN has all addresses of a name, not one beside ours.
  if (typeof reach === 'object' && !isLeftover) return unchecked(view, fact, reach.unchecked);
  const tried = reach === 'not-reached' ? messages.notReached : '';
  return wrong(view, isLeftover ? 'leftover' : 'elsewhere', fact, tried);
}

/** It may be a CDN, and then the record must stay as it is. */
function unchecked(view: AddressView, fact: string, why: string): Judgement {
  const changes = adviseAddress(view);
  if (changes === undefined) return followed(view, 'unchecked');
  const sentence = messages.uncheckedAddress(fact, why, messages.describeAddressChanges(changes));
  return { verdict: 'unchecked', sentence, changes: adviseUnsure(view) };
}

function judgeAddresses(view: AddressView, { a, aaaa }: DnsAnswers, reach: Reach): Judgement {
  if (view.expected.length === 0)
    return { verdict: 'unknown', sentence: messages.noExpectedAddress(view.name) };
  if (a.kind === 'failed') return failed(view.name, a.code, adviseUnsure(view));
  if (a.kind === 'none' && !a.nameExists) return missing(view, false);
  const isWrong = view.external.some((address) => !isIPv6(address)) && reach !== 'reached';
  // Let's Encrypt may go by an AAAA record that this query missed.
  if (aaaa.kind === 'failed' && !isWrong)
    return failed(messages.queriedRecords('AAAA', view.name), aaaa.code, adviseUnsure(view));
  if (view.external.length > 0) return misdirected(view, reach);
  if (view.right.length === 0) return missing(view, true);
  return { verdict: 'here', sentence: messages.pointsHere(view.name, view.right) };
}

/**
 * Let's Encrypt issues nothing if it cannot read the CAA records. `ready`: the judgement of the
 * addresses.
 */
function judgeCaa(ready: Judgement, view: AddressView, caa: Answer<CaaSet>, challenge: Challenge): Judgement {
  if (caa.kind === 'failed') return failed(messages.queriedRecords('CAA', view.name), caa.code, undefined);
  if (caa.kind === 'none') return ready;
  const { forbidding, account } = judgeCaaSet(caa.value, challenge);
  if (forbidding.length > 0) {
    const fact = messages.caaForbids(view.name, toForbidding(caa.value, forbidding, challenge));
    return forbidden(view, caa.value.at, adviseCaa(caa.value, forbidding), fact);
  }
  if (account === undefined) return ready;
  const doubt = messages.caaOfOneAccount(caa.value.at, toShownText(account));
  return { ...ready, sentence: messages.withDoubt(ready.sentence, doubt), doubt };
}

/**
 * A set that was found at a CNAME is that of the name behind it: no record can be beside a CNAME.
 */
function forbidden(
  view: AddressView,
  at: string,
  advice: Pick<DnsRecordChanges, 'set' | 'remove'>,
  fact: string,
): Judgement {
  const verdict = 'forbidden';
  const remedy = messages.describeCaaChanges(advice);
  const last = view.cname.at(-1);
  if (last === undefined || at !== view.name)
    return { verdict, sentence: messages.withRemedy(fact, remedy), changes: { ...advice, unsure: [] } };
  const changes = adviseAddress(view);
  if (changes === undefined) return followed(view, verdict);
  const remedies = { own: messages.describeAddressChanges(changes), theirs: remedy };
  return { verdict, sentence: messages.caaOfTarget(fact, last, remedies), changes };
}

/** The address comes first: CAA matters only once the name points here. */
export function judgeDns(
  name: string,
  answers: DnsAnswers,
  expected: readonly string[],
  circumstances: Circumstances = {},
): Judgement {
  const view = toView(name, answers, expected, circumstances);
  const judgement = judgeAddresses(view, answers, circumstances.reach);
  const isReady = judgement.verdict === 'here' || judgement.verdict === 'proxied';
  const { challenge = 'http-01' } = circumstances;
  return isReady ? judgeCaa(judgement, view, answers.caa, challenge) : judgement;
}
