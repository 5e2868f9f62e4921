// What DNS records mean for a name that should lead to certain addresses: one verdict, one sentence for a support agent, and the
// records that have to change. Pure: asks nobody. "Could not be asked" is never read as "is not there".
import { isIPv6 } from 'node:net';
import { toCanonicalAddress } from './addresses.ts';
import { isCloudflares, isCloudflaresAlias } from './cloudflare.ts';
import {
  type AddressView,
  adviseAddress,
  adviseUnproxied,
  adviseUnsure,
  describeAddressChanges,
  describeCaaChanges,
  expectedAddresses,
  followsTwin,
  list,
} from './dns-records.ts';
import type { DnsFinding, DnsRecordChanges } from './findings.ts';
import {
  adviseCaa,
  type CaaSet,
  type Challenge,
  describeAccount,
  describeForbidding,
  judgeCaaSet,
} from './judge-caa.ts';
import { toShownName } from './shown-text.ts';

/** What came of one question. `none`: the name exists without such a record, or (`nameExists: false`) not at all. */
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
 * Whether HTTP through the addresses that are not ours reaches the web application; `unchecked`: why it could not be found out;
 * undefined where nobody tried.
 */
export type Reach = 'reached' | 'not-reached' | { readonly unchecked: string } | undefined;

export interface Circumstances {
  readonly reach?: Reach;
  /** The other name of the same domain (`www.` or without), where it is asked about as well. */
  readonly twin?: string | undefined;
  /** SSL_CHALLENGE; default http-01. */
  readonly challenge?: Challenge | undefined;
}

export type Judgement = Pick<DnsFinding, 'verdict' | 'sentence' | 'doubt' | 'changes'>;

export const toValues = (answer: Answer<readonly string[]>): readonly string[] =>
  answer.kind === 'found' ? [...new Set(answer.value.map(toCanonicalAddress))] : [];

/** Addresses of the name, A before AAAA, that are not expected ones. */
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
  return {
    name,
    twin,
    expected: expected.map(toCanonicalAddress),
    external,
    right: [...toValues(answers.a), ...toValues(answers.aaaa)].filter((seen) => !external.includes(seen)),
    cname: answers.cname.map(toShownName),
  };
}

const unasked = (what: string, code: string, changes: DnsRecordChanges | undefined): Judgement => ({
  verdict: 'unknown',
  sentence: `DNS could not be asked about ${what} (${code}): this says nothing about the record`,
  changes,
});

/** A fact, and what mends it: the name's own records, or its twin's. */
function mended(view: AddressView, verdict: Judgement['verdict'], fact: string, tried = ''): Judgement {
  const changes = adviseAddress(view);
  if (changes === undefined) return followed(view, verdict);
  return { verdict, sentence: `${fact}: ${describeAddressChanges(changes)}${tried}`, changes };
}

const followed = ({ name, twin }: AddressView, verdict: Judgement['verdict']): Judgement => ({
  verdict,
  sentence: `${name} is a CNAME to ${twin}, which is right: it will be mended with ${twin}`,
});

function missing(view: AddressView, nameExists: boolean): Judgement {
  const { name, cname } = view;
  const [first] = cname;
  const what = nameExists ? 'has no address in DNS' : 'does not exist in DNS';
  const fact =
    first === undefined
      ? `${name} ${what}`
      : `${name} is a CNAME to ${first}, but ${cname.at(-1)} has no address`;
  return mended(view, 'missing', fact);
}

function describeElsewhere({ name, external, right, expected }: AddressView): string {
  return right.length === 0
    ? `${name} leads to ${list(external, 'and')}, not to ${list(expected, 'or')}`
    : `${name} leads to ${list(right, 'and')}, but also to ${list(external, 'and')}`;
}

function describeLeftover({ name, external }: AddressView): string {
  const one = external.length === 1;
  const has = one ? 'an AAAA record' : 'AAAA records';
  return `${name} has ${has} ${list(external, 'and')} that ${one ? 'leads' : 'lead'} elsewhere, and Let's Encrypt prefers IPv6`;
}

/**
 * A proxied name has Cloudflare's addresses only, and no CNAME of its own is seen. A CNAME that is seen is a record of the name's
 * own, so that it can be told like any other.
 */
const isBehindCloudflare = (view: AddressView): boolean =>
  view.right.length === 0 &&
  view.external.every(isCloudflares) &&
  (view.cname.length === 0 || view.cname.some(isCloudflaresAlias) || followsTwin(view));

