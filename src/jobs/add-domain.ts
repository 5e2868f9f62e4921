// add-domain: the domain is on the web application, attached once, and its certificate is requested.

import { includesWww } from '../domains/domain.ts';
import { isAttached, wwwIsOwnDomain } from '../domains/messages.ts';
import { adding, type Outcome, waiting } from '../domains/outcome.ts';
import { isOurs, lateRemoval, type Step } from '../domains/plan.ts';
import type { ReasonCode } from '../domains/reasons.ts';
import { inSentences } from '../domains/sentences.ts';
import { states } from '../domains/states.ts';
import { judgeTaken, namesakesOf } from '../domains/taken.ts';
import { settingsOf } from '../domains/www.ts';
import { CodedError, hasCode, PermanentError } from '../errors.ts';
import type { Blocker, Gate } from '../https/dns-gate.ts';
import { type Leased, underLease } from '../lease/lease.ts';
import { hadNoEffect, RejectedError } from '../runcloud/errors.ts';
import type { AttachedDomain, CallOptions, NewDomain } from '../runcloud/runcloud.ts';
import { conclude, prove, switchWww } from './conclude.ts';
import { detach } from './detach.ts';
import {
  awaitLate,
  type DomainHandler,
  type DomainPorts,
  type DomainWork,
  nextStep,
  observeAfter,
  unwritten,
  wordsOf,
} from './domain-work.ts';
import { awaitName, awaitTwin } from './host-names.ts';
import {
  attachUnconfirmed,
  detachedForOthers,
  detachRefused,
  detachUnconfirmed,
  domainAttached,
} from './messages.ts';

export function createAddDomain(ports: DomainPorts): DomainHandler {
  return async (work) => {
    const { record } = work;
    const { https } = ports;
    const dead = await https?.blocker(work);
    const left = dead && (await leave(dead, work, ports));
    if (left) return left;
    if (https && record.observedAt >= record.requestedAt)
      return prove(
        https,
        isAttached(record.domain, []),
        { needsRedeploy: needsRedeploy(record) },
        work,
        ports,
      );
    // A domain that waits for DNS is not attached: no call before its DNS is right. (Held with a code: it waits for RunCloud.)
    const { dnsFirst } = states[record.state];
    const isFirst = dnsFirst === 'always' || (dnsFirst === 'unless-error' && !record.code);
    const gate = isFirst ? await https?.gate(work) : undefined;
    return gate?.wait ?? observeAndAttach(work, gate, ports);
  };
}

async function observeAndAttach(
  work: DomainWork,
  passed: Gate | undefined,
  ports: DomainPorts,
): Promise<Outcome> {
  const step = await nextStep(work, ports);
  if (step.kind === 'detach') throw new TypeError('add-domain was planned to detach');
  if (step.kind === 'change') return change(step, work, ports);
  if (step.kind !== 'attach') return conclude(step, work, ports);
  const gate = passed ?? (await ports.https?.gate(work));
  return gate?.wait ?? (await awaitName(work, ports)) ?? attachWith(gate, work, ports);
}

// With its www name, if that is requested, its DNS is right, and it is no domain of its own.
async function attachWith(gate: Gate | undefined, work: DomainWork, ports: DomainPorts): Promise<Outcome> {
  const { domain, desired } = work.record;
  const www = gate?.www ?? includesWww(desired);
  const twin = www ? await awaitTwin(work, ports) : undefined;
  if (twin?.kind !== 'taken') return twin ?? attach({ ...gate, www }, work, ports);
  if (desired.presence === 'present' && desired.www === true)
    throw new PermanentError('host-name-taken', wwwIsOwnDomain(domain));
  return attach({ www: false, why: twin.why }, work, ports);
}

// Its www name is no longer requested, or is requested again. With DNS probes it is added once its DNS is right: the proof does that.
async function change(
  { www, attached, otherwise }: Extract<Step, { kind: 'change' }>,
  work: DomainWork,
  ports: DomainPorts,
): Promise<Outcome> {
  const instead = (why?: string) =>
    conclude(why ? { ...otherwise, sentence: inSentences(otherwise.sentence, why) } : otherwise, work, ports);
  const isNow = ports.changesWww && !(www && ports.https);
  return isNow ? switchWww({ www, otherwise: instead }, attached, work, ports) : instead();
}

const needsRedeploy = ({ needsRedeployAfter }: DomainWork['record']): boolean =>
  needsRedeployAfter === 'attach' || needsRedeployAfter === 'change';

