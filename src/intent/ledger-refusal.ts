// Why the ledger lets no order through, in words. Pure.
import type { LimitName, Refusal } from './ledger.ts';
import { toNextMinute } from './times.ts';

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

/** Why an order has to wait, and until when, for people. */
export function describeRefusal({ limit, subject, nextAt, of }: Refusal): string {
  const next = `next attempt allowed at ${toNextMinute(nextAt)}`;
  if (limit === 'failed-issuance')
    return `the last order for exactly these names (${subject}) failed; ${next}`;
  const [number, describe] = official[limit];
  const who = of === undefined || of === number ? "Let's Encrypt allows" : 'the configuration allows';
  return `${who} ${of ?? number} ${describe(subject)} and they are spent; ${next}`;
}

/** The same for a domain that shares the certificate with others: it names none of them. */
export const describeRefusalToAll = (refusal: Refusal): string =>
  describeRefusal({ ...refusal, subject: unnamed[refusal.limit] });
