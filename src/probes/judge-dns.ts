// What DNS records mean for a name that should lead to certain addresses: one verdict, one sentence for a support agent.
// Pure: asks nobody. "Could not be asked" is never read as "is not there".
import { isIPv6 } from 'node:net';
import { toCanonicalAddress } from './addresses.ts';
import type { DnsVerdict } from './findings.ts';
import { type CaaSet, describeForbidding, findForbidding } from './judge-caa.ts';
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

export interface Judgement {
  readonly verdict: DnsVerdict;
  readonly sentence: string;
}

/** Everything the sentences speak of. Addresses canonical. */
interface View {
  readonly name: string;
  readonly expected: readonly string[];
  readonly foreign4: readonly string[];
  readonly foreign6: readonly string[];
  readonly right: readonly string[];
  /** Where the chain of CNAMEs begins and ends. */
  readonly cname: { readonly first: string; readonly last: string } | undefined;
}

export const toValues = (answer: Answer<readonly string[]>): readonly string[] =>
  answer.kind === 'found' ? [...new Set(answer.value.map(toCanonicalAddress))] : [];

/** Addresses of the name, A before AAAA, that are not expected ones. */
export function findForeign(answers: DnsAnswers, expected: readonly string[]): readonly string[] {
  const wanted = expected.map(toCanonicalAddress);
  return [...toValues(answers.a), ...toValues(answers.aaaa)].filter((address) => !wanted.includes(address));
}

function toView(name: string, answers: DnsAnswers, expected: readonly string[]): View {
  const foreign = findForeign(answers, expected);
  const first = answers.cname[0];
  return {
    name,
    expected: expected.map(toCanonicalAddress),
    foreign4: foreign.filter((address) => !isIPv6(address)),
    foreign6: foreign.filter((address) => isIPv6(address)),
    right: [...toValues(answers.a), ...toValues(answers.aaaa)].filter((seen) => !foreign.includes(seen)),
    cname:
      first === undefined
        ? undefined
        : { first: toShownName(first), last: toShownName(answers.cname.at(-1) ?? first) },
  };
}

/** Sentences stay short, however many records somebody has. */
function list(items: readonly string[], word: 'and' | 'or'): string {
  const shown = items.length > 4 ? [...items.slice(0, 3), `${items.length - 3} more`] : items;
  return shown.length < 2 ? (shown[0] ?? '') : `${shown.slice(0, -1).join(', ')} ${word} ${shown.at(-1)}`;
}

/** `A record to 203.0.113.7`; AAAA only where we have no IPv4. */
function wantedRecord(view: View, joint: 'to' | 'with'): string {
  const v4 = view.expected.filter((address) => !isIPv6(address));
  return v4.length > 0
    ? `A record ${joint} ${list(v4, 'or')}`
    : `AAAA record ${joint} ${list(view.expected, 'or')}`;
}

const unasked = (what: string, code: string): Judgement => ({
  verdict: 'unknown',
  sentence: `DNS could not be asked about ${what} (${code}): this says nothing about the record`,
});

function missing(view: View, nameExists: boolean): Judgement {
  const { name, cname } = view;
  const parent = name.startsWith('www.') ? ` (or a CNAME to ${name.slice(4)})` : '';
  const add = `add an ${wantedRecord(view, 'with')}`;
  if (cname !== undefined) {
    const sentence = `${name} is a CNAME to ${cname.first}, but ${cname.last} has no address: replace the CNAME by an ${wantedRecord(view, 'with')}`;
    return { verdict: 'missing', sentence };
  }
  const what = nameExists ? 'has no address in DNS' : 'does not exist in DNS';
  return { verdict: 'missing', sentence: `${name} ${what}: ${add}${parent}` };
}

/** With a CNAME the wrong address is somebody else's record: only the CNAME can be changed. */
function remedyFor(view: View): string {
  if (view.cname !== undefined)
    return `replace its CNAME to ${view.cname.first} by an ${wantedRecord(view, 'with')}`;
  const leftover = view.foreign6.length > 0 && view.foreign4.length > 0;
  const alsoIpv6 = leftover ? `, and remove its AAAA record ${list(view.foreign6, 'and')}` : '';
  return `set its ${wantedRecord(view, 'to')}${alsoIpv6}`;
}

/** What is wrong with an address, and what mends it. */
interface Fault {
  readonly fact: string;
  readonly remedy: string;
}

