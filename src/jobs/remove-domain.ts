// remove-domain: the domain is gone from the web application, proven by RunCloud's reply or by a look at its list.
import { type Outcome, waiting } from '../outcome.ts';
import type { AttachedDomain } from '../runcloud/runcloud.ts';
import { detach } from './detach.ts';
import {
  conclude,
  type DomainHandler,
  type DomainPorts,
  type DomainWork,
  nextStep,
  unwritten,
} from './domain-work.ts';

export function createRemoveDomain(ports: DomainPorts): DomainHandler {
  return async (work) => {
    const step = await nextStep(work, ports);
    if (step.kind === 'attach') throw new TypeError('remove-domain was planned to attach');
    return step.kind === 'detach' ? remove(step.domain, work, ports) : conclude(step, work, ports);
  };
}

async function remove(domain: AttachedDomain, work: DomainWork, ports: DomainPorts): Promise<Outcome> {
  const { intent } = work;
  const written = await detach(domain, work, ports);
  if (written.fate !== 'written') return unwritten(written.fate, intent);
  if (!written.value)
    return waiting(
      `RunCloud accepted the removal of ${intent.domain}; looking whether it is gone`,
      ports.lookDelayMs,
    );
  return conclude({ kind: 'cover', sentence: `${intent.domain} removed` }, work, ports);
}
