// From attached to live for one domain: the proof. Looks at DNS and at the server by the probes that are handed in; what follows from it
// is decided in https/proof.ts and https/www.ts.

import type { Certificates } from '../certificates/certificates.ts';
import type { Ledger } from '../certificates/ledger.ts';
import { describeLog } from '../certificates/log-text.ts';
import { type DomainKey, type DomainRecord, hasWww, includesWww } from '../domains/domain.ts';
import { namesOf } from '../domains/names.ts';
import { adding, done, type Outcome, waiting } from '../domains/outcome.ts';
import { twinOf } from '../domains/owner.ts';
import { states } from '../domains/states.ts';
import type { DomainStore } from '../domains/store.ts';
import { isWithheld } from '../domains/www.ts';
import { leadsHere } from '../probes/findings.ts';
import type { AppFacts, Facts } from '../runcloud/facts.ts';
import type { LogReader } from '../runcloud/log-reader.ts';
import type { AttachedDomain } from '../runcloud/runcloud.ts';
import { createGates, type Gates, type ProbeSettings, type ProbeWork, toWaiting } from './dns-gate.ts';
import { gatesCertificate, judgeGate } from './gate.ts';
import { readReason, withReason } from './order-reason.ts';
import { describeOwn, noteFailed, noteIssued } from './order-result.ts';
import { type Probe, type Probed, probeRecord } from './probe.ts';
import { judgeProof, type ProofStep } from './proof.ts';
import { describeWithheld, shouldDropWww } from './www.ts';

export interface HttpsPorts {
  readonly probe: Probe;
  readonly facts: Facts;
  /** RunCloud's own log of the web application, which may say why a certificate failed. */
  readonly runcloudLog: LogReader;
  readonly ledger: Pick<Ledger, 'last' | 'failed' | 'issued'>;
  readonly certificates: Pick<Certificates, 'get' | 'redeployOf' | 'reinstate'>;
  readonly store: Pick<DomainStore, 'now' | 'noteObserved' | 'forgetObserved' | 'ownerOf'>;
  readonly requestRedeploy: (changed: DomainKey) => Promise<void>;
  readonly settings: HttpsSettings;
}

export interface HttpsSettings extends ProbeSettings {
  /** CERTIFICATE_DEADLINE */
  readonly certificateDeadlineMs: number;
}

export interface Attached {
  /** By our own write, and its certificate was not asked for since. */
  readonly needsRedeploy: boolean;
  /** How RunCloud has it, where it was asked in this run. */
  readonly observed?: AttachedDomain | undefined;
}

/** What the proof comes to: an outcome, or the www name has to be switched on RunCloud before. */
export type Proven = Outcome | WwwChange;

export interface WwwChange {
  readonly kind: 'change';
  readonly www: boolean;
  /** Where RunCloud will not have it, and why. */
  readonly otherwise: (why?: string) => Promise<Outcome>;
}

export interface Https extends Pick<Gates, 'gate' | 'blocker'> {
  /** The domain is attached: has its certificate follow, and says how far it is. */
  prove(work: ProbeWork, sentence: string, how: Attached): Promise<Proven>;
}

export function createHttps(ports: HttpsPorts): Https {
  const { probe, facts, settings } = ports;
  const { gate, blocker, judge: judgeDns } = createGates(ports);
  return {
    gate,
    blocker,
    async prove(before, sentence, { needsRedeploy, observed }) {
      const work = observed
        ? { ...before, record: await noteObserved(before, observed, needsRedeploy, ports) }
        : before;
      const { record, calls } = work;
      const isObserved = await probeRecord(work, probe);
      const standing: Standing = { ...work, sentence, isObserved: observed !== undefined, ...isObserved };
      const step = probe.provesHttps ? await judge(standing, needsRedeploy, ports) : unproven(needsRedeploy);
      const isOpen = step.kind !== 'live' && (needsRedeploy || step.kind === 'redeploy');
      if (!isOpen) return carryOut(step, standing, ports);
      const isGated =
        settings.gate !== 'off' && gatesCertificate(settings, await facts.cached(record, calls));
      return (isGated ? await gateCertificate(standing, judgeDns, ports) : undefined) ?? ask(standing, ports);
    },
  };
}

// Before its certificate is ordered. A www name that we have attached, and that holds the domain up no longer, is taken off.
async function gateCertificate(
  standing: Standing,
  judgeDns: Gates['judge'],
  { settings }: HttpsPorts,
): Promise<Proven | undefined> {
  const { record, evidence, shown } = standing;
  const canLeaveOut = !hasWww(record) || (settings.changesWww && record.setWww === true);
  const { twin, closed, timing } = await judgeDns(standing, evidence.dns, canLeaveOut);
  if (closed) return toWaiting(closed, shown);
  const all = twin === 'without' ? judgeGate(evidence.dns, timing) : undefined;
  if (!all) return undefined;
  const held = toWaiting(all, shown);
  const delayMs = Math.max(held.delayMs, settings.backoff.dnsLongestMs);
  const otherwise = async (why?: string) => adding({ ...held, delayMs }, why);
  return { kind: 'change', www: false, otherwise };
}

/** The record with what was just seen of it. */
async function noteObserved(
  { record, jobId }: ProbeWork,
  { id, www }: AttachedDomain,
  isNew: boolean,
  { store }: HttpsPorts,
): Promise<DomainRecord> {
  const observedAt = await store.now();
  const attachedAt = isNew || !record.attachedAt ? observedAt : record.attachedAt;
  const seen = { observedAt, attachedAt, attachedWww: www };
  return { ...record, ...seen, ...(await store.noteObserved(record, jobId, { ...seen, id })) };
}

