// remove-domain: the domain is gone from the web application. RunCloud's reply proves it, or its list.

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
import { appGone, domainRemoved, removalUnconfirmed } from './messages.ts';

export function createRemoveDomain(ports: DomainPorts): DomainHandler {
  return async (work) => {
    await ports.certificates.reinstate(work.record, work.record.domain);
    const step = await nextStep(work, ports).catch((error: unknown) => unlessGone(error, work, ports));
    if (step === 'gone') return gone(work);
    if (step.kind === 'attach' || step.kind === 'change')
      throw new TypeError(`remove-domain was planned to ${step.kind}`);
    if (step.kind === 'detach') return remove(step.domain, work, ports);
    // A name that is no domain of its own may still be served, as the www name of another one.
    return (step.kind === 'nothing' && (await awaitName(work, ports))) || conclude(step, work, ports);
  };
}

async function remove(domain: AttachedDomain, work: DomainWork, ports: DomainPorts): Promise<Outcome> {
  const { record } = work;
  const written = await detach(domain, work, ports);
  if (written.fate !== 'written') return unwritten(written.fate, record);
  if (!written.value)
    return waiting(removalUnconfirmed(record.domain), ports.checkDelayMs, {
      reasonCode: 'removal-unconfirmed',
    });
  const late = lateAttachment(record, written.at);
  if (late) return awaitLate(late, work, ports);
  return conclude(
    { kind: 'cover', sentence: domainRemoved(record.domain), reasonCode: 'removed' },
    work,
    ports,
  );
}

/** So many tries, some seconds apart, must get the same answer. */
const TRIES_UNTIL_GONE = 3;
const saysUnknown = (error: unknown): error is NotFoundError =>
  error instanceof NotFoundError && error.isOwnWord;

// RunCloud answers 404 for the list, in its own words. That may be an odd answer, or the web application was deleted, and its
// domains with it. It was deleted if RunCloud keeps saying so, another route says so too, and RunCloud knows the server.
async function unlessGone(
  error: unknown,
  { record, calls, attempt }: DomainWork,
  { runcloud, missing }: DomainPorts,
): Promise<'gone'> {
  if (!saysUnknown(error)) throw error;
  // Another domain's job has proven it.
  if (error.isGone) return 'gone';
  // A remembered answer counts once, however often it is read.
  if (attempt < TRIES_UNTIL_GONE || (missing && error.answers < TRIES_UNTIL_GONE)) throw error;
  const app = await runcloud.getWebApplication(record, calls).catch((again: unknown) => {
    if (saysUnknown(again)) return undefined;
    throw again;
  });
  if (app) throw error;
  await runcloud.getServer(record.serverId, calls).catch((refused: unknown) => {
    // The token may not read servers: two routes have said that the web application is gone.
    if (!(refused instanceof ForbiddenError && refused.isOwnWord)) throw refused;
  });
  await missing?.noteGone(record);
  return 'gone';
}

const gone = ({ record: { domain, appId, serverId } }: DomainWork): Outcome =>
  done(appGone(domain, appId, serverId), { state: 'removed', reasonCode: 'app-gone' });
