// Why the ledger lets no order through, in words. Pure.

import { toMinute, toNextMinute } from '../domains/times.ts';
import { describeCount, describeFailingNames } from './failing-names.ts';
import type { LastOrder, LimitName, Refusal } from './ledger.ts';

/** Let's Encrypt's own number, and what it counts; a lower one is ours. */
const official: Readonly<Record<LimitName, readonly [number, (subject: string) => string]>> = {
  'certificates-per-week': [50, (subject) => `certificates per week for ${subject}`],
  'duplicates-per-week': [5, (subject) => `certificates per week for exactly the same names (${subject})`],
  'orders-per-3-hours': [300, () => 'orders in 3 hours'],
  'failures-per-hour': [5, (subject) => `failed validations per hour for ${subject}`],
  'failed-issuance': [0, (subject) => subject],
};

/** The same without a name, for the domains that share the certificate. */
const unnamed: Readonly<Record<LimitName, string>> = {
  'certificates-per-week': 'a domain on the shared certificate',
  'duplicates-per-week': 'those of the shared certificate',
  'orders-per-3-hours': '',
  'failures-per-hour': 'a name on the shared certificate',
  'failed-issuance': 'those of the shared certificate',
};

/** The order before the one that has to wait. */
interface Before {
  readonly last: LastOrder;
  /** It had the same names. */
  readonly isSame: boolean;
}

/** Why an order has to wait, and until when, for the operator: it may name any domain. */
export const describeRefusal = (refusal: Refusal, before?: Before): string =>
  describe(refusal, before, describeFailingNames(before?.last.failingNames ?? []));

/** The same for a domain that shares the certificate with others: it names none of them. */
export const describeRefusalToAll = (refusal: Refusal, before?: Before): string =>
  describe(
    { ...refusal, subject: unnamed[refusal.limit] },
    before,
    describeCount(before?.last.failingNames.length ?? 0),
  );

function describe(
  { limit, subject, nextAt, of }: Refusal,
  before: Before | undefined,
  failingNames: string,
): string {
  const next = `next attempt allowed at ${toNextMinute(nextAt)}`;
  if (limit !== 'failed-issuance') {
    const [number, counts] = official[limit];
    const who = of === undefined || of === number ? "Let's Encrypt allows" : 'the configuration allows';
    return `${who} ${of ?? number} ${counts(subject)} and they are spent; ${next}`;
  }
  if (!before || before.isSame)
    return `the last order for exactly these names (${subject}) failed${failingNames}; ${next}`;
  const at = toMinute(before.last.orderedAt);
  const what = before.last.hasFailed
    ? `the certificate ordered at ${at} was refused, or did not come`
    : `whether the certificate ordered at ${at} comes is not known yet`;
  return `${what}${failingNames}; as long as that is on it: ${next}`;
}
