// add-domain: the domain is on the web application, attached once, and its certificate is asked for.

import { hasCode, PermanentError } from '../errors.ts';
import { type Outcome, superseded, waiting } from '../outcome.ts';
import type { AttachedDomain, NewDomain } from '../runcloud/runcloud.ts';
import {
  conclude,
  type DomainHandler,
  type DomainPorts,
  type DomainWork,
  nextStep,
  overtaken,
} from './domain-work.ts';

export function createAddDomain(ports: DomainPorts): DomainHandler {
  return async (work) => {
    const step = await nextStep(work, ports.directory);
    if (step.kind === 'detach') throw new TypeError('add-domain was planned to detach');
    return step.kind === 'attach' ? attach(step.domain, work, ports) : conclude(step, work, ports);
  };
}

async function attach(domain: NewDomain, work: DomainWork, ports: DomainPorts): Promise<Outcome> {
  const { intent, jobId, calls } = work;
  const { runcloud, intents, directory, lookDelayMs } = ports;
  if (!(await intents.beginWrite(intent, jobId))) return superseded(overtaken(work));
  const written = await runcloud
    .attachDomain(intent, domain, calls)
    .catch((error: unknown) => look(error, work, ports));
  const at = await intents.endWrite(intent, written?.id);
  if (!written) {
    return waiting(
      `RunCloud took ${intent.domain} without naming it; looking whether it is there`,
      lookDelayMs,
    );
  }
  directory.note(intent, intent.domain, written, at);
  return conclude({ kind: 'cover', sentence: `${intent.domain} attached` }, work, ports);
}

// RunCloud's reply to a duplicate, and what a lost reply hides, are both found out by looking.
async function look(
  error: unknown,
  work: DomainWork,
  { intents, directory }: DomainPorts,
): Promise<AttachedDomain> {
  if (!hasCode(error, 'runcloud-unknown-result', 'runcloud-rejected')) throw error;
  const { intent, calls } = work;
  const since = await intents.endWrite(intent);
  const { attached } = await directory.find(intent, intent.domain, since, calls);
  if (attached) return attached;
  if (error.code !== 'runcloud-rejected') throw error;
  throw new PermanentError(
    error.code,
    `${error.message} (it is not on this web application; look for it on another)`,
    {
      cause: error,
    },
  );
}