function proxiedByCloudflare(view: AddressView, reach: Reach): Judgement {
  if (followsTwin(view)) return followed(view, typeof reach === 'object' ? 'unchecked' : 'cdn');
  const desired = list(expectedAddresses(view.expected), 'or');
  const fact = `${view.name} stands behind Cloudflare's proxy (${list(view.external, 'and')})`;
  if (typeof reach === 'object') {
    const sentence = `${fact}, and whether HTTP through it reaches the web application could not be checked (${reach.unchecked}): its record in Cloudflare's panel must have ${desired}`;
    return { verdict: 'unchecked', sentence, changes: adviseUnsure(view) };
  }
  const changes = adviseUnproxied(view);
  const remedy = `turn the proxy off for it there ("DNS only", the grey cloud) with an address record to ${desired}`;
  const sentence =
    reach === 'not-reached'
      ? `${fact}, and HTTP through it does not reach the web application: set its record in Cloudflare's panel to ${desired}, or ${remedy}`
      : `${fact}, which hides where it leads: ${remedy}; or set DNS_GATE_PROBE, which tells a proxied site that reaches us`;
  return { verdict: 'cdn', sentence, changes };
}

/** A wrong address, unless HTTP proves that what answers there hands everything on to us. */
function misled(view: AddressView, reach: Reach): Judgement {
  const { name, external, right } = view;
  if (reach === 'reached') {
    const through = list(external, 'and');
    return { verdict: 'proxied', sentence: `${name} reaches the web application through ${through}` };
  }
  if (isBehindCloudflare(view)) return proxiedByCloudflare(view, reach);
  const isLeftover = right.length > 0 && external.every((address) => isIPv6(address));
  const fact = isLeftover ? describeLeftover(view) : describeElsewhere(view);
  // A CDN has all addresses of a name, not one beside ours.
  if (typeof reach === 'object' && !isLeftover) return unchecked(view, fact, reach.unchecked);
  const tried = reach === 'not-reached' ? ' (HTTP through it does not reach the web application)' : '';
  return mended(view, isLeftover ? 'leftover' : 'elsewhere', fact, tried);
}

/** It may be a CDN's all the same, and then the record must stay as it is. */
function unchecked(view: AddressView, fact: string, why: string): Judgement {
  const changes = adviseAddress(view);
  if (changes === undefined) return followed(view, 'unchecked');
  const sentence = `${fact}, and whether HTTP through it reaches the web application could not be checked (${why}): ${describeAddressChanges(changes)}, unless a CDN is there`;
  return { verdict: 'unchecked', sentence, changes: adviseUnsure(view) };
}

function judgeAddresses(view: AddressView, { a, aaaa }: DnsAnswers, reach: Reach): Judgement {
  if (view.expected.length === 0)
    return { verdict: 'unknown', sentence: `it is not known to which addresses ${view.name} should lead` };
  if (a.kind === 'failed') return unasked(view.name, a.code, adviseUnsure(view));
  if (a.kind === 'none' && !a.nameExists) return missing(view, false);
  const isWrong = view.external.some((address) => !isIPv6(address)) && reach !== 'reached';
  // An AAAA that nobody saw may be the one that Let's Encrypt goes by.
  if (aaaa.kind === 'failed' && !isWrong)
    return unasked(`the AAAA record of ${view.name}`, aaaa.code, adviseUnsure(view));
  if (view.external.length > 0) return misled(view, reach);
  if (view.right.length === 0) return missing(view, true);
  return { verdict: 'here', sentence: `${view.name} leads to ${list(view.right, 'and')}` };
}

/** Let's Encrypt itself issues nothing where it cannot read the CAA records. `ready`: what its addresses say. */
function judgeCaa(ready: Judgement, view: AddressView, caa: Answer<CaaSet>, challenge: Challenge): Judgement {
  if (caa.kind === 'failed') return unasked(`the CAA records of ${view.name}`, caa.code, undefined);
  if (caa.kind === 'none') return ready;
  const { forbidding, account } = judgeCaaSet(caa.value, challenge);
  if (forbidding.length > 0)
    return forbidden(
      view,
      caa.value.at,
      adviseCaa(caa.value, forbidding),
      describeForbidding(caa.value, forbidding, challenge),
    );
  if (account === undefined) return ready;
  const doubt = describeAccount(caa.value.at, account);
  return { ...ready, sentence: `${ready.sentence}; ${doubt}`, doubt };
}

/** A set that was found at a CNAME is that of the name behind it: nothing can stand beside a CNAME. */
function forbidden(
  view: AddressView,
  at: string,
  advice: Pick<DnsRecordChanges, 'set' | 'remove'>,
  fact: string,
): Judgement {
  const verdict = 'forbidden';
  const last = view.cname.at(-1);
  if (last === undefined || at !== view.name) {
    const sentence = `${view.name}: ${fact}: ${describeCaaChanges(advice)}`;
    return { verdict, sentence, changes: { ...advice, unsure: [] } };
  }
  const changes = adviseAddress(view);
  if (changes === undefined) return followed(view, verdict);
  const sentence = `${view.name}: ${fact}, by a record of ${last}: ${describeAddressChanges(changes)}, or have whoever runs ${last} ${describeCaaChanges(advice)}`;
  return { verdict, sentence, changes };
}

/** The address comes first: who is told about CAA before the name leads here would be told twice. */
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
