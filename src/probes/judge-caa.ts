// Whether a set of CAA records (RFC 8659, 8657) allows Let's Encrypt to issue for a name without a
// wildcard, and its remedy. Pure: queries.ts finds the set. The rules are those of Let's Encrypt's
// own server (letsencrypt/boulder, va/caa.go).
import { toRecord } from './dns-records.ts';
import type { DnsRecord } from './findings.ts';
import type { ForbiddingCaa } from './messages.ts';
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

/** How the certificate's names are validated (SSL_INSTALL). */
export type Challenge = 'http-01' | 'dns-01';

/** letsencrypt.org/docs/caa: the one value for Let's Encrypt. */
const issuer = 'letsencrypt.org';

/**
 * Tags that Boulder understands. Any other tag forbids if it is critical (RFC 8659, 4.1), and is
 * harmless if not.
 */
const understood = ['issue', 'issuewild', 'iodef', 'issuemail'];

/** Bit 128. Boulder also takes 1, which many write by mistake. */
const criticalBits = 128 | 1;

const tagOf = (record: CaaRecord): string => record.tag.toLowerCase();
const isIssue = (record: CaaRecord): boolean => tagOf(record) === 'issue';

const isUnknownCritical = (record: CaaRecord): boolean =>
  (record.critical & criticalBits) !== 0 && !understood.includes(tagOf(record));

/** What an `issue` record grants. */
interface Grant {
  readonly issuer: string;
  /** RFC 8657; undefined: any. */
  readonly methods: readonly string[] | undefined;
  readonly account: string | undefined;
}

const isBlank = (character: string | undefined): boolean => character === ' ' || character === '\t';

/**
 * By hand: `[ \t]+$` starts again at each blank, and a stranger's record may have 64 kB of them.
 */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text[start])) start += 1;
  while (end > start && isBlank(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

/** Undefined if a parameter is malformed: such a record allows nobody to issue. */
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
  /**
   * Records that forbid Let's Encrypt; none if it may issue. `issuewild` is about wildcards only.
   */
  readonly forbidding: readonly CaaRecord[];
  /**
   * Let's Encrypt may issue for one account only. Nobody outside knows whether that is RunCloud's.
   */
  readonly account: string | undefined;
}

export function judgeCaaSet({ records }: CaaSet, challenge: Challenge): CaaJudgement {
  const unknown = records.filter(isUnknownCritical);
  const issue = records.filter(isIssue);
  const fitting = issue
    .map(parseGrant)
    .filter((grant) => grant?.issuer === issuer && (grant.methods?.includes(challenge) ?? true));
  const refusing = fitting.length > 0 ? [] : issue;
  const isBound = fitting.length > 0 && fitting.every((grant) => grant?.account !== undefined);
  return { forbidding: [...unknown, ...refusing], account: isBound ? fitting[0]?.account : undefined };
}

/**
 * As a person would write it: `issue digicert.com`. A stranger wrote the text, so it is cut and
 * cleaned.
 */
export const toCaaText = (record: CaaRecord): string =>
  toShownText(`${tagOf(record)} ${record.value || '";"'}`);

/** What the sentence says of a set that forbids. */
export function toForbidding(
  { at }: CaaSet,
  forbidding: readonly CaaRecord[],
  challenge: Challenge,
): ForbiddingCaa {
  // A record that names Let's Encrypt needs the reason why it is refused.
  const isNamed = forbidding.some((record) => isIssue(record) && parseGrant(record)?.issuer === issuer);
  return { at, records: forbidding.map(toCaaText), challenge: isNamed ? challenge : undefined };
}

/** The records to change at `at`: a set counts for all names below it that have none. */
export function adviseCaa(
  { at }: CaaSet,
  forbidding: readonly CaaRecord[],
): { readonly set: readonly DnsRecord[]; readonly remove: readonly DnsRecord[] } {
  const remove = forbidding.filter(isUnknownCritical).map((record): DnsRecord => {
    return toRecord(at, 'CAA', toShownName(`${record.critical} ${tagOf(record)} "${record.value}"`));
  });
  const set: DnsRecord[] = forbidding.some(isIssue) ? [toRecord(at, 'CAA', `0 issue "${issuer}"`)] : [];
  return { set, remove };
}
