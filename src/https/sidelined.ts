// SSL_INVALID_NAMES=detach: orders of a shared certificate fail although all DNS is right. Then the newest domains are detached one by
// one, so that the domains that had a certificate get theirs. This file detaches nothing: it names the domain in the certificate's
// record. The domain's own job detaches it (https.ts, add-domain.ts), and attaches it again later.
import type { Certificates } from '../certificates/certificates.ts';
import type { FailingName } from '../certificates/failing-names.ts';
import type { LastOrder } from '../certificates/ledger.ts';
import { possibleCauses } from '../certificates/messages.ts';
import type { Backoff } from '../domains/backoff.ts';
import type { DomainKey, DomainRecord } from '../domains/domain.ts';
import { namesOf } from '../domains/names.ts';
import { type Outcome, waiting } from '../domains/outcome.ts';
import { isOurs } from '../domains/plan.ts';
import type { DomainStore } from '../domains/store.ts';
import type { AttachedDomain, WebApplication } from '../runcloud/runcloud.ts';
import { newestSidelined } from './messages.ts';

export interface SidelinePorts {
  readonly store: Pick<DomainStore, 'get'>;
  readonly certificates: Pick<Certificates, 'get' | 'sideline'>;
  /** Runs the domain's job: one is added if none is pending. */
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

/** What to wait for while a domain is detached; undefined if none is. */
export async function sidelineNewest(
  attached: readonly AttachedDomain[],
  last: LastOrder | undefined,
  work: BenchWork,
  ports: SidelinePorts,
): Promise<Outcome | undefined> {
  const { app, startedAt } = work;
  if (ports.invalidNames !== 'detach' || !last?.hasFailed || last.failures < FAILURES) return undefined;
  // A failing name is gone already: what is left is tried first.
  const names = namesOf(attached);
  if (last.failingNames.some(({ name }) => !names.includes(name))) return undefined;
  const { sidelined = {} } = (await ports.certificates.get(app)) ?? {};
  const leaving = attached.find(({ name }) => (sidelined[name]?.until ?? 0) > startedAt);
  if (leaving) return wait(leaving.name, last, ports);
  const record = await findNewest(attached, last, work, ports);
  if (!record) return undefined;
  const { dnsFirstMs, heldMs } = ports.backoff;
  const howLong = { firstMs: Math.max(dnsFirstMs, heldMs / 24), longestMs: heldMs };
  const { until } = await ports.certificates.sideline(app, record.domain, startedAt, howLong);
  await ports.renew(record);
  return wait(record.domain, last, ports, until);
}

function wait(
  name: string,
  { failingNames, failures }: LastOrder,
  { backoff }: SidelinePorts,
  until?: number,
): Outcome {
  const facts = { failures, until };
  return waiting(
    newestSidelined({ ...facts, name, causes: possibleCauses(failingNames) }),
    backoff.dnsFirstMs,
    { state: 'held', reasonCode: 'newest-sidelined', mustAct: 'operator' },
    newestSidelined({ ...facts, name: undefined, causes: undefined }),
  );
}

/**
 * Undefined if names that may fail it would remain: no domain is detached in vain, and none whose certificate works. If RunCloud's log
 * has names, no others are detached.
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
  const candidates = attached.filter((domain) => namesOf([domain]).some(isAmong(pool)));
  const found = await Promise.all(
    candidates.map(async (domain) => {
      const record = await store.get({ ...app, domain: domain.name as DomainKey['domain'] });
      // If nobody knows what was issued last, a domain that is not new may have had one.
      const hadOne = issued?.some((name) => namesOf([domain]).includes(name)) ?? strong.length > 0;
      return record && isOurs(domain, record) && !hadOne ? record : undefined;
    }),
  );
  const ours = found.filter((record) => record !== undefined);
  if (strong.length > 0 && ours.length < candidates.length) return undefined;
  // RunCloud's ids grow.
  return ours.toSorted((a, b) => (b.attachedId ?? 0) - (a.attachedId ?? 0))[0];
}

const isAmong =
  (failingNames: readonly FailingName[]) =>
  (name: string): boolean =>
    failingNames.some((failing) => failing.name === name);
