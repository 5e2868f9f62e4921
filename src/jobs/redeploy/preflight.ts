// The check before a shared certificate is ordered: one name that cannot be validated would fail the order for all. SSL_INVALID_NAMES says
// what to do about it. This file detaches nothing: it names the domain in the certificate's record. The domain's own job checks once more
// and detaches it (add-domain.ts), so each domain has one writer.
import type { Certificates } from '../../certificates/certificates.ts';
import { type Backoff, nextDelay } from '../../domains/backoff.ts';
import type { DomainKey, DomainRecord } from '../../domains/domain.ts';
import { namesOf } from '../../domains/names.ts';
import { type Outcome, waiting } from '../../domains/outcome.ts';
import { twinOf } from '../../domains/owner.ts';
import { isOurs } from '../../domains/plan.ts';
import type { Actor } from '../../domains/states.ts';
import type { DomainStore } from '../../domains/store.ts';
import { isOurRule } from '../../domains/www.ts';
import { isBlocking } from '../../https/gate.ts';
import type { Probe } from '../../https/probe.ts';
import type { DnsFinding } from '../../probes/findings.ts';
import { isSurelyWrong, leadsHere, mayBeWrong } from '../../probes/findings.ts';
import type { AttachedDomain, CallOptions, WebApplication } from '../../runcloud/runcloud.ts';
import { sharedBlocked } from './messages.ts';

export interface PreflightPorts {
  readonly store: Pick<DomainStore, 'get'>;
  readonly certificates: Pick<Certificates, 'noteBlockedBy' | 'noteUnsteady'>;
  readonly probe: Pick<Probe, 'dns'>;
  /** Runs the domain's job: one is added if none is pending. */
  readonly renew: (record: DomainRecord) => Promise<unknown>;
  readonly invalidNames: 'wait' | 'detach' | 'ignore';
  readonly backoff: Backoff;
  /** API v3 can switch the www name of an attached domain. */
  readonly changesWww: boolean;
}

export interface PreflightWork {
  readonly app: WebApplication;
  readonly calls: CallOptions;
  /** By Redis' clock, in milliseconds. */
  readonly startedAt: number;
  /** How long the redeploy has waited, in milliseconds. */
  readonly waitedMs: number;
}

export interface Checked {
  /** What to wait for before the certificate may be ordered; undefined: nothing. */
  readonly wait: Outcome | undefined;
  /** The findings of all names; empty if they are not checked. */
  readonly dns: readonly DnsFinding[];
}

export async function checkBeforeOrder(
  attached: readonly AttachedDomain[],
  work: PreflightWork,
  ports: PreflightPorts,
): Promise<Checked> {
  if (ports.invalidNames === 'ignore') return { wait: undefined, dns: [] };
  const dns = await ports.probe.dns(work.app, namesOf(attached), work.calls);
  const unsteady = dns.filter((finding) => !leadsHere(finding)).map(({ name }) => name);
  await ports.certificates.noteUnsteady(work.app, unsteady, work.startedAt);
  return { wait: await judge(attached, dns.filter(mayBeWrong), work, ports), dns };
}

async function judge(
  attached: readonly AttachedDomain[],
  wrong: readonly DnsFinding[],
  work: PreflightWork,
  ports: PreflightPorts,
): Promise<Outcome | undefined> {
  const { invalidNames } = ports;
  const findingsOf = (domain: AttachedDomain): readonly DnsFinding[] =>
    wrong.filter(({ name }) => namesOf([domain]).includes(name));
  const invalid = attached.filter((domain) => findingsOf(domain).length > 0);
  const isDoubtful = invalid.length * 2 > attached.length;
  // A domain behind a CDN that does not answer now blocks the others, but is not detached.
  const isCertain = invalid.every((domain) => findingsOf(domain).some(isSurelyWrong));
  const mayLeave = (domain: AttachedDomain, record: DomainRecord): boolean =>
    isOurs(domain, record) && (invalidNames === 'detach' || mayLoseWww(record, findingsOf(domain), ports));
  const leaving = isDoubtful || !isCertain ? [] : await recordsIfAll(invalid, mayLeave, work, ports);
  await noteBlocking(leaving, work, ports);
  if (invalid.length === 0) return undefined;
  const doubtful = isDoubtful && invalidNames === 'detach' ? invalid.length : undefined;
  const { sentence, forDomains } = sharedBlocked({ domains: attached.length, found: wrong, doubtful });
  const delayMs = nextDelay(work.waitedMs, ports.backoff.dnsFirstMs, ports.backoff.dnsLongestMs);
  const mustAct: Actor = doubtful === undefined ? 'customer' : 'operator';
  const report = { state: 'held', reasonCode: 'shared-certificate-blocked', mustAct } as const;
  return waiting(sentence, delayMs, report, forDomains);
}

// Without `detach` no domain is detached. A www name that came along by our own rule, and is all that is wrong, may still go.
const mayLoseWww = (
  record: DomainRecord,
  findings: readonly DnsFinding[],
  { changesWww }: PreflightPorts,
): boolean =>
  changesWww &&
  isOurRule(record) &&
  record.setWww === true &&
  findings.every(({ name }) => name === twinOf(record.domain));

/** The records of the domains if all of them may leave. While one may not, the others would leave for nothing. */
async function recordsIfAll(
  domains: readonly AttachedDomain[],
  mayLeave: (domain: AttachedDomain, record: DomainRecord) => boolean,
  { app }: PreflightWork,
  { store }: PreflightPorts,
): Promise<readonly DomainRecord[]> {
  const leaving: DomainRecord[] = [];
  for (const domain of domains) {
    const key: DomainKey = { ...app, domain: domain.name as DomainKey['domain'] };
    const record = await store.get(key);
    if (record && mayLeave(domain, record)) leaving.push(record);
  }
  return leaving.length === domains.length ? leaving : [];
}

// One check that finds it wrong is not enough: a later one must find it wrong too.
async function noteBlocking(
  leaving: readonly DomainRecord[],
  { app, startedAt }: PreflightWork,
  { certificates, renew, backoff }: PreflightPorts,
): Promise<void> {
  const domains = leaving.map(({ domain }) => domain);
  const blocking = await certificates.noteBlockedBy(app, domains, startedAt);
  for (const record of leaving)
    if (isBlocking(blocking[record.domain], startedAt, backoff)) await renew(record);
}
