// Removes what a trial of `doctor --try-domain` has left: at its end, after Ctrl-C, and in the next
// run after a killed one.
import { hasCode, reasonOf } from '../errors.ts';
import type { AttachedDomain, WebApplication } from '../runcloud/runcloud.ts';
import type { TrialState } from './journal.ts';
import * as messages from './messages.ts';
import type { TryPorts } from './try-domain.ts';

/** Something was written and could not be removed. The journal stays. */
export class UndoFailure extends Error {}

/** A lost write may take effect so much later, and a list may be behind for so long. */
const LATE_MS = 60_000;
const TEMPLATE = '/servers/{server}/webapps/{webapp}/domains/{domain}';

/** The journal goes when nothing of the trial is left at RunCloud. Throws UndoFailure. */
export async function undo(left: TrialState, ports: TryPorts): Promise<void> {
  try {
    // A request since then owns the domain.
    if (!left.isRefused && !(await ports.findRecord(left.name))) await removeTrial(left, ports);
  } catch (error) {
    const reason = reasonOf(error);
    const { name, appId } = left;
    throw new UndoFailure(messages.mayBeLeft(name, { appId, reason, journal: ports.journal.file }));
  } finally {
    if (left.pausedAt !== undefined) await resume(left, left.pausedAt, ports);
  }
  ports.journal.remove();
}

async function resume({ serverId, appId }: TrialState, pausedAt: number, ports: TryPorts): Promise<void> {
  const isOurs = await ports.resume({ serverId, appId }, pausedAt);
  ports.print(isOurs ? messages.resumedAfterTrial(appId) : messages.pauseReplaced);
}

/** A write may be late, and a list may be behind. */
const MAX_CHECKS = 3;

async function removeTrial(left: TrialState, ports: TryPorts): Promise<void> {
  for (let check = 1; check <= MAX_CHECKS; check += 1) {
    const isGone = await removeOurs(left, ports);
    if (isGone && (check > 1 || !left.isUnsure)) return;
    if (check === MAX_CHECKS) break;
    ports.onStep(messages.checksAgain(isGone, LATE_MS));
    await ports.wait(LATE_MS);
  }
  throw new Error(messages.stillListed);
}

/**
 * Removes our domain by its id: a list that is behind may not have it. True: the list no longer has
 * it.
 */
async function removeOurs(left: TrialState, ports: TryPorts): Promise<boolean> {
  const id = (await find(left, ports))?.id ?? (left.isRemoved ? undefined : left.domainId);
  if (id === undefined) return true;
  const domain = { id, name: left.name, type: undefined, www: undefined, redirection: undefined };
  ports.onStep(`DELETE ${TEMPLATE}`);
  if (left.hasCertificate) await removeCertificate(left, domain, ports);
  await ports.runcloud.detachDomain(left, domain).catch((error: unknown) => {
    // Gone already: the list decides.
    if (!hasCode(error, 'runcloud-not-found', 'runcloud-rejected')) throw error;
  });
  return (await find(left, ports)) === undefined;
}

/** Our row: another domain of the same name has another id. */
async function find(left: TrialState, { runcloud }: TryPorts): Promise<AttachedDomain | undefined> {
  const row = (await runcloud.listDomains(left)).find(({ name }) => name === left.name);
  return left.domainId === undefined || row?.id === left.domainId ? row : undefined;
}

/**
 * Of the trial's own install only: in basic mode the domain's row has the shared certificate. A
 * staging certificate does no harm.
 */
async function removeCertificate(
  app: WebApplication,
  domain: AttachedDomain,
  { runcloud }: TryPorts,
): Promise<void> {
  try {
    const certificate = await runcloud.getDomainCertificate(app, domain);
    if (certificate) await runcloud.removeDomainCertificate(app, domain, certificate);
  } catch {
    // The domain itself is removed in any case.
  }
}
