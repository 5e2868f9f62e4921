// remove-domain: the domain is gone from the web application, proven by RunCloud's reply or by a look at its list.
import { type Fenced, underFence } from '../intent/fence.ts';
import { type Outcome, waiting } from '../outcome.ts';
import type { AttachedDomain, CallOptions } from '../runcloud/runcloud.ts';
import {
  conclude,
  type DomainHandler,
  type DomainPorts,
  type DomainWork,
  lookAfter,
  nextStep,
  unwritten,
} from './domain-work.ts';

export function createRemoveDomain(ports: DomainPorts): DomainHandler {
  return async (work) => {
    const step = await nextStep(work, ports.directory);
    if (step.kind === 'attach') throw new TypeError('remove-domain was planned to attach');
    return step.kind === 'detach' ? detach(step.domain, work, ports) : conclude(step, work, ports);
  };
}

async function detach(domain: AttachedDomain, work: DomainWork, ports: DomainPorts): Promise<Outcome> {
  const { intent, jobId, calls } = work;
  const { runcloud, intents, directory, lookDelayMs } = ports;
  const send = (options: CallOptions) => runcloud.detachDomain(intent, domain, options);
  const write = { key: intent, jobId, kind: 'detach' } as const;
  const written = await underFence(intents, write, calls, send).catch((error: unknown) =>
    look(error, work, ports),
  );
  if (written.fate !== 'written') return unwritten(written.fate, intent);
  if (!written.value) {
    return waiting(
      `RunCloud accepted the removal of ${intent.domain}; looking whether it is gone`,
      lookDelayMs,
    );
  }
  directory.note(intent, intent.domain, undefined, written.at);
  return conclude({ kind: 'cover', sentence: `${intent.domain} removed` }, work, ports);
}

// 404 may mean that the domain went before us, or that the web application is unknown: the list tells.
async function look(failure: unknown, work: DomainWork, ports: DomainPorts): Promise<Fenced<true>> {
  const codes = ['runcloud-unknown-result', 'runcloud-not-found'] as const;
  const { error, seen } = await lookAfter(failure, codes, work, ports);
  if (seen.attached) throw error;
  return { fate: 'written', value: true, at: seen.at };
}
