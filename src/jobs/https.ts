// From "asked for" to "live" for one domain: the DNS gate before an attachment, and the proof after it. Looks at DNS and at the
// server by the probes that are handed in; what follows from it is decided in intent/gate.ts and intent/proof.ts.
import type { Certificates } from '../intent/certificates.ts';
import type { DomainName } from '../intent/domain-name.ts';
import {
  type GateSettings,
  gateBefore,
  gatesCertificate,
  isBad,
  isDead,
  isSurelyBad,
  judgeGate,
} from '../intent/gate.ts';
import type { DomainKey, Evidence, Intent } from '../intent/intent.ts';
import type { Ledger } from '../intent/ledger.ts';
import { describeLog } from '../intent/log-text.ts';
import { namesOf, namesOfIntent } from '../intent/names.ts';
import type { Pace } from '../intent/pace.ts';
import { judgeProof, type ProofStep } from '../intent/proof.ts';
import type { IntentStore } from '../intent/store.ts';
import { done, type Outcome, type Waiting, waiting } from '../outcome.ts';
import type { DnsFinding } from '../probes/findings.ts';
import type { AppFacts, Facts } from '../runcloud/facts.ts';
import type { LogReader } from '../runcloud/log-reader.ts';
import type { AttachedDomain, CallOptions, WebApplication } from '../runcloud/runcloud.ts';
import type { Look } from './look.ts';
import { readReason, withReason } from './order-reason.ts';

/** One domain's job at work, as far as this file needs it. */
export interface HttpsWork {
  readonly intent: Intent;
  readonly jobId: string;
  readonly calls: CallOptions;
}

export interface HttpsPorts {
  readonly look: Look;
  readonly facts: Facts;
  /** RunCloud's own log of the web application, which may say why a certificate failed. */
  readonly runcloudLog: LogReader;
  readonly ledger: Pick<Ledger, 'last' | 'failed'>;
  readonly certificates: Pick<Certificates, 'get' | 'isAsked'>;
  readonly intents: Pick<IntentStore, 'now' | 'noteSeen' | 'forgetSeen'>;
  readonly askRedeploy: (changed: DomainKey) => Promise<void>;
  readonly settings: HttpsSettings;
}

export interface HttpsSettings extends GateSettings {
  /** CERTIFICATE_DEADLINE */
  readonly certificateDeadlineMs: number;
  readonly pace: Pace;
}

export interface Attached {
  /** By our own write, and its certificate was not asked for since. */
  readonly uncovered: boolean;
  /** How RunCloud has it, where it was asked in this run. */
  readonly seen?: AttachedDomain | undefined;
}

export interface Https {
  /** What to wait for before the domain is attached; undefined where nothing is. */
  gate(work: HttpsWork): Promise<Outcome | undefined>;
  /** SSL_POISON=detach: what to wait for while its DNS holds up the certificate of others; undefined where it does not. */
  dead(work: HttpsWork): Promise<Waiting | undefined>;
  /** The domain is attached: has its certificate follow, and says how far it is. */
  prove(work: HttpsWork, sentence: string, how: Attached): Promise<Outcome>;
}

export function createHttps(ports: HttpsPorts): Https {
  const { look, facts, intents, settings } = ports;

  /** What to wait for while DNS stands so; undefined where it is right. */
  const closed = async (
    { intent }: HttpsWork,
    dns: readonly DnsFinding[],
    tls: Evidence['tls'] = [],
  ): Promise<Waiting | undefined> => {
    const now = await intents.now();
    const gate = judgeGate(dns, { since: intent.requestedAt, now, ...settings });
    const evidence: Evidence = { at: now, dns, tls };
    return gate && waiting(gate.sentence, gate.delayMs, { ...gate.report, evidence });
  };
  const lookAtDns = ({ intent, calls }: HttpsWork) => look.dns(intent, namesOfIntent(intent), calls);

  return {
    async gate(work) {
      if (settings.gate === 'off') return undefined;
      if (gateBefore(settings, await facts.glance(work.intent, work.calls)) !== 'attach') return undefined;
      return closed(work, await lookAtDns(work));
    },
    async dead(work) {
      if (!(await isInTheWay(work, ports))) return undefined;
      const dns = await lookAtDns(work);
      if (!dns.some(isSurelyBad)) return undefined;
      // What takes a domain off must not rest on a kind of certificate that has changed since it was read.
      const { advanced } = await facts.read(work.intent, work.calls);
      return advanced ? undefined : closed(work, dns);
    },
    async prove(before, sentence, { uncovered, seen }) {
      const work = seen ? { ...before, intent: await noteSeen(before, seen, uncovered, ports) } : before;
      const { intent, calls } = work;
      const shown = await look.all(intent, namesOfIntent(intent), calls);
      const evidence: Evidence = { ...shown, log: intent.evidence?.log };
      const standing: Standing = { ...work, sentence, looked: seen !== undefined };
      const step = look.provesHttps ? await judge(standing, uncovered, evidence, ports) : unproven(uncovered);
      const isOpen = step.kind !== 'live' && (uncovered || step.kind === 'ask');
      if (!isOpen) return carryOut(step, standing, evidence, ports);
      const isGated =
        settings.gate !== 'off' && gatesCertificate(settings, await facts.glance(intent, calls));
      const gated = isGated ? await closed(work, evidence.dns, evidence.tls) : undefined;
      return gated ?? ask(standing, evidence, ports);
    },
  };
}

