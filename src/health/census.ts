// All domains counted by state, with what Let's Encrypt still allows for their names: one walk over every record.

import type { Budget, Ledger, LimitName } from '../certificates/ledger.ts';
import { type DomainRecord, includesWww } from '../domains/domain.ts';
import { namesOf } from '../domains/names.ts';
import { actorOf } from '../domains/selection.ts';
import { type DomainState, states } from '../domains/states.ts';
import { type Period, shareLeft } from '../https/lifetime.ts';
import type { RequestQueue } from '../queue/enqueue.ts';
import { toMember } from '../redis/keys.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';

export interface Census {
  readonly at: number;
  readonly domains: readonly {
    readonly state: DomainState;
    readonly mustAct: string;
    readonly count: number;
  }[];
  /** When the first certificate that covers a domain expires, as last observed. */
  readonly nearestExpiry: number | undefined;
  /** The least of a lifetime that is left to any of them: 1 when new, 0 at its end. */
  readonly leastLeft: number | undefined;
  /** Of each limit the one that is closest to being spent. */
  readonly budgets: readonly Pick<Budget, 'limit' | 'left' | 'of'>[];
}

export interface CensusParts {
  readonly requests: Pick<RequestQueue, 'store'>;
  readonly ledger: Pick<Ledger, 'budgets' | 'last'>;
}

/** Names in one query of the ledger. */
const NAMES_AT_ONCE = 500;
/** Certificates of single domains that are queried: the budget of waiting ones matters. */
const WAITING_DOMAINS = 200;

export async function takeCensus({ requests, ledger }: CensusParts): Promise<Census> {
  const at = await requests.store.now();
  const counts = new Map<string, { state: DomainState; mustAct: string; count: number }>();
  const apps = new Map<string, WebApplication>();
  const names: string[] = [];
  const waiting: (readonly string[])[] = [];
  // Redis' scan may show one twice.
  const counted = new Set<string>();
  const covering: Period[] = [];
  for await (const record of requests.store.scan()) {
    if (counted.has(toMember(record))) continue;
    counted.add(toMember(record));
    countIn(counts, record);
    if (record.desired.presence === 'absent') continue;
    const own = namesOf([{ name: record.domain, www: includesWww(record.desired) }]);
    names.push(...own);
    if (states[record.state].waitsForOrder && waiting.length < WAITING_DOMAINS) waiting.push(own);
    apps.set(`${record.serverId}:${record.appId}`, record);
    covering.push(...coveringOf(record));
  }
  const budgets = await readBudgets(names, waiting, [...apps.values()], ledger);
  const nearestExpiry = least(covering.map(({ notAfter }) => notAfter));
  const leastLeft = least(covering.map((certificate) => shareLeft(certificate, at)));
  return { at, domains: [...counts.values()], nearestExpiry, leastLeft, budgets };
}

function countIn(
  counts: Map<string, { state: DomainState; mustAct: string; count: number }>,
  record: DomainRecord,
): void {
  const { state } = record;
  const mustAct = actorOf(record) ?? '';
  const key = `${state} ${mustAct}`;
  counts.set(key, { state, mustAct, count: (counts.get(key)?.count ?? 0) + 1 });
}

const least = (values: readonly number[]): number | undefined =>
  values.reduce<number | undefined>((a, b) => (a === undefined || b < a ? b : a), undefined);

/** What covers it, held for being late or not; a certificate that no longer does is the watch's business. */
function coveringOf({ state, evidence }: DomainRecord): Period[] {
  if (!states[state].mayBeCovered) return [];
  return (evidence?.tls ?? []).flatMap(({ verdict, certificate }) =>
    verdict === 'covers' && certificate ? [certificate] : [],
  );
}

// How often the same names may be ordered is a question about the names of one certificate: a shared one's are those of its last order.
async function readBudgets(
  names: readonly string[],
  waiting: readonly (readonly string[])[],
  apps: readonly WebApplication[],
  ledger: CensusParts['ledger'],
): Promise<Census['budgets']> {
  const least = new Map<LimitName, Pick<Budget, 'limit' | 'left' | 'of'>>();
  const query = async (group: readonly string[], only: (limit: LimitName) => boolean): Promise<void> => {
    for (const { limit, left, of } of await ledger.budgets(group)) {
      if (only(limit) && left < (least.get(limit)?.left ?? Number.POSITIVE_INFINITY))
        least.set(limit, { limit, left, of });
    }
  };
  const isDuplicates = (limit: LimitName): boolean => limit === 'duplicates-per-week';
  for (let i = 0; i === 0 || i < names.length; i += NAMES_AT_ONCE)
    await query(names.slice(i, i + NAMES_AT_ONCE), (limit) => !isDuplicates(limit));
  for (const own of waiting) await query(own, isDuplicates);
  for (const app of apps) {
    const last = await ledger.last(app);
    if (last) await query(last.names, isDuplicates);
  }
  return [...least.values()];
}
