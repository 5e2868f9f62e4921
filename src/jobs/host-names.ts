// One host name has one owner on RunCloud too. Before a name is attached, called absent, or switched on as a www name, RunCloud's
// list shows whether another domain has it. Our own records were checked with the request (domains/owner-scripts.ts).

import { nextDelay } from '../domains/backoff.ts';
import { type DomainRecord, includesWww } from '../domains/domain.ts';
import { isServedBy } from '../domains/messages.ts';
import { done, type Outcome, waiting } from '../domains/outcome.ts';
import { bareOf, twinOf } from '../domains/owner.ts';
import type { ReasonCode } from '../domains/reasons.ts';
import { PermanentError } from '../errors.ts';
import type { AttachedDomain } from '../runcloud/runcloud.ts';
import type { DomainPorts, DomainWork } from './domain-work.ts';
import { isOwnDomain, nowWwwName, ownDomainStillOn, wwwNameStillOn } from './messages.ts';

const MINUTE_MS = 60_000;

/** The row of RunCloud's list that has the name: the domain whose www name it is, or (`twin`) the www name as a domain of its own. */
async function findOwner(
  kind: 'bare' | 'twin',
  { record, calls }: DomainWork,
  { directory, store }: DomainPorts,
): Promise<AttachedDomain | undefined> {
  const name = kind === 'bare' ? bareOf(record.domain) : twinOf(record.domain);
  if (name === undefined) return undefined;
  const observe = async (since: number): Promise<AttachedDomain | undefined> => {
    const { attached } = await directory.find(record, name, since, calls);
    return kind === 'twin' || attached?.www === true ? attached : undefined;
  };
  // A name on an old list may be gone. If an old list does not have it, RunCloud's reply says so.
  return (await observe(record.wroteAt)) && observe(await store.now());
}

/** What to wait for if RunCloud has this name as the www name of another domain. Throws `host-name-taken` if that stays so. */
export async function awaitName(work: DomainWork, ports: DomainPorts): Promise<Outcome | undefined> {
  const { record } = work;
  const bare = bareOf(record.domain);
  if (!bare || !(await findOwner('bare', work, ports))) return undefined;
  const known = await ports.store.get({ ...record, domain: bare });
  const now = await ports.store.now();
  if (known && !includesWww(known.desired) && isUnderway(known, now))
    return waitFor([wwwNameStillOn(record.domain, bare), 'www-change-pending'], now, work, ports);
  // It was requested after this removal, which is over.
  if (record.desired.presence === 'absent' && known && includesWww(known.desired))
    return done(nowWwwName(record.domain, bare), { state: 'removed', reasonCode: 'is-www-name' });
  throw new PermanentError('host-name-taken', isServedBy(bare, record, known !== undefined));
}

/** The same before the www name comes along. `taken`: it is a domain of its own there. */
export async function awaitTwin(
  work: DomainWork,
  ports: DomainPorts,
): Promise<Outcome | { readonly kind: 'taken'; readonly why: string } | undefined> {
  const { record } = work;
  if (!(await findOwner('twin', work, ports))) return undefined;
  const twin = twinOf(record.domain);
  const known = await ports.store.get({ ...record, domain: twin });
  const now = await ports.store.now();
  if (known?.desired.presence === 'absent' && isUnderway(known, now))
    return waitFor([ownDomainStillOn(twin), 'removal-pending'], now, work, ports);
  return { kind: 'taken', why: isOwnDomain(twin) };
}

/** Its job is running, or RunCloud's list may not show yet what it did. */
const isUnderway = ({ request: state, shownBy }: DomainRecord, now: number): boolean =>
  state === 'pending' || Math.max(shownBy.change, shownBy.detach) > now;

function waitFor(
  [sentence, reasonCode]: readonly [sentence: string, code: ReasonCode],
  now: number,
  { record }: DomainWork,
  { checkDelayMs }: DomainPorts,
): Outcome {
  const state = record.desired.presence === 'present' ? 'attaching' : 'removing';
  return waiting(sentence, nextDelay(now - record.requestedAt, checkDelayMs, MINUTE_MS), {
    state,
    reasonCode,
  });
}
