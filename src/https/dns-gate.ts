// Checks DNS before a domain is attached, and whether a domain blocks the certificate of the others. What follows from the findings is
// decided in https/gate.ts and https/www.ts.
import type { Certificates } from '../certificates/certificates.ts';
import type { Backoff } from '../domains/backoff.ts';
import { type DomainRecord, type Evidence, includesWww } from '../domains/domain.ts';
import { namesOf, namesOfRecord } from '../domains/names.ts';
import { type Waiting, waiting } from '../domains/outcome.ts';
import { twinOf } from '../domains/owner.ts';
import type { DomainStore } from '../domains/store.ts';
import { isOurRule } from '../domains/www.ts';
import type { DnsFinding } from '../probes/findings.ts';
import { isSurelyWrong, isWrong } from '../probes/findings.ts';
import type { Facts } from '../runcloud/facts.ts';
import type { CallOptions } from '../runcloud/runcloud.ts';
import { type Closed, type GateSettings, gateBefore, isBlocking, judgeGate } from './gate.ts';
import { awaitReinstatement } from './order-result.ts';
import type { Probe } from './probe.ts';
import { judgeNames, type NamesJudged, type Timing } from './www.ts';

/** What a check needs of one domain's job. */
export interface ProbeWork {
  readonly record: DomainRecord;
  readonly jobId: string;
  readonly calls: CallOptions;
}

export interface GatePorts {
  readonly probe: Pick<Probe, 'dns'>;
  readonly facts: Facts;
  readonly certificates: Pick<Certificates, 'get'>;
  readonly store: Pick<DomainStore, 'now'>;
  readonly settings: ProbeSettings;
}

export interface ProbeSettings extends GateSettings {
  readonly backoff: Backoff;
  /** API v3 can switch the www name of an attached domain. No such route is known for v2. */
  readonly changesWww: boolean;
}

/** Whether the domain may be attached, and how. */
export interface Gate {
  /** What to wait for before. */
  readonly wait?: Waiting | undefined;
  /** Whether it is attached with its www name. */
  readonly www: boolean;
  /** Why without, if www was requested. */
  readonly why?: string | undefined;
}

/** A domain whose DNS blocks the certificate of others. */
export interface Blocker {
  /** What it waits for once it is detached. */
  readonly wait: Waiting;
  /** Its own name is right: to switch its www name off is enough. */
  readonly isWwwOnly: boolean;
}

export interface Gates {
  /** Before the domain is attached. */
  gate(work: ProbeWork): Promise<Gate>;
  /** Undefined: it blocks nobody, or may stay. */
  blocker(work: ProbeWork): Promise<Blocker | undefined>;
  /** What `dns` means for the two names. */
  judge(
    work: ProbeWork,
    dns: readonly DnsFinding[],
    canLeaveOut?: boolean,
  ): Promise<NamesJudged & { readonly timing: Timing }>;
}

export function createGates(ports: GatePorts): Gates {
  const { probe, facts, store, settings } = ports;
  const judge: Gates['judge'] = async ({ record }, dns, canLeaveOut) => {
    const timing = { since: record.requestedAt, now: await store.now(), ...settings };
    return { ...judgeNames(dns, record, timing, canLeaveOut), timing };
  };
  return {
    judge,
    async gate(work) {
      const { record, calls } = work;
      const isRequested = includesWww(record.desired);
      if (settings.gate === 'off') return { www: isRequested };
      const waitsHere = gateBefore(settings, await facts.cached(record, calls)) === 'attach';
      // If only the certificate waits, a www name that would block it need not come along either.
      if (!waitsHere && !isRequested) return { www: false };
      const names = namesOf([{ name: record.domain, www: isRequested }]);
      const dns = await probe.dns(record, names, calls);
      const { www, closed, timing } = await judge(work, dns);
      const evidence = { at: timing.now, dns, tls: [] };
      return {
        wait: waitsHere && closed ? toWaiting(closed, evidence) : undefined,
        www: isRequested && www !== 'without',
        ...(www === 'without' && { why: dns.find(({ name }) => name === twinOf(record.domain))?.sentence }),
      };
    },
    blocker: (work) => findBlocker(work, judge, ports),
  };
}

export const toWaiting = ({ sentence, delayMs, report }: Closed, evidence: Evidence): Waiting =>
  waiting(sentence, delayMs, { ...report, evidence });

async function findBlocker(
  work: ProbeWork,
  judge: Gates['judge'],
  ports: GatePorts,
): Promise<Blocker | undefined> {
  const { record, calls } = work;
  const { probe, facts, settings } = ports;
  const detaches = settings.gate !== 'off' && settings.invalidNames === 'detach';
  const wait = detaches ? await awaitReinstatement(work, ports) : undefined;
  if (wait && !(await facts.cached(record, calls)).advanced) return { wait, isWwwOnly: false };
  if (!(await isListedAsBlocking(work, ports))) return undefined;
  const dns = await probe.dns(record, namesOfRecord(record), calls);
  if (!dns.some(isSurelyWrong)) return undefined;
  const isWwwOnly =
    settings.changesWww && dns.filter(isWrong).every(({ name }) => name === twinOf(record.domain));
  // Without `detach` nothing is detached that somebody requested.
  if (settings.invalidNames !== 'detach' && !(isWwwOnly && isOurRule(record))) return undefined;
  // Nothing is detached because of a kind of certificate that has changed since it was read.
  const { advanced } = await facts.read(record, calls);
  const { timing } = await judge(work, dns);
  const closed = judgeGate(dns, timing);
  return advanced || !closed
    ? undefined
    : { wait: toWaiting(closed, { at: timing.now, dns, tls: [] }), isWwwOnly };
}

// Redis first, before RunCloud or DNS: nearly always the answer is no.
async function isListedAsBlocking(
  { record }: ProbeWork,
  { certificates, store, settings }: GatePorts,
): Promise<boolean> {
  if (settings.gate === 'off' || settings.invalidNames === 'ignore') return false;
  if (settings.invalidNames === 'wait' && !isOurRule(record)) return false;
  const blocking = (await certificates.get(record))?.blockedBy[record.domain];
  return blocking !== undefined && isBlocking(blocking, await store.now(), settings.backoff);
}
