// Whether a set of CAA records (RFC 8659) lets Let's Encrypt issue for a name without a wildcard.
// Pure: who looks the set up, and how far it climbs, is said in questions.ts.
import { toShownText } from './shown-text.ts';

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

/** letsencrypt.org/docs/caa: the one value that stands for Let's Encrypt. */
const issuer = 'letsencrypt.org';

/** Tags that Boulder understands; any other forbids where it is critical (RFC 8659, 4.1). */
const understood = ['issue', 'issuewild', 'iodef', 'issuemail'];

/** Bit 128; Boulder also takes 1, by which many mean the same (letsencrypt/boulder, va/caa.go). */
const criticalBits = 128 | 1;

const tagOf = (record: CaaRecord): string => record.tag.toLowerCase();

/** Parameters may name an account or a validation method; whether they fit cannot be seen from outside. */
const allowsUs = (record: CaaRecord): boolean => record.value.split(';')[0]?.trim().toLowerCase() === issuer;

/** As a person would write it: `issue digicert.com`. The text is whatever somebody's DNS holds, so it is cut and cleaned. */
export const toCaaText = (record: CaaRecord): string =>
  toShownText(`${tagOf(record)} ${record.value || '";"'}`);

/** The records that forbid Let's Encrypt; none where it may issue. `issuewild` is about wildcards only. */
export function findForbidding(set: CaaSet): readonly CaaRecord[] {
  const strange = set.records.filter(
    (record) => (record.critical & criticalBits) !== 0 && !understood.includes(tagOf(record)),
  );
  if (strange.length > 0) return strange;
  const issue = set.records.filter((record) => tagOf(record) === 'issue');
  return issue.some(allowsUs) ? [] : issue;
}

/** The sentence's part about a set that forbids, with what to do. */
export function describeForbidding(set: CaaSet, forbidding: readonly CaaRecord[]): string {
  const records = forbidding.slice(0, 3).map(toCaaText).join(', ');
  const strange = forbidding.some((record) => tagOf(record) !== 'issue');
  const remedy = strange ? 'remove it' : `add \`0 issue "${issuer}"\``;
  return `CAA record (${records} at ${set.at}) forbids Let's Encrypt: ${remedy}`;
}
