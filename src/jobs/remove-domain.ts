// remove-domain: the domain is gone from the web application, proven by RunCloud's reply or by a look at its list.

import { done, type Outcome, waiting } from '../domains/outcome.ts';
import { lateAttachment } from '../domains/plan.ts';
import { ForbiddenError, NotFoundError } from '../runcloud/errors.ts';
import type { AttachedDomain } from '../runcloud/runcloud.ts';
import { conclude } from './conclude.ts';
import { detach } from './detach.ts';
import {
  awaitLate,
  type DomainHandler,
  type DomainPorts,
  type DomainWork,
  nextStep,
  unwritten,
} from './domain-work.ts';
import { awaitName } from './host-names.ts';

export function createRemoveDomain(ports: DomainPorts): DomainHandler {
  return async (work) => {
    await ports.certificates.reinstate(work.record, work.record.domain);
    const step = await nextStep(work, ports).catch((error: unknown) => unlessGone(error, work, ports));
    if (step === 'gone') return gone(work);
    if (step.kind === 'attach' || step.kind === 'change')
      throw new TypeError(`remove-domain was planned to ${step.kind}`);
    if (step.kind === 'detach') return remove(step.domain, work, ports);
    // What is no domain of its own may still be served, as the www name of another one.
    return (step.kind === 'nothing' && (await awaitName(work, ports))) || conclude(step, work, ports);
  };
}

async function remove(domain: AttachedDomain, work: DomainWork, ports: DomainPorts): Promise<Outcome> {
  const { record } = work;
  const written = await detach(domain, work, ports);
  if (written.fate !== 'written') return unwritten(written.fate, record);
  if (!written.value)
    return waiting(
      `RunCloud accepted the removal of ${record.domain}; looking whether it is gone`,
      ports.checkDelayMs,
    );
  const late = lateAttachment(record, written.at);
  if (late) return awaitLate(late, work, ports);
  return conclude({ kind: 'cover', sentence: `${record.domain} removed` }, work, ports);
}

/** So many tries, some seconds apart, must meet the same answer. */
const TRIES_UNTIL_GONE = 3;
const saysUnknown = (error: unknown): error is NotFoundError =>
  error instanceof NotFoundError && error.isOwnWord;

// Its list is unknown to RunCloud (404, in its own words): that may be an odd answer, or the web application was deleted, and its
// domains with it. It was, where RunCloud goes on saying so, does not know it by another route either, and knows the server.
async function unlessGone(
  error: unknown,
  { record, calls, attempt }: DomainWork,
  { runcloud, missing }: DomainPorts,
): Promise<'gone'> {
  if (!saysUnknown(error)) throw error;
  // Another domain's job has shown it.
  if (error.isGone) return 'gone';
  // What was remembered is one answer, however often it is looked at.
  if (attempt < TRIES_UNTIL_GONE || (missing && error.answers < TRIES_UNTIL_GONE)) throw error;
  const app = await runcloud.getWebApplication(record, calls).catch((again: unknown) => {
    if (saysUnknown(again)) return undefined;
    throw again;
  });
  if (app) throw error;
  await runcloud.getServer(record.serverId, calls).catch((refused: unknown) => {
    // Who may not read servers is told nothing of this one: two routes have said that the web application is gone.
    if (!(refused instanceof ForbiddenError && refused.isOwnWord)) throw refused;
  });
  await missing?.noteGone(record);
  return 'gone';
}

const gone = ({ record: { domain, appId, serverId } }: DomainWork): Outcome =>
  done(
    `web application ${appId} does not exist on server ${serverId} any more, so ${domain} is not attached to it`,
    { state: 'removed' },
  );
