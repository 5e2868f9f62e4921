// SSL_INVALID_NAMES=detach: where orders of a shared certificate fail although all DNS looks right, the newest suspects make room one by one,
// so that the domains that had a certificate get theirs. Nothing is taken off here: the domain is named in the certificate's record,
// and its own job takes it off (https.ts, add-domain.ts) and comes back later.
import type { Certificates } from '../certificates/certificates.ts';
import { describeFailingNames, type FailingName } from '../certificates/failing-names.ts';
import type { LastOrder } from '../certificates/ledger.ts';
import type { Backoff } from '../domains/backoff.ts';
import type { DomainKey, DomainRecord } from '../domains/domain.ts';
import { namesOf } from '../domains/names.ts';
import { type Outcome, waiting } from '../domains/outcome.ts';
import { isOurs } from '../domains/plan.ts';
import type { DomainStore } from '../domains/store.ts';
import { toNextMinute } from '../domains/times.ts';
import type { AttachedDomain, WebApplication } from '../runcloud/runcloud.ts';

export interface SidelinePorts {
  readonly store: Pick<DomainStore, 'get'>;
  readonly certificates: Pick<Certificates, 'get' | 'sideline'>;
  /** Has the domain's job run: one is added where none is on its way. */
  readonly renew: (record: DomainRecord) => Promise<unknown>;
  readonly invalidNames: 'wait' | 'detach' | 'ignore';
  readonly backoff: Backoff;
}

interface BenchWork {
  readonly app: WebApplication;
  /** By Redis' clock, in milliseconds. */
  readonly startedAt: number;
}

/** The first failure may have been anything. */
const FAILURES = 2;

/** What to wait for while a suspect makes room; undefined where none does. */
export async function sidelineNewest(
  attached: readonly AttachedDomain[],
  last: LastOrder | undefined,
  work: BenchWork,
  ports: SidelinePorts,
): Promise<Outcome | undefined> {
  const { app, startedAt } = work;
  if (ports.invalidNames !== 'detach' || !last?.hasFailed || last.failures < FAILURES) return undefined;
  // Somebody has made room already: what is left is tried first.
  const names = namesOf(attached);
  if (last.failingNames.some(({ name }) => !names.includes(name))) return undefined;
  const { sidelined = {} } = (await ports.certificates.get(app)) ?? {};
  const leaving = attached.find(({ name }) => (sidelined[name]?.until ?? 0) > startedAt);
  if (leaving) return room(leaving.name, last, ports);
  const record = await findNewest(attached, last, work, ports);
  if (!record) return undefined;
  const { dnsFirstMs, heldMs } = ports.backoff;
  const howLong = { firstMs: Math.max(dnsFirstMs, heldMs / 24), longestMs: heldMs };
  const { until } = await ports.certificates.sideline(app, record.domain, startedAt, howLong);
  await ports.renew(record);
  return room(record.domain, last, ports, until);
}

function room(
  name: string,
  { failingNames, failures }: LastOrder,
  { backoff }: SidelinePorts,
  until?: number,
): Outcome {
  const back = until === undefined ? '' : `, and comes back at ${toNextMinute(until)}`;
  const what = `the certificate failed ${failures} times in a row`;
  const how = `makes room for the others${back} (SSL_INVALID_NAMES=detach)`;
  const report = { state: 'held', mustAct: 'operator' } as const;
  return waiting(
    `${what}${describeFailingNames(failingNames)}; ${name} ${how}`,
    backoff.dnsFirstMs,
    report,
    `${what}; the newest name on it ${how}`,
  );
}

/**
 * Undefined where what would stay is as suspect: nobody leaves in vain, nor anybody whose certificate works. Where RunCloud's log names
 * somebody, nobody else leaves.
 */
async function findNewest(
  attached: readonly AttachedDomain[],
  { failingNames, issued }: LastOrder,
  { app }: BenchWork,
  { store }: SidelinePorts,
): Promise<DomainRecord | undefined> {
  const logged = failingNames.filter(({ isLogged }) => isLogged);
  const strong = logged.length > 0 ? logged : failingNames.filter(({ why }) => why !== 'new');
  const pool = strong.length > 0 ? strong : failingNames;
  const dead = attached.filter((domain) => namesOf([domain]).some(isAmong(pool)));
  const found = await Promise.all(
    dead.map(async (domain) => {
      const record = await store.get({ ...app, domain: domain.name as DomainKey['domain'] });
      // Where nobody knows what was issued last, whoever is not new may have had one.
      const hadOne = issued?.some((name) => namesOf([domain]).includes(name)) ?? strong.length > 0;
      return record && isOurs(domain, record) && !hadOne ? record : undefined;
    }),
  );
  const ours = found.filter((record) => record !== undefined);
  if (strong.length > 0 && ours.length < dead.length) return undefined;
  // RunCloud's ids grow.
  return ours.toSorted((a, b) => (b.attachedId ?? 0) - (a.attachedId ?? 0))[0];
}

const isAmong =
  (failingNames: readonly FailingName[]) =>
  (name: string): boolean =>
    failingNames.some((failing) => failing.name === name);
