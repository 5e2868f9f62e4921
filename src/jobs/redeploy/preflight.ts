// The guard of a shared certificate: one name that cannot be validated would fail the order for all of them, so each is looked
// at before. SSL_INVALID_NAMES says what to do about a bad one. Nothing is taken off here: a domain that shall make room is named in the
// certificate's record, and its own job looks once more and takes it off (add-domain.ts), so that each domain has one writer.
import type { Certificates } from '../../certificates/certificates.ts';
import { type Backoff, nextDelay } from '../../domains/backoff.ts';
import type { DomainKey, DomainRecord } from '../../domains/domain.ts';
import { namesOf } from '../../domains/names.ts';
import { type Outcome, waiting } from '../../domains/outcome.ts';
import { twinOf } from '../../domains/owner.ts';
import { isOurs } from '../../domains/plan.ts';
import { counted } from '../../domains/sentences.ts';
import type { Actor } from '../../domains/states.ts';
import type { DomainStore } from '../../domains/store.ts';
import { isOurRule } from '../../domains/www.ts';
import { isBlocking } from '../../https/gate.ts';
import type { Probe } from '../../https/probe.ts';
import type { DnsFinding } from '../../probes/findings.ts';
import { isSurelyWrong, leadsHere, mayBeWrong } from '../../probes/findings.ts';
import type { AttachedDomain, CallOptions, WebApplication } from '../../runcloud/runcloud.ts';

export interface PreflightPorts {
  readonly store: Pick<DomainStore, 'get'>;
  readonly certificates: Pick<Certificates, 'noteBlockedBy' | 'noteUnsteady'>;
  readonly probe: Pick<Probe, 'dns'>;
  /** Has the domain's job run: one is added where none is on its way. */
  readonly renew: (record: DomainRecord) => Promise<unknown>;
  readonly invalidNames: 'wait' | 'detach' | 'ignore';
  readonly backoff: Backoff;
  /** API v3 can switch the www name of a domain that is there. */
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
  /** What to wait for before the certificate may be ordered; undefined where nothing is. */
  readonly wait: Outcome | undefined;
  /** What was found of all names; nothing where they are not looked at. */
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
  bad: readonly DnsFinding[],
  work: PreflightWork,
  ports: PreflightPorts,
): Promise<Outcome | undefined> {
  const { invalidNames } = ports;
  const findingsOf = (domain: AttachedDomain): readonly DnsFinding[] =>
    bad.filter(({ name }) => namesOf([domain]).includes(name));
  const dead = attached.filter((domain) => findingsOf(domain).length > 0);
  const isDoubtful = dead.length * 2 > attached.length;
  // Who may be behind a CDN that does not answer now holds the others, but is not taken off.
  const isCertain = dead.every((domain) => findingsOf(domain).some(isSurelyWrong));
  const mayLeave = (domain: AttachedDomain, record: DomainRecord): boolean =>
    isOurs(domain, record) && (invalidNames === 'detach' || mayLoseWww(record, findingsOf(domain), ports));
  const leaving = isDoubtful || !isCertain ? [] : await allOf(dead, mayLeave, work, ports);
  await makeRoom(leaving, work, ports);
  if (dead.length === 0) return undefined;
  const isTold = isDoubtful && invalidNames === 'detach';
  return hold(bad, attached.length, work, ports, isTold ? doubt(dead.length) : undefined);
}

// SSL_INVALID_NAMES=wait takes no domain off. A www name that came along by our own rule, and is all that is wrong, is another matter.
const mayLoseWww = (
  record: DomainRecord,
  findings: readonly DnsFinding[],
  { changesWww }: PreflightPorts,
): boolean =>
  changesWww &&
  isOurRule(record) &&
  record.setWww === true &&
  findings.every(({ name }) => name === twinOf(record.domain));

const doubt = (count: number): string =>
  `${count} of them look wrong from here at once, which may be our own DNS (DNS_SERVERS), so none is taken off: `;

/** So many are told with what to do; of the others, which may be a hundred, the names. */
const TOLD = 3;

function hold(
  bad: readonly DnsFinding[],
  count: number,
  { waitedMs }: PreflightWork,
  { backoff }: PreflightPorts,
  doubtful = '',
): Outcome {
  const more = bad.slice(TOLD).map(({ name }) => name);
  const why = [
    ...bad.slice(0, TOLD).map(({ sentence }) => sentence),
    ...(more.length > 0 ? [`and not right is the DNS of ${more.join(', ')}`] : []),
  ].join('; ');
  const sentence = `the certificate that ${count} domains share is held back, since Let's Encrypt would refuse it for all: ${doubtful}${why}`;
  const forDomains = `the certificate that ${count} domains share is held back: the DNS of ${counted(bad.length, 'name')} on it is not right, and Let's Encrypt would refuse it for all; ${doubtful}\`runcloud-domains status\` names ${bad.length === 1 ? 'it' : 'them'}`;
  const mustAct: Actor = doubtful ? 'operator' : 'customer';
  const delayMs = nextDelay(waitedMs, backoff.dnsFirstMs, backoff.dnsLongestMs);
  return waiting(sentence, delayMs, { state: 'held', mustAct }, forDomains);
}

/** The records of the dead, where all of them may leave: while one may not, the others would leave for nothing. */
async function allOf(
  dead: readonly AttachedDomain[],
  mayLeave: (domain: AttachedDomain, record: DomainRecord) => boolean,
  { app }: PreflightWork,
  { store }: PreflightPorts,
): Promise<readonly DomainRecord[]> {
  const leaving: DomainRecord[] = [];
  for (const domain of dead) {
    const key: DomainKey = { ...app, domain: domain.name as DomainKey['domain'] };
    const record = await store.get(key);
    if (record && mayLeave(domain, record)) leaving.push(record);
  }
  return leaving.length === dead.length ? leaving : [];
}

// One look that found it wrong is not enough: it has to be wrong at a later one too.
async function makeRoom(
  leaving: readonly DomainRecord[],
  { app, startedAt }: PreflightWork,
  { certificates, renew, backoff }: PreflightPorts,
): Promise<void> {
  const domains = leaving.map(({ domain }) => domain);
  const since = await certificates.noteBlockedBy(app, domains, startedAt);
  for (const record of leaving) if (isBlocking(since[record.domain], startedAt, backoff)) await renew(record);
}