/** TLS_PROBE=off: attached is all that can be said. */
const unproven = (needsRedeploy: boolean): ProofStep | { readonly kind: 'unproven' } => ({
  kind: needsRedeploy ? 'redeploy' : 'unproven',
});

/** What costs an order, or calls one failed, must not rest on a kind of certificate that has changed since it was read. */
async function judge(work: Standing, needsRedeploy: boolean, ports: HttpsPorts): Promise<ProofStep> {
  const { record, calls } = work;
  const facts = await ports.facts.cached(record, calls);
  const step = judgeProof(await proofFacts(facts, work, ports));
  // What we have just attached is asked for in any case, and the redeploy reads it: one call less for each attachment.
  if (needsRedeploy || (step.kind !== 'redeploy' && step.kind !== 'order-failed')) return step;
  const now = await ports.facts.read(record, calls);
  if (now.advanced === facts.advanced) return step;
  return judgeProof(await proofFacts(now, work, ports));
}

async function proofFacts(
  { advanced }: AppFacts,
  { record, isObserved, evidence: { dns, tls } }: Standing,
  { ledger, certificates, store, settings }: HttpsPorts,
) {
  const [order, redeploy, now] = await Promise.all([
    ledger.last(record, advanced ? record.domain : undefined),
    certificates.redeployOf(record),
    store.now(),
  ]);
  const { backoff, certificateDeadlineMs: deadlineMs } = settings;
  const { domain, attachedAt, attachedWww } = record;
  const told = namesOf([{ name: domain, www: attachedWww }]);
  return { told, tls, dns, order, redeploy, isObserved, attachedAt, advanced, now, deadlineMs, backoff };
}

interface Standing extends ProbeWork, Probed {
  /** How it came to be attached. */
  readonly sentence: string;
  /** RunCloud was asked in this run. */
  readonly isObserved: boolean;
}

async function carryOut(
  step: ProofStep | { readonly kind: 'unproven' },
  work: Standing,
  ports: HttpsPorts,
): Promise<Proven> {
  const { record, jobId, sentence, shown: evidence } = work;
  if (step.kind === 'live') {
    await noteIssued(work, work.evidence, ports);
    return reached('live', step.sentence, work, ports);
  }
  if (step.kind === 'unproven') return reached('attached', sentence, work, ports);
  if (step.kind === 'redeploy') return ask(work, ports);
  if (step.kind === 'wait')
    return waiting(withReason(step, record.appId, evidence), step.delayMs, { ...step.report, evidence });
  // The order failed, or left it out; and RunCloud may have lost the domain: the next run looks.
  await ports.store.forgetObserved(record, jobId);
  if (step.kind === 'observe') return waiting(step.sentence, ports.settings.backoff.tlsFirstMs);
  const blame = describeOwn(await noteFailed(step.order, work, ports), record);
  const log = await readReason(step, work, ports);
  await ports.requestRedeploy(record);
  const mustAct = step.mustAct === 'runcloud' ? blame.mustAct : step.mustAct;
  const report = { state: 'held', mustAct, evidence: { ...evidence, log } } as const;
  const why = `${blame.why}${describeLog(log, record.appId)}`;
  const held = waiting(`${step.sentence}${why}`, ports.settings.backoff.tlsFirstMs, report);
  const goes = ports.settings.changesWww && shouldDropWww(record, work.evidence, 0);
  return goes ? { kind: 'change', www: false, otherwise: async (not) => adding(held, not) } : held;
}

// All that RunCloud has is done. A www name that was left out joins where its DNS is right by now, and one that is dead goes.
async function reached(
  state: 'live' | 'attached',
  sentence: string,
  work: Standing,
  ports: HttpsPorts,
): Promise<Proven> {
  const { record, leftOut, evidence, shown } = work;
  const { changesWww, backoff } = ports.settings;
  const report = { state, evidence: states[state].isProven ? { ...shown, log: undefined } : shown };
  const otherwise = async (why?: string): Promise<Outcome> => {
    const again = `it is tried again every MONITOR_INTERVAL, or by \`add ${record.domain}\``;
    const www = why ? `${why}; ${again}` : await describeWww(work, ports);
    return done(www ? `${sentence}; ${www}` : sentence, report);
  };
  const joins = leftOut !== undefined && leadsHere(leftOut);
  const goes = shouldDropWww(record, evidence, backoff.dnsFirstMs);
  return changesWww && (joins || goes) ? { kind: 'change', www: joins, otherwise } : otherwise();
}

async function describeWww(
  { record, leftOut }: Standing,
  { store, settings }: HttpsPorts,
): Promise<string | undefined> {
  const { domain, desired, attachedWww } = record;
  if (isWithheld(record)) return describeWithheld(domain, leftOut, settings);
  if (includesWww(desired)) return attachedWww === false ? 'RunCloud has it without its www twin' : undefined;
  const twin = twinOf(domain);
  return (await store.ownerOf({ ...record, domain: twin })) && `${twin} was asked for by itself`;
}

async function ask(
  { record, sentence, shown: evidence }: Standing,
  { requestRedeploy, probe, settings }: HttpsPorts,
): Promise<Outcome> {
  await requestRedeploy(record);
  const follows = `${sentence}; a certificate redeploy follows`;
  const report = { state: 'attached', evidence } as const;
  return probe.provesHttps ? waiting(follows, settings.backoff.tlsFirstMs, report) : done(follows, report);
}
