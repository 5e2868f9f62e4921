// The end of a run of add-domain or remove-domain that attaches and detaches nothing. The proof may need the www name switched
// before that.

import { isAttached } from '../domains/messages.ts';
import { done, type Outcome, waiting } from '../domains/outcome.ts';
import { isOurs, type Step } from '../domains/plan.ts';
import { PermanentError } from '../errors.ts';
import type { Https } from '../https/https.ts';
import type { Attached, WwwChange } from '../https/run.ts';
import type { AttachedDomain } from '../runcloud/runcloud.ts';
import { changeWww } from './change-www.ts';
import { awaitLate, type DomainPorts, type DomainWork, unwritten } from './domain-work.ts';
import { awaitTwin } from './host-names.ts';
import { changedByOthers, redeployFollows, wwwNotSwitched, wwwSwitched, wwwUnconfirmed } from './messages.ts';

type Conclusion = Exclude<Step, { kind: 'attach' | 'detach' | 'change' }>;

/** Carries out the steps that do not write domains. */
export async function conclude(step: Conclusion, work: DomainWork, ports: DomainPorts): Promise<Outcome> {
  if (step.kind === 'refuse') throw new PermanentError(step.code, step.sentence);
  if (step.kind === 'await') return awaitLate(step, work, ports);
  const { record } = work;
  const isPresent = record.desired.presence === 'present';
  if (isPresent && ports.https)
    return prove(
      ports.https,
      step.sentence,
      { needsRedeploy: step.kind === 'cover', observed: step.attached },
      work,
      ports,
    );
  const report = { state: isPresent ? 'attached' : 'removed', reasonCode: step.reasonCode } as const;
  if (step.kind === 'nothing') return done(step.sentence, report);
  await ports.requestRedeploy(record);
  return done(redeployFollows(step.sentence), report);
}

/** The proof, and the change that it may need. */
export async function prove(
  https: Https,
  sentence: string,
  how: Attached,
  work: DomainWork,
  ports: DomainPorts,
): Promise<Outcome> {
  const proven = await https.prove(work, sentence, how);
  return proven.kind === 'change' ? changeAndProve(https, proven, work, ports) : proven;
}

// The list first: its row has the id, and somebody may have changed it since.
async function changeAndProve(
  https: Https,
  change: WwwChange,
  work: DomainWork,
  ports: DomainPorts,
): Promise<Outcome> {
  const { record, calls } = work;
  const { directory, store } = ports;
  const { attached } = await directory.find(record, record.domain, await store.now(), calls);
  if (!attached || !isOurs(attached, record))
    return change.otherwise(wwwNotSwitched(record.domain, change.www, changedByOthers));
  if (attached.www === change.www) {
    const proven = await https.prove(work, isAttached(record.domain, []), {
      needsRedeploy: false,
      observed: attached,
    });
    return proven.kind === 'change' ? change.otherwise() : proven;
  }
  return switchWww(change, attached, work, ports);
}

/** Switches the www name, and goes on from there. */
export async function switchWww(
  { www, otherwise }: Omit<WwwChange, 'kind'>,
  attached: AttachedDomain,
  work: DomainWork,
  ports: DomainPorts,
): Promise<Outcome> {
  const { record, jobId } = work;
  const notDone = (why: string): Promise<Outcome> => otherwise(wwwNotSwitched(record.domain, www, why));
  const twin = www ? await awaitTwin(work, ports) : undefined;
  if (twin) return twin.kind === 'taken' ? notDone(twin.why) : twin;
  const changed = await changeWww(www, attached, work, ports);
  if (changed.kind === 'refused') return notDone(changed.why);
  if (changed.kind === 'unwritten') return unwritten(changed.fate, record);
  if (changed.kind === 'untold') {
    await ports.store.forgetObserved(record, jobId);
    const report = { reasonCode: 'change-unconfirmed' } as const;
    return waiting(wwwUnconfirmed(record.domain, www), ports.checkDelayMs, report);
  }
  // This name blocked a redeploy that others wait for.
  if (!www) await ports.requestRedeploy(record);
  const after = { ...work, record: changed.record };
  const { https } = ports;
  const sentence = wwwSwitched(record.domain, www);
  if (!https) return conclude({ kind: 'cover', sentence, reasonCode: 'attached' }, after, ports);
  const proven = await https.prove(after, sentence, { needsRedeploy: true, observed: changed.attached });
  return proven.kind === 'change' ? proven.otherwise() : proven;
}