function elsewhere(view: View): Fault {
  const { name, foreign4, right, expected } = view;
  const wrong = foreign4.length > 0 ? foreign4 : view.foreign6;
  if (right.length === 0)
    return {
      fact: `${name} leads to ${list(wrong, 'and')}, not to ${list(expected, 'or')}`,
      remedy: remedyFor(view),
    };
  const records = wrong.length === 1 ? 'the A record' : 'the A records';
  const remedy = view.cname === undefined ? `remove ${records} ${list(wrong, 'and')}` : remedyFor(view);
  return { fact: `${name} leads to ${list(right, 'and')}, but also to ${list(wrong, 'and')}`, remedy };
}

function leftover(view: View): Fault {
  const one = view.foreign6.length === 1;
  const has = one ? 'an AAAA record' : 'AAAA records';
  const remedy = view.cname === undefined ? `remove ${one ? 'it' : 'them'}` : remedyFor(view);
  const fact = `${view.name} has ${has} ${list(view.foreign6, 'and')} that ${one ? 'leads' : 'lead'} elsewhere, and Let's Encrypt prefers IPv6`;
  return { fact, remedy };
}

/** A wrong address, unless HTTP proves that what answers there hands everything on to us. */
function misled(view: View, reach: Reach): Judgement {
  const { name, foreign4, foreign6 } = view;
  if (reach === 'reached') {
    const through = list([...foreign4, ...foreign6], 'and');
    return { verdict: 'proxied', sentence: `${name} reaches the web application through ${through}` };
  }
  const isLeftover = foreign4.length === 0 && view.right.length > 0;
  const { fact, remedy } = isLeftover ? leftover(view) : elsewhere(view);
  // A CDN has all addresses of a name, not one beside ours.
  if (typeof reach === 'object' && !isLeftover) {
    // It may be a CDN's all the same, and then the record must stay as it is.
    const sentence = `${fact}, and whether HTTP through it reaches the web application could not be checked (${reach.unchecked}): ${remedy}, unless a CDN is there`;
    return { verdict: 'unchecked', sentence };
  }
  const tried = reach === 'not-reached' ? ' (HTTP through it does not reach the web application)' : '';
  return { verdict: isLeftover ? 'leftover' : 'elsewhere', sentence: `${fact}: ${remedy}${tried}` };
}

function judgeAddresses(view: View, answers: DnsAnswers, reach: Reach): Judgement {
  const { a, aaaa } = answers;
  if (view.expected.length === 0)
    return { verdict: 'unknown', sentence: `it is not known to which addresses ${view.name} should lead` };
  if (a.kind === 'failed') return unasked(view.name, a.code);
  if (a.kind === 'none' && !a.nameExists) return missing(view, false);
  const isWrong = view.foreign4.length > 0 && reach !== 'reached';
  // An AAAA that nobody saw may be the one that Let's Encrypt goes by.
  if (aaaa.kind === 'failed' && !isWrong) return unasked(`the AAAA record of ${view.name}`, aaaa.code);
  if (view.foreign4.length + view.foreign6.length > 0) return misled(view, reach);
  if (view.right.length === 0) return missing(view, true);
  return { verdict: 'here', sentence: `${view.name} leads to ${list(view.right, 'and')}` };
}

/** Let's Encrypt itself issues nothing where it cannot read the CAA records. */
function judgeCaa(name: string, caa: Answer<CaaSet>): Judgement | undefined {
  if (caa.kind === 'failed') return unasked(`the CAA records of ${name}`, caa.code);
  const forbidding = caa.kind === 'found' ? findForbidding(caa.value) : [];
  if (caa.kind !== 'found' || forbidding.length === 0) return undefined;
  return { verdict: 'forbidden', sentence: `${name}: ${describeForbidding(caa.value, forbidding)}` };
}

/** The address comes first: who is told about CAA before the name leads here would be told twice. */
export function judgeDns(
  name: string,
  answers: DnsAnswers,
  expected: readonly string[],
  reach?: Reach,
): Judgement {
  const judgement = judgeAddresses(toView(name, answers, expected), answers, reach);
  const isReady = judgement.verdict === 'here' || judgement.verdict === 'proxied';
  return (isReady ? judgeCaa(name, answers.caa) : undefined) ?? judgement;
}