// Asked of Redis before RunCloud or DNS: nearly always the answer is no.
async function isInTheWay(
  { intent }: HttpsWork,
  { certificates, intents, settings }: HttpsPorts,
): Promise<boolean> {
  if (settings.gate === 'off' || settings.poison !== 'detach') return false;
  const seen = (await certificates.get(intent))?.inTheWay[intent.domain];
  return seen !== undefined && isDead(seen, await intents.now(), settings.pace);
}

/** The intent with what was just seen of it. */
async function noteSeen(
  { intent, jobId }: HttpsWork,
  { www }: AttachedDomain,
  isNew: boolean,
  { intents }: HttpsPorts,
): Promise<Intent> {
  const seenAt = await intents.now();
  const attachedAt = isNew || !intent.attachedAt ? seenAt : intent.attachedAt;
  const seen = { seenAt, attachedAt, attachedWww: www };
  await intents.noteSeen(intent, jobId, seen);
  return { ...intent, ...seen };
}

/** TLS_PROBE=off: attached is all that can be said. */
const unproven = (uncovered: boolean): ProofStep | { readonly kind: 'unproven' } => ({
  kind: uncovered ? 'ask' : 'unproven',
});

/** What costs an order, or calls one failed, must not rest on a kind of certificate that has changed since it was read. */
async function judge(
  work: Standing,
  uncovered: boolean,
  evidence: Evidence,
  ports: HttpsPorts,
): Promise<ProofStep> {
  const { intent, calls } = work;
  const facts = await ports.facts.glance(intent, calls);
  const step = judgeProof(await proofFacts(facts, work, evidence, ports));
  // What we have just attached is asked for in any case, and the redeploy reads it: one call less for each attachment.
  if (uncovered || (step.kind !== 'ask' && step.kind !== 'order-failed')) return step;
  const now = await ports.facts.read(intent, calls);
  if (now.advanced === facts.advanced) return step;
  return judgeProof(await proofFacts(now, work, evidence, ports));
}

async function proofFacts(
  { advanced }: AppFacts,
  { intent, looked }: Standing,
  { dns, tls }: Evidence,
  { ledger, certificates, intents, settings }: HttpsPorts,
) {
  const [order, redeploy, isAsked, now] = await Promise.all([
    ledger.last(intent, advanced ? intent.domain : undefined),
    certificates.get(intent),
    certificates.isAsked(intent, intent.domain),
    intents.now(),
  ]);
  const { pace, certificateDeadlineMs: deadlineMs } = settings;
  const { domain, attachedAt, attachedWww } = intent;
  const told = namesOf([{ name: domain, www: attachedWww }]);
  return { told, tls, dns, order, redeploy, isAsked, looked, attachedAt, now, deadlineMs, pace };
}

interface Standing extends HttpsWork {
  /** How it came to be attached. */
  readonly sentence: string;
  /** RunCloud was asked in this run. */
  readonly looked: boolean;
}

async function carryOut(
  step: ProofStep | { readonly kind: 'unproven' },
  work: Standing,
  evidence: Evidence,
  ports: HttpsPorts,
): Promise<Outcome> {
  const { intent, jobId, sentence } = work;
  if (step.kind === 'live') {
    const report = { stage: 'live', evidence: { ...evidence, log: undefined } } as const;
    return done(`${step.sentence}${withoutWww(intent)}`, report);
  }
  if (step.kind === 'unproven') return done(sentence, { stage: 'attached', evidence });
  if (step.kind === 'ask') return ask(work, evidence, ports);
  if (step.kind === 'wait')
    return waiting(withReason(step, intent.appId, evidence), step.delayMs, { ...step.report, evidence });
  // The order failed, or left it out; and RunCloud may have lost the domain: the next run looks.
  await ports.intents.forgetSeen(intent, jobId);
  if (step.kind === 'look') return waiting(step.sentence, ports.settings.pace.tlsFirstMs);
  await reportFailure(step, work, evidence, ports);
  const log = await readReason(step, work, ports);
  await ports.askRedeploy(intent);
  const report = { stage: 'held', mustAct: step.mustAct, evidence: { ...evidence, log } } as const;
  const why = describeLog(log, intent.appId);
  return waiting(`${step.sentence}${why}`, ports.settings.pace.tlsFirstMs, report);
}

const withoutWww = ({ wish, attachedWww }: Intent): string =>
  wish.want === 'present' && wish.www && attachedWww === false
    ? '; RunCloud has it without its www twin'
    : '';

async function ask(
  { intent, sentence }: Standing,
  evidence: Evidence,
  { askRedeploy, look, settings }: HttpsPorts,
): Promise<Outcome> {
  await askRedeploy(intent);
  const follows = `${sentence}; a certificate redeploy follows`;
  const report = { stage: 'attached', evidence } as const;
  return look.provesHttps ? waiting(follows, settings.pace.tlsFirstMs, report) : done(follows, report);
}

async function reportFailure(
  { order }: Extract<ProofStep, { kind: 'order-failed' }>,
  { intent, calls }: HttpsWork,
  { dns }: Evidence,
  { facts, ledger }: HttpsPorts,
): Promise<void> {
  const { advanced } = await facts.glance(intent, calls);
  const app: WebApplication = { serverId: intent.serverId, appId: intent.appId };
  const domain: DomainName | undefined = advanced ? intent.domain : undefined;
  const culprits = dns.filter(isBad).map(({ name }) => name);
  await ledger.failed({ app, domain, names: order.names }, order.orderedAt, culprits);
}
