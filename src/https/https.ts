// From attached to live for one domain: the proof. It probes DNS and the server. What follows from the findings is decided in
// https/proof.ts and https/www.ts.

import { logSays } from '../certificates/messages.ts';
import { type DomainRecord, hasWww, includesWww } from '../domains/domain.ts';
import { namesOf } from '../domains/names.ts';
import { adding, done, type Outcome, waiting } from '../domains/outcome.ts';
import { twinOf } from '../domains/owner.ts';
import { inSentences } from '../domains/sentences.ts';
import { states } from '../domains/states.ts';
import { isWithheld } from '../domains/www.ts';
import { leadsHere } from '../probes/findings.ts';
import type { AppFacts } from '../runcloud/facts.ts';
import type { AttachedDomain } from '../runcloud/runcloud.ts';
import { createGates, type Gates, type ProbeWork, toWaiting } from './dns-gate.ts';
import { gatesCertificate, judgeGate } from './gate.ts';
import { redeployFollows, wwwMissing, wwwRetried, wwwSeparate } from './messages.ts';
import { describeOwn, noteFailed, noteIssued, readLog } from './order-result.ts';
import { probeRecord } from './probe.ts';
import { judgeProof, type ProofFacts, type ProofStep } from './proof.ts';
import type { Attached, HttpsPorts, Proven, Run } from './run.ts';
import { shouldDropWww, withheldWww } from './www.ts';

export interface Https extends Pick<Gates, 'gate' | 'blocker'> {
  /** The domain is attached: gets its certificate, and says how far it is. */
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
      const probed = await probeRecord(work, probe);
      const run: Run = { ...work, sentence, isObserved: observed !== undefined, ...probed };
      const step = probe.provesHttps ? await judge(run, needsRedeploy, ports) : unproven(needsRedeploy);
      const isOpen = step.kind !== 'live' && (needsRedeploy || step.kind === 'redeploy');
      if (!isOpen) return carryOut(step, run, ports);
      const isGated =
        settings.gate !== 'off' && gatesCertificate(settings, await facts.cached(record, calls));
      const gated = isGated ? await gateCertificate(run, judgeDns, ports) : undefined;
      return gated ?? requestRedeploy(run, ports);
    },
  };
}

// Before its certificate is ordered. A www name that we have attached, and that the domain no longer waits for, is switched off.
async function gateCertificate(
  run: Run,
  judgeDns: Gates['judge'],
  { settings }: HttpsPorts,
): Promise<Proven | undefined> {
  const { record, evidence, shown } = run;
  const canLeaveOut = !hasWww(record) || (settings.changesWww && record.setWww === true);
  const { www, closed, timing } = await judgeDns(run, evidence.dns, canLeaveOut);
  if (closed) return toWaiting(closed, shown);
  const all = www === 'without' ? judgeGate(evidence.dns, timing) : undefined;
  if (!all) return undefined;
  const wait = toWaiting(all, shown);
  const delayMs = Math.max(wait.delayMs, settings.backoff.dnsLongestMs);
  const otherwise = async (why?: string) => adding({ ...wait, delayMs }, why);
  return { kind: 'change', www: false, otherwise };
}

/** The record with what was just observed of it. */
async function noteObserved(
  { record, jobId }: ProbeWork,
  { id, www }: AttachedDomain,
  isNew: boolean,
  { store }: HttpsPorts,
): Promise<DomainRecord> {
  const observedAt = await store.now();
  const attachedAt = isNew || !record.attachedAt ? observedAt : record.attachedAt;
  const observed = { observedAt, attachedAt, attachedWww: www };
  return { ...record, ...observed, ...(await store.noteObserved(record, jobId, { ...observed, id })) };
}

/** TLS_PROBE=off: attached is all that can be said. */
const unproven = (needsRedeploy: boolean): ProofStep | { readonly kind: 'unproven' } => ({
  kind: needsRedeploy ? 'redeploy' : 'unproven',
});

/** No order is placed, and none called failed, because of a kind of certificate that has changed since it was read. */
async function judge(run: Run, needsRedeploy: boolean, ports: HttpsPorts): Promise<ProofStep> {
  const { record, calls } = run;
  const facts = await ports.facts.cached(record, calls);
  const step = judgeProof(await proofFacts(facts, run, ports));
  // A domain that we have just attached gets a redeploy in any case. The redeploy reads the kind: one call less for each attachment.
  if (needsRedeploy || (step.kind !== 'redeploy' && step.kind !== 'order-failed')) return step;
  const now = await ports.facts.read(record, calls);
  if (now.advanced === facts.advanced) return step;
  return judgeProof(await proofFacts(now, run, ports));
}

