// remove-domain: the domain is gone from the web application, proven by RunCloud's reply or by a look at its list.
import { hasCode } from '../errors.ts';
import { type Outcome, superseded, waiting } from '../outcome.ts';
import type { AttachedDomain } from '../runcloud/runcloud.ts';
import {
  conclude,
  type DomainHandler,
  type DomainPorts,
  type DomainWork,
  nextStep,
  overtaken,
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
  if (!(await intents.beginWrite(intent, jobId))) return superseded(overtaken(work));
  const gone = await runcloud
    .detachDomain(intent, domain, calls)
    .catch((error: unknown) => look(error, work, ports));
  const at = await intents.endWrite(intent);
  if (!gone) {
    return waiting(
      `RunCloud accepted the removal of ${intent.domain}; looking whether it is gone`,
      lookDelayMs,
    );
  }
  directory.note(intent, intent.domain, undefined, at);
  return conclude({ kind: 'cover', sentence: `${intent.domain} removed` }, work, ports);
}

// 404 may mean that the domain went before us, or that the web application is unknown: the list tells.
async function look(error: unknown, work: DomainWork, { intents, directory }: DomainPorts): Promise<true> {
  if (!hasCode(error, 'runcloud-unknown-result', 'runcloud-not-found')) throw error;
  const { intent, calls } = work;
  const since = await intents.endWrite(intent);
  const { attached } = await directory.find(intent, intent.domain, since, calls);
  if (attached) throw error;
  return true;
}