// Its DNS blocks the certificate of all the others. If only its www name does, that is switched off; else the domain is detached
// until its DNS is right (SSL_INVALID_NAMES=detach). Undefined if it is not ours. The next run observes what happened between
// the write and its reply: this job goes on until the domain is live.
async function leave(
  { wait: dead, isWwwOnly }: Blocker,
  work: DomainWork,
  ports: DomainPorts,
): Promise<Outcome | undefined> {
  const { record, jobId, calls } = work;
  const { store, directory, requestRedeploy } = ports;
  const { attached: row } = await directory.find(record, record.domain, await store.now(), calls);
  if (!row) {
    // An earlier run has detached it, and did not come this far.
    if (record.needsRedeployAfter === 'detach') await requestRedeploy(record);
    return dead;
  }
  if (!isOurs(row, record)) return undefined;
  if (isWwwOnly && row.www)
    return switchWww({ www: false, otherwise: async (why) => adding(dead, why) }, row, work, ports);
  await store.forgetObserved(record, jobId);
  const written = await detach(row, work, ports).catch(unwilling);
  const and = (sentence: string, reasonCode: ReasonCode): Outcome => ({
    ...dead,
    sentence,
    report: { ...dead.report, reasonCode },
  });
  if (written instanceof CodedError)
    return and(detachRefused(wordsOf(written, record), dead.sentence), 'detach-refused');
  if (written.fate !== 'written') return unwritten(written.fate, record);
  if (!written.value) return and(detachUnconfirmed(dead.sentence), 'removal-unconfirmed');
  await requestRedeploy(record);
  return and(detachedForOthers(dead.sentence), 'detached-for-others');
}

// RunCloud refuses: a live site goes on, and the others wait as with SSL_INVALID_NAMES=wait.
function unwilling(error: unknown): CodedError {
  if (hasCode(error, 'runcloud-rejected', 'runcloud-not-found', 'runcloud-forbidden')) return error;
  throw error;
}

async function attach(gate: Gate, work: DomainWork, ports: DomainPorts): Promise<Outcome> {
  const { record, jobId, calls } = work;
  const { runcloud, store, directory, checkDelayMs, lateMs, lagMs } = ports;
  const domain = toNewDomain(record, gate);
  const post = (options: CallOptions) => runcloud.attachDomain(record, domain, options);
  const toAttachedId = (reply: AttachedDomain | undefined) => reply?.id;
  const { www } = domain;
  const times = { lateMs, lagMs };
  const write = { key: record, jobId, kind: 'attach', www, ...times, toAttachedId, hadNoEffect } as const;
  const written = await underLease(store, write, calls, post).catch((error: unknown) =>
    observe(error, work, ports),
  );
  if ('kind' in written) return written;
  if (written.fate !== 'written') return unwritten(written.fate, record);
  if (!written.value) {
    const report = { state: 'attaching', reasonCode: 'attach-unconfirmed' } as const;
    return waiting(attachUnconfirmed(record.domain), checkDelayMs, report);
  }
  directory.recordWrite(record, record.domain, written.value, written.at);
  const sentence = domainAttached(record.domain, gate.why);
  const after = { ...work, record: { ...record, setWww: www } };
  const step = { kind: 'cover', sentence, reasonCode: 'attached', attached: written.value } as const;
  return conclude(step, after, ports);
}

function toNewDomain({ domain, desired }: DomainWork['record'], { www }: Gate): NewDomain {
  if (desired.presence === 'absent') throw new TypeError('a domain that is to be removed is not attached');
  return { name: domain, ...settingsOf(desired, www) };
}

// The list shows what a refused duplicate or a lost reply means.
async function observe(
  failure: unknown,
  work: DomainWork,
  ports: DomainPorts,
): Promise<Leased<AttachedDomain> | Outcome> {
  const codes = ['runcloud-unknown-result', 'runcloud-intercepted', 'runcloud-rejected'] as const;
  const { error, observed } = await observeAfter(failure, codes, work, ports);
  if (!observed.attached) return refused(error, work, ports);
  const late = lateRemoval(work.record, observed.at);
  return late ? awaitLate(late, work, ports) : { fate: 'written', value: observed.attached, at: observed.at };
}

/** RunCloud refuses the domain, and does not show it. Other records decide whether that is its last word. */
async function refused(error: CodedError, { record }: DomainWork, ports: DomainPorts): Promise<Outcome> {
  if (!(error instanceof RejectedError && error.isAboutDomain)) throw error;
  const { store, checkDelayMs, heldMs } = ports;
  const names = namesakesOf(record.domain);
  const others = (await Promise.all(names.map((name) => store.everywhere(name)))).flat();
  const now = await store.now();
  const refusal = wordsOf(error, record);
  const taken = judgeTaken({ record, refusal, others, now, firstMs: checkDelayMs, heldMs });
  if (taken.kind === 'wait') return waiting(taken.sentence, taken.delayMs, taken.report);
  throw new PermanentError(error.code, taken.sentence, { cause: error });
}
