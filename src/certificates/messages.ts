// The sentences about orders of certificates: whose name may have failed one, which limit is reached, what RunCloud's log says. Pure.

import type { LogText } from '../domains/domain.ts';
import { counted, inSentences } from '../domains/sentences.ts';
import { toMinute, toNextMinute } from '../domains/times.ts';
import type { FailingName } from './failing-names.ts';
import type { LastOrder, LimitName, Refusal } from './ledger.ts';

export const flapping = (name: string, at: number): string =>
  `the DNS of ${name} changes back and forth: it was wrong at ${toMinute(at)}, and is right now`;

export const notOnLast = (name: string): string => `${name} was not on the last certificate`;

export const namedInLog = (name: string): string => `RunCloud's log names ${name}`;

/** For operators: it names all of them, which are customers' domains. Names that are only new stand together. */
export function possibleCauses(failingNames: readonly FailingName[]): string | undefined {
  const fresh = failingNames.filter(({ why }) => why === 'new');
  const others = failingNames.filter(({ why }) => why !== 'new').map(({ sentence }) => sentence);
  const names = fresh.map(({ name }) => name).join(', ');
  const last =
    fresh.length > 1 ? [`not on the last certificate: ${names}`] : fresh.map(({ sentence }) => sentence);
  const all = [...others, ...last];
  return all.length > 0 ? `Possible causes: ${all.join('; ')}` : undefined;
}

/** The same for domains, which it does not name. */
export const countCauses = (count: number): string | undefined =>
  count > 0
    ? `${counted(count, 'name')} on the shared certificate may be the cause. Run \`runcloud-domains status\` to list ${count === 1 ? 'it' : 'them'}.`
    : undefined;

export const logSays = (log: LogText | undefined, appId: number): string | undefined =>
  log &&
  (log.kind === 'lines'
    ? `RunCloud's log says: ${log.text}`
    : `RunCloud's log of web application ${appId} has the reason`);

/** Let's Encrypt's own number, what it counts, and the setting that may lower it. */
const limits: Readonly<
  Record<Exclude<LimitName, 'failed-issuance'>, readonly [of: number, what: string, setting?: string]>
> = {
  'certificates-per-week': [50, 'certificates per week', 'LE_CERTIFICATES_PER_WEEK'],
  'duplicates-per-week': [5, 'certificates per week with exactly the same names'],
  'orders-per-3-hours': [300, 'orders in 3 hours', 'LE_ORDERS_PER_3H'],
  'failures-per-hour': [5, 'failed validations per hour'],
};

/** In place of a name, for the domains that share the certificate. */
const unnamed: Readonly<Record<LimitName, string>> = {
  'certificates-per-week': 'a domain on the shared certificate',
  'duplicates-per-week': 'the names of the shared certificate',
  'orders-per-3-hours': 'all certificates',
  'failures-per-hour': 'a name on the shared certificate',
  'failed-issuance': 'those of the shared certificate',
};

/** The order before the one that has to wait. */
export interface OrderBefore {
  readonly last: LastOrder;
  /** It had the same names. */
  readonly isSame: boolean;
}

/** Why an order has to wait, and until when. For operators: it may name any domain. */
export const refusedBy = (refusal: Refusal, before?: OrderBefore): string =>
  describe(refusal, before, possibleCauses(before?.last.failingNames ?? []));

/** The same for a domain that shares the certificate with others: it names none of them. */
export const refusedByForDomains = (refusal: Refusal, before?: OrderBefore): string =>
  describe(
    { ...refusal, subject: unnamed[refusal.limit] },
    before,
    countCauses(before?.last.failingNames.length ?? 0),
  );

function describe(
  { limit, subject, nextAt, of }: Refusal,
  before: OrderBefore | undefined,
  causes: string | undefined,
): string {
  const next = toNextMinute(nextAt);
  if (limit !== 'failed-issuance') {
    const [number, what, setting] = limits[limit];
    const isOwn = of !== undefined && of !== number;
    return inSentences(
      `${isOwn ? 'Configured limit' : "Let's Encrypt limit"} reached for ${subject} (${of ?? number} ${what}${isOwn && setting ? `, ${setting}` : ''})`,
      `Next attempt at ${next}`,
    );
  }
  if (!before || before.isSame)
    return inSentences(
      `The last order for exactly these names (${subject}) failed`,
      causes,
      `Next attempt at ${next}`,
    );
  const at = toMinute(before.last.orderedAt);
  const what = before.last.hasFailed
    ? `The certificate ordered at ${at} was rejected, or was not issued`
    : `The certificate ordered at ${at} may still be issued`;
  return inSentences(what, causes, `The next attempt is at ${next}, or at once without the failing names`);
}
