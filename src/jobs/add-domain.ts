// add-domain: the domain is on the web application, attached once, and its certificate is asked for.

import { PermanentError } from '../errors.ts';
import { type Fenced, underFence } from '../intent/fence.ts';
import { type Outcome, waiting } from '../outcome.ts';
import type { AttachedDomain, CallOptions, NewDomain } from '../runcloud/runcloud.ts';
import {
  conclude,
  type DomainHandler,
  type DomainPorts,
  type DomainWork,
  lookAfter,
  nextStep,
  unwritten,
} from './domain-work.ts';

export function createAddDomain(ports: DomainPorts): DomainHandler {
  return async (work) => {
    const { intent } = work;
    if (ports.https && intent.seenAt >= intent.requestedAt) {
      const how = { uncovered: intent.uncovered === 'attach', looked: false };
      return ports.https.prove(work, `${intent.domain} is attached`, how);
    }
    // Who waits for DNS is not there yet: RunCloud need not be asked before DNS is right.
    const isWaiting = intent.stage === 'waiting-for-dns' || intent.stage === 'held';
    return (isWaiting ? await ports.https?.gate(work) : undefined) ?? lookAndAttach(work, isWaiting, ports);
  };
}

async function lookAndAttach(work: DomainWork, passedGate: boolean, ports: DomainPorts): Promise<Outcome> {
  const step = await nextStep(work, ports.directory);
  if (step.kind === 'detach') throw new TypeError('add-domain was planned to detach');
  if (step.kind !== 'attach') return conclude(step, work, ports);
  return (passedGate ? undefined : await ports.https?.gate(work)) ?? attach(step.domain, work, ports);
}

async function attach(domain: NewDomain, work: DomainWork, ports: DomainPorts): Promise<Outcome> {
  const { intent, jobId, calls } = work;
  const { runcloud, intents, directory, lookDelayMs } = ports;
  const post = (options: CallOptions) => runcloud.attachDomain(intent, domain, options);
  const written = await underFence(intents, intent, jobId, calls, post, (reply) => reply?.id).catch(
    (error: unknown) => look(error, work, ports),
  );
  if (written.fate !== 'written') return unwritten(written.fate, intent);
  if (!written.value) {
    const sentence = `RunCloud took ${intent.domain} without naming it; looking whether it is there`;
    return waiting(sentence, lookDelayMs, { stage: 'attaching' });
  }
  directory.note(intent, intent.domain, written.value, written.at);
  return conclude({ kind: 'cover', sentence: `${intent.domain} attached` }, work, ports);
}

// RunCloud's reply to a duplicate, and what a lost reply hides, are both found out by looking.
async function look(failure: unknown, work: DomainWork, ports: DomainPorts): Promise<Fenced<AttachedDomain>> {
  const codes = ['runcloud-unknown-result', 'runcloud-rejected'] as const;
  const { error, seen } = await lookAfter(failure, codes, work, ports);
  if (seen.attached) return { fate: 'written', value: seen.attached, at: seen.at };
  if (error.code !== 'runcloud-rejected') throw error;
  const sentence = `${error.message} (${work.intent.domain} is not on this web application; look for it on another)`;
  throw new PermanentError(error.code, sentence, { cause: error });
}
