// From "asked for" to "live" for one domain: the DNS gate before an attachment, and the proof after it. Looks at DNS and at the
// server by the probes that are handed in; what follows from it is decided in intent/gate.ts and intent/proof.ts.
import type { Certificates } from '../intent/certificates.ts';
import type { DomainName } from '../intent/domain-name.ts';
import { type GateSettings, gateBefore, isBad, judgeGate } from '../intent/gate.ts';
import type { DomainKey, Evidence, Intent } from '../intent/intent.ts';
import type { Ledger } from '../intent/ledger.ts';
import { namesOfIntent } from '../intent/names.ts';
import type { Pace } from '../intent/pace.ts';
import { judgeProof, type ProofStep } from '../intent/proof.ts';
import type { IntentStore } from '../intent/store.ts';
import { done, type Outcome, waiting } from '../outcome.ts';
import type { DnsFinding } from '../probes/findings.ts';
import type { AppFacts, Facts } from '../runcloud/facts.ts';
import type { CallOptions, WebApplication } from '../runcloud/runcloud.ts';
import type { Look } from './look.ts';

/** One domain's job at work, as far as this file needs it. */
export interface HttpsWork {
  readonly intent: Intent;
  readonly jobId: string;
  readonly calls: CallOptions;
}

export interface HttpsPorts {
  readonly look: Look;
  readonly facts: Facts;
  readonly ledger: Pick<Ledger, 'last' | 'failed'>;
  readonly certificates: Pick<Certificates, 'get' | 'isAsked'>;
  readonly intents: Pick<IntentStore, 'now' | 'noteSeen'>;
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
  /** RunCloud was asked in this run. */
  readonly looked: boolean;
}

export interface Https {
  /** What to wait for before the domain is attached; undefined where nothing is. */
  gate(work: HttpsWork): Promise<Outcome | undefined>;
  /** The domain is attached: has its certificate follow, and says how far it is. */
  prove(work: HttpsWork, sentence: string, how: Attached): Promise<Outcome>;
}

export function createHttps(ports: HttpsPorts): Https {
  const { look, facts, intents, settings } = ports;

  const gateOn = async (
    stop: 'attach' | 'certificate',
    { intent, calls }: HttpsWork,
    seen?: readonly DnsFinding[],
  ): Promise<Outcome | undefined> => {
    if (settings.gate === 'off') return undefined;
    if (gateBefore(settings, await facts.glance(intent, calls)) !== stop) return undefined;
    const dns = seen ?? (await look.dns(intent, namesOfIntent(intent), calls));
    const now = await intents.now();
    const closed = judgeGate(dns, { since: intent.requestedAt, now, ...settings });
    const evidence: Evidence = { at: now, dns, tls: [] };
    return closed && waiting(closed.sentence, closed.delayMs, { ...closed.report, evidence });
  };

  return {
    gate: (work) => gateOn('attach', work),
    async prove(work, sentence, { uncovered, looked }) {
      const { intent, calls } = work;
      const attachedAt = looked ? await noteSeen(work, uncovered, ports) : intent.attachedAt;
      const evidence = await look.all(intent, namesOfIntent(intent), calls);
      const step = look.provesHttps ? await judge(work, attachedAt, evidence, ports) : unproven(uncovered);
      const isOpen = step.kind !== 'live' && (uncovered || step.kind === 'ask');
      const gated = isOpen ? await gateOn('certificate', work, evidence.dns) : undefined;
      return gated ?? carryOut(step, { ...work, sentence, uncovered: isOpen }, evidence, ports);
    },
  };
}

/** Since when the domain is attached. */
async function noteSeen(
  { intent, jobId }: HttpsWork,
  isNew: boolean,
  { intents }: HttpsPorts,
): Promise<number> {
  const now = await intents.now();
  const attachedAt = isNew || !intent.attachedAt ? now : intent.attachedAt;
  await intents.noteSeen(intent, jobId, now, attachedAt);
  return attachedAt;
}

/** TLS_PROBE=off: attached is all that can be said. */
const unproven = (uncovered: boolean): ProofStep | { readonly kind: 'unproven' } => ({
  kind: uncovered ? 'ask' : 'unproven',
});

/** What costs an order, or calls one failed, must not rest on a kind of certificate that has changed since it was read. */
async function judge(
  work: HttpsWork,
  attachedAt: number,
  evidence: Evidence,
  ports: HttpsPorts,
): Promise<ProofStep> {
  const { intent, calls } = work;
  const facts = await ports.facts.glance(intent, calls);
  const step = judgeProof(await proofFacts(facts, work, attachedAt, evidence, ports));
  if (step.kind !== 'ask' && step.kind !== 'order-failed') return step;
  const now = await ports.facts.read(intent, calls);
  if (now.advanced === facts.advanced) return step;
  return judgeProof(await proofFacts(now, work, attachedAt, evidence, ports));
}

async function proofFacts(
  { advanced }: AppFacts,
  { intent }: HttpsWork,
  attachedAt: number,
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
  return { tls, dns, order, redeploy, isAsked, attachedAt, now, deadlineMs, pace };
}

interface Standing extends HttpsWork {
  /** How it came to be attached. */
  readonly sentence: string;
  /** Its certificate has to be asked for. */
  readonly uncovered: boolean;
}

async function carryOut(
  step: ProofStep | { readonly kind: 'unproven' },
  work: Standing,
  evidence: Evidence,
  ports: HttpsPorts,
): Promise<Outcome> {
  const { intent, sentence } = work;
  if (step.kind === 'live') return done(step.sentence, { stage: 'live', evidence });
  if (step.kind === 'unproven') return done(sentence, { stage: 'attached', evidence });
  if (work.uncovered || step.kind === 'ask') return ask(work, evidence, ports);
  if (step.kind === 'wait') return waiting(step.sentence, step.delayMs, { ...step.report, evidence });
  await reportFailure(step, work, evidence, ports);
  await ports.askRedeploy(intent);
  const report = { stage: 'held', mustAct: step.mustAct, evidence } as const;
  return waiting(step.sentence, ports.settings.pace.tlsFirstMs, report);
}

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

/** The order failed; and RunCloud may have lost the domain: the next run looks. */
async function reportFailure(
  { order }: Extract<ProofStep, { kind: 'order-failed' }>,
  { intent, jobId, calls }: HttpsWork,
  { dns }: Evidence,
  { facts, ledger, intents }: HttpsPorts,
): Promise<void> {
  await intents.noteSeen(intent, jobId, 0);
  const { advanced } = await facts.glance(intent, calls);
  const app: WebApplication = { serverId: intent.serverId, appId: intent.appId };
  const domain: DomainName | undefined = advanced ? intent.domain : undefined;
  const culprits = dns.filter(isBad).map(({ name }) => name);
  await ledger.failed({ app, domain, names: order.names }, order.orderedAt, culprits);
}