async function proofFacts(
  { advanced }: AppFacts,
  { record, isObserved, evidence: { dns, tls } }: Run,
  { ledger, certificates, store, settings }: HttpsPorts,
): Promise<ProofFacts> {
  const [order, redeploy, now] = await Promise.all([
    ledger.last(record, advanced ? record.domain : undefined),
    certificates.redeployOf(record),
    store.now(),
  ]);
  const { backoff, certificateDeadlineMs: deadlineMs } = settings;
  const { domain, attachedAt, attachedWww } = record;
  const listedNames = namesOf([{ name: domain, www: attachedWww }]);
  return {
    listedNames,
    tls,
    dns,
    order,
    redeploy,
    isObserved,
    attachedAt,
    advanced,
    now,
    deadlineMs,
    backoff,
  };
}

async function carryOut(
  step: ProofStep | { readonly kind: 'unproven' },
  run: Run,
  ports: HttpsPorts,
): Promise<Proven> {
  const { record, jobId, sentence, shown: evidence } = run;
  switch (step.kind) {
    case 'live':
      await noteIssued(run, run.evidence, ports);
      return reached('live', step.sentence, run, ports);
    case 'unproven':
      return reached('attached', sentence, run, ports);
    case 'redeploy':
      return requestRedeploy(run, ports);
    case 'wait': {
      const isHeld = step.report.state === 'held';
      const log = isHeld ? logSays(evidence.log, record.appId) : undefined;
      return waiting(inSentences(step.sentence, log), step.delayMs, { ...step.report, evidence });
    }
    case 'observe': {
      await ports.store.forgetObserved(record, jobId);
      const report = { reasonCode: 'certificate-incomplete' } as const;
      return waiting(step.sentence, ports.settings.backoff.tlsFirstMs, report);
    }
    case 'order-failed':
      return orderFailed(step, run, ports);
  }
}

// RunCloud may also have lost the domain: the next run reads its list.
async function orderFailed(
  step: Extract<ProofStep, { kind: 'order-failed' }>,
  run: Run,
  ports: HttpsPorts,
): Promise<Proven> {
  const { record, jobId, shown: evidence } = run;
  const { changesWww, backoff } = ports.settings;
  await ports.store.forgetObserved(record, jobId);
  const own = describeOwn(await noteFailed(step.order, run, ports), record);
  const log = await readLog(step.order, run, ports);
  await ports.requestRedeploy(record);
  const wait = waiting(inSentences(step.sentence, own.why, logSays(log, record.appId)), backoff.tlsFirstMs, {
    state: 'held',
    reasonCode: 'certificate-failed',
    mustAct: step.mustAct === 'runcloud' ? own.mustAct : step.mustAct,
    evidence: { ...evidence, log },
  });
  const drops = changesWww && shouldDropWww(record, run.evidence, 0);
  return drops ? { kind: 'change', www: false, otherwise: async (why) => adding(wait, why) } : wait;
}

// All that RunCloud has is done. A www name that was left out joins once its DNS is right. One whose DNS stays wrong is switched off.
async function reached(
  state: 'live' | 'attached',
  sentence: string,
  run: Run,
  ports: HttpsPorts,
): Promise<Proven> {
  const { record, leftOut, evidence, shown } = run;
  const { changesWww, backoff } = ports.settings;
  const { isProven } = states[state];
  const report = {
    state,
    reasonCode: isProven ? 'https-works' : 'attached',
    evidence: isProven ? { ...shown, log: undefined } : shown,
  } as const;
  const otherwise = async (why?: string): Promise<Outcome> => {
    const www = why ? wwwRetried(why, record.domain) : await describeWww(run, ports);
    return done(inSentences(sentence, www), report);
  };
  const joins = leftOut !== undefined && leadsHere(leftOut);
  const drops = shouldDropWww(record, evidence, backoff.dnsFirstMs);
  return changesWww && (joins || drops) ? { kind: 'change', www: joins, otherwise } : otherwise();
}

async function describeWww(
  { record, leftOut }: Run,
  { store, settings }: HttpsPorts,
): Promise<string | undefined> {
  const { domain, desired, attachedWww } = record;
  if (isWithheld(record)) return withheldWww(domain, leftOut, settings);
  if (includesWww(desired)) return attachedWww === false ? wwwMissing : undefined;
  const www = twinOf(domain);
  return (await store.ownerOf({ ...record, domain: www })) && wwwSeparate(www);
}

async function requestRedeploy(
  { record, sentence, shown: evidence }: Run,
  { requestRedeploy: request, probe, settings }: HttpsPorts,
): Promise<Outcome> {
  await request(record);
  const report = { state: 'attached', reasonCode: 'redeploy-requested', evidence } as const;
  const follows = redeployFollows(sentence);
  return probe.provesHttps ? waiting(follows, settings.backoff.tlsFirstMs, report) : done(follows, report);
}
