// Whether a set of CAA records (RFC 8659, 8657) lets Let's Encrypt issue for a name without a wildcard, and what mends it.
// Pure: who looks the set up, and how far it climbs, is said in questions.ts. The rules are those of Let's Encrypt's own server
// (letsencrypt/boulder, va/caa.go).
import { toRecord } from './dns-records.ts';
import type { DnsRecord } from './findings.ts';
import { toShownName, toShownText } from './shown-text.ts';

/** One CAA record: `0 issue "letsencrypt.org"`. */
export interface CaaRecord {
  readonly critical: number;
  readonly tag: string;
  readonly value: string;
}

/** The set that counts, and the name that has it. */
export interface CaaSet {
  readonly at: string;
  readonly records: readonly CaaRecord[];
}

/** How the certificate's names are validated (SSL_CHALLENGE). */
export type Challenge = 'http-01' | 'dns-01';

/** letsencrypt.org/docs/caa: the one value that stands for Let's Encrypt. */
const issuer = 'letsencrypt.org';

/** Tags that Boulder understands; any other forbids where it is critical (RFC 8659, 4.1), and is harmless where it is not. */
const understood = ['issue', 'issuewild', 'iodef', 'issuemail'];

/** Bit 128; Boulder also takes 1, by which many mean the same. */
const criticalBits = 128 | 1;

const tagOf = (record: CaaRecord): string => record.tag.toLowerCase();
const isIssue = (record: CaaRecord): boolean => tagOf(record) === 'issue';

const isStrange = (record: CaaRecord): boolean =>
  (record.critical & criticalBits) !== 0 && !understood.includes(tagOf(record));

/** What an `issue` record grants. */
interface Grant {
  readonly issuer: string;
  /** RFC 8657; undefined: any. */
  readonly methods: readonly string[] | undefined;
  readonly account: string | undefined;
}

const isBlank = (character: string | undefined): boolean => character === ' ' || character === '\t';

/** By hand: `[ \t]+$` begins anew at each blank, and a record of a stranger's may hold 64 kB of them. */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text[start])) start += 1;
  while (end > start && isBlank(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

/** Undefined where a parameter is malformed: such a record lets nobody issue. */
function parseGrant({ value }: CaaRecord): Grant | undefined {
  const [name = '', ...rest] = value.split(';').map(trim);
  const parameters = new Map<string, string>();
  for (const parameter of rest.length === 1 && rest[0] === '' ? [] : rest) {
    const [, tag, text] = /^([a-z\d-]+)[ \t]*=[ \t]*([\x21-\x3a\x3c-\x7e]*)$/i.exec(parameter) ?? [];
    if (tag === undefined || text === undefined) return undefined;
    parameters.set(tag.toLowerCase(), text);
  }
  const methods = parameters.get('validationmethods')?.split(',');
  return { issuer: name.toLowerCase(), methods, account: parameters.get('accounturi') };
}

export interface CaaJudgement {
  /** Records that forbid Let's Encrypt; none where it may issue. `issuewild` is about wildcards only. */
  readonly forbidding: readonly CaaRecord[];
  /** Let's Encrypt may issue for one account only: whether that is RunCloud's cannot be seen from outside. */
  readonly account: string | undefined;
}

export function judgeCaaSet({ records }: CaaSet, challenge: Challenge): CaaJudgement {
  const strange = records.filter(isStrange);
  const issue = records.filter(isIssue);
  const fitting = issue
    .map(parseGrant)
    .filter((grant) => grant?.issuer === issuer && (grant.methods?.includes(challenge) ?? true));
  const refusing = fitting.length > 0 ? [] : issue;
  const isBound = fitting.length > 0 && fitting.every((grant) => grant?.account !== undefined);
  return { forbidding: [...strange, ...refusing], account: isBound ? fitting[0]?.account : undefined };
}

/** As a person would write it: `issue digicert.com`. The text is whatever somebody's DNS holds, so it is cut and cleaned. */
export const toCaaText = (record: CaaRecord): string =>
  toShownText(`${tagOf(record)} ${record.value || '";"'}`);

/** The sentence's part about a set that forbids. */
export function describeForbidding(
  { at }: CaaSet,
  forbidding: readonly CaaRecord[],
  challenge: Challenge,
): string {
  const shown = forbidding.slice(0, 3).map(toCaaText).join(', ');
  const more = forbidding.length > 3 ? ` and ${forbidding.length - 3} more` : '';
  // Who named Let's Encrypt need not guess why it is refused all the same.
  const isNamed = forbidding.some((record) => isIssue(record) && parseGrant(record)?.issuer === issuer);
  const why = isNamed ? ` to issue by ${challenge}, which is used here (SSL_CHALLENGE)` : '';
  return `CAA record (${shown}${more} at ${at}) forbids Let's Encrypt${why}`;
}

export const describeAccount = (at: string, account: string): string =>
  `the CAA record at ${at} lets Let's Encrypt issue for the account ${toShownText(account)} only, and whether that is RunCloud's cannot be seen from here`;

/** What stands at `at` and mends it: a set is mended where it is, since it counts for all below it that have none. */
export function adviseCaa(
  { at }: CaaSet,
  forbidding: readonly CaaRecord[],
): { readonly set: readonly DnsRecord[]; readonly remove: readonly DnsRecord[] } {
  const remove = forbidding.filter(isStrange).map((record): DnsRecord => {
    return toRecord(at, 'CAA', toShownName(`${record.critical} ${tagOf(record)} "${record.value}"`));
  });
  const set: DnsRecord[] = forbidding.some(isIssue) ? [toRecord(at, 'CAA', `0 issue "${issuer}"`)] : [];
  return { set, remove };
}
